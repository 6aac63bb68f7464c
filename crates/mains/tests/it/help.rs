use super::{run, temporary};

#[test]
fn the_first_screen() {
    let folder = temporary();
    insta::assert_snapshot!(run(folder.path(), &["--help"]).ends(0).out);
}

#[test]
fn every_verb_explains_itself_in_a_page() {
    let folder = temporary();
    let verbs = [
        "up",
        "scan",
        "serve",
        "drill",
        "ledger",
        "records",
        "model",
        "catalog",
        "estimate",
        "key",
        "config",
        "connect",
        "doctor",
        "completions",
    ];
    for verb in verbs {
        let ran = run(folder.path(), &[verb, "--help"]).ends(0);
        let lines = ran.out.lines().count();
        assert!((5..80).contains(&lines), "{verb}: {lines} lines");
        assert!(ran.out.lines().all(|line| line.chars().count() <= 100), "{verb}: {}", ran.out);
    }
}

#[test]
fn a_misspelt_verb_is_trouble_with_a_hint() {
    let folder = temporary();
    let ran = run(folder.path(), &["scna"]).ends(2);
    assert!(ran.err.contains("scan"), "{}", ran.err);
    run(folder.path(), &[]).ends(2);
}

#[test]
fn shells_get_their_scripts() {
    let folder = temporary();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(folder.path(), &["completions", shell]).ends(0).out;
        assert!(script.contains("mains") && script.contains("ledger"), "{shell}");
    }
}

#[test]
fn clients_learn_the_address_that_they_want() {
    let folder = temporary();
    let claude = run(folder.path(), &["connect", "claude-code", "--url", "http://localhost:9/v1/"]).ends(0);
    assert!(claude.out.contains("ANTHROPIC_BASE_URL=http://localhost:9\n"), "{}", claude.out);
    let openai = run(folder.path(), &["connect", "openai"]).ends(0).out;
    assert!(openai.contains("OPENAI_BASE_URL=http://127.0.0.1:2300/v1\n"), "{openai}");
    let codex = run(folder.path(), &["connect", "codex"]).ends(0).out;
    assert!(codex.contains("wire_api = \"responses\""), "{codex}");
    let all = run(folder.path(), &["connect"]).ends(0).out;
    for title in
        ["Claude Code", "Codex CLI", "LangChain", "Vercel AI SDK", "Open WebUI", "Copilot CLI", "curl"]
    {
        assert!(all.contains(title), "{title}");
    }
    assert!(run(folder.path(), &["connect", "claud"]).ends(2).err.contains("did you mean `claude`?"));
}
