#!/bin/sh
# Our head on n-grams beside scikit-learn's on the same rows, in the same run: right labels on the official test sets,
# and seconds to train, as ratios.
#
# usage: bench/distill.sh [PASSES]
#
# Needs: cargo, Python 3.11 or newer with venv, pip with a registry, and the data sets in MAINS_DATASETS (default: beside
# the repository, `shared/datasets`). scikit-learn goes to MAINS_BENCH_CACHE (default: ~/.cache/mains/bench), nothing
# into the tree. Both sides use one thread.
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
