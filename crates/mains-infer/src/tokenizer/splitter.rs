//! How text is cut into words before pairs are merged. The file names a way; each is a record here.
//! Patterns: those that llama.cpp applies for the same names (2026-11).

use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::SplitDelimiterBehavior;

use crate::Error;

/// One way of cutting.
pub(super) struct Splitter {
    names: &'static [&'static str],
    cut: Cut,
    /// Whether a word that is itself a token is taken whole, without merging.
    pub(super) whole_words: bool,
    /// Whether a text begins with the begin token when the file does not say.
    pub(super) begins: bool,
}

enum Cut {
    /// The pattern of GPT-2.
    Gpt2,
    /// Every digit alone, then the pattern of GPT-2.
    DigitsThenGpt2,
    /// This pattern.
    Pattern(&'static str),
}

const SPLITTERS: [Splitter; 5] = [
    Splitter { names: &["gpt-2"], cut: Cut::Gpt2, whole_words: false, begins: false },
    Splitter { names: &["smollm"], cut: Cut::DigitsThenGpt2, whole_words: false, begins: false },
    Splitter {
        names: &["llama-bpe", "llama3", "llama-v3"],
        cut: Cut::Pattern(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        whole_words: true,
        begins: true,
    },
    Splitter {
        names: &["qwen2"],
        cut: Cut::Pattern(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        whole_words: false,
        begins: false,
    },
    Splitter {
        names: &["tekken"],
        cut: Cut::Pattern(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        whole_words: true,
        begins: true,
    },
];

/// The way of this name, or a refusal that names it.
pub(super) fn find(name: &str) -> Result<&'static Splitter, Error> {
    const ALL: &[Splitter] = &SPLITTERS;
    ALL.iter().find(|splitter| splitter.names.contains(&name)).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|splitter| splitter.names[0]).collect();
        Error::unsupported(format!("text for the pre-tokenizer `{name}` cannot be cut here"))
            .hint(format!("known ones: {}", known.join(", ")))
    })
}

impl Splitter {
    pub(super) fn pre_tokenizer(&self) -> Result<PreTokenizerWrapper, Error> {
        let letters = |cuts: bool| PreTokenizerWrapper::from(ByteLevel::new(false, true, cuts));
        let steps = match self.cut {
            Cut::Gpt2 => vec![letters(true)],
            Cut::DigitsThenGpt2 => vec![PreTokenizerWrapper::from(Digits::new(true)), letters(true)],
            Cut::Pattern(pattern) => {
                let pattern = SplitPattern::Regex(pattern.to_owned());
                let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false)
                    .map_err(|e| Error::unsupported(format!("the pattern of words does not compile: {e}")))?;
                vec![PreTokenizerWrapper::from(split), letters(false)]
            }
        };
        Ok(PreTokenizerWrapper::from(Sequence::new(steps)))
    }
}

/// The letters that stand for the bytes 0 to 255 in a byte-level vocabulary: printable bytes are their
/// own letter, the others are numbered from U+0100 in order (GPT-2, 2019).
pub(super) fn byte_letters() -> Vec<char> {
    let mut next = 0x100;
    (0..=u8::MAX)
        .map(|byte| match byte {
            b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
            _ => {
                next += 1;
                char::from_u32(next - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    /// Words as Python's `regex` finds them: `tests/data/architectures.py`.
    #[test]
    fn words_are_cut_as_another_engine_of_patterns_cuts_them() {
        let cuts = include_str!("../../tests/data/architectures/cuts.json");
        let cuts: HashMap<String, Vec<Vec<String>>> = serde_json::from_str(cuts).unwrap();
        assert_eq!(cuts.len(), 3);
        for (name, texts) in cuts {
            let cutter = find(&name).unwrap().pre_tokenizer().unwrap();
            for words in texts {
                let text = words.concat();
                let mut pieces = PreTokenizedString::from(text.as_str());
                cutter.pre_tokenize(&mut pieces).unwrap();
                let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
                let got: Vec<&str> = splits.iter().map(|(_, (start, end), _)| &text[*start..*end]).collect();
                assert_eq!(got, words, "{name}");
            }
        }
    }
}
