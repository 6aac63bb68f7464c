"""A scripted provider that speaks OpenAI's dialect, so that a switch can be tried without an account.

    python3 provider.py [--port 2380] [--broken FILE]

It sorts tickets by their words. `gpt-4o` is always right; `gpt-6-luna` is wrong on about one ticket of 500 and
`gpt-5-nano` on one of eight. While FILE exists, `gpt-6-luna` declines every second ticket: a planted regression.
Standard library only.
"""

import argparse
import hashlib
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = {
    "billing": ("invoice", "charged", "refund", "price", "card"),
    "delivery": ("parcel", "courier", "delivery", "shipped", "address"),
    "returns": ("send back", "return", "exchange", "too small", "broken"),
    "account": ("password", "log in", "account", "e-mail", "newsletter"),
}
LABELS = [*WORDS, "other"]
WRONG_IN = {"gpt-6-luna": 500, "gpt-5-nano": 8}


def label(ticket):
    text = ticket.lower()
    return next((name for name, words in WORDS.items() if any(word in text for word in words)), "other")


def said(model, ticket, broken):
    """The model's answer, and why it stopped."""
    chance = int.from_bytes(hashlib.sha256(f"{model}|{ticket}".encode()).digest()[:4], "big")
    if broken and model == "gpt-6-luna" and chance % 2 == 0:
        return None, "I cannot help with that."
    right = label(ticket)
    if model in WRONG_IN and chance % WRONG_IN[model] == 0:
        return LABELS[(LABELS.index(right) + 1) % len(LABELS)], None
    return right, None


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        model, ticket = body["model"], body["messages"][-1]["content"]
        text, refusal = said(model, ticket, os.path.exists(self.server.broken))
        usage = {"prompt_tokens": 30 + len(ticket) // 4, "completion_tokens": 2 if text else 8}
        usage["total_tokens"] = sum(usage.values())
        if body.get("stream"):
            return self.stream(body, model, text, refusal, usage)
        message = {"role": "assistant", "content": text, "refusal": refusal}
        self.answer({"id": "chatcmpl-1", "object": "chat.completion", "created": int(time.time()), "model": model,
                     "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage})

    def stream(self, body, model, text, refusal, usage):
        def chunk(**more):
            data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, **more}
            return f"data: {json.dumps(data)}\n\n"

        delta = {"role": "assistant", "content": text} if text else {"role": "assistant", "refusal": refusal}
        parts = [chunk(choices=[{"index": 0, "delta": delta, "finish_reason": None}]),
                 chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])]
        if (body.get("stream_options") or {}).get("include_usage"):
            parts.append(chunk(choices=[], usage=usage))
        self.send("text/event-stream", "".join(parts) + "data: [DONE]\n\n")

    def answer(self, document):
        self.send("application/json", json.dumps(document))

    def send(self, kind, text):
        data = text.encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--port", type=int, default=2380)
    flags.add_argument("--broken", default="broken")
    flags = flags.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", flags.port), Provider)
    server.daemon_threads = True
    server.broken = flags.broken
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
