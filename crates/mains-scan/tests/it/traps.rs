//! Traps met in real code: each was a false alarm or a miss of some tool.

use crate::{check, report, scan};
use mains_scan::report::Rule;
use mains_scan::{AttributedBy, Scope, Signal};

#[test]
fn an_id_inside_a_longer_id_is_not_found() {
    check("a.py", "import openai\nm = 'gpt-4o-mini'\nn = 'gpt4all'\n", &["use 2:6 gpt-4o-mini"]);
}

#[test]
fn plain_words_are_ids_only_in_a_models_slot() {
    check("a.yaml", "command: sonar\nauto: dev\nengine: docker\n", &[]);
    check("ci.yaml", "services:\n  web:\n    command: command\n    model: tank\n", &[]);
    check("a.py", "import cohere\nco.chat(model='command')\nx = 'command'\n", &["use 2:16 command"]);
}

#[test]
fn bare_o1_needs_a_slot_or_a_call() {
    check("a.go", "package a\nfunc f(o1 int) { if strings.HasPrefix(m, \"o1\") { o1++ } }\n", &[]);
    check("a.py", "import openai\nask(model='o1')\nx = o1\nflag = '-O3'\n", &["use 2:12 o1"]);
    check("a.ts", "import { openai } from '@ai-sdk/openai';\nopenai('o3');\n", &["use 2:9 o3"]);
}

#[test]
fn unknown_ids_of_known_families_and_any_literal_of_a_slot() {
    let text = "from openai import OpenAI\nc.create(model='gpt-9-turbo')\nc.create(model='our-finetune-7')\nm = Model(model='User')\n";
    check("a.py", text, &["use 2:17 gpt-9-turbo", "use 3:17 our-finetune-7"]);
    let report = report(&[("a.py", text)]);
    assert!(report.models.iter().all(|group| group.rule == Rule::Unknown && group.ends_on.is_none()));
    check("b.py", "m = Model(model='our-finetune-7')\n", &[]);
}

#[test]
fn namesakes_are_no_models() {
    check("a.py", "import anthropic\nrun('claude-code')\nx = 'gemini-cli'\ny = 'command-palette'\n", &[]);
    check("Cargo.toml", "[[bench]]\nname = \"llama3_benchmark\"\npath = \"llama-3-tokenizer.json\"\n", &[]);
    check("composer.json", r#"{"keywords": ["openai", "GPT-3", "gpt-4"]}"#, &["mention 1:35 gpt-4"]);
}

#[test]
fn what_is_only_compared_or_said_is_a_mention() {
    check(
        "a.py",
        "import openai\nif m == 'gpt-4': pass\nif m.startswith('gpt-4o'): pass\nraise ValueError('gpt-4.1 is gone')\nprint(f'asking gpt-4-turbo {x}')\n",
        &["mention 2:10 gpt-4", "mention 3:18 gpt-4o", "mention 4:19 gpt-4.1", "mention 5:16 gpt-4-turbo"],
    );
}

#[test]
fn a_table_of_many_is_one_list() {
    let mut text = String::from("import openai\nPRICES = {\n");
    for id in ["gpt-4", "gpt-4o", "claude-3-opus-20240229", "gemini-1.5-pro", "mistral-large-2407", "o1-mini"]
    {
        text += "    \"";
        text += id;
        text += "\": {\"input_cost\": 1},\n";
    }
    text.push_str("}\nc.create(model=\"gpt-4o\")\n");
    let report = report(&[("prices.py", &text)]);
    assert_eq!(report.lists.len(), 1);
    assert_eq!(report.lists[0].models, 6);
    assert!(!report.lists[0].retired.is_empty());
    assert_eq!(report.models.len(), 1, "the call stays a use");
    assert_eq!(report.models[0].id, "gpt-4o");
}

#[test]
fn the_platform_sets_the_date() {
    let by = |text: &str, path: &str| {
        let report = report(&[(path, text)]);
        let group = &report.models[0];
        (group.host.clone().unwrap_or_default(), group.attributed_by.unwrap())
    };
    let azure = "from openai import AzureOpenAI\nc.chat.completions.create(model='gpt-4o')\n";
    assert_eq!(by(azure, "a.py"), ("azure".to_owned(), AttributedBy::Import));
    assert_eq!(by("import openai\nc.create(model='gpt-4o')\n", "a.py").0, "openai");
    assert_eq!(
        by("m = 'us.anthropic.claude-3-haiku-20240307-v1:0'\n", "a.py"),
        ("aws-bedrock".to_owned(), AttributedBy::Prefix)
    );
    assert_eq!(by("c.create(model='azure/gpt-4o')\n", "a.py"), ("azure".to_owned(), AttributedBy::Prefix));
    assert_eq!(by("m = 'gpt-4o'\n", "a.py"), ("openai".to_owned(), AttributedBy::Owner));
    let groq = "from openai import OpenAI\nOpenAI(base_url='https://api.groq.com/openai/v1')\nc.create(model='llama-3.3-70b-versatile')\n";
    assert_eq!(by(groq, "a.py"), ("groq".to_owned(), AttributedBy::Host));
}

#[test]
fn hosts_keys_and_services_are_evidence_and_documentation_is_not() {
    let text = "# see https://platform.openai.com/docs\nurl = 'api.openai.com'\nkey = env['OPENAI_API_KEY']\nother = env['MY_OPENAI_API_KEY_2']\n";
    let findings = scan("a.py", text);
    let hosts = findings.sightings.iter().filter(|s| s.signal == Signal::Host).count();
    let keys = findings.sightings.iter().filter(|s| s.signal == Signal::KeyVariable).count();
    assert_eq!((hosts, keys), (1, 1));
}

#[test]
fn dependencies_are_whole_words_outside_comments() {
    let packages = |path: &str, text: &str| -> Vec<String> {
        let found = scan(path, text).sightings;
        found
            .into_iter()
            .filter_map(|s| if let Signal::Manifest { package } = s.signal { Some(package) } else { None })
            .collect()
    };
    assert_eq!(
        packages("requirements.txt", "openai==1.2\nhttpx # via openai\nopenai-whisper\ntogether>=1\n"),
        ["openai", "together"]
    );
    assert_eq!(
        packages(
            "package.json",
            r#"{"dependencies": {"@anthropic-ai/sdk": "1", "replicate": "1", "openai-mock": "1"}}"#
        ),
        ["@anthropic-ai/sdk", "replicate"]
    );
    assert_eq!(
        packages("go.mod", "require github.com/sashabaranov/go-openai v1.2.0\n"),
        ["github.com/sashabaranov/go-openai"]
    );
    assert_eq!(
        packages("pom.xml", "<!-- <groupId>com.openai</groupId> -->\n<groupId>com.anthropic</groupId>\n"),
        ["com.anthropic"]
    );
}

#[test]
fn imports_are_roots_and_not_parts_of_names() {
    let imports = |path: &str, text: &str| {
        scan(path, text).sightings.iter().filter(|s| matches!(s.signal, Signal::Import { .. })).count()
    };
    assert_eq!(imports("a.py", "from myapp.openai import x\nimport openai_helpers\n"), 0);
    assert_eq!(imports("a.py", "import os, openai as o\nfrom anthropic.types import Message\n"), 2);
    assert_eq!(
        imports("a.ts", "import x from './internal/openai';\nimport type { Y } from 'openai/resources';\n"),
        1
    );
    assert_eq!(
        imports("a.go", "import (\n\t\"our.org/internal/openai\"\n\t\"github.com/openai/openai-go/v2\"\n)\n"),
        1
    );
    assert_eq!(imports("A.java", "import com.openai.client.OpenAIClient;\n"), 1);
    assert_eq!(imports("a.rs", "use async_openai::Client;\n"), 1);
    assert_eq!(imports("a.cs", "using OpenAI.Chat;\nusing OpenAIHelpers;\n"), 1);
    assert_eq!(imports("a.rb", "require 'openai'\n"), 1);
    assert_eq!(imports("a.php", "<?php\nuse OpenAI\\Client;\nuse App\\OpenAI;\n"), 1);
}

#[test]
fn dead_endpoints_and_old_calls_are_findings_of_their_own() {
    let text = "import openai\nopenai.ChatCompletion.create(model='gpt-4o')\nurl = 'https://api.openai.com/v1/edits'\n";
    let report = report(&[("a.py", text)]);
    let names: Vec<&str> = report.endpoints.iter().map(|group| group.name.as_str()).collect();
    assert!(names.contains(&"/v1/edits"), "{names:?}");
    assert!(names.iter().any(|name| name.contains("ChatCompletion")), "{names:?}");
    let elsewhere = crate::report(&[("b.py", "url = 'https://shop.example/v1/edits'\n")]);
    assert!(elsewhere.endpoints.is_empty());
}

#[test]
fn tests_and_examples_are_shown_and_do_not_gate() {
    let dead = "import openai\nc.create(model='gpt-3.5-turbo')\n";
    assert_eq!(report(&[("src/a.py", dead)]).exit_code(), 1);
    for path in ["tests/a.py", "src/test_a.py", "examples/a.py", "a.spec.ts", "pkg/a_test.go"] {
        assert_ne!(mains_scan::scope_of(path), Scope::Product, "{path}");
    }
    assert_eq!(report(&[("tests/a.py", dead)]).exit_code(), 0);
}

#[test]
fn an_ignore_comment_silences_until_its_day() {
    let with = |comment: &str| {
        report(&[("a.py", &format!("import openai\nc.create(model='gpt-3.5-turbo')  # {comment}\n"))])
            .exit_code()
    };
    assert_eq!(with("mains: ignore[MAINS-RETIRED] until=2026-12-31 moving"), 0);
    assert_eq!(with("mains: ignore[MAINS-RETIRED] until=2026-11-01 moving"), 1);
    assert_eq!(with("mains: ignore[MAINS-UNKNOWN] moving"), 1);
    assert_eq!(with("mains: ignore[NONSENSE] moving"), 1);
}

#[test]
fn a_promise_that_has_passed_is_no_death() {
    let report = report(&[("a.py", "import anthropic\nc.create(model='claude-haiku-4-5-20251001')\n")]);
    let group = &report.models[0];
    assert!(matches!(group.state, "may-end-any-day" | "dying" | "alive"), "{}", group.state);
    assert!(!(group.gated && group.state == "may-end-any-day"));
}
