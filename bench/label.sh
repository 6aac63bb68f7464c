#!/usr/bin/env bash
# The same 10,000 requests through outlets without a labeller, with one of n-grams before its teacher, and with one of
# n-grams and sentence embeddings: money, energy, latency.
#
#   bench/label.sh [REQUESTS] [UPSTREAM_MS]
#
# The task is Banking77 (77 classes, CC BY 4.0): the labellers learn from train.csv by `mains distill train`, the requests
# are the texts of test.csv in a fixed order, over and over. The teacher is scripted: it says the label of the data set
# after UPSTREAM_MS (default 100), so that only what the outlet does differs; a provider takes longer. Prices and energy of
# the teacher are the catalogue's for gpt-4o-mini; the labeller's energy follows from its processor time. Everything stays
# on loopback and stops by itself. Needs the data sets in MAINS_DATASETS (default: beside the repository,
# `shared/datasets`); embeddings are left out where the encoder's weights are not (`mains model pull all-minilm-l6-v2`).
# MAINS_PROFILE=dev takes binaries of that profile instead of release.
set -euo pipefail
cd "$(dirname "$0")/.."
requests=${1:-10000}
wait_ms=${2:-100}
datasets=${MAINS_DATASETS:-$PWD/../shared/datasets}
. bench/common.sh
need python3 curl
if [ "${MAINS_PROFILE:-release}" = dev ]; then flag=(); folder=debug; else flag=(--release); folder=release; fi
cargo build --quiet "${flag[@]}" --package mains
mains=$(realpath "${CARGO_TARGET_DIR:-target}")/$folder/mains
work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"' EXIT
kinds=(without ngram)
if "$mains" model list | grep -q '^all-minilm-l6-v2 .*here'; then kinds+=(both); else echo "left out: embeddings (no weights)"; fi
upstream=$(port)
python3 bench/label.py teacher "$upstream" "$wait_ms" "$datasets/banking77/test.csv" & pids+=($!)
listens=()
for kind in "${kinds[@]}"; do
  listen=$(port); listens+=("$kind=$listen"); label=""; more=""
  if [ "$kind" != without ]; then
    "$mains" distill import "$datasets/banking77/train.csv" --data "$work/$kind" --name rows --label-column category \
      --user 'Classify: {text}' --teacher gpt-4o-mini > /dev/null 2>&1
    "$mains" distill train rows --data "$work/$kind" --terms-allow --heads "$kind" > "$work/$kind.txt" 2> /dev/null
    printf '%s\n' "$kind"; grep -E '^(ruling|heads|local|realised)' "$work/$kind.txt"
    label='"label/rows", '; more=$'[route.label]\nstage = "serve"'
  fi
  if [ "$kind" = both ]; then
    more+=$'\n[[upstream]]\nname = "here"\nprovider = "local"\n[[route]]\nmodel = "vectors"\ntargets = ["here/all-minilm-l6-v2"]'
  fi
  cat > "$work/$kind.toml" <<CONF
[serve]
listen = "127.0.0.1:$listen"
data = "$work/$kind"
[[upstream]]
name = "openai"
provider = "openai"
base_url = "http://127.0.0.1:$upstream/v1"
[[route]]
model = "gpt-4o-mini"
targets = [$label"openai/gpt-4o-mini"]
$more
CONF
  MAINS_LOG=warn "$mains" serve --config "$work/$kind.toml" 2> "$work/$kind.log" & pids+=($!)
  answers "$listen"
done
answers "$upstream"
python3 bench/label.py ask "$requests" "$wait_ms" "$datasets/banking77/test.csv" "${listens[@]}"
for pair in "${listens[@]}"; do
  curl -s "http://127.0.0.1:${pair#*=}/metrics" | grep '^mains_label_' | sed "s/^/${pair%=*}: /" || true
done
