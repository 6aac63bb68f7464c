"""Customers of the help desk: sends tickets to an outlet, a few at once, and tells who answered.

    python3 customers.py [--url http://127.0.0.1:2300] [--count 1500] [--seed 1]

Standard library only.
"""

import argparse
import collections
import concurrent.futures
import http.client
import json
import random
import threading
import urllib.parse

INSTRUCTIONS = "Sort the ticket. Answer with one word: billing, delivery, returns, account or other."
OPENINGS = ["Hello,", "Hi there,", "Good morning,", "Dear shop,", "Please help:", "Guten Tag,", "Second try:"]
MATTERS = ["my invoice shows {n} items I never bought", "I was charged {n} times", "the parcel with {n} books is late",
           "the courier left {n} boxes at the wrong door", "I want to return {n} shirts, they are too small",
           "{n} plates arrived broken", "I forgot my password {n} times", "I cannot log in since {n} days",
           "do you have {n} of the blue lamps", "my neighbour bought {n} chairs and loves them"]
local = threading.local()


def ask(url, ticket):
    parts = urllib.parse.urlsplit(url)
    if not hasattr(local, "line"):
        local.line = http.client.HTTPConnection(parts.netloc, timeout=60)
    body = {"model": "gpt-4o", "temperature": 0,
            "messages": [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": ticket}]}
    local.line.request("POST", "/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"})
    reply = local.line.getresponse()
    reply.read()
    return reply.getheader("x-mains-target") if reply.status == 200 else f"HTTP {reply.status}"


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--url", default="http://127.0.0.1:2300")
    flags.add_argument("--count", type=int, default=1500)
    flags.add_argument("--seed", type=int, default=1)
    flags = flags.parse_args()
    chance = random.Random(flags.seed)
    tickets = [f"{chance.choice(OPENINGS)} {chance.choice(MATTERS).format(n=chance.randint(2, 9_999))}."
               for _ in range(flags.count)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answered = collections.Counter(pool.map(lambda ticket: ask(flags.url, ticket), tickets))
    for who, count in answered.most_common():
        print(f"{count:>6} answered by {who}")
