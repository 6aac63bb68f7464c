#!/usr/bin/env bash
# Whether a local model at full load is felt by proxied requests: the same load with the worker idle and with the
# worker decoding without a pause, interleaved.
#
#   bench/worker.sh [ROUNDS] [SECONDS]
#
# Needs nginx and wrk (`apt-get install nginx-light wrk`) and the small model (`mains model pull
# smollm2-135m-instruct`). Everything stays on loopback and stops by itself. Outlet, worker, upstream and load share
# all cores of the machine, as they do in life.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
seconds=${2:-4}
. bench/common.sh
need nginx wrk python3 curl
prepare
upstream=$(port); outlet=$(port)
upstream_conf "$upstream"
cat > "$work/mains.toml" <<CONF
[serve]
listen = "127.0.0.1:$outlet"
data = "$work/data"
[[upstream]]
name = "openai"
provider = "openai"
base_url = "http://127.0.0.1:$upstream/v1"
[[upstream]]
name = "here"
provider = "local"
[[route]]
model = "gpt-4o-mini"
targets = ["openai/gpt-4o-mini"]
[[route]]
model = "smollm2-135m-instruct"
targets = ["here/smollm2-135m-instruct"]
CONF
nginx -p "$work" -c "$work/upstream.conf" & pids+=($!)
"$mains" serve --config "$work/mains.toml" 2> "$work/log" & pids+=($!)
post_lua
answers "$upstream"
answers "$outlet"
BENCH_URL="http://127.0.0.1:$outlet/v1/chat/completions" BENCH_WORK=$work BENCH_ROUNDS=$rounds BENCH_SECONDS=$seconds \
python3 bench/worker.py
