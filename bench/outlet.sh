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
upstream=$(port); proxy=$(port); batched=$(port); strict=$(port); kept=$(port); switch=$(port)
upstream_conf "$upstream"
nginx_conf proxy "upstream up { server 127.0.0.1:$upstream; keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:$proxy; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; } }"
# Beside both durabilities: batched with content kept, and batched in a switch between two targets.
for kind in batched strict kept switch; do
  durability=batched; [ "$kind" = strict ] && durability=strict
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
targets = ["openai/gpt-4o-mini"]
$([ "$kind" = switch ] && printf '[route.swap]\nfrom = "openai/gpt-4o-mini"\nto = "openai/gpt-6-luna"\nreport = "%064d"\nsteps = [50, 100]\nhold = "90d"\n' 0)
[[budget]]
scope = "organisation"
per = "month"
usd = 1000000
[ledger]
durability = "$durability"
$([ "$kind" = kept ] && printf '[record]\ncontent = "keep"\nkey_file = "%s"\n' "$work/vault.key")
CONF
done
# Core 0 serves what is measured; core 1 carries the load and the upstream.
taskset -c 1 nginx -p "$work" -c "$work/upstream.conf" & pids+=($!)
taskset -c 0 nginx -p "$work" -c "$work/proxy.conf" & pids+=($!)
MAINS_THREADS=1 taskset -c 0 "$mains" serve --config "$work/batched.toml" 2> "$work/batched.log" & pids+=($!); batched_pid=$!
for kind in strict kept switch; do
  MAINS_THREADS=1 taskset -c 0 "$mains" serve --config "$work/$kind.toml" 2> "$work/$kind.log" & pids+=($!)
done
post_lua
for listen in "$upstream" "$proxy" "$batched" "$strict" "$kept" "$switch"; do answers "$listen"; done
BENCH_PORTS="direct=$upstream nginx=$proxy batched=$batched strict=$strict kept=$kept switch=$switch" BENCH_WORK="$work" BENCH_ROUNDS=$rounds \
BENCH_SECONDS=$seconds BENCH_PID=$batched_pid python3 bench/outlet.py
"$mains" ledger verify --data "$work/batched" >/dev/null && echo "the ledger of the batched outlet verifies"
