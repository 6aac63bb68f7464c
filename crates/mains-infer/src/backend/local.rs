//! A model with its tokenizer and template: a question becomes tokens, and an answer joins the others.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::batch::{Answer, Batch, SEQUENCES_MAX, Told, Tools, positions_max};
use super::guide::Guides;
use super::sample::Sampler;
use super::stop::StopFilter;
use super::{Backend, Event, Finish, Generate, Question};
use crate::gguf::Gguf;
use crate::model::{Llama, Options};
use crate::models;
use crate::tokenizer::{ChatTemplate, Prompt, Tokenizer};
use crate::{Error, Fault};

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
    tokenizer: Arc<Tokenizer>,
    template: Option<ChatTemplate>,
    batch: Batch,
    guides: Option<Guides>,
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
        let tokenizer = Arc::new(tokenizer);
        Ok(Self { name, model, tokenizer, template, batch: Batch::default(), guides: None })
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
        let known = self.model.config().vocabulary;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= known) {
            return Err(Error::request(format!("token {token} of the prompt is unknown to the model")));
        }
        Ok(tokens)
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path)
        .map_err(|e| Error::io(&format!("cannot open the model file `{}`", path.display()), &e))
        .map_err(|e| e.hint("`mains model pull` fetches a known model"))
}

impl LocalModel {
    /// How many answers are being made.
    pub fn running(&self) -> usize {
        self.batch.len()
    }

    /// Bytes that keys and values may come to take, those of running answers and those that are kept.
    pub fn cache_bytes(&self) -> usize {
        self.model.memory_bytes().1 / self.model.context().max(1) * positions_max(&self.model)
    }

    /// Takes up a request, at most [`SEQUENCES_MAX`] at a time; `id` names it in what [`LocalModel::step`] tells and
    /// is not another's. An error concerns this request alone.
    pub fn begin(&mut self, id: u64, request: &Generate) -> Result<(), Error> {
        if self.batch.len() >= SEQUENCES_MAX {
            return Err(Error::request(format!("{SEQUENCES_MAX} answers are being made already")));
        }
        let sampler = Sampler::new(request.sampling)?;
        let stops = StopFilter::new(&request.stop)?;
        let tokens = self.tokens(&request.question)?;
        let context = self.model.context();
        let room = context.saturating_sub(tokens.len()) as u64;
        if room == 0 {
            return Err(Error::new(
                Fault::TooLong,
                format!(
                    "the prompt has {} tokens and the context holds {context}, the answer among them",
                    tokens.len()
                ),
            )
            .hint("shorten the prompt, or load the model with a larger context"));
        }
        let limit = request.max_tokens.unwrap_or(room).min(room);
        let mut answer = Answer::new(id, tokens, limit, sampler, stops);
        answer.reader.clone_from(&request.reader);
        if let Some(constraint) = &request.constraint {
            answer.guide = Some(self.guides()?.guide(constraint)?);
        }
        self.batch.push(answer);
        Ok(())
    }

    /// One pass of the model for all answers: each that is being written grows by a token at least. `cancelled` is
    /// asked for each before its next token and between chunks of its prompt.
    pub fn step(&mut self, cancelled: &dyn Fn(u64) -> bool, tell: &mut dyn FnMut(u64, Told)) {
        let Self { model, tokenizer, batch, .. } = self;
        batch.step(Tools { model, tokenizer, cancelled, tell });
    }

    /// Made when first needed: a trie of the whole vocabulary.
    fn guides(&mut self) -> Result<&Guides, Error> {
        if self.guides.is_none() {
            self.guides = Some(Guides::new(&self.tokenizer, self.model.config().vocabulary)?);
        }
        self.guides.as_ref().ok_or_else(|| Error::unsupported("answers cannot be constrained"))
    }
}

impl Backend for LocalModel {
    fn generate(
        &mut self,
        request: &Generate,
        cancel: &dyn Fn() -> bool,
        emit: &mut dyn FnMut(Event),
    ) -> Result<Finish, Error> {
        const ID: u64 = 0;
        if self.batch.len() > 0 {
            return Err(Error::request("other answers are being made"));
        }
        self.begin(ID, request)?;
        let mut ended = None;
        while ended.is_none() {
            self.step(&|_| cancel(), &mut |_, told| match told {
                Told::Event(event) => emit(event),
                Told::Ended(result) => ended = Some(result),
            });
        }
        ended.unwrap_or_else(|| Err(Error::request("the answer did not end")))
    }

    fn count(&self, question: &Question) -> Result<u64, Error> {
        Ok(self.tokens(question)?.len() as u64)
    }
}
