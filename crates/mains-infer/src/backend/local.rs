//! The loop that makes an answer: read the prompt, choose a token, give out its text, again.

use std::fs::File;
use std::path::{Path, PathBuf};

use mains_units::Usage;

use super::sample::Sampler;
use super::stop::StopFilter;
use super::{Backend, Event, Finish, Generate, Question, Reason};
use crate::Error;
use crate::gguf::Gguf;
use crate::model::{CHUNK_TOKENS, Llama, Options};
use crate::models;
use crate::tokenizer::{ChatTemplate, Prompt, TextStream, Tokenizer};

/// Where weights lie and what they must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// The SHA-256 of its bytes in hexadecimal; checked before anything else is read.
    pub sha256: Option<String>,
}

/// A model, its tokenizer and its template.
pub struct LocalModel {
    name: String,
    model: Llama,
    tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
}

impl LocalModel {
    /// Verifies and loads a file.
    pub fn load(source: &Source, options: Options) -> Result<Self, Error> {
        let mut file = open(&source.path)?;
        if let Some(expected) = &source.sha256 {
            models::verify(&mut file, expected)?;
        }
        let gguf = Gguf::read(&mut file)?;
        let tokenizer = Tokenizer::from_gguf(&gguf)?;
        let model = Llama::load(&gguf, &mut file, options)?;
        if tokenizer.vocabulary() < model.config().vocabulary {
            return Err(Error::file(format!(
                "the file has {} embeddings for {} tokens",
                model.config().vocabulary,
                tokenizer.vocabulary()
            )));
        }
        let template = gguf.metadata().text("tokenizer.chat_template").map(ChatTemplate::new).transpose()?;
        let name = gguf.metadata().text("general.name").unwrap_or("unnamed").to_owned();
        Ok(Self { name, model, tokenizer, template })
    }

    /// The name that the file gives itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The model under the tokenizer.
    pub fn model(&self) -> &Llama {
        &self.model
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The prompt that a question becomes.
    pub fn prompt(&self, question: &Question) -> Result<Prompt, Error> {
        match question {
            Question::Raw(text) => Ok(Prompt::raw(text.as_str())),
            Question::Chat(messages) => match &self.template {
                Some(template) => template.render(messages, &self.tokenizer),
                None => {
                    Err(Error::request("this model has no chat template").hint("send the prompt as raw text"))
                }
            },
        }
    }

    /// The tokens that a question becomes.
    fn tokens(&self, question: &Question) -> Result<Vec<u32>, Error> {
        let tokens = self.tokenizer.encode_prompt(&self.prompt(question)?)?;
        if tokens.is_empty() {
            return Err(Error::request("the prompt is empty"));
        }
        Ok(tokens)
    }

    /// Reads the prompt; gives back false when cancelled, and counts what was read.
    fn read(&mut self, tokens: &[u32], cancel: &dyn Fn() -> bool, usage: &mut Usage) -> Result<bool, Error> {
        self.model.truncate(0);
        for chunk in tokens.chunks(CHUNK_TOKENS) {
            if cancel() {
                return Ok(false);
            }
            self.model.feed(chunk)?;
            usage.input += chunk.len() as u64;
        }
        Ok(true)
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path)
        .map_err(|e| Error::io(&format!("cannot open the model file `{}`", path.display()), &e))
        .map_err(|e| e.hint("`mains model pull` fetches a known model"))
}

impl Backend for LocalModel {
    fn generate(
        &mut self,
        request: &Generate,
        cancel: &dyn Fn() -> bool,
        emit: &mut dyn FnMut(Event),
    ) -> Result<Finish, Error> {
        let mut sampler = Sampler::new(request.sampling)?;
        let mut stops = StopFilter::new(&request.stop)?;
        let tokens = self.tokens(&request.question)?;
        let room = self.model.context().saturating_sub(tokens.len()) as u64;
        if room == 0 {
            return Err(Error::request(format!(
                "the prompt has {} tokens and the context holds {}, the answer among them",
                tokens.len(),
                self.model.context()
            ))
            .hint("shorten the prompt, or load the model with a larger context"));
        }
        let limit = request.max_tokens.unwrap_or(room).min(room);
        let mut usage = Usage::default();
        let finish = |reason, usage| Ok(Finish { reason, usage });
        if !self.read(&tokens, cancel, &mut usage)? {
            return finish(Reason::Cancelled, usage);
        }
        emit(Event::Prompt { tokens: usage.input });
        let mut stream = TextStream::default();
        let mut send = |text: String| {
            if !text.is_empty() {
                emit(Event::Text(text));
            }
        };
        let reason = loop {
            if usage.output == limit {
                break Reason::Length;
            }
            if cancel() {
                break Reason::Cancelled;
            }
            let token = sampler.choose(self.model.logits())?;
            usage.output += 1;
            if self.tokenizer.is_end(token) {
                break Reason::Stop;
            }
            let passed = stops.push(&stream.push(&self.tokenizer.bytes(token)));
            send(passed.text);
            if passed.stopped {
                return finish(Reason::Stop, usage);
            }
            // The last token that fits needs no pass of its own: nothing is chosen after it.
            if usage.output < limit {
                self.model.feed(&[token])?;
            }
        };
        let passed = stops.push(&stream.finish());
        send(passed.text);
        if passed.stopped {
            return finish(Reason::Stop, usage);
        }
        send(stops.finish());
        finish(reason, usage)
    }

    fn count(&self, question: &Question) -> Result<u64, Error> {
        Ok(self.tokens(question)?.len() as u64)
    }
}
