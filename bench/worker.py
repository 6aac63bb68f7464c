"""Loads the outlet with its worker idle and busy in turn, and prints medians and ratios. Called by worker.sh."""

import json
import os
import re
import statistics
import subprocess
import threading
import urllib.request

url, script = os.environ["BENCH_URL"], os.path.join(os.environ["BENCH_WORK"], "post.lua")
rounds, seconds = int(os.environ["BENCH_ROUNDS"]), int(os.environ["BENCH_SECONDS"])
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
decoded = {"tokens": 0, "answers": 0}


def decode(stop):
    """Asks the local model for long answers until told to stop; what it decoded is counted."""
    body = {
        "model": "smollm2-135m-instruct",
        "messages": [{"role": "user", "content": "Write a long story about an electrician."}],
        "max_tokens": 256,
    }
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    while not stop.is_set():
        with urllib.request.urlopen(request, timeout=120) as answer:
            decoded["tokens"] += json.load(answer)["usage"]["completion_tokens"]
            decoded["answers"] += 1


def wrk(rate_of):
    command = ["wrk", "-t1", "-c4", f"-d{seconds}s", "--latency", "-s", script, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate_of.append(float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]))
    found = [re.search(rf"\s{share}%\s+([\d.]+)(us|ms|s)", text).groups() for share in ("50", "99")]
    return [float(value) * UNITS[unit] for value, unit in found]


results, rates = {"idle": [], "busy": []}, {"idle": [], "busy": []}
for _ in range(rounds):
    results["idle"].append(wrk(rates["idle"]))
    stop = threading.Event()
    askers = [threading.Thread(target=decode, args=(stop,)) for _ in range(2)]
    for asker in askers:
        asker.start()
    results["busy"].append(wrk(rates["busy"]))
    stop.set()
    for asker in askers:
        asker.join()

print(f"{rounds} interleaved rounds of {seconds} s, 4 connections; outlet, worker, upstream and load share {os.cpu_count()} cores\n")
print(f"{'worker':8} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8}")
median = {}
for name, rows in results.items():
    p50, p99 = (statistics.median(row[index] for row in rows) for index in (0, 1))
    median[name] = (statistics.median(rates[name]), p50, p99)
    print(f"{name:8} {median[name][0]:>8.0f} {p50:>8.2f} {p99:>8.2f}")
print(f"\nbusy to idle: p50 {median['busy'][1] / median['idle'][1]:.2f} times, p99 {median['busy'][2] / median['idle'][2]:.2f} times")
print(f"decoded meanwhile: {decoded['tokens']} tokens in {decoded['answers']} answers")
