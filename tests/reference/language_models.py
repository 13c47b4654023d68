"""How ``language_models.json`` was made: models of transformers on the meta device, and PyTorch's flop counter.

To be run where torch 2.14.1, transformers 5.24.0 and diffusers 0.42.1 are installed; the tests need none of them::

    python tests/reference/language_models.py [NAME…]

Masks are left out, since they would be computed from values; the counter counts whole products, masked or not. Experts
are those that run for every token. ``decode`` is the counter's of one token after the others, from transformers' cache.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers as hf
from torch.utils.flop_counter import FlopCounterMode

HERE = Path(__file__).parent
Given = dict[str, torch.Tensor]
Made = tuple[Any, Given]


def tokens(count: int, name: str = "input_ids") -> Given:
    return {name: torch.zeros([1, count], dtype=torch.int64, device="meta")}


def numbers(name: str, *shape: int) -> Given:
    return {name: torch.zeros([1, *shape], device="meta")}


def config(name: str, dim: int, depth: int, heads: int, kv: int, mlp: int, vocab: int, **others: Any) -> Any:
    return getattr(hf, f"{name}Config")(
        hidden_size=dim, num_hidden_layers=depth, num_attention_heads=heads, num_key_value_heads=kv,
        intermediate_size=mlp, vocab_size=vocab, **others,
    )  # fmt: skip


def decoder(name: str, count: int, *sizes: int, **others: Any) -> Callable[[], Made]:
    return lambda: (getattr(hf, f"{name}ForCausalLM")(config(name, *sizes, **others)), tokens(count))


def gpt2(dim: int, depth: int, heads: int) -> Callable[[], Made]:
    return lambda: (hf.GPT2LMHeadModel(hf.GPT2Config(n_embd=dim, n_layer=depth, n_head=heads)), tokens(1024))


def deepseek(name: str, **others: Any) -> Callable[[], Made]:
    return lambda: (getattr(hf, f"{name}ForCausalLM")(getattr(hf, f"{name}Config")(**others)), tokens(4096))


V2 = {"vocab_size": 102400, "q_lora_rank": None, "kv_lora_rank": 512, "first_k_dense_replace": 1, "moe_layer_freq": 1}
V2_LITE = {
    **V2, "hidden_size": 2048, "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16,
    "intermediate_size": 10944, "moe_intermediate_size": 1408, "n_routed_experts": 64, "num_experts_per_tok": 6,
    "n_shared_experts": 2,
}  # fmt: skip
V2_LARGE = {
    **V2, "hidden_size": 5120, "num_hidden_layers": 60, "num_attention_heads": 128, "num_key_value_heads": 128,
    "intermediate_size": 12288, "moe_intermediate_size": 1536, "n_routed_experts": 160, "num_experts_per_tok": 6,
    "n_shared_experts": 2, "q_lora_rank": 1536,
}  # fmt: skip


def bert(dim: int, depth: int, heads: int) -> Callable[[], Made]:
    sizes = {"hidden_size": dim, "num_hidden_layers": depth, "num_attention_heads": heads, "intermediate_size": 4 * dim}
    return lambda: (hf.BertModel(hf.BertConfig(**sizes)), tokens(512))


def t5(dim: int, depth: int, heads: int, head: int, mlp: int) -> Callable[[], Made]:
    sizes = {"d_model": dim, "num_layers": depth, "num_heads": heads, "d_kv": head, "d_ff": mlp}
    given = {**tokens(512), **tokens(128, "decoder_input_ids")}
    return lambda: (hf.T5ForConditionalGeneration(hf.T5Config(**sizes)), given)


def whisper(dim: int, depth: int, heads: int, decoders: int, mels: int = 80, vocab: int = 51865) -> Callable[[], Made]:
    sizes = {
        "d_model": dim, "encoder_layers": depth, "decoder_layers": decoders, "encoder_attention_heads": heads,
        "decoder_attention_heads": heads, "encoder_ffn_dim": 4 * dim, "decoder_ffn_dim": 4 * dim,
        "num_mel_bins": mels, "vocab_size": vocab,
    }  # fmt: skip
    given = {**numbers("input_features", mels, 3000), **tokens(448, "decoder_input_ids")}
    return lambda: (hf.WhisperForConditionalGeneration(hf.WhisperConfig(**sizes)), given)


def mamba(dim: int, depth: int) -> Callable[[], Made]:
    sizes = {"hidden_size": dim, "num_hidden_layers": depth, "vocab_size": 50280}
    return lambda: (hf.MambaForCausalLM(hf.MambaConfig(**sizes)), tokens(2048))


def clip(patch: int, dim: int, depth: int, heads: int, image: int = 224) -> Callable[[], Made]:
    sizes = {
        "hidden_size": dim, "num_hidden_layers": depth, "num_attention_heads": heads, "intermediate_size": 4 * dim,
        "patch_size": patch, "image_size": image,
    }  # fmt: skip
    return lambda: (hf.CLIPVisionModel(hf.CLIPVisionConfig(**sizes)), numbers("pixel_values", 3, image, image))


def stable_diffusion() -> Made:
    """The U-Net at 512×512 pixels, which are 64×64 latents, with the 77 tokens of a text."""
    names = (*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"), ("UpBlock2D", *["CrossAttnUpBlock2D"] * 3)
    widths = {"block_out_channels": (320, 640, 1280, 1280), "cross_attention_dim": 768, "attention_head_dim": 8}
    module = diffusers.UNet2DConditionModel(64, down_block_types=names[0], up_block_types=names[1], **widths)
    time = {"timestep": torch.zeros([1], device="meta")}
    return module, {**numbers("sample", 4, 64, 64), **time, **numbers("encoder_hidden_states", 77, 768)}


TIED = {"tie_word_embeddings": True}
MODELS: dict[str, Callable[[], Made]] = {
    "gpt2": gpt2(768, 12, 12), "gpt2-medium": gpt2(1024, 24, 16), "gpt2-large": gpt2(1280, 36, 20),
    "gpt2-xl": gpt2(1600, 48, 25),
    "llama-2-7b": decoder("Llama", 4096, 4096, 32, 32, 32, 11008, 32000),
    "llama-2-13b": decoder("Llama", 4096, 5120, 40, 40, 40, 13824, 32000),
    "llama-2-70b": decoder("Llama", 4096, 8192, 80, 64, 8, 28672, 32000),
    "llama-3-8b": decoder("Llama", 8192, 4096, 32, 32, 8, 14336, 128256),
    "llama-3-70b": decoder("Llama", 8192, 8192, 80, 64, 8, 28672, 128256),
    "llama-3.1-405b": decoder("Llama", 8192, 16384, 126, 128, 8, 53248, 128256),
    "llama-3.2-1b": decoder("Llama", 8192, 2048, 16, 32, 8, 8192, 128256, **TIED),
    "llama-3.2-3b": decoder("Llama", 8192, 3072, 28, 24, 8, 8192, 128256, **TIED),
    "mistral-7b-v0.1": decoder("Mistral", 8192, 4096, 32, 32, 8, 14336, 32000, sliding_window=4096),
    "mistral-7b-v0.3": decoder("Mistral", 8192, 4096, 32, 32, 8, 14336, 32768, sliding_window=None),
    "mixtral-8x7b": decoder("Mixtral", 8192, 4096, 32, 32, 8, 14336, 32000),
    "mixtral-8x22b": decoder("Mixtral", 8192, 6144, 56, 48, 8, 16384, 32000),
    "qwen2-0.5b": decoder("Qwen2", 8192, 896, 24, 14, 2, 4864, 151936, **TIED),
    "qwen2-1.5b": decoder("Qwen2", 8192, 1536, 28, 12, 2, 8960, 151936, **TIED),
    "qwen2.5-3b": decoder("Qwen2", 8192, 2048, 36, 16, 2, 11008, 151936, **TIED),
    "qwen2-7b": decoder("Qwen2", 8192, 3584, 28, 28, 4, 18944, 152064),
    "qwen2.5-14b": decoder("Qwen2", 8192, 5120, 48, 40, 8, 13824, 152064),
    "qwen2.5-32b": decoder("Qwen2", 8192, 5120, 64, 40, 8, 27648, 152064),
    "qwen2-72b": decoder("Qwen2", 8192, 8192, 80, 64, 8, 29568, 152064),
    "qwen3-0.6b": decoder("Qwen3", 8192, 1024, 28, 16, 8, 3072, 151936, head_dim=128, **TIED),
    "qwen3-1.7b": decoder("Qwen3", 8192, 2048, 28, 16, 8, 6144, 151936, head_dim=128, **TIED),
    "qwen3-4b": decoder("Qwen3", 8192, 2560, 36, 32, 8, 9728, 151936, head_dim=128, **TIED),
    "qwen3-8b": decoder("Qwen3", 8192, 4096, 36, 32, 8, 12288, 151936, head_dim=128),
    "qwen3-14b": decoder("Qwen3", 8192, 5120, 40, 40, 8, 17408, 151936, head_dim=128),
    "qwen3-32b": decoder("Qwen3", 8192, 5120, 64, 64, 8, 25600, 151936, head_dim=128),
    "qwen3-30b-a3b": decoder(
        "Qwen3Moe", 8192, 2048, 48, 32, 4, 6144, 151936, head_dim=128, moe_intermediate_size=768, num_experts=128,
        num_experts_per_tok=8,
    ),
    "qwen3-235b-a22b": decoder(
        "Qwen3Moe", 8192, 4096, 94, 64, 4, 12288, 151936, head_dim=128, moe_intermediate_size=1536, num_experts=128,
        num_experts_per_tok=8,
    ),
    "gemma-2-2b": decoder("Gemma2", 8192, 2304, 26, 8, 4, 9216, 256000, head_dim=256),
    "gemma-2-9b": decoder("Gemma2", 8192, 3584, 42, 16, 8, 14336, 256000, head_dim=256),
    "gemma-2-27b": decoder("Gemma2", 8192, 4608, 46, 32, 16, 36864, 256000, head_dim=128),
    "deepseek-v2-lite": deepseek("DeepseekV2", **V2_LITE), "deepseek-v2": deepseek("DeepseekV2", **V2_LARGE),
    "deepseek-v3": deepseek("DeepseekV3"),
    "bert-base": bert(768, 12, 12), "bert-large": bert(1024, 24, 16),
    "t5-small": t5(512, 6, 8, 64, 2048), "t5-base": t5(768, 12, 12, 64, 3072), "t5-large": t5(1024, 24, 16, 64, 4096),
    "t5-3b": t5(1024, 24, 32, 128, 16384), "t5-11b": t5(1024, 24, 128, 128, 65536),
    "whisper-tiny": whisper(384, 4, 6, 4), "whisper-base": whisper(512, 6, 8, 6),
    "whisper-small": whisper(768, 12, 12, 12), "whisper-medium": whisper(1024, 24, 16, 24),
    "whisper-large": whisper(1280, 32, 20, 32), "whisper-large-v3": whisper(1280, 32, 20, 32, 128, 51866),
    "whisper-large-v3-turbo": whisper(1280, 32, 20, 4, 128, 51866),
    "mamba-130m": mamba(768, 24), "mamba-370m": mamba(1024, 48), "mamba-790m": mamba(1536, 48),
    "mamba-1.4b": mamba(2048, 48), "mamba-2.8b": mamba(2560, 64),
    "clip-vit-base-patch32": clip(32, 768, 12, 12), "clip-vit-base-patch16": clip(16, 768, 12, 12),
    "clip-vit-large-patch14": clip(14, 1024, 24, 16), "clip-vit-large-patch14-336": clip(14, 1024, 24, 16, 336),
    "stable-diffusion-1.5-unet": stable_diffusion,
}  # fmt: skip
CACHED = {"input_ids", "decoder_input_ids"}
DECODED = {"gpt2": 1023, "llama-3-8b": 8192, "mixtral-8x7b": 8192, "qwen2-7b": 8192, "qwen3-8b": 8192}
"""Tokens before the one that is decoded, of models without a window."""


def multiplies(module: Any, given: Given, **options: Any) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(**given, **options)
    return int(counter.get_total_flops()) // 2


def measured(make: Callable[[], Made], past: int | None) -> dict[str, Any]:
    with torch.device("meta"):
        module, given = make()
    module.eval()
    for part in module.modules():
        if isinstance(getattr(part, "config", None), hf.PretrainedConfig):
            part.config._attn_implementation = "eager"
            part.config._experts_implementation = "batched_mm"  # of the experts that run
    facts = {
        "class": type(module).__name__,
        "inputs": {name: list(tensor.shape[1:]) for name, tensor in given.items()},
        "params": sum(weight.numel() for weight in module.parameters()),
        "macs": multiplies(module, given, **({"use_cache": False} if CACHED & set(given) else {})),
    }
    if past is not None:
        with torch.no_grad():
            cache = module(**tokens(past), use_cache=True).past_key_values
        facts["decode"] = {"past": past, "macs": multiplies(module, tokens(1), past_key_values=cache)}
    return facts


def main(names: list[str]) -> None:
    """Measure the names (or all) and put them into the file."""
    hf.logging.set_verbosity_error()
    hf.masking_utils._preprocess_mask_arguments = lambda *_, **__: (True, None, None, None, None, None, None)
    path = HERE / "language_models.json"
    held = json.loads(path.read_text("utf-8"))["language_models"] if names else {}
    for name in names or MODELS:
        held[name] = measured(MODELS[name], DECODED.get(name))
        sys.stdout.write(f"{name} {held[name]['params']} {held[name]['macs']}\n")
    versions = json.dumps({each.__name__: each.__version__ for each in (torch, hf, diffusers)})
    lines = [f"{json.dumps(name)}:{json.dumps(facts, separators=(',', ':'))}" for name, facts in held.items()]
    path.write_text(f'{{"made_with":{versions},\n"language_models":{{\n' + ",\n".join(lines) + "\n}}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
