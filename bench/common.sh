# What the benches of the outlet share: sourced by outlet.sh and worker.sh, in the root of the repository.

# need PROGRAM…: ends with what to install when one is missing.
need() {
  for program in "$@"; do
    command -v "$program" >/dev/null || { echo "missing: $program (apt-get install nginx-light wrk curl util-linux)" >&2; exit 2; }
  done
}

# A port that is free now.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The release binary, a folder to work in, and an end that stops what was started.
prepare() {
  cargo build --release --quiet --package mains
  mains=${CARGO_TARGET_DIR:-target}/release/mains
  work=$(mktemp -d)
  pids=()
  trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"' EXIT
}

# nginx_conf NAME SERVER: the configuration of an nginx with one worker that keeps connections open.
nginx_conf() {
  mkdir -p "$work/$1.tmp"
  cat > "$work/$1.conf" <<CONF
worker_processes 1; daemon off; pid $work/$1.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path $work/$1.tmp/a;
  proxy_temp_path $work/$1.tmp/b; fastcgi_temp_path $work/$1.tmp/c; uwsgi_temp_path $work/$1.tmp/d; scgi_temp_path $work/$1.tmp/e;
  $2 }
CONF
}

# upstream_conf PORT: an upstream that gives the same small answer to everything.
upstream_conf() {
  local answer='{"id":"chatcmpl-1","object":"chat.completion","created":1795550000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"All circuits on.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":21,"completion_tokens":4,"total_tokens":25}}'
  nginx_conf upstream "server { listen 127.0.0.1:$1; default_type application/json; location / { return 200 '$answer'; } }"
}

# What wrk sends.
post_lua() {
  cat > "$work/post.lua" <<'LUA'
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = [[{"model":"gpt-4o-mini","messages":[{"role":"system","content":"You answer in one short sentence and never explain yourself."},{"role":"user","content":"Are all circuits on? Please say so in the words of an electrician, and be brief."}],"max_tokens":64}]]
LUA
}

# answers PORT: waits until something listens there; it says so when nothing does for ten seconds.
answers() {
  for _ in $(seq 100); do
    curl -s -o /dev/null "http://127.0.0.1:$1/livez" && return
    sleep 0.1
  done
  echo "nothing answers on port $1" >&2
  exit 2
}
