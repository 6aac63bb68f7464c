//! What others call: texts in, vectors out.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::forward::Encoder;
use super::{EncoderConfig, Words};
use crate::models::{self, KnownModel};
use crate::safetensors::Safetensors;
use crate::{Error, InstructionSet};

/// Tokens that go through the layers together at most, unless one text alone has more: their numbers stay in the
/// second-level cache, and a cancelled request waits for one such pass at most.
const PASS_TOKENS: usize = 256;

/// The most bytes of a `tokenizer.json`; the largest published ones have 20 MB.
const WORDS_BYTES_MAX: u64 = 64 << 20;

/// Where an encoder lies, and what its files must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncoderSource {
    /// The sizes of the model.
    pub config: EncoderConfig,
    /// The file of weights, in the safetensors format.
    pub weights: PathBuf,
    /// The SHA-256 of its bytes in hexadecimal; checked before anything else is read.
    pub weights_sha256: Option<String>,
    /// The `tokenizer.json`.
    pub words: PathBuf,
    /// The SHA-256 of its bytes.
    pub words_sha256: Option<String>,
}

impl EncoderSource {
    /// The source of a known model below a folder of models, with its pinned hashes; `None` for a model that makes
    /// no vectors.
    pub fn known(model: &KnownModel, folder: &std::path::Path) -> Option<Self> {
        let models::Purpose::Embeds(config) = model.purpose else { return None };
        let words = model.beside.first()?;
        Some(Self {
            config,
            weights: model.path(folder),
            weights_sha256: Some(model.sha256.to_owned()),
            words: words.path(model, folder),
            words_sha256: Some(words.sha256.to_owned()),
        })
    }
}

/// The vectors of some texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One per text, in their order, of length one.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that were read, per text, the two control tokens among them.
    pub tokens: Vec<usize>,
    /// Whether a text had more tokens than are read, per text.
    pub cut: Vec<bool>,
}

/// An encoder with its tokenizer. Calls from several threads wait for each other; each uses all threads of the
/// encoder. The vector of a text is the same to the bit whatever stands beside it and on any number of threads.
pub struct Embedder {
    words: Words,
    config: EncoderConfig,
    encoder: Mutex<Encoder>,
    set: InstructionSet,
    weights_bytes: usize,
}

impl Embedder {
    /// Verifies and loads, for this many threads, on the best instruction set.
    pub fn load(source: &EncoderSource, threads: usize) -> Result<Self, Error> {
        Self::load_on(source, threads, None)
    }

    /// The same on the instruction set given.
    pub fn load_on(
        source: &EncoderSource,
        threads: usize,
        set: Option<InstructionSet>,
    ) -> Result<Self, Error> {
        let config = source.config;
        let words = words(source)?;
        let mut file = open(&source.weights, source.weights_sha256.as_deref())?;
        let header = Safetensors::read(&mut file)?;
        let encoder = Encoder::load(config, &header, &mut file, threads, set)?;
        if words.vocabulary() > config.vocabulary {
            return Err(Error::file(format!(
                "the tokenizer has {} tokens, the weights have {}",
                words.vocabulary(),
                config.vocabulary
            )));
        }
        let (set, weights_bytes) = (encoder.instruction_set(), encoder.weights_bytes());
        Ok(Self { words, config, encoder: Mutex::new(encoder), set, weights_bytes })
    }

    /// The vectors of these texts, in their order.
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
        let embedded = self.embed_until(texts, &|| false)?;
        Ok(embedded.map(|embedded| embedded.vectors).unwrap_or_default())
    }

    /// The same with what was read; `None` when cancelled. `cancel` is asked before each pass.
    pub fn embed_until(&self, texts: &[&str], cancel: &dyn Fn() -> bool) -> Result<Option<Embedded>, Error> {
        let mut all = Vec::with_capacity(texts.len());
        for text in texts {
            if cancel() {
                return Ok(None);
            }
            all.push(self.words.encode(text, self.config.tokens_max)?);
        }
        let mut vectors = Vec::with_capacity(texts.len());
        let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = all.as_slice();
        while let Some(first) = rest.first() {
            if cancel() {
                return Ok(None);
            }
            let mut tokens = first.tokens.len();
            let more = rest[1..].iter().take_while(|text| {
                tokens += text.tokens.len();
                tokens <= PASS_TOKENS
            });
            let (pass, left) = rest.split_at(1 + more.count());
            let pass: Vec<&[u32]> = pass.iter().map(|text| text.tokens.as_slice()).collect();
            vectors.extend(encoder.run(&pass)?);
            rest = left;
        }
        let tokens = all.iter().map(|text| text.tokens.len()).collect();
        Ok(Some(Embedded { vectors, tokens, cut: all.iter().map(|text| text.cut).collect() }))
    }

    /// The vector of a text that has been cut into tokens already.
    pub fn embed_tokens(&self, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(encoder.run(&[tokens])?.pop().unwrap_or_default())
    }

    /// The tokenizer.
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// The sizes of the model.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// The instruction set in use.
    pub fn instruction_set(&self) -> InstructionSet {
        self.set
    }

    /// The bytes of the weights as packed.
    pub fn weights_bytes(&self) -> usize {
        self.weights_bytes
    }
}

fn open(path: &std::path::Path, sha256: Option<&str>) -> Result<File, Error> {
    let mut file = File::open(path)
        .map_err(|e| Error::io(&format!("cannot open the model file `{}`", path.display()), &e))
        .map_err(|e| e.hint("`mains model pull` fetches a known model"))?;
    if let Some(expected) = sha256 {
        models::verify(&mut file, expected)?;
    }
    Ok(file)
}

fn words(source: &EncoderSource) -> Result<Words, Error> {
    use std::io::Read;
    let file = open(&source.words, source.words_sha256.as_deref())?;
    let mut bytes = Vec::new();
    file.take(WORDS_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io(&format!("cannot read `{}`", source.words.display()), &e))?;
    if bytes.len() as u64 > WORDS_BYTES_MAX {
        return Err(Error::file(format!("a tokenizer of more than {WORDS_BYTES_MAX} bytes is not read")));
    }
    Words::from_json(&bytes)
}
