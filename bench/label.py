"""The scripted teacher of label.sh, and its client. Called by label.sh."""

import asyncio
import csv
import json
import statistics
import sys
import time


def rows(path):
    with open(path, newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


async def read(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return lines[0], headers, body


async def teach(port, wait_s, labels):
    async def serve(reader, writer):
        try:
            while True:
                line, _, body = await read(reader)
                if line.startswith("POST"):
                    text = json.loads(body)["messages"][0]["content"].removeprefix("Classify: ")
                    await asyncio.sleep(wait_s)
                    # Tokens as a tokenizer of about four letters a token would count them.
                    usage = {"prompt_tokens": 8 + len(text) // 4, "completion_tokens": 1 + len(labels[text]) // 4}
                    usage["total_tokens"] = sum(usage.values())
                    message = {"role": "assistant", "content": labels[text], "refusal": None}
                    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
                    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1795550000, "model": "gpt-4o-mini", "choices": [choice], "usage": usage}
                    body = json.dumps(answer).encode()
                else:
                    body = b"{}"
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


async def ask(port, texts, workers):
    """Every text once; the times in seconds, and the sums of what the headers say."""
    left, times, own = iter(texts), [], []
    sums = {"usd": 0.0, "low": 0.0, "high": 0.0, "local": 0, "right": 0, "asked": 0, "lost_us": []}

    async def work():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for text, label in left:
            body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Classify: " + text}]}).encode()
            begun = time.perf_counter()
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (port, len(body)) + body)
            status, headers, body = await read(reader)
            times.append(time.perf_counter() - begun)
            assert " 200 " in status, (status, body)
            sums["asked"] += 1
            sums["usd"] += float(headers["x-mains-cost-usd"])
            low, _, high = headers["x-mains-energy-j"].partition("..")
            sums["low"] += float(low)
            sums["high"] += float(high)
            if headers["x-mains-target"].startswith("label/"):
                sums["local"] += 1
                own.append(times[-1])
            sums["right"] += json.loads(body)["choices"][0]["message"]["content"] == label
            if "us=" in headers.get("x-mains-label", ""):
                sums["lost_us"].append(int(headers["x-mains-label"].rsplit("us=", 1)[1]))
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    return times, own, sums, time.perf_counter() - begun


def main():
    if sys.argv[1] == "teacher":
        labels = dict(rows(sys.argv[4]))
        asyncio.run(teach(int(sys.argv[2]), float(sys.argv[3]) / 1e3, labels))
        return
    requests, wait_ms, ports = int(sys.argv[2]), sys.argv[3], dict(pair.split("=") for pair in sys.argv[5:])
    all_rows = rows(sys.argv[4])
    texts = [all_rows[place % len(all_rows)] for place in range(requests)]
    print(f"\n{requests} requests, 16 connections, the scripted teacher waits {wait_ms} ms\n")
    print(f"{'':8} {'money USD':>10} {'energy J':>22} {'local':>8} {'as teacher':>10} {'p50 ms':>8} {'p99 ms':>8} {'local p50':>9} {'took s':>7}")
    for name, port in ports.items():
        times, own, sums, took = asyncio.run(ask(int(port), texts, 16))
        times.sort()
        local = f"{statistics.median(own) * 1e3:.2f}" if own else "-"
        energy = f"{sums['low']:.0f} to {sums['high']:.0f}"
        print(
            f"{name:8} {sums['usd']:>10.6f} {energy:>22} {sums['local'] / sums['asked']:>8.1%} {sums['right'] / sums['asked']:>10.2%}"
            f" {times[len(times) // 2] * 1e3:>8.2f} {times[len(times) * 99 // 100] * 1e3:>8.2f} {local:>9} {took:>7.1f}"
        )
        if sums["lost_us"]:
            lost = sums["lost_us"]
            print(f"         passed on: {len(lost)}, each having lost {statistics.median(lost):.0f} us in the median")


if __name__ == "__main__":
    main()
