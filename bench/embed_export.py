"""Writes the model as ONNX, plain and fused by ONNX Runtime's own optimiser.

usage: python3 embed_export.py FOLDER PLAIN FUSED
"""

import sys

import torch
from transformers import AutoModel

folder, plain, fused = sys.argv[1:]
model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


class Hidden(torch.nn.Module):
    """The last hidden state as the only output."""

    def __init__(self):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids, return_dict=True
        ).last_hidden_state


names = ["input_ids", "attention_mask", "token_type_ids"]
tokens = torch.ones(2, 12, dtype=torch.int64)
free = {name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]}
torch.onnx.export(
    Hidden(), (tokens, tokens, tokens * 0), plain, dynamo=False, opset_version=17,
    input_names=names, output_names=["last_hidden_state"], dynamic_axes=free,
)

from onnxruntime.transformers import optimizer  # noqa: E402 (needs the plain file)

shorter = optimizer.optimize_model(plain, model_type="bert", num_heads=12, hidden_size=384, opt_level=1)
print(shorter.get_fused_operator_statistics(), file=sys.stderr)
shorter.save_model_to_file(fused)
