//! Files that lie: none may panic, hang or take more memory than it is large.

use std::io::Cursor;

use mains_infer::gguf::Gguf;
use mains_infer::model::{Llama, Options};
use mains_infer::tokenizer::{ChatTemplate, Message, Prompt, Role, Tokenizer};
use proptest::prelude::*;

use crate::small::{self, F32, Plan, Q4_1, Writer};

/// Does with a file whatever the engine would do.
fn use_file(file: &[u8]) -> bool {
    let mut source = Cursor::new(file);
    let Ok(gguf) = Gguf::read(&mut source) else { return false };
    let tokenizer = Tokenizer::from_gguf(&gguf);
    if let (Ok(tokenizer), Some(template)) = (&tokenizer, gguf.metadata().text("tokenizer.chat_template")) {
        drop(tokenizer.encode_prompt(&Prompt::raw("hello <|im_end|> world 12")));
        let messages = [Message { role: Role::User, content: "hello <|im_end|>".to_owned() }];
        drop(ChatTemplate::new(template).and_then(|template| template.render(&messages, tokenizer)));
    }
    let options = Options { threads: 1, context: 64, instruction_set: None };
    let Ok(mut model) = Llama::load(&gguf, &mut source, options) else { return false };
    if model.feed(&[1, 2, 3]).is_ok() {
        model.logits();
    }
    true
}

#[test]
fn the_small_file_itself_is_used() {
    assert!(use_file(&small::model(Plan { kind: Q4_1, tied: true, seed: 1 })));
}

#[test]
fn no_beginning_of_a_file_is_a_file() {
    let file = small::model(Plan { kind: Q4_1, tied: true, seed: 1 });
    let header = file.windows(20).position(|w| w == b"blk.1.ffn_norm.weigh").unwrap() + 80;
    for length in (0..header).chain((header..file.len() - 32).step_by(977)) {
        assert!(!use_file(&file[..length]), "{length} bytes of {}", file.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn flipped_bits_do_not_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4)) {
        let mut file = small::model(Plan { kind: Q4_1, tied: true, seed: 1 });
        // Most of the file is weights, in which every bit is legal: the flips go to the header.
        let header = file.windows(20).position(|w| w == b"blk.1.ffn_norm.weigh").unwrap() + 80;
        for (at, bit) in flips {
            let at = at.index(header);
            file[at] ^= 1 << bit;
        }
        use_file(&file);
    }

    #[test]
    fn any_bytes_after_the_magic_do_not_panic(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend(tail);
        use_file(&file);
    }
}

/// A file of one tensor of this description.
fn one_tensor(kind: u32, dimensions: &[u64], bytes: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.string("general.architecture", "llama");
    writer.tensor("one", kind, dimensions, bytes);
    writer.finish()
}

fn refusal(file: &[u8]) -> String {
    Gguf::read(&mut Cursor::new(file)).unwrap_err().to_string()
}

#[test]
fn claims_beyond_the_file_are_refused_at_once() {
    let mut huge_text = b"GGUF\x03\0\0\0".to_vec();
    huge_text.extend(0u64.to_le_bytes());
    huge_text.extend(1u64.to_le_bytes());
    huge_text.extend(u64::MAX.to_le_bytes());
    huge_text.extend([0; 64]);
    assert!(refusal(&huge_text).contains("text of"));
    let mut counts = b"GGUF\x03\0\0\0".to_vec();
    counts.extend(u64::MAX.to_le_bytes());
    counts.extend([0; 64]);
    assert!(refusal(&counts).contains("claims"));
    assert!(refusal(&one_tensor(0, &[1 << 40, 1 << 40], &[0; 32])).contains("impossible shape"));
    assert!(refusal(&one_tensor(0, &[1 << 40], &[0; 32])).contains("beyond the file"));
    assert!(refusal(&one_tensor(0, &[0], &[0; 32])).contains("rows of 0"));
    assert!(refusal(&one_tensor(0, &[], &[0; 32])).contains("no dimensions"));
    assert!(refusal(&one_tensor(2, &[31], &[0; 32])).contains("multiple of 32"));
    assert!(refusal(b"GGML").contains("GGUF"));
}

#[test]
fn types_and_architectures_that_are_not_read_are_named() {
    assert!(refusal(&one_tensor(10, &[256], &[0; 96])).contains("Q2_K"));
    assert!(refusal(&one_tensor(39, &[32], &[0; 64])).contains("MXFP4"));
    assert!(refusal(&one_tensor(12, &[128], &[0; 96])).contains("multiple of 256 as Q4_K"));
    assert!(refusal(&one_tensor(999, &[32], &[0; 64])).contains("999"));
    let mut writer = Writer::default();
    writer.string("general.architecture", "gemma3");
    writer.string("tokenizer.ggml.model", "llama");
    let file = writer.finish();
    let gguf = Gguf::read(&mut Cursor::new(&file)).unwrap();
    let options = Options { threads: 1, context: 8, instruction_set: None };
    let error = Llama::load(&gguf, &mut Cursor::new(&file), options).err().unwrap();
    assert!(error.to_string().contains("gemma3"), "{error}");
    assert!(Tokenizer::from_gguf(&gguf).err().unwrap().to_string().contains("`llama`"));
}

#[test]
fn tensors_that_share_bytes_or_names_are_refused() {
    let mut writer = Writer::default();
    writer.tensor("a", 0, &[8], &[0; 32]);
    writer.tensor("a", 0, &[8], &[0; 32]);
    assert!(refusal(&writer.finish()).contains("`a`"));
    let mut writer = Writer::default();
    writer.tensor("a", 0, &[16], &[0; 32]);
    writer.tensor("b", 0, &[8], &[0; 32]);
    assert!(refusal(&writer.finish()).contains("overlaps"));
}

#[test]
fn a_template_that_never_ends_is_stopped() {
    let file = small::model(Plan { kind: F32, tied: true, seed: 1 });
    let gguf = Gguf::read(&mut Cursor::new(&file)).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let messages = [Message { role: Role::User, content: "x".to_owned() }];
    let render = |source: &str| ChatTemplate::new(source).and_then(|t| t.render(&messages, &tokenizer));
    let nested = "{% for a in range(10000) %}{% for b in range(10000) %}{{ a }}{% endfor %}{% endfor %}";
    assert!(render(nested).is_err());
    assert!(
        render("{{ raise_exception('roles must alternate') }}")
            .unwrap_err()
            .to_string()
            .contains("alternate")
    );
    assert!(render("{% if %}").is_err());
    assert!(render("{{ messages[0].content.nonsense() }}").is_err());
    assert_eq!(render("{{ 'Ab'.lower().strip('b') }}").unwrap().plain(), "a");
}
