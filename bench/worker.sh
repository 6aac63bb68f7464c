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
for program in nginx wrk python3 curl; do
  command -v "$program" >/dev/null || { echo "missing: $program (apt-get install nginx-light wrk curl)" >&2; exit 2; }
done
cargo build --release --quiet --package mains
mains=${CARGO_TARGET_DIR:-target}/release/mains
work=$(mktemp -d)
pids=()
stop() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null; rm -rf "$work"; }
trap stop EXIT
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
upstream=$(port); outlet=$(port)
mkdir -p "$work/nginx"
answer='{"id":"chatcmpl-1","object":"chat.completion","created":1795550000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"All circuits on.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":21,"completion_tokens":4,"total_tokens":25}}'
cat > "$work/upstream.conf" <<CONF
worker_processes 1; daemon off; pid $work/upstream.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path $work/nginx/a;
  proxy_temp_path $work/nginx/b; fastcgi_temp_path $work/nginx/c; uwsgi_temp_path $work/nginx/d; scgi_temp_path $work/nginx/e;
  server { listen 127.0.0.1:$upstream; default_type application/json; location / { return 200 '$answer'; } } }
CONF
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
cat > "$work/post.lua" <<'LUA'
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = [[{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Are all circuits on?"}],"max_tokens":64}]]
LUA
for _ in $(seq 100); do curl -s -o /dev/null "http://127.0.0.1:$outlet/livez" && break || sleep 0.1; done
BENCH_URL="http://127.0.0.1:$outlet/v1/chat/completions" BENCH_WORK=$work BENCH_ROUNDS=$rounds BENCH_SECONDS=$seconds \
python3 bench/worker.py
