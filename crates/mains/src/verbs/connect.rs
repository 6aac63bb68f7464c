//! `mains connect`: how to point a client at the outlet.

use crate::cli::Connect;
use crate::print::{self, Ended, Trouble};
use std::fmt::Write as _;

/// One client: what to set where. `{base}` is the outlet's address, which some want with `/v1` and some
/// without. Read in the clients' own pages and sources, November 2026.
struct Client {
    /// What the user types.
    name: &'static str,
    /// What it is called.
    title: &'static str,
    /// Where the settings go.
    place: &'static str,
    /// The settings.
    text: &'static str,
    /// What else there is to know; may be empty.
    note: &'static str,
}

const CLIENTS: &[Client] = &[
    Client {
        name: "claude-code",
        title: "Claude Code",
        place: "shell",
        text: "export ANTHROPIC_BASE_URL={base}\n\
               export ANTHROPIC_AUTH_TOKEN={key}\n\
               unset ANTHROPIC_API_KEY\n\
               export CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY=1",
        note: "the address has no `/v1`; only models whose names begin with `claude` or `anthropic` show in its picker",
    },
    Client {
        name: "codex",
        title: "Codex CLI",
        place: "~/.codex/config.toml",
        text: "model = \"gpt-4o-mini\"\n\
               model_provider = \"mains\"\n\n\
               [model_providers.mains]\n\
               name = \"Mains\"\n\
               base_url = \"{base}/v1\"\n\
               env_key = \"MAINS_KEY\"\n\
               wire_api = \"responses\"",
        note: "then `export MAINS_KEY={key}`; it speaks responses only, so a route needs a target that does",
    },
    Client {
        name: "openai",
        title: "OpenAI SDKs",
        place: "shell",
        text: "export OPENAI_BASE_URL={base}/v1\nexport OPENAI_API_KEY={key}",
        note: "",
    },
    Client {
        name: "anthropic",
        title: "Anthropic SDKs",
        place: "shell",
        text: "export ANTHROPIC_BASE_URL={base}\nexport ANTHROPIC_API_KEY={key}",
        note: "the address has no `/v1`",
    },
    Client {
        name: "langchain",
        title: "LangChain",
        place: "Python",
        text: "ChatOpenAI(model=\"gpt-4o-mini\", base_url=\"{base}/v1\", api_key=\"{key}\")\n\
               ChatAnthropic(model=\"claude-haiku-4-5\", base_url=\"{base}\", api_key=\"{key}\")",
        note: "",
    },
    Client {
        name: "vercel",
        title: "Vercel AI SDK",
        place: "TypeScript",
        text: "const mains = createOpenAICompatible({ name: \"mains\", baseURL: \"{base}/v1\", apiKey: \"{key}\" });\n\
               const { text } = await generateText({ model: mains(\"gpt-4o-mini\"), prompt: \"…\" });",
        note: "`createOpenAI({ baseURL })` asks in the responses dialect; `.chat(id)` asks in chat completions",
    },
    Client {
        name: "open-webui",
        title: "Open WebUI",
        place: "shell",
        text: "export OPENAI_API_BASE_URL={base}/v1\nexport OPENAI_API_KEY={key}",
        note: "or Admin, Connections, OpenAI; in a container the outlet is not on `127.0.0.1`",
    },
    Client {
        name: "copilot",
        title: "Copilot CLI",
        place: "shell",
        text: "export COPILOT_PROVIDER_BASE_URL={base}/v1\n\
               export COPILOT_PROVIDER_TYPE=openai\n\
               export COPILOT_MODEL=gpt-4o-mini",
        note: "",
    },
    Client {
        name: "curl",
        title: "curl",
        place: "shell",
        text: "curl {base}/v1/chat/completions -H 'content-type: application/json' \\\n  \
               -H 'authorization: Bearer {key}' \\\n  \
               -d '{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'",
        note: "",
    },
];

/// Other words for the same clients.
const ALIASES: &[(&str, &str)] = &[
    ("claude", "claude-code"),
    ("codex-cli", "codex"),
    ("openai-sdk", "openai"),
    ("anthropic-sdk", "anthropic"),
    ("ai-sdk", "vercel"),
    ("openwebui", "open-webui"),
    ("copilot-cli", "copilot"),
];

pub(crate) fn run(arguments: &Connect) -> Result<Ended, Trouble> {
    let base = arguments.url.trim_end_matches('/').trim_end_matches("/v1");
    if !base.starts_with("http://") && !base.starts_with("https://") {
        return Err(Trouble::new(format!("`{}` is no address", arguments.url))
            .hint("write it like `http://127.0.0.1:2300`"));
    }
    let mut page = String::new();
    if let Some(name) = &arguments.client {
        page.push_str(&section(find(name)?, base));
    } else {
        for (number, client) in CLIENTS.iter().enumerate() {
            if number > 0 {
                page.push('\n');
            }
            page.push_str(&section(client, base));
        }
    }
    print::data(&page);
    print::say(
        "while no key was made any text is taken as one; `mains key make NAME` makes one, and then keys are required",
    );
    Ok(Ended::Clean)
}

fn find(name: &str) -> Result<&'static Client, Trouble> {
    let lower = name.to_lowercase().replace([' ', '_'], "-");
    let plain =
        ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower.as_str(), |(_, client)| client);
    CLIENTS.iter().find(|client| client.name == plain).ok_or_else(|| {
        let trouble = Trouble::new(format!("no client is known as `{name}`"));
        let names: Vec<&str> = CLIENTS.iter().map(|client| client.name).collect();
        let words = names.iter().copied().chain(ALIASES.iter().map(|(alias, _)| *alias));
        match mains_config::closest(&lower, words) {
            Some(near) => trouble.hint(format!("did you mean `{near}`?")),
            None => trouble.hint(format!("known are {}", names.join(", "))),
        }
    })
}

fn section(client: &Client, base: &str) -> String {
    let filled = |text: &str| text.replace("{base}", base).replace("{key}", "sk-mains-…");
    let mut page = format!("{}  ({}; {})\n", print::bold(client.title), client.name, client.place);
    for line in filled(client.text).lines() {
        let line = if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
        page.push_str(&line);
    }
    if !client.note.is_empty() {
        let _ = writeln!(page, "  # {}", filled(client.note));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_is_found_by_every_word_for_it() {
        for client in CLIENTS {
            assert_eq!(find(client.name).unwrap().title, client.title);
            assert!(
                !section(client, "http://127.0.0.1:2300").contains('{')
                    || client.place != "shell"
                    || client.name == "curl"
            );
        }
        for (alias, client) in ALIASES {
            assert_eq!(find(alias).unwrap().name, *client);
        }
        assert_eq!(find("Claude Code").unwrap().name, "claude-code");
        assert!(find("emacs").is_err());
    }
}
