"""Medians and ratios from the lines of `local.sh`: FILE BUILD JSON.

usage: local_table.py TIMES
"""

import collections
import json
import statistics
import sys


def main():
    runs = collections.defaultdict(list)
    with open(sys.argv[1]) as lines:
        for line in lines:
            name, build, figures = line.split(" ", 2)
            figures = json.loads(figures)
            runs[figures["threads"], name, build].append(figures)
    # "busy" counts seconds on a processor, for one thread: on a shared machine steadier than the clock.
    header = ("th", "file", "build", "prefill tok/s", "decode tok/s", "busy prefill", "busy decode", "load s", "peak")
    print("%-2s %-32s %-8s %22s %20s %12s %12s %7s %12s" % header)
    medians = {}
    for key in sorted(runs):
        rows = runs[key]
        cells = []
        for what in ("prefill", "decode"):
            values = [row[what] for row in rows]
            medians[key, what] = statistics.median(values)
            cells.append("%.1f [%.1f-%.1f]" % (medians[key, what], min(values), max(values)))
        for what in ("prefill", "decode"):
            medians[key, what + "_busy"] = statistics.median(row[what + "_busy"] for row in rows)
            cells.append("%.1f" % medians[key, what + "_busy"] if key[0] == 1 else "-")
        load = statistics.median(row["load_s"] for row in rows)
        print("%-2d %-32s %-8s %22s %20s %12s %12s %7.2f %12s" % (*key, *cells, load, rows[-1]["peak"]))
    print()
    threads = sorted({key[0] for key in runs})
    names = sorted({key[1] for key in runs})
    for count in threads:
        for what in ("prefill", "decode", *(("prefill_busy", "decode_busy") if count == 1 else ())):
            best = max((medians[(count, name, build), what], name, build)
                       for name in names for build in ("native", "portable"))
            for name in names:
                ours = medians[(count, name, "mains"), what]
                same = max(medians[(count, name, build), what] for build in ("native", "portable"))
                print("%d thread(s), %-12s %-32s %.2f of llama.cpp on the same file, %.2f of its best (%s, %s)"
                      % (count, what, name, ours / same, ours / best[0], best[1], best[2]))


main()
