"""The official Python SDKs against a labeller and against the model that taught it: the same question on two routes, and
no difference in the shape of what the SDK gives back.

The upstream is scripted here, with every member that the providers' references show, so that the comparison is with
their answers and not with ours.
"""

import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import traceback

import anthropic
import openai

BINARY, LABELLER = os.environ["MAINS_BINARY"], os.environ["MAINS_LABELLER"]
TEXT = "Classify: refund my money payment charged please twice invoice"
SCHEMA = {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"], "additionalProperties": False}
ARGUMENTS = '{"label":"refund"}'
USAGE = {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22,
         "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}


def said(question):
    """What the teacher says: text, or the arguments of its call."""
    if question.get("tools"):
        return None, ARGUMENTS
    if question.get("response_format") or question.get("text"):
        return ARGUMENTS, None
    return "refund", None


def chat(question):
    text, call = said(question)
    base = {"id": "chatcmpl-9", "created": 1795550000, "model": "gpt-4o-mini"}
    if not question.get("stream"):
        message = {"role": "assistant", "content": text, "refusal": None}
        if call:
            message["tool_calls"] = [{"id": "call_9", "type": "function", "function": {"name": "set_label", "arguments": call}}]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if call else "stop"}
        return {**base, "object": "chat.completion", "choices": [choice], "usage": USAGE}

    def chunk(delta, finish=None):
        return {**base, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    if call:
        first = {"index": 0, "id": "call_9", "type": "function", "function": {"name": "set_label", "arguments": ""}}
        # OpenAI sends the role alone or with the first call, and `null` for the content where a call follows.
        chunks = [chunk({"role": "assistant", "content": None}), chunk({"tool_calls": [first]}),
                  chunk({"tool_calls": [{"index": 0, "function": {"arguments": call}}]})]
    else:
        chunks = [chunk({"role": "assistant", "content": ""}), chunk({"content": text})]
    chunks.append(chunk({}, "tool_calls" if call else "stop"))
    if (question.get("stream_options") or {}).get("include_usage"):
        chunks.append({**base, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
    return [(None, chunk) for chunk in chunks] + [(None, "[DONE]")]


def messages(question):
    text, call = said(question)
    usage = {"input_tokens": 20, "output_tokens": 2, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    block = {"type": "tool_use", "id": "toolu_9", "name": "set_label", "input": json.loads(call)} if call else {"type": "text", "text": text}
    stop = "tool_use" if call else "end_turn"
    whole = {"id": "msg_9", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [block], "stop_reason": stop, "stop_sequence": None, "usage": usage}
    if not question.get("stream"):
        return whole
    begun = {**block, "input": {}} if call else {"type": "text", "text": ""}
    delta = {"type": "input_json_delta", "partial_json": call} if call else {"type": "text_delta", "text": text}
    events = [{"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
              {"type": "content_block_start", "index": 0, "content_block": begun},
              {"type": "content_block_delta", "index": 0, "delta": delta}, {"type": "content_block_stop", "index": 0},
              {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage}, {"type": "message_stop"}]
    return [(event["type"], event) for event in events]


def responses(question):
    text, call = said(question)
    if call:
        item = {"type": "function_call", "id": "fc_9", "call_id": "call_9", "name": "set_label", "arguments": call, "status": "completed"}
    else:
        item = {"type": "message", "id": "msg_9", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]}
    whole = {"id": "resp_9", "object": "response", "created_at": 1795550000, "status": "completed", "background": False, "error": None,
             "incomplete_details": None, "instructions": None, "max_output_tokens": None, "max_tool_calls": None, "model": "gpt-4o-mini",
             "output": [item], "parallel_tool_calls": True, "previous_response_id": None, "prompt_cache_key": None,
             "reasoning": {"effort": None, "summary": None}, "safety_identifier": None, "service_tier": "default", "store": False,
             "temperature": 1.0, "text": question.get("text") or {"format": {"type": "text"}, "verbosity": "medium"},
             "tool_choice": question.get("tool_choice", "auto"), "tools": question.get("tools", []), "top_logprobs": 0, "top_p": 1.0,
             "truncation": "disabled", "user": None, "metadata": {},
             "usage": {"input_tokens": 20, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
                       "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 22}}
    if not question.get("stream"):
        return whole
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    events = [("response.created", {"response": begun}), ("response.in_progress", {"response": begun})]
    at = {"item_id": item["id"], "output_index": 0}
    if call:
        events += [("response.output_item.added", {"output_index": 0, "item": {**item, "arguments": "", "status": "in_progress"}}),
                   ("response.function_call_arguments.delta", {**at, "delta": call}),
                   ("response.function_call_arguments.done", {**at, "arguments": call, "name": "set_label"})]
    else:
        part, at = item["content"][0], {**at, "content_index": 0}
        events += [("response.output_item.added", {"output_index": 0, "item": {**item, "content": [], "status": "in_progress"}}),
                   ("response.content_part.added", {**at, "part": {**part, "text": ""}}),
                   ("response.output_text.delta", {**at, "delta": text, "logprobs": []}),
                   ("response.output_text.done", {**at, "text": text, "logprobs": []}),
                   ("response.content_part.done", {**at, "part": part})]
    events += [("response.output_item.done", {"output_index": 0, "item": item}), ("response.completed", {"response": whole})]
    return [(name, {"type": name, "sequence_number": number, **event}) for number, (name, event) in enumerate(events)]


class Teacher(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = {"completions": chat, "messages": messages, "responses": responses}[self.path.rsplit("/", 1)[1]](question)
        if isinstance(answer, dict):
            kind, body = "application/json", json.dumps(answer)
        else:
            kind = "text/event-stream"
            body = "".join((f"event: {name}\n" if name else "") + f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n" for name, event in answer)
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def shape(value):
    """The members and types of a value, without what it says."""
    if hasattr(value, "model_dump"):
        return (type(value).__name__, shape(value.model_dump(warnings=False)))
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


class Case:
    def __init__(self, url):
        self.openai = openai.OpenAI(base_url=url + "/v1", api_key="ignored", max_retries=0)
        self.anthropic = anthropic.Anthropic(base_url=url, api_key="ignored", max_retries=0)

    def chat(self, model, kind, stream):
        extra = {}
        if kind == "field":
            extra["response_format"] = {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": SCHEMA}}
        if kind == "tool":
            extra["tools"] = [{"type": "function", "function": {"name": "set_label", "description": "stores the label", "parameters": SCHEMA}}]
            extra["tool_choice"] = "required"
        if stream:
            extra["stream_options"] = {"include_usage": True}
        return self.openai.chat.completions.with_raw_response.create(model=model, messages=[{"role": "user", "content": TEXT}], stream=stream, **extra)

    def messages(self, model, kind, stream):
        extra = {}
        if kind == "tool":
            extra["tools"] = [{"name": "set_label", "description": "stores the label", "input_schema": SCHEMA}]
            extra["tool_choice"] = {"type": "any"}
        return self.anthropic.messages.with_raw_response.create(model=model, max_tokens=64, messages=[{"role": "user", "content": TEXT}], stream=stream, **extra)

    def responses(self, model, kind, stream):
        extra = {}
        if kind == "field":
            extra["text"] = {"format": {"type": "json_schema", "name": "verdict", "strict": True, "schema": SCHEMA}}
        if kind == "tool":
            extra["tools"] = [{"type": "function", "name": "set_label", "description": "stores the label", "parameters": SCHEMA, "strict": True}]
            extra["tool_choice"] = "required"
        return self.openai.responses.with_raw_response.create(model=model, input=TEXT, store=False, stream=stream, **extra)


def given(answer, stream):
    parsed = answer.parse()
    return list(parsed) if stream else parsed


def folded(shapes):
    """Pieces of one sort that follow each other are one: how an answer is cut is no part of its shape."""
    out = []
    for one in shapes:
        if not out or out[-1] != one:
            out.append(one)
    return out


def compare(case, dialect, kind, stream):
    upstream = "claude" if dialect == "messages" else "gpt"
    ask = getattr(case, dialect)
    teacher = ask(f"plain-{upstream}", kind, stream)
    assert not teacher.headers["x-mains-target"].startswith("label/")
    for _ in range(32):
        # One request in a hundred is audited.
        ours = ask(f"{kind}-{upstream}", kind, stream)
        if ours.headers["x-mains-target"] == f"label/{kind}":
            break
    assert ours.headers["x-mains-target"] == f"label/{kind}", dict(ours.headers)
    one, other = given(teacher, stream), given(ours, stream)
    if stream:
        one, other = folded([shape(piece) for piece in one]), folded([shape(piece) for piece in other])
        assert [piece[0] for piece in one] == [piece[0] for piece in other]
    else:
        one, other = shape(one), shape(other)
    assert one == other, f"\nteacher:  {json.dumps(one)}\nlabeller: {json.dumps(other)}"


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Teacher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="mains-labels-") as folder:
        outlets = []
        try:
            for upstream, provider, teacher in (("gpt", "openai", "gpt-4o-mini"), ("claude", "anthropic", "claude-sonnet-4-5")):
                data = f"{folder}/{upstream}"
                subprocess.run([LABELLER, data, teacher], check=True, stdout=subprocess.DEVNULL)
                base = f"http://127.0.0.1:{port}" + ("/v1" if provider == "openai" else "")
                text = f'[serve]\nlisten = "127.0.0.1:0"\ndata = "{data}"\n[[upstream]]\nname = "up"\nprovider = "{provider}"\nbase_url = "{base}"\n'
                for kind in ("word", "field", "tool"):
                    text += f'[[route]]\nmodel = "{kind}-{upstream}"\ntargets = ["label/{kind}", "up/{teacher}"]\n[route.label]\nstage = "serve"\n'
                text += f'[[route]]\nmodel = "plain-{upstream}"\ntargets = ["up/{teacher}"]\n'
                with open(f"{data}.toml", "w") as file:
                    file.write(text)
                process = subprocess.Popen([BINARY, "serve", "--config", f"{data}.toml"], stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"})
                outlets.append(process)
                found, lines = None, []
                while not found:
                    line = process.stderr.readline()
                    assert line, "the outlet did not start: " + "".join(lines)
                    lines.append(line)
                    found = re.search(r"http://127\.0\.0\.1:\d+", line)
                case = Case(found[0])
                kinds = {"gpt": [(d, k) for d in ("chat", "responses") for k in ("word", "field", "tool")], "claude": [("messages", "word"), ("messages", "tool")]}
                for dialect, kind in kinds[upstream]:
                    for stream in (False, True):
                        name = f"{dialect} {kind} {'streamed' if stream else 'whole'}"
                        try:
                            compare(case, dialect, kind, stream)
                            passed += 1
                            print(f"test {name} ... ok")
                        except Exception:
                            failed += 1
                            print(f"test {name} ... FAILED")
                            traceback.print_exc()
        finally:
            for process in outlets:
                process.terminate()
                process.wait(timeout=20)
                process.stderr.close()
            server.shutdown()
    print(f"test result: {'ok' if not failed else 'FAILED'}. {passed} passed; {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
