"""Writes small models with random weights, one per family, and the logits that `transformers` gives for them.

    pip install numpy gguf regex torch transformers
    python3 crates/mains-infer/tests/data/architectures.py

Each `NAME.gguf` has the names, orders and metadata of llama.cpp's converter and weights of 16 bits, which the
reference model has been rounded to. `NAME.json` holds tokens and the logits after some of them. `blocks.json` holds
random blocks of the compressed types and what the `gguf` package makes of them, `cuts.json` texts cut into words by
the patterns of tokenizers. Our own weights: free of any licence.
"""

import json
import math
import pathlib

import gguf
import numpy
import regex
import torch
import transformers

HERE = pathlib.Path(__file__).parent / "architectures"
COMMON = dict(
    vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=512, attn_implementation="eager",
)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
LENGTHS = (1, 7, 24, 60)


def rope(theta, **scaling):
    """The rotation's parameters, by the name that this version of the package reads."""
    if int(transformers.__version__.split(".")[0]) >= 5:
        return dict(rope_parameters=dict(rope_type=scaling.pop("rope_type", "default"), rope_theta=theta, **scaling))
    return dict(rope_theta=theta, **({"rope_scaling": scaling} if scaling else {}))


FAMILIES = {
    "llama3": ("llama", transformers.LlamaForCausalLM, transformers.LlamaConfig(
        **COMMON, **rope(500000.0, **LLAMA3), rms_norm_eps=1e-5, tie_word_embeddings=True)),
    "mistral": ("llama", transformers.MistralForCausalLM, transformers.MistralConfig(
        **COMMON, **rope(10000.0), rms_norm_eps=1e-5, tie_word_embeddings=False, sliding_window=11)),
    "qwen2": ("qwen2", transformers.Qwen2ForCausalLM, transformers.Qwen2Config(
        **COMMON, **rope(1000000.0), rms_norm_eps=1e-6, tie_word_embeddings=True)),
    "qwen3": ("qwen3", transformers.Qwen3ForCausalLM, transformers.Qwen3Config(
        **COMMON, **rope(1000000.0), rms_norm_eps=1e-6, tie_word_embeddings=True, head_dim=32)),
}


def randomise(model, seed):
    """Weights large enough that every part shows in the logits, rounded to 16 bits."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("norm.weight"):
                value = 1 + 0.2 * noise
            elif name.endswith(".bias"):
                value = 0.5 * noise
            elif "embed_tokens" in name:
                value = 0.6 * noise
            else:
                value = noise * 1.4 / math.sqrt(parameter.shape[1])
            parameter.copy_(value.half().float())
    model.tie_weights()


def llama3_factors(config):
    """As the converter of llama.cpp computes `rope_freqs.weight`."""
    head = config.hidden_size // config.num_attention_heads
    low, high, old = LLAMA3["low_freq_factor"], LLAMA3["high_freq_factor"], LLAMA3["original_max_position_embeddings"]
    factors = []
    for frequency in 1.0 / (500000.0 ** (numpy.arange(0, head, 2, dtype=numpy.float32) / head)):
        wave = 2 * math.pi / frequency
        if wave < old / high:
            factors.append(1.0)
        elif wave > old / low:
            factors.append(LLAMA3["factor"])
        else:
            smooth = (old / wave - low) / (high - low)
            factors.append(1 / ((1 - smooth) / LLAMA3["factor"] + smooth))
    return numpy.array(factors, dtype=numpy.float32)


def neighbours(weight, heads):
    """The rows of a head so that the numbers that rotate together are neighbours, as the converter does for llama."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def write(name, architecture, model, config):
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer = gguf.GGUFWriter(str(HERE / f"{name}.gguf"), architecture)
    writer.add_name(name)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(500000.0 if name == "llama3" else 10000.0 if name == "mistral" else 1000000.0)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if architecture == "llama":
        writer.add_rope_dimension_count(head)
    if name == "qwen3":
        writer.add_key_length(head)
        writer.add_value_length(head)
    if name == "mistral":
        writer.add_sliding_window(config.sliding_window)
    if name == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    kind = next(kind for kind, known in gguf.MODEL_ARCH_NAMES.items() if known == architecture)
    names = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    for key, parameter in model.named_parameters():
        value = parameter.detach().numpy()
        if architecture == "llama" and ".q_proj." in key:
            value = neighbours(value, config.num_attention_heads)
        if architecture == "llama" and ".k_proj." in key:
            value = neighbours(value, config.num_key_value_heads)
        value = value.astype(numpy.float16) if value.ndim == 2 else value
        writer.add_tensor(names.get_name(key, try_suffixes=(".weight", ".bias")), numpy.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def models():
    for seed, (name, (architecture, kind, config)) in enumerate(FAMILIES.items()):
        model = kind(config).float().eval()
        randomise(model, seed)
        write(name, architecture, model, config)
        tokens = numpy.random.default_rng(seed).integers(0, config.vocab_size, max(LENGTHS)).tolist()
        with torch.no_grad():
            logits = model(torch.tensor([tokens])).logits[0].numpy()
        after = {str(length): [float(f"{x:.8g}") for x in logits[length - 1]] for length in LENGTHS}
        made = f"transformers {transformers.__version__}, gguf package, seed {seed}"
        (HERE / f"{name}.json").write_text(json.dumps({"made": made, "tokens": tokens, "after": after}) + "\n")


def blocks():
    random = numpy.random.default_rng(7)
    out = {}
    for name in ("BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"):
        kind = gguf.GGMLQuantizationType[name]
        numbers, size = gguf.GGML_QUANT_SIZES[kind]
        count = 512 // numbers
        data = random.integers(0, 256, (count, size), dtype=numpy.uint8)
        floats = random.uniform(-0.1, 0.1, (count, 2)).astype(numpy.float16).view(numpy.uint8).reshape(count, 4)
        if name == "BF16":
            data = random.normal(size=512).astype(numpy.float32).view(numpy.uint8).reshape(512, 4)[:, 2:].copy()
        elif name == "Q6_K":
            data[:, -2:] = floats[:, :2]
        else:
            data[:, :2] = floats[:, :2]
            if name in ("Q4_1", "Q5_1", "Q4_K", "Q5_K"):
                data[:, 2:4] = floats[:, 2:]
        numbers = gguf.dequantize(data.reshape(1, -1), kind).astype(numpy.float32).reshape(-1)
        out[name] = {"blocks": data.tobytes().hex(), "bits": numbers.view(numpy.uint32).tolist()}
    (HERE / "blocks.json").write_text(json.dumps(out) + "\n")


# As llama.cpp applies them for these names.
TEKKEN_UPPER, TEKKEN_LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
TAIL = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
WORD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
SIGNS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
PATTERNS = {
    "llama-bpe": WORD + r"\p{N}{1,3}" + SIGNS + TAIL,
    "qwen2": WORD + r"\p{N}" + SIGNS + TAIL,
    "tekken": rf"[^\r\n\p{{L}}\p{{N}}]?{TEKKEN_UPPER}*{TEKKEN_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{TEKKEN_UPPER}+{TEKKEN_LOWER}*"
    + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + TAIL,
}
TEXTS = [
    "The fuse's blown: they'LL replace it in 2026, or pay 1,234.56 EUR.",
    "Übung macht den Meister; 学而时习之 — ¿cómo se dice? 🙂",
    "fn main() {\n    println!(\"x = {}\", 12345);\n}\n\n\nend  ",
    "HTTPServer parseJSON iPhone McDonald's\t tabs\r\nand  two   spaces //\n",
    "e\u0301te\u0301 ﷺ ١٢٣ \u00a0x",
]


def cuts():
    out = {name: [regex.findall(pattern, text) for text in TEXTS] for name, pattern in PATTERNS.items()}
    assert all("".join(words) == text for texts in out.values() for words, text in zip(texts, TEXTS))
    (HERE / "cuts.json").write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    cuts()
    blocks()
    models()
