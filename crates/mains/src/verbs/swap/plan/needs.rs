//! What the requests ask of a model, and what a model lacks of it.

use super::super::requests::Item;
use crate::print;
use mains_catalog::{Modality, Model, ModelKind};
use mains_wire::neutral::{AnswerFormat, Content, Question};
use serde::Serialize;

/// How many requests need what, and the longest.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Needs {
    pub(super) requests: u64,
    pub(super) images: u64,
    pub(super) audio: u64,
    pub(super) files: u64,
    pub(super) tools: u64,
    pub(super) json_schema: u64,
    pub(super) streaming: u64,
    pub(super) reasoning: u64,
    /// Tokens of the longest request with its answer; 0 where there are no requests.
    pub(super) context_tokens: u64,
    /// Whether those are guessed from characters.
    pub(super) context_guessed: bool,
    /// Tokens of the longest recorded answer.
    pub(super) answer_tokens: u64,
}

/// What a model lacks, and what no source says of it.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) lacks: Vec<String>,
    pub(super) unknown: Vec<&'static str>,
}

impl Needs {
    pub(super) fn of(items: &[Item]) -> Self {
        let mut needs = Self::default();
        for item in items {
            needs.take(item);
        }
        needs
    }

    fn take(&mut self, item: &Item) {
        let Ok(question) = item.question() else { return };
        self.requests += 1;
        let [images, audio, files] = modalities(&question);
        self.images += u64::from(images);
        self.audio += u64::from(audio);
        self.files += u64::from(files);
        self.tools += u64::from(!question.tools.is_empty());
        self.json_schema += u64::from(matches!(question.format, Some(AnswerFormat::JsonSchema { .. })));
        self.streaming += u64::from(question.stream);
        self.reasoning += u64::from(question.effort.is_some() || question.thinking.is_some());
        let answer = item.recorded.output_tokens.unwrap_or(0);
        self.answer_tokens = self.answer_tokens.max(answer);
        let input = item.recorded.input_tokens.unwrap_or_else(|| item.input_guess());
        let whole = input.saturating_add(item.output_max.unwrap_or(answer));
        if whole > self.context_tokens {
            self.context_tokens = whole;
            self.context_guessed = item.recorded.input_tokens.is_none();
        }
    }

    /// What a model lacks of it. What no source denies may be there.
    pub(super) fn missing(&self, model: &Model) -> Missing {
        let mut missing = Missing::default();
        if !matches!(model.kind, ModelKind::Chat | ModelKind::Unknown) {
            missing.lacks.push(format!("conversations (it is a model of kind `{}`)", model.kind.name()));
        }
        let takes = |modality| (!model.input.is_empty()).then(|| model.input.contains(modality));
        let can = model.capabilities;
        for (name, count, known) in [
            ("images", self.images, takes(Modality::Image)),
            ("sound", self.audio, takes(Modality::Audio)),
            ("files", self.files, takes(Modality::File)),
            ("tools", self.tools, can.tools),
            ("JSON schema", self.json_schema, can.json_schema),
            ("streaming", self.streaming, can.streaming),
            ("reasoning", self.reasoning, can.reasoning),
        ] {
            match known {
                Some(false) if count > 0 => {
                    missing.lacks.push(format!("{name} ({} need it)", print::plural(count, "request")));
                }
                None if count > 0 => missing.unknown.push(name),
                _ => {}
            }
        }
        missing.length("a context", "context", self.context_tokens, model.context);
        missing.length("answers", "longest answer", self.answer_tokens, model.max_output);
        missing
    }
}

impl Missing {
    fn length(&mut self, words: &'static str, name: &'static str, needed: u64, has: Option<u64>) {
        match has {
            Some(has) if has < needed => self.lacks.push(format!(
                "{words} of {} tokens (it has {})",
                print::thousands(needed),
                print::thousands(has)
            )),
            None if needed > 0 => self.unknown.push(name),
            _ => {}
        }
    }
}

/// Whether a question holds images, sound, files.
fn modalities(question: &Question) -> [bool; 3] {
    let mut found = [false; 3];
    for block in question.messages.iter().flat_map(|message| &message.blocks) {
        match &block.content {
            Content::Image { .. } => found[0] = true,
            Content::Audio { .. } => found[1] = true,
            Content::File { .. } => found[2] = true,
            _ => {}
        }
    }
    found
}
