"""What attention keeps: caches and seen pairs of models of transformers, and tensors that PyTorch keeps for training.

Models are small and random; their attention weights that are not 0 are the pairs that are seen. To be run where
torch 2.14 and transformers 5.24 are installed; it writes ``attention_state.json``::

    python tests/reference/attention_state.py
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

LAYERS, HEADS, WIDTH, WINDOW, BATCH = 3, 4, 32, 6, 2
SIZES = {
    "vocab_size": 50, "hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS, "max_position_embeddings": 64, "num_key_value_heads": 2,
}  # fmt: skip
LATENT = {
    "kv_lora_rank": 20, "qk_rope_head_dim": 6, "qk_nope_head_dim": 10, "v_head_dim": 7, "n_routed_experts": 4,
    "num_experts_per_tok": 2, "n_shared_experts": 1, "moe_intermediate_size": 16, "first_k_dense_replace": 1,
    "n_group": 1, "topk_group": 1, "num_key_value_heads": HEADS,
}  # fmt: skip
MODELS: dict[str, Any] = {
    "gpt2": transformers.GPT2Config(vocab_size=50, n_positions=64, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS),
    "llama": transformers.LlamaConfig(**SIZES),
    "mistral": transformers.MistralConfig(**SIZES, sliding_window=WINDOW, head_dim=8),
    "gemma2": transformers.Gemma2Config(**SIZES, sliding_window=WINDOW, head_dim=12),
    "deepseek_v2": transformers.DeepseekV2Config(**{**SIZES, **LATENT}, q_lora_rank=None),
    "deepseek_v3": transformers.DeepseekV3Config(**{**SIZES, **LATENT}, q_lora_rank=24),
}
RUNS = [(0, 5), (0, 9), (9, 1), (9, 4), (3, 2)]


def run(config: Any, past: int, new: int) -> tuple[int, list[int]]:
    """Bytes of the cache behind so many tokens, and the pairs that the new ones see in every layer, of one head."""
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    cache = transformers.DynamicCache(config=config)
    with torch.no_grad():
        for count in filter(None, (past, new)):
            tokens = torch.randint(0, 50, (BATCH, count))
            result = model(tokens, past_key_values=cache, use_cache=True, output_attentions=True)
    kept = sum(tensor.nbytes for layer in cache.layers for tensor in (layer.keys, layer.values))
    return kept, [int(weights[0, 0].count_nonzero()) for weights in result.attentions]


def kept_bytes(forward: Callable[[Tensor], Tensor], module: nn.Module, x: Tensor) -> int:
    """Bytes of all tensors but weights that autograd keeps."""
    weights = {weight.untyped_storage().data_ptr() for weight in module.parameters()}
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        _result = forward(x)
    return sum(found.values())


class ByHand(nn.Module):
    """Attention of linear layers around two products, whose scores are scaled."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.q, self.k, self.v))
        context = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1) @ v
        return self.o(context.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


def kept() -> dict[str, int]:
    """Bytes kept for the backward pass of attention on [1, n, d], by how it is written, heads, n, d and format."""
    found = {}
    for heads, n, d, dtype in ((12, 1024, 768, "float32"), (12, 1024, 768, "bfloat16"), (4, 24, 32, "float32")):
        x = torch.randn(1, n, d, requires_grad=True, dtype=getattr(torch, dtype))
        module = nn.MultiheadAttention(d, heads, batch_first=True).to(x.dtype)
        by_hand = ByHand(d, heads).to(x.dtype)
        written: dict[str, tuple[nn.Module, Callable[[Tensor], Tensor]]] = {
            "module": (module, lambda x, attend=module: attend(x, x, x)[0]),
            "fused": (module, lambda x, attend=module: attend(x, x, x, need_weights=False)[0]),
            "operator": (by_hand, by_hand),
        }
        for name, (owner, forward) in written.items():
            found[f"{name} {heads} {n} {d} {dtype}"] = kept_bytes(forward, owner, x)
    return found


def main() -> None:
    """Measure, and write the file."""
    torch.manual_seed(0)
    models = {name: {f"{past} {new}": run(config, past, new) for past, new in RUNS} for name, config in MODELS.items()}
    versions = f"torch {torch.__version__.partition('+')[0]}, transformers {transformers.__version__}"
    facts = {"versions": versions, "models": models, "kept": kept()}
    text = json.dumps(facts, indent=1)
    (Path(__file__).parent / "attention_state.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
