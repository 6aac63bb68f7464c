"""The texts of one file of a data set, a JSON string a line, in the order in which the examples read them."""

import csv
import json
import os
import sys
from pathlib import Path

name, part = sys.argv[1:]
folder = Path(os.environ["MAINS_DATASETS"]) / name

if name in ("banking77", "ag_news", "overruling_12llm"):
    file = {
        ("banking77", "train"): "train.csv",
        ("banking77", "test"): "test.csv",
        ("ag_news", "train"): "train8k.csv",
        ("ag_news", "test"): "test.csv",
        ("overruling_12llm", "train"): "dev_half.csv",
    }[name, part]
    column = "content" if name == "ag_news" else "text"
    with open(folder / file, encoding="utf-8", newline="") as rows:
        texts = [row[column] for row in csv.DictReader(rows)]
else:
    with open(folder / f"{part}.txt", encoding="latin-1", newline="\n") as rows:
        texts = [row.rstrip("\n").split(" ", 1)[1] for row in rows]
for text in texts:
    print(json.dumps(text))
