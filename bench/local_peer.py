"""llama.cpp's side of `local.sh`, through its public C interface: times, logits, tokens, other types.

usage: local_peer.py time FILE THREADS PROMPT DECODE REPEATS
       local_peer.py logits FILE TOKENS OUT
       local_peer.py tokens FILE PROMPTS           (a JSON list of texts in, lines of token numbers out)
       local_peer.py quantise FILE OUT TYPE        (q4_0 or q8_0)
"""

import array
import ctypes
import json
import sys
import time

import llama_cpp as peer


@peer.llama_log_callback
def quiet(_level, _text, _data):
    """Swallows the library's log."""


def load(path, threads, context, vocabulary_only=False):
    options = peer.llama_model_default_params()
    options.vocab_only = vocabulary_only
    model = peer.llama_model_load_from_file(path.encode(), options)
    if vocabulary_only:
        return model, None
    options = peer.llama_context_default_params()
    options.n_ctx = context
    options.n_batch = options.n_ubatch = 512
    options.n_threads = options.n_threads_batch = threads
    return model, peer.llama_init_from_model(model, options)


def feed(context, tokens):
    numbers = (peer.llama_token * len(tokens))(*tokens)
    batch = peer.llama_batch_get_one(numbers, len(tokens))
    if peer.llama_decode(context, batch) != 0:
        sys.exit("llama_decode failed")


def logits(context, size):
    pointer = peer.llama_get_logits_ith(context, -1)
    return array.array("f", ctypes.string_at(pointer, size * 4))


def peak():
    with open("/proc/self/status") as status:
        return next(line.split(":")[1].strip() for line in status if line.startswith("VmHWM"))


def time_it(path, threads, prompt, decode, repeats):
    start = time.perf_counter()
    model, context = load(path, threads, prompt + decode)
    loaded = time.perf_counter() - start
    size = peer.llama_vocab_n_tokens(peer.llama_model_get_vocab(model))
    # Greedy choice inside the library: a loop over the logits in Python would be timed as the engine's.
    sampler = peer.llama_sampler_init_greedy()
    tokens = [1000 + i * 37 % 20000 for i in range(prompt)]
    feed(context, [1])
    for _ in range(repeats):
        peer.llama_memory_clear(peer.llama_get_memory(context), True)
        start, start_busy = time.perf_counter(), time.process_time()
        feed(context, tokens)
        token = peer.llama_sampler_sample(sampler, context, -1)
        prefill = prompt / (time.perf_counter() - start)
        prefill_busy = prompt / (time.process_time() - start_busy)
        start, start_busy = time.perf_counter(), time.process_time()
        for _ in range(decode):
            feed(context, [token])
            token = peer.llama_sampler_sample(sampler, context, -1)
        decoded = decode / (time.perf_counter() - start)
        decoded_busy = decode / (time.process_time() - start_busy)
        print(json.dumps({"engine": "llama.cpp", "threads": threads, "prefill": round(prefill, 1),
                          "decode": round(decoded, 1), "prefill_busy": round(prefill_busy, 1),
                          "decode_busy": round(decoded_busy, 1), "load_s": round(loaded, 3), "peak": peak(),
                          "vocabulary": size}))


def write_logits(path, prompts, out):
    model, context = load(path, 1, 2048)
    size = peer.llama_vocab_n_tokens(peer.llama_model_get_vocab(model))
    with open(prompts) as lines:
        for index, line in enumerate(lines):
            peer.llama_memory_clear(peer.llama_get_memory(context), True)
            feed(context, [int(token) for token in line.split()])
            with open(f"{out}/peer-{index}.f32", "wb") as file:
                logits(context, size).tofile(file)


def tokens(path, prompts):
    model, _ = load(path, 1, 0, vocabulary_only=True)
    vocabulary = peer.llama_model_get_vocab(model)
    with open(prompts) as file:
        texts = json.load(file)
    for text in texts:
        raw = text.encode()
        numbers = (peer.llama_token * (len(raw) + 8))()
        count = peer.llama_tokenize(vocabulary, raw, len(raw), numbers, len(numbers), False, True)
        print(" ".join(str(number) for number in numbers[:count]))


def quantise(path, out, kind):
    options = peer.llama_model_quantize_default_params()
    options.ftype = {"q4_0": peer.LLAMA_FTYPE_MOSTLY_Q4_0, "q8_0": peer.LLAMA_FTYPE_MOSTLY_Q8_0}[kind]
    options.allow_requantize = True
    if peer.llama_model_quantize(path.encode(), out.encode(), ctypes.byref(options)) != 0:
        sys.exit("quantising failed")


def main():
    peer.llama_log_set(quiet, ctypes.c_void_p(0))
    peer.llama_backend_init()
    verb, *rest = sys.argv[1:]
    if verb == "time":
        time_it(rest[0], *(int(number) for number in rest[1:]))
    else:
        {"logits": write_logits, "tokens": tokens, "quantise": quantise}[verb](*rest)


main()
