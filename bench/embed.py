"""Runs engines in turn and prints the ratios of their times.

usage: python3 embed.py ROUNDS NAME=COMMAND...

Each command answers "TOKENS REPEATS" with that many milliseconds. The rounds are interleaved; each round gives an
engine one median per size, the table shows the median and the range of those, and the ratio of the first engine to
each of the others within a round, its median and range.
"""

import statistics
import subprocess
import sys

SIZES = {16: 60, 64: 24, 256: 8}
rounds = int(sys.argv[1])
engines = {}
for argument in sys.argv[2:]:
    name, command = argument.split("=", 1)
    engines[name] = subprocess.Popen(
        command.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
for name, engine in engines.items():
    print(f"{name}: {engine.stdout.readline().strip()}")


def ask(engine, size, repeats):
    engine.stdin.write(f"{size} {repeats}\n")
    return statistics.median(map(float, engine.stdout.readline().split()))


times = {(name, size): [] for name in engines for size in SIZES}
for size in SIZES:
    for engine in engines.values():
        ask(engine, size, 3)
for _ in range(rounds):
    for size, repeats in SIZES.items():
        for name, engine in engines.items():
            times[name, size].append(ask(engine, size, repeats))
first, *others = engines


def shown(values, digits):
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}-{max(values):.{digits}f}]"


for size in SIZES:
    for name in engines:
        print(f"{size:4} tokens  {name:12} {shown(times[name, size], 2)} ms")
    for name in others:
        ratios = [ours / theirs for ours, theirs in zip(times[first, size], times[name, size])]
        print(f"{size:4} tokens  {first} / {name}: {shown(ratios, 3)}")
for engine in engines.values():
    engine.stdin.close()
    engine.wait()
