"""Times of ONNX Runtime in 32-bit floats: reads "TOKENS REPEATS" lines, answers a line of milliseconds each.

usage: python3 embed_peer.py MODEL.onnx THREADS
"""

import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
options.inter_op_num_threads = 1
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
names = [tensor.name for tensor in session.get_inputs()]
print("ready", onnxruntime.__version__, flush=True)
for line in sys.stdin:
    count, repeats = map(int, line.split())
    tokens = np.array([[1000 + i * 37 % 20_000 for i in range(count)]], dtype=np.int64)
    given = {"input_ids": tokens, "attention_mask": tokens * 0 + 1, "token_type_ids": tokens * 0}
    feed = {name: given[name] for name in names}
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - start) * 1e3)
    print(" ".join(f"{ms:.4f}" for ms in times), flush=True)
