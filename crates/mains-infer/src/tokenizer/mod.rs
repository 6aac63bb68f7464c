//! Text to tokens and back: byte-level pair encoding, built from the metadata of the model's own file.
//!
//! Control tokens are split off here, not by the encoder, so that text typed by a user can be told from
//! text written by the chat template: only the latter can make a control token ([`Prompt`]).
//!
//! Read `splitter` (how words are cut), `template` (messages to a prompt), `stream` (bytes to text).

mod splitter;
mod stream;
mod template;

pub use stream::TextStream;
pub use template::{ChatTemplate, Message, Prompt, Role};

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};
use tokenizers::models::bpe::BPE;

use crate::Error;
use crate::gguf::{Gguf, TextArray};

/// The type number that the format gives control tokens.
const CONTROL: i32 = 3;
/// And tokens that a user of the model defined: found in text before it is cut into words.
const USER_DEFINED: i32 = 4;

/// Names under which models end a turn or a text, beside the one that the file names.
const END_NAMES: [&str; 6] =
    ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|end|>", "</s>"];

/// The most tokens of a vocabulary; bounds the tables of a hostile file.
const VOCABULARY_MAX: usize = 1 << 20;

/// The tokenizer of one model.
pub struct Tokenizer {
    encoder: tokenizers::Tokenizer,
    tokens: TextArray,
    /// Control and user-defined tokens.
    specials: Vec<Special>,
    /// Finds their names in a text; the longest where several begin.
    finder: AhoCorasick,
    bytes_of: HashMap<char, u8>,
    begin: Option<u32>,
    ends: Vec<u32>,
    end: Option<u32>,
}

struct Special {
    text: String,
    token: u32,
    control: bool,
}

impl Tokenizer {
    /// Builds the tokenizer that a file describes; kinds that are not supported are refused by name.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, Error> {
        let metadata = gguf.metadata();
        match metadata.text("tokenizer.ggml.model") {
            Some("gpt2") => {}
            other => {
                let name = other.unwrap_or("(none)");
                return Err(Error::unsupported(format!("tokenizers of the kind `{name}` are not read here"))
                    .hint("byte-level pair encoding (`gpt2`) is; a llama.cpp server reads the others"));
            }
        }
        let splitter = splitter::find(metadata.text("tokenizer.ggml.pre").unwrap_or("default"))?;
        let tokens = metadata
            .texts("tokenizer.ggml.tokens")
            .filter(|tokens| (1..=VOCABULARY_MAX).contains(&tokens.len()))
            .ok_or_else(|| Error::file("the file has no list of tokens, or one that is too long"))?
            .clone();
        let merges = metadata
            .texts("tokenizer.ggml.merges")
            .ok_or_else(|| Error::file("the file has no `tokenizer.ggml.merges`"))?;
        let encoder = encoder(&tokens, merges, splitter)?;
        let kinds = metadata.integers("tokenizer.ggml.token_type").unwrap_or(&[]);
        let specials = specials(&tokens, kinds);
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(specials.iter().map(|special| special.text.as_str()))
            .map_err(|e| {
                Error::file(format!("the control tokens of the file cannot be searched for: {e}"))
            })?;
        let known = |name: &str| {
            let token = u32::try_from(metadata.unsigned(name)?).ok()?;
            (token as usize).lt(&tokens.len()).then_some(token)
        };
        let end = known("tokenizer.ggml.eos_token_id");
        let mut ends: Vec<u32> = end.into_iter().chain(known("tokenizer.ggml.eot_token_id")).collect();
        ends.extend(specials.iter().filter(|s| END_NAMES.contains(&&*s.text)).map(|s| s.token));
        ends.sort_unstable();
        ends.dedup();
        let wants_begin = metadata.flag("tokenizer.ggml.add_bos_token").unwrap_or(splitter.begins);
        let begin = known("tokenizer.ggml.bos_token_id").filter(|_| wants_begin);
        let bytes_of = splitter::byte_letters().into_iter().zip(0..=u8::MAX).collect();
        Ok(Self { encoder, tokens, specials, finder, bytes_of, begin, ends, end })
    }

    /// How many tokens there are.
    pub fn vocabulary(&self) -> usize {
        self.tokens.len()
    }

    /// Whether this token ends an answer.
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.binary_search(&token).is_ok()
    }

    /// The tokens that end an answer, in order.
    pub(crate) fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// The name of a control token; none for others.
    pub(crate) fn control_name(&self, token: u32) -> Option<&str> {
        let found = self.specials.iter().find(|special| special.token == token && special.control)?;
        Some(&found.text)
    }

    /// The tokens of a text in which no name means a control token.
    pub(crate) fn encode_plain(&self, text: &str) -> Result<Vec<u32>, Error> {
        let mut tokens = Vec::new();
        self.encode_words(text, &mut tokens)?;
        Ok(tokens)
    }

    /// The texts of the tokens that begin and end a text, as chat templates name them.
    pub fn begin_and_end(&self) -> (&str, &str) {
        let text = |token: Option<u32>| token.and_then(|token| self.text(token)).unwrap_or("");
        (text(self.begin), text(self.end))
    }

    /// The tokens of a prompt, with the token that begins a text where the model wants one.
    pub fn encode_prompt(&self, prompt: &Prompt) -> Result<Vec<u32>, Error> {
        let mut tokens = self.encode(prompt)?;
        if let Some(begin) = self.begin
            && tokens.first() != Some(&begin)
        {
            tokens.insert(0, begin);
        }
        Ok(tokens)
    }

    /// The tokens of a text in which names of control tokens mean those tokens.
    pub fn encode(&self, prompt: &Prompt) -> Result<Vec<u32>, Error> {
        let mut tokens = Vec::new();
        let text = prompt.text();
        let mut done = 0;
        for found in self.finder.find_iter(text) {
            self.encode_words(&prompt.restore(&text[done..found.start()]), &mut tokens)?;
            tokens.push(self.specials[found.pattern()].token);
            done = found.end();
        }
        self.encode_words(&prompt.restore(&text[done..]), &mut tokens)?;
        Ok(tokens)
    }

    /// Where the next name of a control token stands in this text.
    pub(crate) fn next_control_name<'a>(&self, text: &'a str) -> Option<(usize, &'a str)> {
        let mut found = self.finder.find_iter(text);
        let found = found.find(|found| self.specials[found.pattern()].control)?;
        Some((found.start(), &text[found.range()]))
    }

    fn encode_words(&self, text: &str, tokens: &mut Vec<u32>) -> Result<(), Error> {
        if text.is_empty() {
            return Ok(());
        }
        let encoding = self
            .encoder
            .encode_fast(text, false)
            .map_err(|e| Error::request(format!("the text cannot be cut into tokens: {e}")))?;
        tokens.extend_from_slice(encoding.get_ids());
        Ok(())
    }

    fn text(&self, token: u32) -> Option<&str> {
        self.tokens.get(token as usize)
    }

    /// The bytes that a token stands for; none for control tokens.
    pub fn bytes(&self, token: u32) -> Vec<u8> {
        if let Some(special) = self.specials.iter().find(|special| special.token == token) {
            return if special.control { Vec::new() } else { special.text.clone().into_bytes() };
        }
        let letters = self.text(token).unwrap_or("").chars();
        letters.filter_map(|letter| self.bytes_of.get(&letter).copied()).collect()
    }
}

fn specials(tokens: &TextArray, kinds: &[i32]) -> Vec<Special> {
    (0u32..)
        .zip(tokens.iter().zip(kinds))
        .filter(|(_, (text, kind))| matches!(**kind, CONTROL | USER_DEFINED) && !text.is_empty())
        .map(|(token, (text, &kind))| Special { text: text.to_owned(), token, control: kind == CONTROL })
        .collect()
}

fn encoder(
    tokens: &TextArray,
    merges: &TextArray,
    splitter: &splitter::Splitter,
) -> Result<tokenizers::Tokenizer, Error> {
    let vocabulary = tokens.iter().map(str::to_owned).zip(0u32..).collect();
    let pairs = merges.iter().map(|merge| match merge.split_once(' ') {
        Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
        None => Err(Error::file(format!("the merge `{merge}` is not two tokens"))),
    });
    let model = BPE::builder()
        .vocab_and_merges::<tokenizers::models::bpe::Vocab>(vocabulary, pairs.collect::<Result<_, _>>()?)
        .ignore_merges(splitter.whole_words)
        .build()
        .map_err(|e| Error::file(format!("the list of merges does not fit the tokens: {e}")))?;
    let mut encoder = tokenizers::Tokenizer::new(model);
    encoder.with_pre_tokenizer(Some(splitter.pre_tokenizer()?));
    Ok(encoder)
}
