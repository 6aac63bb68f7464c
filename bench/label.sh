#!/usr/bin/env bash
# The same 10,000 requests through an outlet with a labeller before its teacher, and without: money, energy, latency.
#
#   bench/label.sh [REQUESTS] [UPSTREAM_MS]
#
# The task is Banking77 (77 classes, CC BY 4.0): the labeller learns from train.csv, the requests are the texts of
# test.csv in a fixed order, over and over. The teacher is scripted: it says the label of the data set after UPSTREAM_MS
# (default 100), so that only what the outlet does differs; a provider takes longer. Prices and energy of the teacher are
# the catalogue's for gpt-4o-mini; the labeller's energy follows from its processor time. Everything stays on loopback
# and stops by itself. Needs the data sets in MAINS_DATASETS (default: beside the repository, `shared/datasets`).
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
cargo build --quiet "${flag[@]}" --package mains-serve --example labeller
built=${CARGO_TARGET_DIR:-target}/$folder
work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"' EXIT
upstream=$(port); with=$(port); without=$(port)
"$built/examples/labeller" "$work/with" gpt-4o-mini "$datasets/banking77/train.csv" > "$work/certificate.txt"
for kind in with without; do
  mkdir -p "$work/$kind"
  label=""; [ "$kind" = with ] && label='"label/rows", '
  cat > "$work/$kind.toml" <<CONF
[serve]
listen = "127.0.0.1:${!kind}"
data = "$work/$kind"
[[upstream]]
name = "openai"
provider = "openai"
base_url = "http://127.0.0.1:$upstream/v1"
[[route]]
model = "gpt-4o-mini"
targets = [$label"openai/gpt-4o-mini"]
$([ "$kind" = with ] && printf '[route.label]\nstage = "serve"\n')
CONF
done
python3 bench/label.py teacher "$upstream" "$wait_ms" "$datasets/banking77/test.csv" & pids+=($!)
for kind in with without; do
  MAINS_LOG=warn "$built/mains" serve --config "$work/$kind.toml" 2> "$work/$kind.log" & pids+=($!)
done
for listen in "$upstream" "$with" "$without"; do answers "$listen"; done
head -12 "$work/certificate.txt"
python3 bench/label.py ask "$requests" "$wait_ms" "$datasets/banking77/test.csv" "without=$without" "with=$with"
curl -s "http://127.0.0.1:$with/metrics" | grep '^mains_label_'
