"""The lines of bench/distill.sh as a table: medians of the passes, and ratios of scikit-learn's time to ours."""

import statistics
import sys
from collections import defaultdict

found = defaultdict(list)
for line in open(sys.argv[1], encoding="utf-8"):
    name, task, right, features, training = line.split()
    found[task, name].append((float(right), float(features) + float(training)))

print("task        peer                 peer %  ours %   points   peer s   ours s  peer / ours")
for (task, name), runs in found.items():
    if name == "mains":
        continue
    ours = found.get((task, "mains"))
    if not ours:
        continue
    peer_right, peer_seconds = runs[0][0], statistics.median(seconds for _, seconds in runs)
    our_right, our_seconds = ours[0][0], statistics.median(seconds for _, seconds in ours)
    print(
        f"{task:10}  {name:18} {peer_right:7.2f} {our_right:7.2f} {our_right - peer_right:+8.2f}"
        f" {peer_seconds:8.3f} {our_seconds:8.3f} {peer_seconds / our_seconds:12.1f}"
    )
