#!/bin/sh
# Our head on n-grams beside scikit-learn's on the same rows, in the same run: right labels on the official test sets,
# and seconds to train, as ratios. Then each of our heads and their average on the same test sets: the head on embeddings
# where the encoder's weights are (`mains model pull all-minilm-l6-v2`), n-grams alone elsewhere.
#
# usage: bench/distill.sh [PASSES]
#
# Needs: cargo, Python 3.11 or newer with venv, pip with a registry, and the data sets in MAINS_DATASETS (default: beside
# the repository, `shared/datasets`). scikit-learn goes to MAINS_BENCH_CACHE (default: ~/.cache/mains/bench), nothing
# into the tree, and the embeddings (some minutes, made once). Both sides use one thread in the comparison.
# MAINS_EMBEDDINGS may name a folder of embeddings made before, MAINS_MODELS the folder of models.
set -eu

passes=${1:-3}
here=$(cd "$(dirname "$0")" && pwd)
cache=${MAINS_BENCH_CACHE:-$HOME/.cache/mains/bench}
MAINS_DATASETS=${MAINS_DATASETS:-$here/../../shared/datasets}
OMP_NUM_THREADS=1
OPENBLAS_NUM_THREADS=1
export MAINS_DATASETS OMP_NUM_THREADS OPENBLAS_NUM_THREADS
mkdir -p "$cache"

if [ ! -f "$cache/sklearn/ready" ]; then
    echo "installing scikit-learn ..." >&2
    python3 -m venv "$cache/sklearn"
    "$cache/sklearn/bin/pip" install --quiet scikit-learn==1.9.1
    touch "$cache/sklearn/ready"
fi

(cd "$here/.." && cargo build --quiet --release --package mains-distill --example ngram)
ours=${CARGO_TARGET_DIR:-$here/../target}/release/examples/ngram
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for pass in $(seq "$passes"); do
    "$cache/sklearn/bin/python" "$here/distill_peer.py" >> "$work/lines"
    "$ours" >> "$work/lines"
done
python3 "$here/distill_table.py" "$work/lines"

cd "$here/.."
cargo build --quiet --release --package mains-distill --example accuracy
built=${CARGO_TARGET_DIR:-$here/../target}/release/examples
models=${MAINS_MODELS:-${XDG_DATA_HOME:-$HOME/.local/share}/mains/models}
if [ -z "${MAINS_EMBEDDINGS:-}" ] && [ -f "$models/all-minilm-l6-v2/model.safetensors" ]; then
    MAINS_EMBEDDINGS=$cache/embeddings
    mkdir -p "$MAINS_EMBEDDINGS"
    cargo build --quiet --release --package mains-infer --example embed_texts
    for task in banking77 ag_news sst2 trec6; do
        for part in train test; do
            file=$MAINS_EMBEDDINGS/${task}_$part.f32
            [ -f "$file" ] && continue
            [ -d "$MAINS_DATASETS/$task" ] || continue
            echo "embeddings of $task, $part ..." >&2
            python3 "$here/distill_texts.py" "$task" "$part" | "$built/embed_texts" "$models" > "$work/embeddings"
            mv "$work/embeddings" "$file"
        done
    done
fi
export MAINS_EMBEDDINGS="${MAINS_EMBEDDINGS:-}"
echo
"$built/accuracy"
