//! Safetensors files that lie: none may panic, or take more memory than it is large.

use std::io::Cursor;

use mains_infer::Error;
use mains_infer::safetensors::{NumberType, Safetensors};
use proptest::prelude::*;

use crate::small_encoder::{file, small};

fn read(bytes: &[u8]) -> Result<Safetensors, Error> {
    Safetensors::read(&mut Cursor::new(bytes))
}

fn refusal(header: &str, data: &[u8]) -> String {
    read(&file(header, data)).unwrap_err().to_string()
}

#[test]
fn numbers_of_every_type_that_is_read_come_back() {
    let header = r#"{"half":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},
        "__metadata__":{"anything":["at","all"]},
        "single":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
        "brain":{"dtype":"BF16","shape":[2,1],"data_offsets":[12,16]},
        "none":{"dtype":"F32","shape":[0,4],"data_offsets":[16,16]},
        "one":{"dtype":"I64","shape":[],"data_offsets":[16,24]}}"#;
    let mut data = Vec::new();
    data.extend([1.5_f32, -0.1].iter().flat_map(|x| x.to_le_bytes()));
    data.extend([0x3C00_u16, 0xC000, 0x3FC0, 0xC010].iter().flat_map(|x| x.to_le_bytes()));
    data.extend([0; 8]);
    let bytes = file(header, &data);
    let mut source = Cursor::new(&bytes);
    let parsed = Safetensors::read(&mut source).unwrap();
    assert_eq!(parsed.tensors().len(), 5);
    assert_eq!(parsed.floats(&mut source, "single", &[1, 2]).unwrap(), [1.5, -0.1]);
    assert_eq!(parsed.floats(&mut source, "half", &[2]).unwrap(), [1.0, -2.0]);
    assert_eq!(parsed.floats(&mut source, "brain", &[2, 1]).unwrap(), [1.5, -2.25]);
    assert_eq!(parsed.floats(&mut source, "none", &[0, 4]).unwrap(), [0.0; 0]);
    assert_eq!(parsed.tensor("one").unwrap().kind, NumberType::Other("I64", 8));
    let mut error = |name, shape: &[usize]| parsed.floats(&mut source, name, shape).unwrap_err().to_string();
    assert!(error("one", &[]).contains("I64, which is not read here"));
    assert!(error("single", &[2, 1]).contains("[1, 2]"));
    assert!(error("absent", &[1]).contains("`absent`"));
}

#[test]
fn claims_beyond_the_file_are_refused_at_once() {
    let entry = |kind: &str, shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"{kind}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    assert!(refusal(&entry("F32", "[2]", "[0,8]"), &[0; 7]).contains("cut short"));
    assert!(refusal(&entry("F32", "[2]", "[0,8]"), &[0; 9]).contains("the tensors end at 8"));
    assert!(refusal(&entry("F32", "[2]", "[4,12]"), &[0; 12]).contains("begins at 4"));
    assert!(refusal(&entry("F32", "[2]", "[8,0]"), &[0; 8]).contains("does not take the bytes"));
    assert!(refusal(&entry("F32", "[3]", "[0,8]"), &[0; 8]).contains("does not take the bytes"));
    let huge = "[4294967296,4294967296,4]";
    assert!(refusal(&entry("F32", huge, "[0,8]"), &[0; 8]).contains("does not take the bytes"));
    assert!(refusal(&entry("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), &[0; 8]).contains("does not take"));
    assert!(refusal(&entry("F4", "[2]", "[0,8]"), &[0; 8]).contains("`F4`"));
    assert!(refusal(&entry("F32", "[-2]", "[0,8]"), &[0; 8]).contains("not understood"));
    assert!(refusal("[]", &[]).contains("not understood"));
    assert!(read(b"GGUF").unwrap_err().to_string().contains("4 bytes"));
    assert!(read(&u64::MAX.to_le_bytes()).unwrap_err().to_string().contains("claims a header"));
    let twice = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
        "a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#;
    assert!(refusal(twice, &[0; 2]).contains("two tensors are named `a`"));
    let shared = r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},
        "b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#;
    assert!(refusal(shared, &[0; 3]).contains("`b` begins at 1"));
    let deep = "[".repeat(5_000);
    assert!(refusal(&deep, &[]).contains("not understood"));
}

#[test]
fn no_beginning_of_a_file_is_a_file() {
    let whole = small(1).bytes("BF16");
    assert!(read(&whole).is_ok());
    for length in (0..9_000).chain((9_000..whole.len()).step_by(977)) {
        assert!(read(&whole[..length]).is_err(), "{length} bytes of {}", whole.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn flipped_bits_do_not_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4)) {
        let mut bytes = small(1).bytes("BF16");
        let header = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
        for (at, bit) in flips {
            bytes[at.index(8 + header)] ^= 1 << bit;
        }
        let mut source = Cursor::new(&bytes);
        if let Ok(parsed) = Safetensors::read(&mut source) {
            for tensor in parsed.tensors() {
                let shape = tensor.shape.clone();
                let floats = parsed.floats(&mut source, &tensor.name, &shape);
                prop_assert!(floats.map_or(0, |floats| floats.len()) <= bytes.len());
            }
        }
    }
}
