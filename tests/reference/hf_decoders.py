# ruff: noqa: C901, PLR0912, PLR0915 - a case for each family
"""Configurations of further decoders, and of encoders of images before one, with what modules of transformers count.

To be run where torch 2.14.1 and transformers 5.24.0 are installed, from the root of the repository; the tests need
neither::

    PYTHONPATH=. python tests/reference/hf_decoders.py -o tests/reference/hf_decoders.json.xz

It writes the parameters of the modules that the classes build from their defaults, from the configurations of
``hf_decoders_published.json``, and from random small ones; of these also half of what ``torch.utils.flop_counter`` sees
in one run, as ``hf_configs.py`` does. ``given`` is what was run: tokens of text, and the side of the image.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from tests.reference import hf_configs

PUBLISHED = Path(__file__).with_name("hf_decoders_published.json")
DECODERS = (
    "ministral3", "cwm", "helium", "jais2", "hyperclovax", "vaultgemma", "apertus", "bitnet", "nanochat", "ctrl",
    "granitemoeshared", "minimax_m2", "flex_olmo", "solar_open", "youtu", "minicpm3", "glm4_moe_lite", "exaone_moe",
    "ernie4_5_moe", "afmoe", "llama4_text", "dbrx", "jamba", "falcon_mamba", "mamba2", "bamba", "granitemoehybrid",
    "falcon_h1", "nemotron_h", "lfm2", "lfm2_moe", "qwen3_next", "qwen3_5_moe_text", "qwen3_5_text",
    "recurrent_gemma",
)  # fmt: skip
TEXTS = {
    "llava": ("llama", "mistral", "qwen2"), "gemma3": ("gemma3_text",), "paligemma": ("gemma", "gemma2"),
    "idefics3": ("llama",), "smolvlm": ("llama",), "mistral3": ("mistral", "ministral3"),
    "internvl": ("qwen2", "qwen3", "llama"), "qwen2_vl": ("qwen2_vl_text",), "qwen2_5_vl": ("qwen2_5_vl_text",),
    "qwen3_vl": ("qwen3_vl_text",), "qwen3_vl_moe": ("qwen3_vl_moe_text",), "llama4": ("llama4_text",),
    "llava_next": ("llama",), "llava_onevision": ("qwen2",),
}  # fmt: skip
TOWERS = {
    "llava": ("clip_vision_model", "siglip_vision_model"), "gemma3": ("siglip_vision_model",),
    "paligemma": ("siglip_vision_model",), "idefics3": ("idefics3_vision",), "smolvlm": ("smolvlm_vision",),
    "mistral3": ("pixtral",), "internvl": ("internvl_vision",), "qwen2_vl": ("qwen2_vl_vision",),
    "qwen2_5_vl": ("qwen2_5_vl_vision",), "qwen3_vl": ("qwen3_vl_vision",), "qwen3_vl_moe": ("qwen3_vl_moe_vision",),
    "llama4": ("llama4_vision_model",), "llava_next": ("clip_vision_model",),
    "llava_onevision": ("siglip_vision_model",),
}  # fmt: skip
NOT_RUN = {"llama4_text", "llama4", "llava_next", "llava_onevision"}
"""Llama 4 runs all experts; how many parts an image is cut into is another matter than the configuration."""
DRAWS, TOKENS, IMAGE, PATCH = 5, 5, 50, 4
SIZES: dict[str, tuple[Any, ...]] = {
    "mamba_d_state": (3, 4), "mamba_d_conv": (2, 4), "mamba_n_groups": (1,), "mamba_dt_rank": ("auto", 5),
    "attn_layer_period": (2, 3), "attn_layer_offset": (0, 1), "expert_layer_period": (1, 2),
    "expert_layer_offset": (0,),
    "linear_conv_kernel_dim": (3, 4), "linear_key_head_dim": (4, 8), "linear_value_head_dim": (4, 8),
    "linear_num_key_heads": (1, 2), "linear_num_value_heads": (2, 4), "conv_L_cache": (3, 4),
    "block_multiple_of": (4, 8),
    "conv1d_width": (2, 4), "moe_num_experts": (4, 6), "moe_k": (1, 2), "moe_num_shared_experts": (0, 1, 2),
    "moe_layer_start_index": (0, 1), "moe_layer_end_index": (-1, 1, 5), "moe_layer_interval": (1, 2),
    "num_shared_experts": (1, 2), "num_dense_layers": (0, 1), "global_attn_every_n_layers": (2,),
    "interleave_moe_layer_step": (1, 2), "shared_intermediate_size": (10, 14), "intermediate_size_mlp": (10, 14),
    "dff": (10, 14), "ssm_state_size": (3, 4), "mamba_num_heads": (4,), "mamba_head_dim": (4, 6), "n_groups": (1, 2),
    "moe_shared_expert_intermediate_size": (10, 14), "chunk_size": (4,), "mamba_chunk_size": (4,),
    "attention_window_size": (16,), "shared_expert_intermediate_size": (10, 14), "expand": (2,),
    "sliding_window": (16,),
    "block_ffn_dim_multiplier": (1.0, 1.3),
}  # fmt: skip


# --- decoders ---------------------------------------------------------------------------------------------------------


def decoder(rng: Random, name: str, architecture: str) -> dict[str, Any]:
    config = hf_configs.random_config(rng, name, architecture)
    fields = CONFIG_MAPPING[name].__dataclass_fields__
    config |= {key: rng.choice(sizes) for key, sizes in SIZES.items() if key in fields}
    layers, wide = config.get("num_hidden_layers", 2), config.get("hidden_size", 16)
    heads = config.get("num_attention_heads", 2)

    def drawn(*words: str) -> list[str]:
        return [rng.choice(words) for _ in range(layers)]

    if "mamba_n_heads" in fields:
        config |= {"mamba_n_heads": 2, "mamba_expand": 2, "mamba_d_head": "auto"}
    match name:
        case "falcon_h1":
            config["mamba_d_ssm"] = rng.choice((None, 12))
        case "mamba2":
            config |= {"num_heads": 4, "head_dim": 2 * wide // 4}
        case "bamba":
            config["attn_layer_indices"] = rng.choice((None, [0], [0, 1]))
        case "granitemoehybrid":
            config |= {"layer_types": drawn("mamba", "attention"), "num_local_experts": rng.choice((0, 4))}
        case "nemotron_h":
            config |= {"mlp_hidden_act": "relu2", "moe_latent_size": None}
            config |= rng.choice(
                (
                    {"hybrid_override_pattern": "".join(rng.choice("M*-E") for _ in range(4))},
                    {"layers_block_type": [rng.choice(("mamba", "attention", "mlp", "moe")) for _ in range(3)]},
                )
            )
        case "lfm2" | "lfm2_moe":
            config["layer_types"] = drawn("conv", "full_attention")
        case "recurrent_gemma":
            config |= {"lru_width": rng.choice((None, heads * 6)), "intermediate_size": 20}
        case "dbrx":
            config["tie_word_embeddings"] = False
            config["attn_config"] = {"kv_n_heads": 1, "clip_qkv": 8, "rope_theta": 10000.0}
            config["ffn_config"] = {"ffn_hidden_size": 12, "moe_num_experts": 4, "moe_top_k": 2}
        case "llama4_text":
            config |= {"head_dim": 8, "attention_chunk_size": 64} | rng.choice(({}, {"moe_layers": [0]}))
        case "qwen3_next" | "qwen3_5_text" | "qwen3_5_moe_text":
            config["head_dim"] = 8
        case "glm4_moe_lite" | "exaone_moe":
            config |= rng.choice(({}, {"mlp_layer_types": drawn("dense", "sparse")}))
        case "apertus":
            config.pop("hidden_act", None)
        case "helium":
            config["head_dim"] = wide // heads
        case "minicpm3" | "youtu" | "glm4_moe_lite":
            config.pop("head_dim", None)
    return config


# --- images and text --------------------------------------------------------------------------------------------------


def images_and_text(rng: Random, name: str) -> tuple[dict[str, Any], int]:
    """A configuration, and how many tokens its image is."""
    is_qwen = name.startswith("qwen")
    text, size = text_config(rng, name, is_qwen)
    side = 16 if name == "qwen2_5_vl" else rng.choice((16, 24))
    grid, heads = side // PATCH, rng.choice((2, 4))
    vision: dict[str, Any] = {
        "model_type": rng.choice(TOWERS[name]), "hidden_size": heads * 8, "intermediate_size": rng.choice((20, 28)),
        "patch_size": PATCH,
    }  # fmt: skip
    layers = rng.choice((2, 3))
    if is_qwen:
        vision |= {
            "depth": layers,
            "num_heads": heads,
            "in_channels": 3,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        }
    else:
        vision |= {"num_hidden_layers": layers, "num_attention_heads": heads, "image_size": side, "num_channels": 3}
    config: dict[str, Any] = {"model_type": name, "text_config": text, "vision_config": vision}
    config["image_token_id" if is_qwen or name in ("idefics3", "smolvlm", "internvl") else "image_token_index"] = IMAGE
    config |= rng.choice(({}, {"tie_word_embeddings": True}, {"tie_word_embeddings": False}))
    if vision["model_type"] == "siglip_vision_model":
        vision["vision_use_head"] = rng.random() < 0.5
    whole, merged, some = grid**2, grid**2 // 4, rng.random() < 0.5
    match name:
        case "llava":
            is_siglip = vision["model_type"] == "siglip_vision_model"
            config |= {"multimodal_projector_bias": some, "vision_feature_layer": rng.choice((-1, -2))}
            config["vision_feature_select_strategy"] = "full" if is_siglip or some else "default"
            return config, whole + (some and not is_siglip)
        case "gemma3":
            count = (grid // rng.choice((1, 2))) ** 2
            return config | {"mm_tokens_per_image": count}, count
        case "paligemma":
            return config | {"projection_dim": size}, whole
        case "idefics3" | "smolvlm":
            return config | {"scale_factor": 2}, merged
        case "mistral3":
            vision["head_dim"] = 8
            return config | {
                "spatial_merge_size": 2,
                "multimodal_projector_bias": some,
                "vision_feature_layer": -1,
            }, merged
        case "internvl":
            vision |= {"image_size": [side, side], "patch_size": [PATCH, PATCH], "attention_bias": some}
            vision |= {"use_mean_pooling": rng.random() < 0.5, "use_absolute_position_embeddings": rng.random() < 0.5}
            return config | {"downsample_ratio": 0.5}, merged
        case "qwen2_vl":
            vision |= {"embed_dim": heads * 8, "hidden_size": size, "mlp_ratio": rng.choice((2, 4))}
            del vision["intermediate_size"]
        case "qwen2_5_vl":
            vision |= {"out_hidden_size": size, "window_size": 8, "fullatt_block_indexes": rng.choice(([0], [1], []))}
        case "qwen3_vl" | "qwen3_vl_moe":
            vision |= {"out_hidden_size": size, "num_position_embeddings": rng.choice((16, 25))}
            vision["deepstack_visual_indexes"] = rng.choice(([0], [0, 1], []))
        case "llama4":
            vision |= {"intermediate_size": 32 * heads, "pixel_shuffle_ratio": 0.5}
            vision |= dict.fromkeys(("projector_input_dim", "projector_output_dim", "vision_output_dim"), 16 * heads)
    return config, merged


def text_config(rng: Random, name: str, is_qwen: bool) -> tuple[dict[str, Any], int]:
    heads, each = rng.choice((2, 4)), rng.choice((16, 24)) if is_qwen else 8
    text: dict[str, Any] = {
        "model_type": rng.choice(TEXTS[name]), "vocab_size": rng.choice((60, 70)), "hidden_size": heads * each,
        "intermediate_size": rng.choice((20, 24)), "num_hidden_layers": rng.choice((1, 2, 3)),
        "num_attention_heads": heads, "num_key_value_heads": rng.choice((1, heads)), "head_dim": each,
        "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
    }  # fmt: skip
    if text["model_type"] in ("qwen2", "qwen2_vl_text", "qwen2_5_vl_text"):
        del text["head_dim"]
    if is_qwen:
        sections = [each // 2 - 4, 2, 2]
        text["rope_parameters"] = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": sections}
    if text["model_type"] == "qwen3_vl_moe_text":
        text |= {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 12}
    if text["model_type"] == "llama4_text":
        text |= {"num_local_experts": 4, "intermediate_size_mlp": 14, "interleave_moe_layer_step": rng.choice((1, 2))}
    return text, heads * each


def with_an_image(config: dict[str, Any], count: int) -> dict[str, torch.Tensor]:
    name, vision = config["model_type"], config["vision_config"]
    ids = torch.tensor([[IMAGE] * count + [3] * TOKENS])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if name.startswith("qwen"):
        grid = int(count**0.5) * 2
        given |= {"pixel_values": torch.randn(grid**2, 6 * PATCH**2), "image_grid_thw": torch.tensor([[1, grid, grid]])}
        return given | {"mm_token_type_ids": (ids == IMAGE).long()}
    side = vision["image_size"][0] if isinstance(vision["image_size"], list) else vision["image_size"]
    pixels = (1, 1, 3, side, side) if name in ("idefics3", "smolvlm") else (1, 3, side, side)
    given["pixel_values"] = torch.randn(*pixels)
    if name == "mistral3":
        given["image_sizes"] = torch.tensor([[side, side]])
    if name in ("gemma3", "paligemma"):
        given["token_type_ids"] = (ids == IMAGE).long()
    return given


# --- files ------------------------------------------------------------------------------------------------------------


def rows() -> Iterator[dict[str, Any]]:
    for name in (*DECODERS, *TEXTS):
        names = [each for each in hf_configs.classes(name) if name in DECODERS or each.endswith("Generation")]
        for architecture, count in hf_configs.default_counts(name, names):
            yield {"config": {"model_type": name, "architectures": [architecture]}, "params": count}
        rng = Random(name)
        for draw in range(DRAWS):
            torch.manual_seed(draw)
            try:
                yield row(rng, name, names[draw % len(names)])
            except Exception as error:  # noqa: BLE001 - what a class refuses, or cannot run
                sys.stderr.write(f"{name}: {error!r:.100}\n")


def row(rng: Random, name: str, architecture: str) -> dict[str, Any]:
    if name in DECODERS:
        config = decoder(rng, name, architecture)
        module = hf_configs.built(config, "cpu")
        found, inputs = {"given": {"seq": hf_configs.SEQ}}, hf_configs.inputs(module, config)
    else:
        config, count = images_and_text(rng, name)
        config["architectures"] = [architecture]
        module = hf_configs.built(config, "cpu")
        found, inputs = {"given": {"seq": TOKENS}}, with_an_image(config, count) if name not in NOT_RUN else {}
        if name.startswith("qwen"):
            found["given"]["image_size"] = int(count**0.5) * 2 * PATCH
    found |= {"config": config, "params": hf_configs.params(module)}
    if name in NOT_RUN:
        return found
    try:
        found["macs"] = hf_configs.multiplies(module, **inputs)[0]
    except Exception as error:  # noqa: BLE001 - its parameters are known
        sys.stderr.write(f"{name}: {error!r:.100}\n")
    if re.search("CausalLM|LMHead", architecture) and name in DECODERS:
        try:
            found["decoding"] = hf_configs.decoded(module)
        except Exception as error:  # noqa: BLE001 - of others than attention there is no cache of keys
            sys.stderr.write(f"{name}, decoding: {error!r:.100}\n")
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--output", type=Path, required=True)
    output: Path = parser.parse_args().output
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    published = {
        name: hf_configs.params(hf_configs.built(config, "meta"))
        for name, config in json.loads(PUBLISHED.read_text()).items()
    }
    found = {"transformers": transformers.__version__, "published": published, "rows": list(rows())}
    output.write_bytes(lzma.compress(json.dumps(found, separators=(",", ":")).encode(), preset=9))


if __name__ == "__main__":
    main()
