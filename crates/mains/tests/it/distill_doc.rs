//! The commands of `docs/DISTILL.md` run as they are written, and print what stands there.

use super::{Ran, mains, temporary};
use std::path::Path;

/// The commands of blocks that begin with ```` ```sh ````, each with what the page says it prints.
fn commands(page: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            found.push((command.to_owned(), String::new()));
        } else if inside && let Some((_, said)) = found.last_mut() {
            said.push_str(line);
            said.push('\n');
        }
    }
    found
}

/// What differs from machine to machine and from day to day.
fn alike(text: &str) -> String {
    let hidden = |word: &str| {
        let word = word.trim_end_matches(['.', ',']);
        let hash = word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        hash || word.starts_with("mains.local/") || (word.starts_with("20") && word.len() == 10)
    };
    let line = |line: &str| {
        let words: Vec<&str> =
            line.split_whitespace().map(|word| if hidden(word) { "…" } else { word }).collect();
        words.join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[test]
fn the_users_path_goes_as_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = temporary();
    for file in ["tickets.csv", "prompt.txt", "mains.toml"] {
        std::fs::copy(root.join("examples/distill").join(file), folder.path().join(file)).unwrap();
    }
    let page = std::fs::read_to_string(root.join("docs/DISTILL.md")).unwrap();
    let commands = commands(&page);
    assert_eq!(commands.len(), 5, "five commands");
    for (command, said) in &commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words[0], "mains");
        // The outlet stays up; its tests are elsewhere.
        if words[1] == "serve" {
            continue;
        }
        let ran = Ran::of(mains(folder.path()).args(&words[1..])).ends(0);
        let both = format!("{}{}", ran.err, ran.out);
        for line in said.lines().filter(|line| !line.trim().is_empty()) {
            assert!(
                alike(&both).contains(&alike(line)),
                "{command}\nthe page says: {line}\nit printed:\n{both}"
            );
        }
    }
    let settings = std::fs::read_to_string(folder.path().join("mains.toml")).unwrap();
    assert!(settings.contains("[\"label/tickets\", \"openai/gpt-4o-mini\"] # the teacher"), "{settings}");
}
