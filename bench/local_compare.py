"""Compares the logits of two engines with a dequantised forward: the gate of `local.sh`.

usage: local_compare.py FOLDER COUNT
"""

import array
import sys


def read(path):
    numbers = array.array("f")
    with open(path, "rb") as file:
        numbers.frombytes(file.read())
    return numbers


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    worst = {"mains": 0.0, "peer": 0.0}
    squares = {"mains": 0.0, "peer": 0.0}
    tops = []
    for index in range(count):
        reference = read(f"{folder}/reference-{index}.f32")
        ranked = sorted(range(len(reference)), key=reference.__getitem__, reverse=True)
        margin = reference[ranked[0]] - reference[ranked[1]]
        row = [index, margin]
        for engine in ("mains", "peer"):
            logits = read(f"{folder}/{engine}-{index}.f32")
            differences = [abs(a - b) for a, b in zip(logits, reference, strict=True)]
            worst[engine] = max(worst[engine], max(differences))
            squares[engine] += sum(d * d for d in differences) / len(differences)
            same = max(range(len(logits)), key=logits.__getitem__) == ranked[0]
            row += [max(differences), same]
        tops.append(row)
        print("prompt %d: margin %.3f, largest difference mains %.4f (top same: %s), llama.cpp %.4f (%s)"
              % (row[0], row[1], row[2], row[3], row[4], row[5]))
    ratio = worst["mains"] / worst["peer"]
    bound = 2 * worst["peer"]
    decided = [row for row in tops if row[1] > bound]
    kept = all(row[3] for row in decided)
    print("largest difference: mains %.4f, llama.cpp %.4f, ratio %.3f (gate: at most 1.25)"
          % (worst["mains"], worst["peer"], ratio))
    print("root mean square: mains %.4f, llama.cpp %.4f"
          % tuple((squares[engine] / count) ** 0.5 for engine in ("mains", "peer")))
    print("top token kept where the margin exceeds %.3f: %s (%d prompts)" % (bound, kept, len(decided)))
    sys.exit(0 if ratio <= 1.25 and kept else 1)


main()
