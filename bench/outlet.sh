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
. bench/common.sh
need nginx wrk python3 curl taskset
prepare
upstream=$(port); proxy=$(port); batched=$(port); strict=$(port)
upstream_conf "$upstream"
nginx_conf proxy "upstream up { server 127.0.0.1:$upstream; keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:$proxy; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; } }"
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
taskset -c 1 nginx -p "$work" -c "$work/upstream.conf" & pids+=($!)
taskset -c 0 nginx -p "$work" -c "$work/proxy.conf" & pids+=($!)
MAINS_THREADS=1 taskset -c 0 "$mains" serve --config "$work/batched.toml" 2> "$work/batched.log" & pids+=($!); batched_pid=$!
MAINS_THREADS=1 taskset -c 0 "$mains" serve --config "$work/strict.toml" 2> "$work/strict.log" & pids+=($!)
post_lua
for listen in "$upstream" "$proxy" "$batched" "$strict"; do answers "$listen"; done
BENCH_PORTS="direct=$upstream nginx=$proxy batched=$batched strict=$strict" BENCH_WORK="$work" BENCH_ROUNDS=$rounds \
BENCH_SECONDS=$seconds BENCH_PID=$batched_pid python3 bench/outlet.py
"$mains" ledger verify --data "$work/batched" >/dev/null && echo "the ledger of the batched outlet verifies"
