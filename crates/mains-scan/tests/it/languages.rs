//! One table a language: what is a use, what a mention.

use crate::check;

#[test]
fn python() {
    check(
        "app.py",
        r#"import os
from openai import OpenAI
MODEL = "gpt-4o"  # not gpt-4.1
def f(model: str = "gpt-4o-mini"):
    """Asks gpt-3.5-turbo."""
    return client.chat.completions.create(model=os.getenv("M", "o3-mini"), x=f"gpt-4 {model}")
config = {"model": "gpt-4.1", "other": os.environ.get("X") or 'gpt-4.1-mini'}
"#,
        &[
            "use 3:10 gpt-4o",
            "mention 3:25 gpt-4.1",
            "use 4:21 gpt-4o-mini",
            "mention 5:13 gpt-3.5-turbo",
            "use 6:65 o3-mini",
            "mention 6:80 gpt-4",
            "use 7:21 gpt-4.1",
            "use 7:64 gpt-4.1-mini",
        ],
    );
}

#[test]
fn javascript_and_typescript() {
    check(
        "app.ts",
        r#"import { openai } from "@ai-sdk/openai";
// once gpt-4
const a = openai("gpt-4o");
const b = { model: process.env.MODEL ?? "gpt-4o-mini" };
const c = `${process.env.M || "gpt-4.1"}`;
const re = /"gpt-4/;
type M = "gpt-4" | "gpt-4o";
/* gpt-3.5-turbo */
new ChatAnthropic({ modelName: 'claude-3-haiku-20240307' });
"#,
        &[
            "mention 2:9 gpt-4",
            "use 3:19 gpt-4o",
            "use 4:42 gpt-4o-mini",
            "use 5:32 gpt-4.1",
            "use 7:11 gpt-4",
            "use 7:21 gpt-4o",
            "mention 8:4 gpt-3.5-turbo",
            "use 9:33 claude-3-haiku-20240307",
        ],
    );
}

#[test]
fn notebooks_have_lines_of_the_raw_file_and_only_code_cells() {
    let notebook = r#"{"cells": [
  {"cell_type": "markdown", "source": ["about gpt-4"]},
  {"cell_type": "code", "outputs": [{"text": ["gpt-4-0613"]}], "source": [
    "import openai\n",
    "m = client.create(model=\"gpt-4o\")  # \u00fc gpt-4"
  ]}
], "nbformat": 4}
"#;
    check("a.ipynb", notebook, &["use 5:32 gpt-4o", "mention 5:52 gpt-4"]);
}

#[test]
fn json_yaml_toml_env() {
    check(
        "a.json",
        r#"{"llm": {"model": "gpt-4o", "name": "x"}, "gpt-4": 1}"#,
        &["use 1:20 gpt-4o", "use 1:44 gpt-4"],
    );
    check(
        "a.yaml",
        "# gpt-4\nmodel: gpt-4o # gpt-4\nproviders:\n  - openai:gpt-4.1\nenv:\n  MODEL: \"${MODEL:-gpt-4o-mini}\"\nspring: {ai: {model: gpt-4-turbo}}\nrun: |\n  ask --model gpt-4-0613 now\n  about gpt-3.5-turbo\n",
        &[
            "mention 1:3 gpt-4",
            "use 2:8 gpt-4o",
            "mention 2:17 gpt-4",
            "use 4:5 openai:gpt-4.1",
            "use 6:20 gpt-4o-mini",
            "use 7:22 gpt-4-turbo",
            "use 9:15 gpt-4-0613",
            "mention 10:9 gpt-3.5-turbo",
        ],
    );
    check("a.toml", "# gpt-4\n[llm]\nmodel = \"gpt-4o\"\n", &["mention 1:3 gpt-4", "use 3:10 gpt-4o"]);
    check(
        ".env",
        "# gpt-4\nexport OPENAI_MODEL='gpt-4o' # x\nX=gpt-4-turbo\n",
        &["mention 1:3 gpt-4", "use 2:22 gpt-4o", "use 3:3 gpt-4-turbo"],
    );
    check("a.properties", "spring.ai.model=${MODEL:gpt-4o}\n", &["use 1:25 gpt-4o"]);
}

#[test]
fn shell_and_dockerfile() {
    check(
        "run.sh",
        "# gpt-4\nMODEL=${MODEL:-gpt-4o}\nask --model gpt-4.1 -t 0\necho \"now asking gpt-4o\"\ncurl https://api.openai.com/v1/chat/completions -d '{\"model\": \"gpt-4-turbo\"}'\n",
        &[
            "mention 1:3 gpt-4",
            "use 2:16 gpt-4o",
            "use 3:13 gpt-4.1",
            "mention 4:18 gpt-4o",
            "use 5:64 gpt-4-turbo",
        ],
    );
    check(
        "Dockerfile",
        "FROM x\nENV OPENAI_MODEL gpt-4o\nARG MODEL=gpt-4.1\nENV A=1 M2=gpt-4-turbo\n",
        &["use 2:18 gpt-4o", "use 3:11 gpt-4.1", "use 4:12 gpt-4-turbo"],
    );
}

#[test]
fn terraform() {
    check(
        "main.tf",
        "# gpt-4\nresource \"azurerm_cognitive_deployment\" \"d\" {\n  model {\n    name = \"gpt-4o\"\n    format = \"OpenAI\"\n  }\n}\nlocals { id = \"us.anthropic.claude-3-haiku-20240307-v1:0\" }\n",
        &["mention 1:3 gpt-4", "use 4:13 gpt-4o", "use 8:16 us.anthropic.claude-3-haiku-20240307-v1:0"],
    );
}

#[test]
fn the_c_like_family() {
    check(
        "a.go",
        "package a\n// gpt-4\nvar r = openai.Request{Model: \"gpt-4o\"}\nvar raw = `gpt-4.1`\n",
        &["mention 2:4 gpt-4", "use 3:32 gpt-4o", "use 4:12 gpt-4.1"],
    );
    check(
        "A.java",
        "/* gpt-4 */ String m = \"gpt-4o\"; var b = builder.model(\"gpt-4.1\");\n",
        &["mention 1:4 gpt-4", "use 1:25 gpt-4o", "use 1:57 gpt-4.1"],
    );
    check(
        "a.rs",
        "fn f<'a>(x: &'a str) { ask(r#\"gpt-4o\"#); env::var(\"M\").unwrap_or(\"gpt-4.1\".into()); }\n",
        &["use 1:31 gpt-4o", "use 1:67 gpt-4.1"],
    );
    check(
        "a.cs",
        "var c = new ChatClient(model: \"gpt-4o\", $\"{x} gpt-4\");\n",
        &["use 1:32 gpt-4o", "mention 1:47 gpt-4"],
    );
    check(
        "a.rb",
        "# gpt-4\nclient.chat(parameters: { model: \"gpt-4o\", 'model' => 'gpt-4.1' })\n",
        &["mention 1:3 gpt-4", "use 2:35 gpt-4o", "use 2:56 gpt-4.1"],
    );
    check(
        "a.php",
        "<?php\n// gpt-4\n$c->create(['model' => env('M', 'gpt-4o')]);\n",
        &["mention 2:4 gpt-4", "use 3:34 gpt-4o"],
    );
}

#[test]
fn other_files_are_read_line_by_line() {
    check("prompt.txt", "You are gpt-4o.\nmodel=gpt-4.1\n", &["mention 1:9 gpt-4o", "use 2:7 gpt-4.1"]);
    check(
        "README.md",
        "Uses gpt-4o.\n```\nmodel = \"gpt-4.1\"\n```\n",
        &["mention 1:6 gpt-4o", "mention 3:10 gpt-4.1"],
    );
}
