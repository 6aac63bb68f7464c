"""Runs wrk in turn against every port, and prints medians, ranges and ratios. Called by outlet.sh."""

import os
import re
import statistics
import subprocess

ports = dict(pair.split("=") for pair in os.environ["BENCH_PORTS"].split())
rounds, seconds = int(os.environ["BENCH_ROUNDS"]), os.environ["BENCH_SECONDS"]
script = os.path.join(os.environ["BENCH_WORK"], "post.lua")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def wrk(port, connections):
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    latency = {}
    for share in ("50", "99"):
        value, unit = re.search(rf"\s{share}%\s+([\d.]+)(us|ms|s)", text).groups()
        latency[share] = float(value) * UNITS[unit]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return rate, latency["50"], latency["99"], int(bad[1]) if bad else 0


results = {(name, connections): [] for name in ports for connections in (1, 64)}
for _ in range(rounds):
    for connections in (64, 1):
        for name, port in ports.items():
            results[name, connections].append(wrk(port, connections))


def column(name, connections, index):
    values = [run[index] for run in results[name, connections]]
    return statistics.median(values), min(values), max(values)


print(f"{rounds} interleaved rounds of {seconds} s, one core each for the server and for the load\n")
print(f"{'':8} {'c=64 req/s':>26} {'p50 ms':>8} {'p99 ms':>8} {'c=1 p50 ms':>11} {'p99 ms':>8} {'failed':>7}")
for name in ports:
    rate, low, high = column(name, 64, 0)
    failed = sum(run[3] for connections in (1, 64) for run in results[name, connections])
    print(
        f"{name:8} {rate:>10.0f} [{low:.0f}-{high:.0f}]".ljust(35)
        + f" {column(name, 64, 1)[0]:>8.2f} {column(name, 64, 2)[0]:>8.2f}"
        + f" {column(name, 1, 1)[0]:>11.3f} {column(name, 1, 2)[0]:>8.3f} {failed:>7}"
    )
print()
nginx, direct = column("nginx", 64, 0)[0], column("direct", 1, 1)[0]
for name in ("batched", "strict", "kept", "switch"):
    ratio = column(name, 64, 0)[0] / nginx
    added, added_nginx = column(name, 1, 1)[0] - direct, column("nginx", 1, 1)[0] - direct
    print(f"{name}: {ratio:.2f} of nginx's throughput; added p50 at one connection {added:.3f} ms, nginx {added_nginx:.3f} ms ({added / added_nginx:.2f} times)")
with open(f"/proc/{os.environ['BENCH_PID']}/status") as status:
    peak = re.search(r"VmHWM:\s+(\d+)", status.read())[1]
print(f"peak memory of the batched outlet: {int(peak) / 1024:.1f} MiB")
import urllib.request

for name in ("batched", "strict"):
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{ports[name]}/metrics").read().decode()
    sync = re.search(r"mains_ledger_sync_seconds ([\d.e-]+)", metrics)
    if sync:
        print(f"mean time of a sync of the journal, {name}: {float(sync[1]) * 1e3:.2f} ms")
