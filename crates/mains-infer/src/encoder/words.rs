//! Text to tokens: WordPiece (Schuster, Nakajima 2012; Wu et al. 2016) behind BERT's own cleaning and cutting.
//! Everything comes from the model's `tokenizer.json`; a kind that is not BERT's is refused by name.

use std::collections::HashMap;

use serde::Deserialize;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, Tokenizer};

use crate::Error;

/// The most tokens of a vocabulary, and of added tokens; bounds the tables of a hostile file.
const VOCABULARY_MAX: usize = 1 << 20;
const ADDED_MAX: usize = 4_096;

/// Bytes of a long text that are looked at first: words behind the cut are not read unless tokens are missing.
const FIRST_LOOK_BYTES: usize = 8 << 10;

/// The parts of `tokenizer.json` that matter here.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    normalizer: Normalizer,
    pre_tokenizer: Kind,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Normalizer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    clean_text: bool,
    #[serde(default)]
    handle_chinese_chars: bool,
    #[serde(default)]
    strip_accents: Option<bool>,
    #[serde(default)]
    lowercase: bool,
}

#[derive(Deserialize)]
struct Model {
    /// Older files leave it out.
    #[serde(rename = "type", default)]
    kind: Option<String>,
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: HashMap<String, u32>,
}

/// The tokenizer of an encoder.
pub struct Words {
    tokenizer: Tokenizer,
    vocabulary: usize,
    begin: u32,
    end: u32,
}

/// The tokens of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordsOfText {
    /// The tokens, the two control tokens among them.
    pub tokens: Vec<u32>,
    /// Whether the text had more than fit.
    pub cut: bool,
}

impl Words {
    /// Builds the tokenizer that a `tokenizer.json` describes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let file: File = serde_json::from_slice(bytes)
            .map_err(|e| Error::file(format!("the tokenizer's file is not understood: {e}")))?;
        let kinds = [
            ("normalizer", &*file.normalizer.kind, "BertNormalizer"),
            ("pre-tokenizer", &*file.pre_tokenizer.kind, "BertPreTokenizer"),
            ("model", file.model.kind.as_deref().unwrap_or("WordPiece"), "WordPiece"),
        ];
        if let Some((what, found, read)) = kinds.into_iter().find(|(_, found, read)| found != read) {
            return Err(Error::unsupported(format!("a {what} of the kind `{found}` is not read here"))
                .hint(format!("`{read}` is")));
        }
        let vocabulary = file.model.vocab.len();
        if !(1..=VOCABULARY_MAX).contains(&vocabulary) || file.added_tokens.len() > ADDED_MAX {
            return Err(Error::file(format!("a vocabulary of {vocabulary} tokens is not read here")));
        }
        let control = |name: &str| match file.model.vocab.get(name) {
            Some(&token) => Ok(token),
            None => Err(Error::file(format!("the vocabulary has no `{name}`"))),
        };
        let (begin, end, _) = (control("[CLS]")?, control("[SEP]")?, control(&file.model.unk_token)?);
        let highest = file.model.vocab.values().chain(file.added_tokens.iter().map(|added| &added.id)).max();
        let vocabulary = highest.map_or(0, |&highest| highest as usize + 1);
        let tokenizer = tokenizer(file)?;
        Ok(Self { tokenizer, vocabulary, begin, end })
    }

    /// One more than the highest token.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// The tokens of a text, at most `tokens_max` (three at least) with the two control tokens around them. Names
    /// of control tokens that stand in the text mean those tokens, as in the reference implementation.
    pub fn encode(&self, text: &str, tokens_max: usize) -> Result<WordsOfText, Error> {
        let room = tokens_max.saturating_sub(2);
        let mut found = self.tokens(first_look(text))?;
        if found.len() <= room && text.len() > FIRST_LOOK_BYTES {
            found = self.tokens(text)?;
        }
        let cut = found.len() > room;
        found.truncate(room);
        let mut tokens = Vec::with_capacity(found.len() + 2);
        tokens.push(self.begin);
        tokens.extend(found);
        tokens.push(self.end);
        Ok(WordsOfText { tokens, cut })
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, Error> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|e| Error::request(format!("the text cannot be cut into tokens: {e}")))?;
        Ok(encoding.get_ids().to_vec())
    }
}

/// A beginning of the text that ends before a space: a word never runs over one, so its tokens are the first
/// tokens of the whole text.
fn first_look(text: &str) -> &str {
    match text.as_bytes().get(..FIRST_LOOK_BYTES) {
        Some(bytes) if text.len() > FIRST_LOOK_BYTES => {
            let space = bytes.iter().rposition(|byte| matches!(byte, b' ' | b'\n'));
            space.and_then(|space| text.get(..space)).unwrap_or(text)
        }
        _ => text,
    }
}

fn tokenizer(file: File) -> Result<Tokenizer, Error> {
    let Normalizer { clean_text, handle_chinese_chars, strip_accents, lowercase, .. } = file.normalizer;
    let model = WordPiece::builder()
        .vocab(file.model.vocab.into_iter().collect::<tokenizers::models::bpe::Vocab>())
        .unk_token(file.model.unk_token)
        .continuing_subword_prefix(file.model.continuing_subword_prefix)
        .max_input_chars_per_word(file.model.max_input_chars_per_word)
        .build()
        .map_err(|e| Error::file(format!("the vocabulary does not fit together: {e}")))?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(BertNormalizer::new(
        clean_text,
        handle_chinese_chars,
        strip_accents,
        lowercase,
    )));
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    let added: Vec<AddedToken> =
        file.added_tokens.iter().map(|added| AddedToken::from(added.content.clone(), true)).collect();
    tokenizer.add_special_tokens(&added);
    match file.added_tokens.iter().find(|added| tokenizer.token_to_id(&added.content) != Some(added.id)) {
        Some(added) => Err(Error::file(format!("the added token `{}` is not {}", added.content, added.id))),
        None => Ok(tokenizer),
    }
}
