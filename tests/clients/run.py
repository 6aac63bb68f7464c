"""The official Python SDKs of OpenAI and Anthropic, unmodified, against a running outlet."""

import json
import os
import subprocess
import sys
import traceback

import anthropic
import openai

from outlet import BINARY, Outlet, models_folder

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["C", "F"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
VERDICT = {
    "type": "object",
    "properties": {"label": {"type": "string"}, "score": {"type": "number"}},
    "required": ["label", "score"],
    "additionalProperties": False,
}
LOCAL = "smollm2-135m-instruct"
ENCODER = "all-minilm-l6-v2"


def hello(text="Say hello to the electrician."):
    return [{"role": "user", "content": text}]


def openai_chat(outlet, model):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    raw = client.chat.completions.with_raw_response.create(model=model, messages=hello(), max_tokens=24)
    answer = raw.parse()
    assert answer.choices[0].message.content and answer.usage.completion_tokens > 0
    assert raw.headers["x-mains-target"] and raw.headers["x-mains-checkpoint"] and raw.headers["x-request-id"]
    record = outlet.get("/mains/v1/requests/" + raw.headers["x-request-id"])
    assert record["result"] == "ok" and record["usage"]["output"] == answer.usage.completion_tokens, record


def openai_stream(outlet, model):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    for usage in (False, True):
        extra = {"stream_options": {"include_usage": True}} if usage else {}
        chunks = list(client.chat.completions.create(model=model, messages=hello(), max_tokens=24, stream=True, **extra))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text, chunks
        assert any(c.choices and c.choices[0].finish_reason for c in chunks)
        assert bool(any(c.usage for c in chunks)) == usage, "usage comes exactly when it was asked for"


def openai_tools(outlet, model):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    tool = {"type": "function", "function": {"name": "weather", "description": "weather of a city", "parameters": WEATHER}}
    first = client.chat.completions.create(model=model, messages=hello("What is the weather in Bern?"), tools=[tool], tool_choice="required", max_tokens=64)
    call = first.choices[0].message.tool_calls[0]
    assert call.function.name == "weather" and set(json.loads(call.function.arguments)) >= {"city", "unit"}
    assert first.choices[0].finish_reason == "tool_calls"
    messages = hello("What is the weather in Bern?") + [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"},
    ]
    second = client.chat.completions.create(model=model, messages=messages, tools=[tool], max_tokens=64)
    assert second.choices[0].message.content
    streamed = client.chat.completions.create(model=model, messages=hello("weather?"), tools=[tool], tool_choice="required", stream=True, max_tokens=64)
    pieces = [c.choices[0].delta.tool_calls[0] for c in streamed if c.choices and c.choices[0].delta.tool_calls]
    arguments = "".join(p.function.arguments or "" for p in pieces)
    assert pieces[0].function.name == "weather" and json.loads(arguments), arguments


def openai_schema(outlet, model):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    shape = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": VERDICT, "strict": True}}
    answer = client.chat.completions.create(model=model, messages=hello("Label: all circuits on"), response_format=shape, max_tokens=64)
    assert set(json.loads(answer.choices[0].message.content)) == {"label", "score"}


def openai_errors(outlet):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    try:
        client.chat.completions.create(model="gpt-4o-mni", messages=hello())
        raise AssertionError("an unknown model was answered")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found" and "gpt-4o-mini" in str(error), error
    try:
        # To a target of its own dialect the body would pass as it is; this one has to be translated.
        client.chat.completions.create(model="gpt-over-claude", messages="no list")
        raise AssertionError("nonsense was answered")
    except openai.BadRequestError as error:
        assert "messages" in str(error), error
    try:
        client.chat.completions.create(model="only-dead", messages=hello())
        raise AssertionError("a dead model was answered")
    except openai.APIStatusError as error:
        assert error.status_code in (404, 503), error


def openai_survives(outlet):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    raw = client.chat.completions.with_raw_response.create(model="gpt-3.5-turbo", messages=hello(), max_tokens=24)
    assert raw.parse().choices[0].message.content
    assert raw.headers["x-mains-target"] == "openai/gpt-4o-mini", dict(raw.headers)


def openai_models(outlet):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    ids = [model.id for model in client.models.list()]
    assert "gpt-4o-mini" in ids and "claude-sonnet-4-5" in ids, ids
    assert client.models.retrieve("gpt-4o-mini").id == "gpt-4o-mini"


def openai_embeddings(outlet):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert len(answer.data) == 2 and len(answer.data[0].embedding) > 0


def openai_responses(outlet):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    answer = client.responses.create(model="gpt-4o-mini", input="Say hello.", store=False)
    assert answer.output_text and answer.usage.output_tokens > 0
    events = [event.type for event in client.responses.create(model="gpt-4o-mini", input="Say hello.", store=False, stream=True)]
    assert events[0] == "response.created" and events[-1] == "response.completed", events
    try:
        client.responses.create(model="gpt-4o-mini", input="go on", previous_response_id="resp_1")
        raise AssertionError("a conversation that nobody keeps was continued")
    except openai.BadRequestError as error:
        assert "previous_response_id" in str(error)


def anthropic_chat(outlet, model):
    client = anthropic.Anthropic(base_url=outlet.url, api_key="ignored", max_retries=0)
    answer = client.messages.create(model=model, max_tokens=24, messages=hello(), system="Be brief.")
    assert answer.content[0].text and answer.usage.output_tokens > 0 and answer.stop_reason in ("end_turn", "max_tokens")


def anthropic_stream(outlet, model):
    client = anthropic.Anthropic(base_url=outlet.url, api_key="ignored", max_retries=0)
    with client.messages.stream(model=model, max_tokens=24, messages=hello()) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text and final.usage.output_tokens > 0 and final.stop_reason


def anthropic_tools(outlet, model):
    client = anthropic.Anthropic(base_url=outlet.url, api_key="ignored", max_retries=0)
    tool = {"name": "weather", "description": "weather of a city", "input_schema": WEATHER}
    question = hello("What is the weather in Bern?")
    first = client.messages.create(model=model, max_tokens=64, tools=[tool], tool_choice={"type": "any"}, messages=question)
    use = next(block for block in first.content if block.type == "tool_use")
    assert use.name == "weather" and set(use.input) >= {"city", "unit"} and first.stop_reason == "tool_use"
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "12 degrees"}]}
    said = {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]}
    second = client.messages.create(model=model, max_tokens=64, tools=[tool], messages=question + [said, result])
    assert any(block.type == "text" and block.text for block in second.content)


def anthropic_errors(outlet):
    client = anthropic.Anthropic(base_url=outlet.url, api_key="ignored", max_retries=0)
    try:
        client.messages.create(model="claude-nobody", max_tokens=8, messages=hello())
        raise AssertionError("an unknown model was answered")
    except anthropic.NotFoundError as error:
        assert error.body["type"] == "error" and error.body["error"]["type"] == "not_found_error", error.body


def anthropic_models(outlet):
    client = anthropic.Anthropic(base_url=outlet.url, api_key="ignored", max_retries=0)
    ids = [model.id for model in client.models.list(limit=1000)]
    assert "claude-sonnet-4-5" in ids and all(name.startswith(("claude", "anthropic")) for name in ids), ids


def local_refuses(outlet):
    """What the local model cannot do is refused, not half done."""
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
    try:
        client.chat.completions.create(model=LOCAL, messages=hello(), tools=[tool])
        raise AssertionError("tools were taken by a model that has none")
    except openai.BadRequestError as error:
        assert "tools" in str(error), error


BOUNDED = {
    "type": "object",
    "properties": {
        "label": {"type": "string", "enum": ["refund", "login", "shipping"]},
        "score": {"type": "integer", "minimum": 0, "maximum": 100},
        "note": {"type": "string", "maxLength": 20},
    },
    "required": ["label", "score", "note"],
    "additionalProperties": False,
}


def is_bounded(text):
    value = json.loads(text)
    assert list(value) == ["label", "score", "note"] and value["label"] in BOUNDED["properties"]["label"]["enum"], text
    assert type(value["score"]) is int and 0 <= value["score"] <= 100 and len(value["note"]) <= 20, text


def local_schema(outlet):
    """The local model's own weights under a schema, hot, whole and streamed: every answer keeps it."""
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    shape = {"type": "json_schema", "json_schema": {"name": "ticket", "schema": BOUNDED, "strict": True}}
    ask = lambda **more: client.chat.completions.create(
        model=LOCAL, messages=hello("Label this as JSON: my parcel never came."), response_format=shape, max_tokens=100,
        temperature=1.5, **more)
    for seed in range(8):
        whole = ask(seed=seed)
        assert whole.choices[0].finish_reason == "stop", whole
        is_bounded(whole.choices[0].message.content)
        streamed = "".join(c.choices[0].delta.content or "" for c in ask(seed=seed, stream=True) if c.choices)
        assert streamed == whole.choices[0].message.content, (streamed, whole)


def local_tool(outlet):
    """A tool that is forced, in both APIs: its arguments keep their schema."""
    question = hello("My parcel never came: set the label.")
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    tool = {"type": "function", "function": {"name": "set_label", "parameters": BOUNDED}}
    ask = lambda **more: client.chat.completions.create(
        model=LOCAL, messages=question, tools=[tool], max_tokens=100, seed=3,
        tool_choice={"type": "function", "function": {"name": "set_label"}}, **more)
    (call,) = ask().choices[0].message.tool_calls
    assert call.function.name == "set_label"
    is_bounded(call.function.arguments)
    pieces = [c.choices[0].delta.tool_calls[0] for c in ask(stream=True) if c.choices and c.choices[0].delta.tool_calls]
    assert "".join(piece.function.arguments or "" for piece in pieces) == call.function.arguments
    other = anthropic.Anthropic(base_url=outlet.url, api_key="ignored", max_retries=0)
    answer = other.messages.create(model=LOCAL, max_tokens=100, messages=question, tools=[{"name": "set_label", "input_schema": BOUNDED}],
                                   tool_choice={"type": "tool", "name": "set_label"})
    (use,) = [block for block in answer.content if block.type == "tool_use"]
    assert use.name == "set_label" and answer.stop_reason == "tool_use", answer
    is_bounded(json.dumps(use.input))


def local_takes_beginnings_over(outlet):
    """The constant part of a prompt is read once, and the usage says so."""
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    constant = "Read the message of a customer and say which team takes care of it. " * 12
    ask = lambda text: client.chat.completions.create(
        model=LOCAL, messages=[{"role": "system", "content": constant}, *hello(text)], max_tokens=2).usage
    first, second = ask("My parcel never came."), ask("I forgot my password.")
    cached = second.prompt_tokens_details.cached_tokens
    assert cached > 150 and second.prompt_tokens - cached < 40, (first, second)


def encoder_embeds(outlet):
    """The SDK asks for base64 unless told otherwise, and gives back numbers either way."""
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    texts = ["The fuse has blown.", "A fuse is broken.", "I like to eat apples."]
    usual = client.embeddings.create(model=ENCODER, input=texts)
    floats = client.embeddings.create(model=ENCODER, input=texts, encoding_format="float")
    one = client.embeddings.create(model=ENCODER, input=texts[0], dimensions=384)
    assert [item.index for item in usual.data] == [0, 1, 2] and usual.model == ENCODER
    assert usual.usage.prompt_tokens == usual.usage.total_tokens > len(texts)
    for left, right in zip(usual.data, floats.data):
        assert len(left.embedding) == 384 and abs(sum(x * x for x in left.embedding) - 1) < 1e-5
        assert all(abs(a - b) < 1e-6 for a, b in zip(left.embedding, right.embedding))
    assert all(abs(a - b) < 1e-6 for a, b in zip(one.data[0].embedding, usual.data[0].embedding))
    dot = lambda a, b: sum(x * y for x, y in zip(usual.data[a].embedding, usual.data[b].embedding))
    assert dot(0, 1) > dot(0, 2) + 0.2, (dot(0, 1), dot(0, 2))


def encoder_refuses(outlet):
    """What the encoder cannot do is refused, not half done."""
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    for words, ask in [
        ("dimensions", lambda: client.embeddings.create(model=ENCODER, input="x", dimensions=128)),
        ("token numbers", lambda: client.embeddings.create(model=ENCODER, input=[1, 2, 3])),
        ("generation", lambda: client.chat.completions.create(model=ENCODER, messages=hello())),
    ]:
        try:
            ask()
            raise AssertionError(f"the encoder took {words}")
        except openai.BadRequestError as error:
            assert words in str(error), error


def local_embeds_not(outlet):
    client = openai.OpenAI(base_url=outlet.url + "/v1", api_key="ignored", max_retries=0)
    try:
        client.embeddings.create(model=LOCAL, input="x")
        raise AssertionError("vectors came from a model that makes none")
    except openai.BadRequestError as error:
        assert "embeddings" in str(error), error


def ledger_verifies(outlet):
    done = subprocess.run([BINARY, "ledger", "verify", "--data", outlet.folder.name + "/data"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def tests(local, encoder):
    for model in ("gpt-4o-mini", "gpt-over-claude"):
        for test in (openai_chat, openai_stream, openai_tools):
            yield f"{test.__name__} {model}", lambda outlet, test=test, model=model: test(outlet, model)
    yield "openai_schema gpt-4o-mini", lambda outlet: openai_schema(outlet, "gpt-4o-mini")
    for model in ("claude-sonnet-4-5", "claude-over-gpt"):
        for test in (anthropic_chat, anthropic_stream, anthropic_tools):
            yield f"{test.__name__} {model}", lambda outlet, test=test, model=model: test(outlet, model)
    for test in (openai_errors, openai_survives, openai_models, openai_embeddings, openai_responses, anthropic_errors, anthropic_models):
        yield test.__name__, test
    if local:
        for test in (openai_chat, openai_stream, anthropic_chat, anthropic_stream):
            yield f"{test.__name__} {LOCAL}", lambda outlet, test=test: test(outlet, LOCAL)
        for test in (local_refuses, local_schema, local_tool, local_takes_beginnings_over):
            yield test.__name__, test
        yield "local_embeds_not", local_embeds_not
    if encoder:
        yield "encoder_embeds", encoder_embeds
        yield "encoder_refuses", encoder_refuses
    yield "ledger_verifies", ledger_verifies


def main():
    here = [name for name in (LOCAL, ENCODER) if os.path.isdir(os.path.join(models_folder(), name))]
    for name in (LOCAL, ENCODER):
        if name not in here:
            print(f"left out: clients against the local model (run `mains model pull {name}`)")
    outlet = Outlet(here)
    passed = failed = 0
    try:
        for name, test in tests(LOCAL in here, ENCODER in here):
            try:
                test(outlet)
                passed += 1
                print(f"test {name} ... ok")
            except Exception:
                failed += 1
                print(f"test {name} ... FAILED")
                traceback.print_exc()
    finally:
        outlet.close()
    print(f"test result: {'ok' if not failed else 'FAILED'}. {passed} passed; {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
