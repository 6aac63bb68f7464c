"""scikit-learn on the data sets: a line of name, task, percent right, seconds of features, seconds of training."""

import csv
import os
import time
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

FOLDER = Path(os.environ["MAINS_DATASETS"])


def table(path, text, label, step=1):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::step]
    return [row[text] for row in rows], [row[label] for row in rows]


def lines(path):
    with open(path, encoding="latin-1", newline="\n") as file:
        rows = [line.rstrip("\n").split(" ", 1) for line in file]
    return [text for _, text in rows], [label for label, _ in rows]


def task(name):
    folder = FOLDER / name
    if name == "banking77":
        return table(folder / "train.csv", "text", "category"), table(folder / "test.csv", "text", "category")
    if name == "ag_news":
        train = table(folder / "train8k.csv", "content", "label", step=2)
        return train, table(folder / "test.csv", "content", "label")
    return lines(folder / "train.txt"), lines(folder / "test.txt")


for name in ("banking77", "ag_news", "sst2", "trec6"):
    if not (FOLDER / name).is_dir():
        continue
    (texts, labels), (test_texts, test_labels) = task(name)
    vectors = FeatureUnion([
        ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
        ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)),
    ])
    begin = time.perf_counter()
    rows = vectors.fit_transform(texts)
    features = time.perf_counter() - begin
    test_rows = vectors.transform(test_texts)
    models = {"LinearSVC": LinearSVC(C=0.5)}
    if os.environ.get("LOGISTIC", "1") == "1" and name != "banking77":
        # On 77 classes it takes minutes.
        models["LogisticRegression"] = LogisticRegression(C=10, max_iter=200)
    for model_name, model in models.items():
        begin = time.perf_counter()
        model.fit(rows, labels)
        training = time.perf_counter() - begin
        found = model.predict(test_rows)
        right = 100 * sum(a == b for a, b in zip(found, test_labels)) / len(test_labels)
        print(model_name, name, f"{right:.4f} {features:.4f} {training:.4f}", flush=True)
