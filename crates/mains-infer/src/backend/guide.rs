//! Answers that must have a form: before each token a grammar says which ones may come.
//!
//! The grammar is llguidance's (derivatives of regular expressions under an Earley parser, walked over a trie of the
//! vocabulary). What it cannot enforce is an error when the request comes, never a form that is not kept.

use std::sync::Arc;

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{InferenceCapabilities, SimpleVob, TokEnv, TokRxInfo, TokTrie, TokenizerEnv};
use llguidance::{Matcher, ParserFactory};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Error;
use crate::tokenizer::Tokenizer;

/// The form that an answer must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// One of these texts and nothing else.
    Labels(Vec<String>),
    /// A JSON object, whatever it holds.
    JsonObject,
    /// JSON that this schema accepts, without white space between its parts. Features that cannot be enforced are
    /// refused by name.
    JsonSchema(Value),
}

/// Labels of one request at most.
const LABELS_MAX: usize = 4_096;
/// Bytes of one label.
const LABEL_BYTES_MAX: usize = 1_024;
/// Bytes of a schema.
const SCHEMA_BYTES_MAX: usize = 256 << 10;
/// Bytes of a token that the trie can hold; longer ones are never chosen under a constraint.
const TOKEN_BYTES_MAX: usize = 512;
/// Bytes of all tokens, below what the trie can number.
const TRIE_BYTES_MAX: usize = 3 << 20;

/// Makes guides for one model: its vocabulary as a trie.
pub(super) struct Guides {
    factory: ParserFactory,
}

struct Vocabulary {
    trie: TokTrie,
    tokenizer: Arc<Tokenizer>,
}

impl TokenizerEnv for Vocabulary {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<u32> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            // Words without names of control tokens always have tokens; none is a hint that is not given.
            self.tokenizer.encode_plain(text).unwrap_or_default()
        })
    }
}

impl Guides {
    /// For a model that knows the first `vocabulary` tokens of its tokenizer.
    pub(super) fn new(tokenizer: &Arc<Tokenizer>, vocabulary: usize) -> Result<Self, Error> {
        let cannot =
            |why: &str| Error::unsupported(format!("answers of this model cannot be constrained: {why}"));
        let ends: Vec<u32> =
            tokenizer.ends().iter().copied().filter(|&e| (e as usize) < vocabulary).collect();
        let Some(&end) = ends.first() else { return Err(cannot("no token ends an answer")) };
        let count = u32::try_from(vocabulary).map_err(|_| cannot("its vocabulary is too large"))?;
        let words: Vec<Vec<u8>> = (0..count).map(|token| word(tokenizer, token)).collect();
        if words.iter().map(Vec::len).sum::<usize>() > TRIE_BYTES_MAX {
            return Err(cannot("its tokens are too long"));
        }
        let trie = TokTrie::from(&TokRxInfo::new(count, end), &words).with_eos_tokens(&ends);
        let environment: TokEnv = Arc::new(Vocabulary { trie, tokenizer: Arc::clone(tokenizer) });
        let abilities = InferenceCapabilities { ff_tokens: true, ..InferenceCapabilities::default() };
        let slices = llguidance::earley::SlicedBiasComputer::general_slices();
        let mut factory =
            ParserFactory::new(&environment, abilities, &slices).map_err(|e| cannot(&e.to_string()))?;
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        Ok(Self { factory })
    }

    /// A guide for one answer.
    pub(super) fn guide(&self, constraint: &Constraint) -> Result<Guide, Error> {
        let parser = self.factory.create_parser(grammar(constraint)?);
        let mut matcher = Matcher::new(parser);
        // An impossible form shows at the first question.
        let possible = matcher.compute_mask_or_eos();
        match (matcher.get_error(), possible) {
            (Some(why), _) => Err(refused(&why)),
            (None, Err(why)) => Err(refused(&why.to_string())),
            (None, Ok(mask)) if mask.is_zero() => Err(refused("nothing can satisfy it")),
            (None, Ok(_)) => Ok(Guide { matcher }),
        }
    }
}

fn refused(why: &str) -> Error {
    let why = why.lines().next().unwrap_or(why);
    Error::request(format!("the form of the answer cannot be enforced here: {why}"))
        .hint("leave out that part of the schema, or ask another target")
}

/// The bytes of a token; those of control tokens begin with a byte that no text has.
fn word(tokenizer: &Tokenizer, token: u32) -> Vec<u8> {
    let bytes = tokenizer.bytes(token);
    match tokenizer.control_name(token) {
        Some(name) => [&[TokTrie::SPECIAL_TOKEN_MARKER], name.as_bytes()].concat(),
        None if bytes.len() <= TOKEN_BYTES_MAX => bytes,
        None => Vec::new(),
    }
}

fn grammar(constraint: &Constraint) -> Result<TopLevelGrammar, Error> {
    match constraint {
        Constraint::Labels(labels) => {
            let fits = |label: &String| (1..=LABEL_BYTES_MAX).contains(&label.len());
            if labels.is_empty() || labels.len() > LABELS_MAX || !labels.iter().all(fits) {
                return Err(Error::request(format!(
                    "between 1 and {LABELS_MAX} labels of 1 to {LABEL_BYTES_MAX} bytes, not {}",
                    labels.len()
                )));
            }
            // One terminal, so that a label may begin another.
            let literals: Vec<String> = labels.iter().map(|label| json!(label).to_string()).collect();
            Ok(TopLevelGrammar::from_lark(format!("start: LABEL\nLABEL: {}\n", literals.join(" | "))))
        }
        Constraint::JsonObject => schema(&json!({"type": "object"})),
        Constraint::JsonSchema(wanted) => schema(wanted),
    }
}

fn schema(wanted: &Value) -> Result<TopLevelGrammar, Error> {
    let Value::Object(members) = wanted else {
        return Err(Error::request("a JSON schema is an object").hint("for example {\"type\": \"object\"}"));
    };
    let bytes = wanted.to_string().len();
    if bytes > SCHEMA_BYTES_MAX {
        return Err(Error::request(format!(
            "a JSON schema has at most {SCHEMA_BYTES_MAX} bytes, this one has {bytes}"
        )));
    }
    let mut members = members.clone();
    // The library's own switches are ours to set: one of them lets it pass over what it cannot enforce. Without
    // white space a small model cannot fill its answer with it.
    members.insert("x-guidance".to_owned(), json!({"whitespace_flexible": false, "lenient": false}));
    Ok(TopLevelGrammar::from_json_schema(Value::Object(members)))
}

/// Says for one answer which tokens may come next.
pub(super) struct Guide {
    matcher: Matcher,
}

impl Guide {
    /// The tokens that may come next: at least one.
    pub(super) fn allowed(&mut self) -> Result<SimpleVob, Error> {
        self.matcher.compute_mask_or_eos().map_err(|e| refused(&e.to_string()))
    }

    /// Takes the token that was chosen.
    pub(super) fn took(&mut self, token: u32) -> Result<(), Error> {
        self.matcher.consume_token(token).map_err(|e| refused(&e.to_string()))
    }

    /// The tokens that must come next whatever the model says, `most` at most; they count as taken.
    pub(super) fn forced(&mut self, most: usize) -> Result<Vec<u32>, Error> {
        let mut tokens = self.matcher.compute_ff_tokens();
        tokens.truncate(most);
        self.matcher.consume_tokens(&tokens).map_err(|e| refused(&e.to_string()))?;
        Ok(tokens)
    }

    /// Whether the answer has its form and nothing can follow.
    pub(super) fn is_complete(&self) -> bool {
        self.matcher.is_stopped() && !self.matcher.is_error()
    }
}
