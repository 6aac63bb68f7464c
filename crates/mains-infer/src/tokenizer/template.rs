//! Messages to a prompt, by the template in the model's file.
//!
//! The template is a program from a file that nobody vouches for: it runs with a limited number of steps
//! and a limited size of output.

use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, State, Value, context};
use serde::{Deserialize, Serialize};

use super::Tokenizer;
use crate::Error;

/// Steps of a template: a thousand messages take some tens of thousands.
const FUEL: u64 = 5_000_000;
/// Bytes that a template may grow a prompt by, beside what the messages hold.
const GROWTH_BYTES_MAX: usize = 4 << 20;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// A text for a model, in which names of control tokens mean those tokens, except where a mark says that
/// a user typed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    text: String,
    mark: Option<char>,
}

impl Prompt {
    /// A text whose names of control tokens all mean them: for callers who write their own template.
    pub fn raw(text: impl Into<String>) -> Self {
        Self { text: text.into(), mark: None }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text as it was typed, without marks.
    pub(super) fn restore(&self, part: &str) -> String {
        match self.mark {
            Some(mark) => part.chars().filter(|letter| *letter != mark).collect(),
            None => part.to_owned(),
        }
    }

    /// The whole text without marks.
    pub fn plain(&self) -> String {
        self.restore(&self.text)
    }
}

/// The chat template of a model.
pub struct ChatTemplate {
    environment: Environment<'static>,
}

const NAME: &str = "chat";

impl ChatTemplate {
    /// Compiles a template.
    pub fn new(source: &str) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(64);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_unknown_method_callback(python_method);
        environment.add_function("raise_exception", |message: String| -> Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_template_owned(NAME, source.to_owned()).map_err(|e| {
            Error::unsupported(format!("the chat template of the file does not compile: {e}"))
        })?;
        Ok(Self { environment })
    }

    /// The prompt for these messages, ending where the model's answer begins.
    pub fn render(&self, messages: &[Message], tokenizer: &Tokenizer) -> Result<Prompt, Error> {
        let mark = free_mark(messages)?;
        let messages: Vec<Message> =
            messages.iter().map(|message| protect(message, mark, tokenizer)).collect();
        let limit = GROWTH_BYTES_MAX + messages.iter().map(|message| message.content.len()).sum::<usize>();
        let (begin, end) = tokenizer.begin_and_end();
        let mut out = Limited { bytes: Vec::new(), limit };
        let template = self.environment.get_template(NAME).map_err(|e| refuse(&e))?;
        let values = context! {
            messages => messages,
            add_generation_prompt => true,
            bos_token => begin,
            eos_token => end,
        };
        template.render_captured_to(values, &mut out).map_err(|e| refuse(&e))?;
        let text = String::from_utf8(out.bytes)
            .map_err(|_| Error::unsupported("the chat template wrote something that is not text"))?;
        Ok(Prompt { text, mark: Some(mark) })
    }
}

fn refuse(error: &minijinja::Error) -> Error {
    Error::request(format!("the chat template of the model refuses these messages: {error}"))
        .hint("most templates want an optional system message, then user and assistant in turn")
}

/// A letter for private use that no message contains.
fn free_mark(messages: &[Message]) -> Result<char, Error> {
    let used = |mark: &char| messages.iter().any(|message| message.content.contains(*mark));
    ('\u{E000}'..='\u{E0FF}')
        .find(|mark| !used(mark))
        .ok_or_else(|| Error::request("the messages use every letter of the private range U+E000 to U+E0FF"))
}

/// Puts the mark after the first letter of every name of a control token that a message contains. A name
/// of one letter cannot be broken; it is left out.
fn protect(message: &Message, mark: char, tokenizer: &Tokenizer) -> Message {
    let mut content = String::with_capacity(message.content.len());
    let mut rest = message.content.as_str();
    while let Some((at, name)) = tokenizer.next_control_name(rest) {
        let first = name.chars().next().map_or(0, char::len_utf8);
        if first < name.len() {
            content.push_str(&rest[..at + first]);
            content.push(mark);
            rest = &rest[at + first..];
        } else {
            content.push_str(&rest[..at]);
            rest = &rest[at + first..];
        }
    }
    content.push_str(rest);
    Message { role: message.role, content }
}

/// The methods of Python's texts and dictionaries that published templates call.
fn python_method(
    state: &State<'_, '_>,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, minijinja::Error> {
    let unknown = || minijinja::Error::from(ErrorKind::UnknownMethod);
    if value.kind() == ValueKind::Map && method == "items" {
        return state.apply_filter("items", std::slice::from_ref(value));
    }
    let text = value.as_str().ok_or_else(unknown)?;
    let argument = |at: usize| arguments.get(at).and_then(Value::as_str);
    let set: Vec<char> = argument(0).unwrap_or(" \t\r\n").chars().collect();
    Ok(match (method, argument(0)) {
        ("strip", _) => Value::from(text.trim_matches(&set[..])),
        ("lstrip", _) => Value::from(text.trim_start_matches(&set[..])),
        ("rstrip", _) => Value::from(text.trim_end_matches(&set[..])),
        ("upper", None) => Value::from(text.to_uppercase()),
        ("lower", None) => Value::from(text.to_lowercase()),
        ("startswith", Some(start)) => Value::from(text.starts_with(start)),
        ("endswith", Some(end)) => Value::from(text.ends_with(end)),
        ("split", Some(by)) if !by.is_empty() => {
            Value::from(text.split(by).map(str::to_owned).collect::<Vec<_>>())
        }
        ("split", None) => Value::from(text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()),
        ("replace", Some(from)) if !from.is_empty() => {
            Value::from(text.replace(from, argument(1).ok_or_else(unknown)?))
        }
        ("title", None) => state.apply_filter("title", std::slice::from_ref(value))?,
        _ => return Err(unknown()),
    })
}

/// A writer that refuses to grow beyond its limit.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
}

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(std::io::Error::other("the prompt that the template writes is too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
