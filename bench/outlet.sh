#!/usr/bin/env bash
# Direct, nginx proxy_pass, Mains: the same requests to the same upstream, interleaved, side by side in one run.
#
#   bench/outlet.sh [ROUNDS] [SECONDS]
#
# Needs nginx and wrk (`apt-get install nginx-light wrk`). Everything stays on loopback and stops by itself. One core
# serves (nginx has one worker, Mains one thread), the other one loads. Prints medians and ratios; the machine's
# noise is in the range beside each median.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
seconds=${2:-4}
for program in nginx wrk python3 taskset; do
  command -v "$program" >/dev/null || { echo "missing: $program (apt-get install nginx-light wrk util-linux)" >&2; exit 2; }
done
cargo build --release --quiet --package mains
mains=${CARGO_TARGET_DIR:-target}/release/mains
work=$(mktemp -d)
pids=()
stop() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"; }
trap stop EXIT

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
upstream=$(port); proxy=$(port); batched=$(port); strict=$(port)

answer='{"id":"chatcmpl-1","object":"chat.completion","created":1795550000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"All circuits on.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":21,"completion_tokens":4,"total_tokens":25}}'
mkdir -p "$work/nginx"
cat > "$work/nginx/upstream.conf" <<CONF
worker_processes 1; daemon off; pid $work/nginx/upstream.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path $work/nginx/a;
  proxy_temp_path $work/nginx/b; fastcgi_temp_path $work/nginx/c; uwsgi_temp_path $work/nginx/d; scgi_temp_path $work/nginx/e;
  server { listen 127.0.0.1:$upstream; default_type application/json;
    location / { return 200 '$answer'; } } }
CONF
cat > "$work/nginx/proxy.conf" <<CONF
worker_processes 1; daemon off; pid $work/nginx/proxy.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path $work/nginx/f;
  proxy_temp_path $work/nginx/g; fastcgi_temp_path $work/nginx/h; uwsgi_temp_path $work/nginx/i; scgi_temp_path $work/nginx/j;
  upstream up { server 127.0.0.1:$upstream; keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:$proxy; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; } } }
CONF
for durability in batched strict; do
  listen=$batched; [ "$durability" = strict ] && listen=$strict
  cat > "$work/$durability.toml" <<CONF
[serve]
listen = "127.0.0.1:$listen"
data = "$work/$durability"
[[upstream]]
name = "openai"
provider = "openai"
base_url = "http://127.0.0.1:$upstream/v1"
[[route]]
model = "gpt-4o-mini"
targets = ["openai/gpt-4o-mini"]
[[budget]]
scope = "organisation"
per = "month"
usd = 1000000
[ledger]
durability = "$durability"
CONF
done
# Core 0 serves what is measured; core 1 carries the load and the upstream.
taskset -c 1 nginx -p "$work" -c "$work/nginx/upstream.conf" & pids+=($!)
taskset -c 0 nginx -p "$work" -c "$work/nginx/proxy.conf" & pids+=($!)
MAINS_THREADS=1 taskset -c 0 "$mains" serve --config "$work/batched.toml" 2> "$work/batched.log" & pids+=($!); batched_pid=$!
MAINS_THREADS=1 taskset -c 0 "$mains" serve --config "$work/strict.toml" 2> "$work/strict.log" & pids+=($!)

body='{"model":"gpt-4o-mini","messages":[{"role":"system","content":"You answer in one short sentence and never explain yourself."},{"role":"user","content":"Are all circuits on? Please say so in the words of an electrician, and be brief."}],"max_tokens":64}'
cat > "$work/post.lua" <<LUA
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = [[$body]]
LUA
for listen in "$upstream" "$proxy" "$batched" "$strict"; do
  for _ in $(seq 200); do
    curl -s -o /dev/null -H 'content-type: application/json' -d "$body" "http://127.0.0.1:$listen/v1/chat/completions" && break
  done
done
BENCH_PORTS="direct=$upstream nginx=$proxy batched=$batched strict=$strict" BENCH_WORK="$work" BENCH_ROUNDS=$rounds \
BENCH_SECONDS=$seconds BENCH_PID=$batched_pid BENCH_MAINS=$mains python3 bench/outlet.py
"$mains" ledger verify --data "$work/batched" >/dev/null && echo "ledger of the batched outlet verifies while it runs, or after it: yes"
