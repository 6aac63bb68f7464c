"""Speed of each type of weights in our engine: one model of random blocks per type, same shapes, interleaved passes.

    cargo build --release -p mains-infer --example local
    python3 bench/kinds.py target/release/examples/local [PASSES]

Needs numpy and the `gguf` package. Prints, per type, bits a weight in the file, and medians of tokens per second of
processor time on one thread, beside Q4_1 of the same run.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import gguf
import numpy

KINDS = ["Q4_1", "Q4_0", "Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q6_K", "Q8_0", "BF16"]
WIDTH, INNER, LAYERS, HEADS, KV_HEADS, ROWS = 768, 2048, 12, 12, 4, 24_576
PROMPT, DECODE = 128, 48


def blocks(kind, rows, columns, random):
    numbers, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (rows * columns // numbers, size), dtype=numpy.uint8)
    # A scale that keeps the numbers small: 2^-12 as a 16-bit float, at each place where one can stand.
    scale = numpy.array([0x00, 0x0C], dtype=numpy.uint8)
    if kind == gguf.GGMLQuantizationType.BF16:
        data[:, 1] = data[:, 1] & 0x80 | 0x3C
    elif kind == gguf.GGMLQuantizationType.Q6_K:
        data[:, -2:] = scale
    else:
        data[:, :2] = scale
        data[:, 2:4] = scale
    return data.reshape(rows, -1)


def write(path, kind, random):
    writer = gguf.GGUFWriter(str(path), "llama")
    for add, value in [
        (writer.add_context_length, 2048), (writer.add_embedding_length, WIDTH), (writer.add_block_count, LAYERS),
        (writer.add_feed_forward_length, INNER), (writer.add_head_count, HEADS), (writer.add_head_count_kv, KV_HEADS),
        (writer.add_layer_norm_rms_eps, 1e-5),
    ]:
        add(value)

    def matrix(name, rows, columns):
        writer.add_tensor(name, blocks(kind, rows, columns, random), raw_dtype=kind)

    sides = WIDTH // HEADS * KV_HEADS
    matrix("token_embd.weight", ROWS, WIDTH)
    ones = numpy.ones(WIDTH, dtype=numpy.float32)
    writer.add_tensor("output_norm.weight", ones)
    for layer in range(LAYERS):
        for part, rows, columns in [
            ("attn_q", WIDTH, WIDTH), ("attn_k", sides, WIDTH), ("attn_v", sides, WIDTH), ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", INNER, WIDTH), ("ffn_up", INNER, WIDTH), ("ffn_down", WIDTH, INNER),
        ]:
            matrix(f"blk.{layer}.{part}.weight", rows, columns)
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", ones)
        writer.add_tensor(f"blk.{layer}.ffn_norm.weight", ones)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    engine, passes = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    got = {name: [] for name in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name in KINDS:
            paths[name] = pathlib.Path(folder) / f"{name}.gguf"
            write(paths[name], gguf.GGMLQuantizationType[name], numpy.random.default_rng(1))
        for _ in range(passes):
            for name, path in paths.items():
                command = [engine, "time", str(path), "1", str(PROMPT), str(DECODE), "1"]
                got[name].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    median = lambda name, what: statistics.median(run[what] for run in got[name])
    base = {what: median("Q4_1", what) for what in ("prefill_busy", "decode_busy")}
    print(f"{got['Q4_1'][0]['set']}, 1 thread, {passes} passes, tokens/s of processor time [range] (ratio to Q4_1)")
    for name in KINDS:
        numbers, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
        line = f"{name:5} {size * 8 / numbers:6.3f} bits"
        for what in base:
            runs = [run[what] for run in got[name]]
            middle = statistics.median(runs)
            line += f"  {what[:-5]} {middle:7.1f} [{min(runs):.1f}-{max(runs):.1f}] ({middle / base[what]:.2f})"
        print(line)


if __name__ == "__main__":
    main()
