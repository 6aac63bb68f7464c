//! Writes small GGUF files with random weights, so that every clone can run the engine end to end.

use mains_units::Chance;

/// How a tensor is stored: number, numbers a block, bytes a block in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    number: u32,
    block: usize,
    bytes: usize,
}

pub(crate) const KINDS: [Kind; 11] = [
    Kind { name: "F32", number: 0, block: 1, bytes: 4 },
    Kind { name: "F16", number: 1, block: 1, bytes: 2 },
    Kind { name: "Q4_0", number: 2, block: 32, bytes: 18 },
    Kind { name: "Q4_1", number: 3, block: 32, bytes: 20 },
    Kind { name: "Q8_0", number: 8, block: 32, bytes: 34 },
    Kind { name: "Q5_0", number: 6, block: 32, bytes: 22 },
    Kind { name: "Q5_1", number: 7, block: 32, bytes: 24 },
    Kind { name: "BF16", number: 30, block: 1, bytes: 2 },
    Kind { name: "Q4_K", number: 12, block: 256, bytes: 144 },
    Kind { name: "Q5_K", number: 13, block: 256, bytes: 176 },
    Kind { name: "Q6_K", number: 14, block: 256, bytes: 210 },
];
pub(crate) const F32: Kind = KINDS[0];
pub(crate) const Q4_1: Kind = KINDS[3];
pub(crate) const Q8_0: Kind = KINDS[4];

/// The template that most chat models of this kind carry, in our words.
pub(crate) const TEMPLATE: &str = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content.strip() + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/// What the small model looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) tied: bool,
    pub(crate) seed: u64,
}

pub(crate) const CONTEXT: u32 = 512;
const HEAD: usize = 16;
const LAYERS: usize = 2;

/// Sides of the matrices: every row must be whole blocks.
struct Sides {
    width: usize,
    inner: usize,
    heads: usize,
    kv_heads: usize,
}

impl Kind {
    fn sides(self) -> Sides {
        if self.block == 256 {
            Sides { width: 256, inner: 512, heads: 16, kv_heads: 4 }
        } else {
            Sides { width: 64, inner: 96, heads: 6, kv_heads: 2 }
        }
    }
}

/// The bytes of a file in the making.
#[derive(Default)]
pub(crate) struct Writer {
    metadata: Vec<u8>,
    metadata_count: u64,
    infos: Vec<u8>,
    tensor_count: u64,
    data: Vec<u8>,
}

impl Writer {
    fn text(out: &mut Vec<u8>, text: &str) {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    }

    fn entry(&mut self, name: &str, kind: u32, value: &[u8]) {
        Self::text(&mut self.metadata, name);
        self.metadata.extend(kind.to_le_bytes());
        self.metadata.extend(value);
        self.metadata_count += 1;
    }

    pub(crate) fn number(&mut self, name: &str, value: u32) {
        self.entry(name, 4, &value.to_le_bytes());
    }

    pub(crate) fn float(&mut self, name: &str, value: f32) {
        self.entry(name, 6, &value.to_le_bytes());
    }

    pub(crate) fn string(&mut self, name: &str, value: &str) {
        let mut bytes = Vec::new();
        Self::text(&mut bytes, value);
        self.entry(name, 8, &bytes);
    }

    pub(crate) fn strings(&mut self, name: &str, values: &[String]) {
        let mut bytes = 8u32.to_le_bytes().to_vec();
        bytes.extend((values.len() as u64).to_le_bytes());
        for value in values {
            Self::text(&mut bytes, value);
        }
        self.entry(name, 9, &bytes);
    }

    pub(crate) fn integers(&mut self, name: &str, values: &[i32]) {
        let mut bytes = 5u32.to_le_bytes().to_vec();
        bytes.extend((values.len() as u64).to_le_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.entry(name, 9, &bytes);
    }

    pub(crate) fn tensor(&mut self, name: &str, kind: u32, dimensions: &[u64], bytes: &[u8]) {
        Self::text(&mut self.infos, name);
        self.infos.extend(u32::try_from(dimensions.len()).unwrap().to_le_bytes());
        self.infos.extend(dimensions.iter().flat_map(|side| side.to_le_bytes()));
        self.infos.extend(kind.to_le_bytes());
        self.infos.extend((self.data.len() as u64).to_le_bytes());
        self.data.extend(bytes);
        self.data.resize(self.data.len().next_multiple_of(32), 0);
        self.tensor_count += 1;
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(3u32.to_le_bytes());
        file.extend(self.tensor_count.to_le_bytes());
        file.extend(self.metadata_count.to_le_bytes());
        file.extend(self.metadata);
        file.extend(self.infos);
        file.resize(file.len().next_multiple_of(32), 0);
        file.extend(self.data);
        file
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers are small and known"
)]
/// A 16-bit float of a number below 1, which is all that is needed here.
fn half(value: f64) -> [u8; 2] {
    if value.abs() < 2f64.powi(-14) {
        let sign = if value < 0.0 { 0x8000 } else { 0 };
        return (sign | (value.abs() * 2f64.powi(24)) as u16).to_le_bytes();
    }
    let exponent = value.abs().log2().floor();
    let fraction = (value.abs() / exponent.exp2() - 1.0) * 1024.0;
    let sign = if value < 0.0 { 0x8000 } else { 0 };
    let bits = sign | ((exponent + 15.0) as u16) << 10 | (fraction as u16).min(1023);
    bits.to_le_bytes()
}

#[expect(clippy::cast_possible_truncation, reason = "random bytes and single precision are wanted")]
/// Random weights of about this size, as bytes of blocks.
fn weights(kind: Kind, count: usize, size: f64, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..count / kind.block {
        let noise = |chance: &mut Chance| (chance.unit() * 2.0 - 1.0) * size + 1e-4;
        match kind.name {
            "F32" => bytes.extend((noise(chance) as f32).to_le_bytes()),
            "F16" => bytes.extend(half(noise(chance))),
            "BF16" => bytes.extend(&(noise(chance) as f32).to_le_bytes()[2..]),
            "Q5_0" => bytes.extend(half(size / 16.0)),
            "Q5_1" => {
                bytes.extend(half(size / 16.0));
                bytes.extend(half(-size));
            }
            // Scales and minima of six bits are random too: the minimum's factor puts the middle at zero.
            "Q4_K" => {
                bytes.extend(half(size / 470.0));
                bytes.extend(half(size / 470.0 * 7.5));
            }
            "Q5_K" => {
                bytes.extend(half(size / 970.0));
                bytes.extend(half(size / 970.0 * 15.5));
            }
            // Its scale stands at the end.
            "Q6_K" => {
                bytes.extend((0..kind.bytes - 2).map(|_| chance.next_u64() as u8));
                bytes.extend(half(size / 2_350.0));
            }
            "Q4_0" => bytes.extend(half(size / 8.0)),
            "Q4_1" => {
                bytes.extend(half(size / 8.0));
                bytes.extend(half(-size));
            }
            _ => bytes.extend(half(size / 128.0)),
        }
        let rest = if kind.block == 1 { 0 } else { bytes.len().next_multiple_of(kind.bytes) - bytes.len() };
        bytes.extend((0..rest).map(|_| chance.next_u64() as u8));
    }
    assert_eq!(bytes.len(), count / kind.block * kind.bytes);
    bytes
}

/// The letters of the bytes, some merges, and three control tokens in front.
fn vocabulary() -> (Vec<String>, Vec<String>, Vec<i32>) {
    let mut tokens: Vec<String> =
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"].iter().map(ToString::to_string).collect();
    let mut next = 0x100;
    for byte in 0..=255u8 {
        let letter = match byte {
            b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
            _ => {
                next += 1;
                char::from_u32(next - 1).unwrap()
            }
        };
        tokens.push(letter.to_string());
    }
    let merges = ["h e", "l l", "he ll", "hell o", "Ġ w"].map(str::to_owned).to_vec();
    tokens.extend(merges.iter().map(|merge| merge.replace(' ', "")));
    let kinds = (0..tokens.len()).map(|at| if at < 3 { 3 } else { 1 }).collect();
    (tokens, merges, kinds)
}

/// A whole model.
pub(crate) fn model(plan: Plan) -> Vec<u8> {
    let mut writer = Writer::default();
    let Sides { width, inner, heads, kv_heads } = plan.kind.sides();
    let (tokens, merges, kinds) = vocabulary();
    let rows = tokens.len();
    writer.string("general.architecture", "llama");
    writer.string("general.name", "small");
    let number = |writer: &mut Writer, name: &str, value: usize| {
        writer.number(&format!("llama.{name}"), u32::try_from(value).unwrap());
    };
    number(&mut writer, "block_count", LAYERS);
    number(&mut writer, "context_length", CONTEXT as usize);
    number(&mut writer, "embedding_length", width);
    number(&mut writer, "feed_forward_length", inner);
    number(&mut writer, "attention.head_count", heads);
    number(&mut writer, "attention.head_count_kv", kv_heads);
    number(&mut writer, "attention.key_length", HEAD);
    number(&mut writer, "attention.value_length", HEAD);
    number(&mut writer, "rope.dimension_count", HEAD);
    writer.float("llama.rope.freq_base", 10_000.0);
    writer.float("llama.attention.layer_norm_rms_epsilon", 1e-5);
    writer.string("tokenizer.ggml.model", "gpt2");
    writer.string("tokenizer.ggml.pre", "smollm");
    writer.strings("tokenizer.ggml.tokens", &tokens);
    writer.strings("tokenizer.ggml.merges", &merges);
    writer.integers("tokenizer.ggml.token_type", &kinds);
    writer.number("tokenizer.ggml.eos_token_id", 2);
    writer.string("tokenizer.chat_template", TEMPLATE);

    let mut chance = Chance::from_seed(plan.seed);
    let mut matrix = |writer: &mut Writer, name: &str, rows: usize, columns: usize, size: f64| {
        // Longer rows have smaller weights, so that the sums are of one size.
        let size = size * (64.0 / width as f64).sqrt();
        let bytes = weights(plan.kind, rows * columns, size, &mut chance);
        writer.tensor(name, plan.kind.number, &[columns as u64, rows as u64], &bytes);
    };
    matrix(&mut writer, "token_embd.weight", rows, width, 0.9);
    if !plan.tied {
        matrix(&mut writer, "output.weight", rows, width, 0.5);
    }
    for layer in 0..LAYERS {
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        matrix(&mut writer, &name("attn_q"), heads * HEAD, width, 0.15);
        matrix(&mut writer, &name("attn_k"), kv_heads * HEAD, width, 0.15);
        matrix(&mut writer, &name("attn_v"), kv_heads * HEAD, width, 0.3);
        matrix(&mut writer, &name("attn_output"), width, heads * HEAD, 0.3);
        matrix(&mut writer, &name("ffn_gate"), inner, width, 0.3);
        matrix(&mut writer, &name("ffn_up"), inner, width, 0.3);
        matrix(&mut writer, &name("ffn_down"), width, inner, 0.3);
    }
    let norm: Vec<u8> = (0..width).flat_map(|at| (1.0 + at as f32 / 200.0).to_le_bytes()).collect();
    writer.tensor("output_norm.weight", 0, &[width as u64], &norm);
    for layer in 0..LAYERS {
        writer.tensor(&format!("blk.{layer}.attn_norm.weight"), 0, &[width as u64], &norm);
        writer.tensor(&format!("blk.{layer}.ffn_norm.weight"), 0, &[width as u64], &norm);
    }
    writer.finish()
}
