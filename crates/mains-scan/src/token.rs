//! Model ids as text: where one begins and ends, what is distinctive, which slots hold one.

use regex::Regex;
use std::sync::OnceLock;

/// Beginnings of ids of known families, so that a file with only unknown ids is read too.
pub(crate) const FAMILY_STEMS: &[&str] = &[
    "chatgpt-",
    "claude-",
    "gemini-",
    "gemma-",
    "gemma2",
    "gemma3",
    "llama-",
    "llama2",
    "llama3",
    "mistral-",
    "mixtral-",
    "ministral-",
    "magistral-",
    "codestral-",
    "devstral-",
    "pixtral-",
    "command-r",
    "command-a",
    "grok-",
    "deepseek-",
    "kimi-",
    "sonar-",
    "nova-",
    "titan-",
    "jamba-",
    "sora-",
    "imagen-",
    "dall-e",
    "whisper-",
    "tts-1",
    "text-embedding",
    "text-davinci",
    "code-davinci",
    "embed-english",
    "embed-multilingual",
    "o1-mini",
    "o1-pro",
    "o1-preview",
    "o3-mini",
    "o3-pro",
    "o4-mini",
    "o5-mini",
];

/// Beginnings that are too short to be searched for, with what may follow.
pub(crate) const SHORT_STEMS: &[(&str, &str)] = &[
    ("gpt-", "0123456789oairl"),
    ("qwen", "-0123456789"),
    ("glm-", "0123456789"),
    ("phi-", "0123456789"),
    ("veo-", "0123456789"),
];

/// Whether `byte` may stand inside an id.
pub(crate) fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/' | b'@' | b'+')
}

/// Whether a known id is so unlike prose and code that it may be searched anywhere: a letter run, a digit
/// and a separator. `command`, `ada`, `auto` and `dev` are ids too, but only in a model's slot.
pub(crate) fn is_distinctive(id: &str) -> bool {
    let digits = id.bytes().any(|b| b.is_ascii_digit());
    let separator = id.bytes().any(|b| matches!(b, b'-' | b'.' | b':' | b'_'));
    let letters = id.split(|c: char| !c.is_ascii_alphabetic()).any(|run| run.len() >= 3);
    let short = id.len() >= 5 && id.starts_with(['o', 'O', 'r', 'R']) && id.as_bytes()[1].is_ascii_digit();
    let size = id.as_bytes().first().is_some_and(u8::is_ascii_digit);
    digits && separator && (letters || short) && id.len() >= 4 && !size
}

/// Whether `text` is one token that could be an id.
pub(crate) fn is_token(text: &[u8]) -> bool {
    (2..=160).contains(&text.len())
        && text.iter().all(|b| is_id_byte(*b))
        && text.iter().any(u8::is_ascii_alphabetic)
        && text[0].is_ascii_alphanumeric()
        && text.last().is_some_and(u8::is_ascii_alphanumeric)
        && !text.windows(3).any(|w| w == b"://")
}

/// The id around a hit inside a longer text: path separators end it, a colon does unless a digit follows.
pub(crate) fn around(
    text: &[u8],
    (mut start, mut end): (usize, usize),
    within: (usize, usize),
) -> (usize, usize) {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    while start > within.0 && inner(text[start - 1]) {
        start -= 1;
    }
    while end < within.1 {
        let byte = text[end];
        let version = matches!(byte, b':' | b'@')
            && text.get(end + 1).is_some_and(u8::is_ascii_digit)
            && end + 1 < within.1;
        if !inner(byte) && !version {
            break;
        }
        end += 1;
    }
    while end > start && matches!(text[end - 1], b'.' | b'-' | b'_') {
        end -= 1;
    }
    while start < end && matches!(text[start], b'.' | b'-' | b'_') {
        start += 1;
    }
    (start, end)
}

const SHAPE: &str = r"(?x)^(?:[a-z0-9_.-]+[/:])*
 (?:(?:us|eu|apac|global|jp|au|us-gov|ca)\.)?(?:(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|stability)\.)?
 (?:
   (?:chat)?gpt-(?:\d|oss|image|audio|realtime|live)[a-z0-9.:@_-]*
 | o[1-9](?:-[a-z0-9-]+)?
 | claude-(?:\d|v\d|instant|opus|sonnet|haiku|fable|mythos|next)[a-z0-9.:@_-]*
 | gemini-(?:\d|pro|flash|ultra|exp|live)[a-z0-9.:@_-]*
 | gemma-?\d[a-z0-9.:_-]*
 | (?:meta-)?llama-?v?\d[a-z0-9.:-]*
 | (?:open-)?(?:mistral|mixtral|ministral|magistral|codestral|devstral|pixtral)-(?:\d|tiny|small|medium|large|nemo|saba|embed|ocr|moderation|latest)[a-z0-9.:_-]*
 | command-(?:r|a|nightly|light)(?:[-.+:][a-z0-9.:_-]*)?
 | grok-(?:\d|beta|vision|code|imagine)[a-z0-9.:_-]*
 | deepseek-(?:chat|reasoner|coder|v\d|r\d|prover|math)[a-z0-9.:_-]*
 | qwen(?:-?\d|-(?:turbo|plus|max|flash|vl|long|coder|math|audio))[a-z0-9.:_-]*
 | glm-\d[a-z0-9.:_-]*
 | kimi-(?:k\d|latest|thinking)[a-z0-9.:_-]*
 | sonar-(?:pro|reasoning|deep|small|medium|large)[a-z0-9.:_-]*
 | nova-(?:micro|lite|pro|premier|canvas|reel|sonic|act|\d)[a-z0-9.:_-]*
 | titan-(?:text|embed|image|tg1)[a-z0-9.:_-]*
 | phi-?\d[a-z0-9.:_-]*
 | jamba-(?:\d|instruct|mini|large)[a-z0-9.:_-]*
 | (?:sora|veo|dall-e|whisper|tts)-\d[a-z0-9.:_-]*
 | imagen-?\d?[-.@]\d[a-z0-9.:@_-]*
 | text-embedding-(?:\d|ada|gecko|005|004)[a-z0-9.:@_-]*
 | (?:text|code)-(?:davinci|curie|babbage|ada|cushman|bison|unicorn|search)[a-z0-9.:@_-]*
 | embed-(?:english|multilingual|v\d)[a-z0-9.:_-]*
 )$";

/// Whether an id has the shape of a known family, whether or not the catalogue knows it.
pub(crate) fn has_family_shape(id: &str) -> bool {
    static SHAPE_REGEX: OnceLock<Option<Regex>> = OnceLock::new();
    let regex = SHAPE_REGEX.get_or_init(|| Regex::new(SHAPE).ok());
    let lower = id.to_ascii_lowercase();
    regex.as_ref().is_some_and(|regex| regex.is_match(&lower))
        && lower.bytes().any(|b| b.is_ascii_digit() || b == b'-')
}

/// The family of an id: its first run of letters after any prefix.
pub(crate) fn family(id: &str) -> String {
    let own = id.rsplit('/').next().unwrap_or(id);
    let own = own.split_once(':').map_or(own, |(head, tail)| if is_distinctive(head) { head } else { tail });
    let word: String = own.chars().take_while(char::is_ascii_alphabetic).collect();
    word.to_ascii_lowercase()
}

/// Whether a key, argument, variable or flag of this name holds a model id. `slot` may be a path of keys.
pub(crate) fn is_model_slot(slot: &str) -> bool {
    let parts: Vec<&str> = slot.rsplit('.').take(2).collect();
    let is_model = |part: &str| is_model_word(&squeeze(part));
    let neutral = |part: &str| {
        matches!(
            squeeze(part).as_str(),
            "default"
                | "name"
                | "id"
                | "value"
                | "defaultvalue"
                | "fallback"
                | "primary"
                | "const"
                | "fast"
                | "smart"
        )
    };
    match parts.as_slice() {
        [last] => is_model(last),
        [last, parent] => is_model(last) || (neutral(last) && is_model(parent)),
        _ => false,
    }
}

/// The name in lower case without separators.
fn squeeze(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn is_model_word(word: &str) -> bool {
    let endings = [
        "model",
        "models",
        "modelid",
        "modelname",
        "modelarn",
        "modelkey",
        "llm",
        "llmname",
        "deploymentname",
        "deploymentid",
        "azuredeployment",
        "deploymentmodel",
        "modelalias",
        "engineid",
        "enginename",
    ];
    endings.iter().any(|ending| word.ends_with(ending))
        || matches!(word, "engine" | "deployment" | "m")
        || (word.starts_with("model") && word[5..].bytes().all(|b| b.is_ascii_digit()))
        || (word.contains("model") && word.ends_with("default"))
        || (word.starts_with("openai") && word.ends_with("deployment"))
}

/// Whether a literal in a model's slot can be an id at all: no placeholder, no path of this machine.
pub(crate) fn is_plausible(literal: &str) -> bool {
    let lower = literal.to_ascii_lowercase();
    let file_endings = [
        ".py",
        ".json",
        ".bin",
        ".pt",
        ".onnx",
        ".yaml",
        ".yml",
        ".txt",
        ".csv",
        ".pkl",
        ".h5",
        ".js",
        ".ts",
        ".safetensors",
        ".gguf",
    ];
    let placeholders = [
        "your",
        "my-model",
        "placeholder",
        "example",
        "changeme",
        "xxx",
        "todo",
        "none",
        "null",
        "undefined",
        "true",
        "false",
    ];
    !file_endings.iter().any(|ending| lower.ends_with(ending))
        && !placeholders.iter().any(|word| {
            lower == *word || lower.starts_with(&format!("{word}-")) || lower.starts_with(&format!("{word}_"))
        })
        && !lower.starts_with("./")
        && literal.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether a literal looks like a name that someone chose for a machine: it has a digit or a separator.
pub(crate) fn is_machine_name(literal: &str) -> bool {
    literal.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_something_else_are_not_distinctive() {
        for id in ["gpt-4o", "claude-3-opus", "o1-mini", "tts-1", "sora-2", "text-embedding-3-small"] {
            assert!(is_distinctive(id), "{id}");
        }
        for id in ["command", "ada", "auto", "dev", "o1", "1024-x-1024", "sonar-pro", "v1.0", "256-x-256"] {
            assert!(!is_distinctive(id), "{id}");
        }
    }

    #[test]
    fn shapes_of_families_are_known_and_their_namesakes_are_not() {
        for id in [
            "gpt-9-ultra",
            "claude-opus-9",
            "us.anthropic.claude-opus-9-v1:0",
            "openai/gpt-7",
            "veo-9.1-fast",
            "o5-mini",
        ] {
            assert!(has_family_shape(id), "{id}");
        }
        for id in [
            "gpt4all",
            "claude-code",
            "gemini-cli",
            "command-palette",
            "nova-launcher",
            "sonar-scanner",
            "titan-x",
            "o-ring",
        ] {
            assert!(!has_family_shape(id), "{id}");
        }
    }

    #[test]
    fn slots_are_known_by_their_last_word() {
        for slot in [
            "model",
            "modelId",
            "OPENAI_MODEL",
            "model.default",
            "litellm_params.model",
            "azure_deployment",
            "DEFAULT_MODEL",
            "MODEL_ID",
        ] {
            assert!(is_model_slot(slot), "{slot}");
        }
        for slot in ["provider", "model.provider", "name", "modeling", "remodel_cost", "m.x"] {
            assert!(!is_model_slot(slot), "{slot}");
        }
    }

    #[test]
    fn an_id_is_cut_out_of_a_longer_text() {
        let cut = |text: &'static str, hit: &str| {
            let at = text.find(hit).unwrap();
            let (from, to) = around(text.as_bytes(), (at, at + hit.len()), (0, text.len()));
            &text[from..to]
        };
        assert_eq!(cut("use gpt-4o.", "gpt-4o"), "gpt-4o");
        assert_eq!(cut("models/gemini-1.5-pro:generateContent", "gemini-1.5"), "gemini-1.5-pro");
        assert_eq!(
            cut("id us.anthropic.claude-3-opus-20240229-v1:0 x", "claude-3"),
            "us.anthropic.claude-3-opus-20240229-v1:0"
        );
    }
}
