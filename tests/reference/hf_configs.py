"""Configurations of transformers 5.24.0 with what its modules count: how two files of data were made.

To be run where torch 2.14.1 and transformers 5.24.0 are installed, from the root of the repository; the tests need
neither::

    export PYTHONPATH=.
    python tests/reference/hf_configs.py defaults -o convcalc/importers/hf/defaults.json
    python tests/reference/hf_configs.py measure -o tests/reference/hf_configs.json.xz

``defaults`` writes, of each ``model_type`` in the importer's table, the keys of its class with what they are where a
configuration lacks them, other names of keys, and which classes of the table there are.

``measure`` writes the parameters of the module that each class builds from its defaults (``built``) and from the
configurations of ``hf_published.json`` (``published``), on the meta device; and of random small configurations
(``random``) also half of what ``torch.utils.flop_counter`` sees in one run with eager attention, without the products
of rotary modules, which are angles. Of decoders that write (``decoding``): the same of one token behind others, and
the elements of the cache then.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import lzma
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from convcalc.importers.hf.families import PARTS, known_types, row, shared_row

PUBLISHED = Path(__file__).with_name("hf_published.json")
SEQ, TARGET, SAMPLES, PAST, PIXELS = 7, 5, 400, 6, 50
DRAWS = 6
OF_ALL = {
    "id2label", "label2id", "architectures", "transformers_version", "problem_type", "output_hidden_states",
    "return_dict", "dtype", "chunk_size_feed_forward", "is_encoder_decoder",
}  # fmt: skip
COUNTS_NOTHING = re.compile(
    r".*(dropout|_pdrop|eps|epsilon|_token_id|initializer).*|rope_parameters|use_cache|init_std|pretraining_tp"
)
NOT_DRAWN = re.compile(
    r"is_decoder|cross_attention|output_|use_cache|is_encoder|mambapy|deterministic|sparse_prediction|reshape_hidden|"
    r"apply_spec|use_weighted|summary|scale_attn|upcast|in_fp32|bidirectional|use_sliding|slow_but|adapter|batch_norm|bi_data|use_mems|is_folding|add_fpn|onnx|concat_input"
)
SIZES: dict[str, tuple[int, ...]] = {
    "vocab_size": (50, 53), "d_kv": (4, 6), "max_position_embeddings": (16, 20), "n_positions": (16, 20),
    "max_source_positions": (16, 20), "max_target_positions": (16, 20), "num_experts": (4, 6),
    "num_local_experts": (4, 6),
    "n_routed_experts": (4, 6), "num_experts_per_tok": (1, 2), "first_k_dense_replace": (0, 1), "n_group": (1,),
    "topk_group": (1,), "n_shared_experts": (1, 2), "kv_lora_rank": (6,), "qk_nope_head_dim": (4, 6),
    "v_head_dim": (4, 6), "qk_rope_head_dim": (4,), "decoder_sparse_step": (1, 2), "rotary_dim": (4,),
    "type_vocab_size": (1, 2, 3), "patch_size": (4,), "num_register_tokens": (0, 3),
    "num_detection_tokens": (2, 5), "time_stride": (2, 3), "frequency_stride": (1, 4), "num_mel_bins": (5, 8),
    "state_size": (3, 4),
    "num_conv_pos_embeddings": (4, 5), "num_conv_pos_embedding_groups": (2,), "conv_pos_kernel_size": (3, 5),
    "num_buckets": (8, 12), "num_codevectors_per_group": (6, 8),
    "codevector_dim": (6, 8), "proj_codevector_dim": (6, 8), "classifier_proj_size": (6, 8), "inner_group_num": (1, 2),
    "num_ln_in_parallel_attn": (1, 2),
}  # fmt: skip
WIDTHS = re.compile(r"d_inner|(\w+_)?intermediate_size|\w*ffn_dim|d_ff|hidden_dim|n_inner|ffn_hidden_size")
WIDE = ("hidden_size", "n_embd", "d_model", "dim")
HEADS = re.compile(r"n_head|(encoder_|decoder_|num_)?attention_heads|n_heads?|num_heads")
LAYERS = re.compile(r"num_hidden_layers|n_layers?|num_layers|(en|de)coder_layers")
TOWERS = ("text_config", "vision_config")
WRITERS = {
    "t5",
    "mt5",
    "umt5",
    "bart",
    "mbart",
    "pegasus",
    "marian",
    "blenderbot",
    "blenderbot-small",
    "plbart",
    "m2m_100",
    "whisper",
}
READERS = re.compile("EncoderModel|Classification|QuestionAnswering")


# --- classes ----------------------------------------------------------------------------------------------------------


def classes(name: str) -> list[str]:
    found = row(name) if name in known_types() else row(name, PARTS)
    kinds = {**shared_row(found["template"])["classes"], **found.get("classes", {})}
    names = [found["prefix"] + suffix for suffix, variables in kinds.items() if variables is not None]
    return [name for name in (*names, *found.get("names", {})) if hasattr(transformers, name)]


def raw_defaults(config: Any) -> Iterator[tuple[str, Any]]:
    """What the fields of a class are before it works any out; `inf`, which JSON lacks, becomes null."""
    for field in dataclasses.fields(config):
        name = field.name
        if name in OF_ALL or COUNTS_NOTHING.fullmatch(name):
            continue
        try:
            value = json.loads(json.dumps(field.default, allow_nan=False))
        except (TypeError, ValueError):
            value = field.default_factory() if callable(field.default_factory) else None
        yield name, value


def defaults(names: Iterable[str]) -> str:
    """One line for each model_type. A name that a class's alias leads away from is the one of its own field."""
    lines = []
    for name in sorted(names):
        config = CONFIG_MAPPING[name]
        keys = dict(raw_defaults(config))
        pairs = getattr(config, "attribute_map", {}).items()
        turned = [(key, alias) if alias in keys and key not in keys else (alias, key) for alias, key in pairs]
        lines.append(
            f" {json.dumps(name)}: {json.dumps({'defaults': keys, 'aliases': dict(turned), 'built': classes(name)})}"
        )
    return f'{{"transformers": "{transformers.__version__}", "classes": {{\n' + ",\n".join(lines) + "\n}}\n"


# --- modules ----------------------------------------------------------------------------------------------------------


def built(config: dict[str, Any], device: str) -> Any:
    """The module of a configuration, with attention and experts that are written out."""
    made = CONFIG_MAPPING[config["model_type"]].from_dict({k: v for k, v in config.items() if k != "model_type"})
    for each in (made, *(getattr(made, key) for key in TOWERS if hasattr(made, key))):
        each._attn_implementation = "eager"
        each._experts_implementation = "eager"
    with torch.device(device):
        return getattr(transformers, config["architectures"][0])(made).eval().requires_grad_(False)


def params(module: Any) -> int:
    return sum(each.numel() for each in module.parameters())


def tokens(count: int) -> torch.Tensor:
    """Words, of which the last is the one that ends a text."""
    return torch.cat([torch.randint(3, 9, (1, count - 1)), torch.tensor([[2]])], 1)


def inputs(module: Any, config: dict[str, Any]) -> dict[str, torch.Tensor]:
    made, name = module.config, module.main_input_name
    given: dict[str, torch.Tensor] = {}
    if name == "input_ids":
        text = getattr(made, "text_config", None)
        given[name] = tokens(text.max_position_embeddings if text else SEQ)
    if name == "pixel_values" or hasattr(made, "vision_config"):
        vision = getattr(made, "vision_config", made)
        size = getattr(vision, "image_size", PIXELS)
        sizes = size if isinstance(size, (list, tuple)) else [size] * 2
        given["pixel_values"] = torch.randn(1, vision.num_channels, *sizes)
    if name == "input_values":
        given[name] = torch.randn(
            1, *([made.max_length, made.num_mel_bins] if hasattr(made, "num_mel_bins") else [SAMPLES])
        )
    if name == "input_features":
        given[name] = torch.randn(1, made.num_mel_bins, 2 * made.max_source_positions)
    if config["model_type"] in WRITERS and not READERS.search(config["architectures"][0]):
        given["decoder_input_ids"] = tokens(TARGET)
    return given


def multiplies(module: Any, **given: Any) -> tuple[int, Any]:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        out = module(**given)
    counts = counter.get_flop_counts()
    angles = sum(sum(found.values()) for name, found in counts.items() if name.split(".")[-1].startswith("rotary"))
    return (sum(counts["Global"].values()) - angles) // 2, out


def decoded(module: Any, config: dict[str, Any]) -> tuple[int, int]:
    """The multiplies of one token behind others, and the elements of the cache then; an encoder has run before."""
    given, name = inputs(module, config), "input_ids"
    if config["model_type"] in WRITERS:
        name = "decoder_input_ids"
    with torch.no_grad():
        out = module(**{**given, name: tokens(PAST)}, use_cache=True)
    given = {name: tokens(2)[:, :1], "past_key_values": out.past_key_values, "use_cache": True}
    if config["model_type"] in WRITERS:
        given["encoder_outputs"] = (out.encoder_last_hidden_state,)
    macs, out = multiplies(module, **given)
    cache = out.past_key_values
    parts = [getattr(cache, part, None) for part in ("self_attention_cache", "cross_attention_cache")]
    layers = [layer for part in parts if part for layer in part.layers] or cache.layers
    return macs, sum(layer.keys.numel() + layer.values.numel() for layer in layers)


# --- random configurations --------------------------------------------------------------------------------------------


def random_config(rng: Random, name: str, architecture: str) -> dict[str, Any]:
    config: dict[str, Any] = {"model_type": name, "architectures": [architecture]}
    if name in ("clip", "siglip"):
        towers = [random_config(rng, f"{name}_{kind}_model", "") for kind in ("text", "vision")]
        for key, tower in zip(TOWERS, towers, strict=True):
            config[key] = {each: value for each, value in tower.items() if each not in ("architectures", "id2label")}
        width = {"projection_dim": 6} if name == "clip" else {}
        config["text_config"] |= width or {"projection_size": config["vision_config"]["hidden_size"]}
        config["vision_config"] |= width
        return config | width
    fields = CONFIG_MAPPING[name].__dataclass_fields__
    heads, layers = rng.choice((2, 4)), rng.randint(1, 4)
    wide = heads * rng.choice((4, 8)) * rng.choice((1, 2))
    for key, default in raw_defaults(CONFIG_MAPPING[name]):
        value = drawn(rng, key, default, heads, layers, wide)
        if value is not None:
            config[key] = value
    config |= {key: value for key, value in stages(rng, name).items() if key in fields}
    if name == "stablelm":
        config["partial_rotary_factor"] = 0.5  # a quarter of small heads is odd
    if name == "deberta-v2":
        config |= disentangled(rng, config)
    config |= {key: 2 for key in fields if re.fullmatch(r"(bos|eos|sep|cls|decoder_start|forced_eos)_token_id", key)}
    if "pad_token_id" in fields:
        config["pad_token_id"] = 1 if "oberta" in name or name in ("camembert", "mpnet", "longformer") else 0
    if rng.random() < 0.3:
        config["id2label"] = {str(i): f"L{i}" for i in range(rng.choice((1, 3, 5)))}
    return config


def stages(rng: Random, name: str) -> dict[str, Any]:
    """Lists of networks in stages, of equal length."""
    count = rng.choice((2, 3))
    heads = [rng.choice((1, 2)) for _ in range(count)]
    return {
        "swin": {
            "image_size": rng.choice((32, 46, 50)), "patch_size": 2, "embed_dim": 4, "window_size": rng.choice((2, 3)),
            "mlp_ratio": rng.choice((2.0, 2.5)), "depths": [rng.choice((1, 2)) for _ in heads], "num_heads": heads,
            "encoder_stride": 2**count,
        },
        "convnext": {
            "image_size": 34, "depths": [rng.choice((1, 2)) for _ in heads], "num_stages": count,
            "hidden_sizes": [rng.choice((4, 6)) for _ in heads], "patch_size": 3,
        },
        "segformer": {
            "num_encoder_blocks": count, "depths": [rng.choice((1, 2)) for _ in heads], "num_attention_heads": heads,
            "hidden_sizes": [rng.choice((4, 6)) for _ in heads], "sr_ratios": [3, 2, 1][:count],
            "mlp_ratios": [rng.choice((1, 3)) for _ in heads], "patch_sizes": [7, 3, 5][:count],
            "strides": [4, 2, 2][:count], "decoder_hidden_size": 6,
        },
        "efficientnet": {
            "image_size": rng.choice((64, 75)), "depth_coefficient": rng.choice((0.5, 1.2, 2.0)),
            "depthwise_padding": rng.choice(([], [2], [2, 5, 16])), "squeeze_expansion_ratio": rng.choice((0.25, 0.1)),
            **dict(zip(("width_coefficient", "hidden_dim"), rng.choice(((0.25, 320), (1.1, 1408))), strict=True)),
        },
        "mobilenet": {
            "image_size": rng.choice((33, 40)), "depth_multiplier": rng.choice((0.35, 0.6, 1.3)),
            "min_depth": rng.choice((4, 8)), "depth_divisible_by": rng.choice((4, 8)),
        },
        "resnet": {
            "depths": [rng.choice((1, 2)) for _ in heads], "hidden_sizes": [rng.choice((8, 16)) for _ in heads],
            "embedding_size": rng.choice((4, 6, 8)), "groups_width": 4,
        },
    }.get(shared_template(name), {})  # fmt: skip


def shared_template(name: str) -> str:
    return str(row(name)["template"])


def drawn(rng: Random, key: str, default: Any, heads: int, layers: int, wide: int) -> Any:
    """A value for a key; nothing leaves it out."""
    exact: dict[str, Any] = {
        "num_decoder_layers": rng.choice((1, 2)), "q_lora_rank": rng.choice((None, 6)),
        "attention_types": [[["global"], layers]],
        "mlp_only_layers": rng.choice((None, [0])), "expansion_ratio": 4,
        "layer_type": rng.choice(("x", "y") if default == "y" else ("basic", "bottleneck")),
        "feat_extract_norm": rng.choice(("group", "layer")),
        "pos_att_type": rng.choice((None, ["c2p"], "p2c|c2p")), "conv_stride": [3, 2, 2], "conv_dim": [8, 8, 16],
        "attention_window": rng.choice((4, 6, [4] * layers)), "attn_type": rng.choice(("bi", "uni")),
        "image_size": [8, 12] if isinstance(default, list) else rng.choice((12, 16)),
        "max_length": rng.choice((13, 16)),
        "mask_ratio": rng.choice((0.75, 0.5, 0.3)), "layer_scale_init_value": rng.choice((0.1, 0.0)),
        "num_hidden_groups": rng.choice((1, layers)), "mask_time_prob": rng.choice((0.0, 0.05)),
        "num_key_value_heads": rng.choice((1, heads)), "num_kv_heads": rng.choice((1, heads)),
        "embedding_size": rng.choice((wide, 10)), "word_embed_proj_dim": rng.choice((None, 12)),
        "pooler_output_size": rng.choice((None, 7)), "projection_dim": 7, "projection_size": rng.choice((None, 7)),
        "head_dim": rng.choice((4, 12)), "conv_kernel": [5, 3, 2] if isinstance(default, list) else 4,
    }  # fmt: skip
    if key in WIDE:
        return wide
    if HEADS.fullmatch(key):
        return heads
    if LAYERS.fullmatch(key):
        return layers
    if WIDTHS.fullmatch(key):
        return rng.choice((10, 18, 24))
    if key in exact:
        return exact[key]
    if key in SIZES:
        return rng.choice(SIZES[key])
    if isinstance(default, bool) and not NOT_DRAWN.search(key) and rng.random() < 0.4:
        return not default
    return None


def disentangled(rng: Random, config: dict[str, Any]) -> dict[str, Any]:
    """What a DeBERTa has beyond the fields of its class."""
    found: dict[str, Any] = {
        "position_buckets": rng.choice((4, -1, 6)),
        "norm_rel_ebd": rng.choice(("none", "layer_norm")),
    }
    if rng.random() < 0.4:
        found |= {"share_att_key": True, "pos_att_type": ["p2c", "c2p"]}
    if not config.get("relative_attention"):
        found["pos_att_type"] = None
    return found | rng.choice(({}, {"conv_kernel_size": 3}))


# --- files ------------------------------------------------------------------------------------------------------------


def measure() -> dict[str, Any]:
    result: dict[str, Any] = {"transformers": transformers.__version__, "built": {}, "published": {}, "random": []}
    for name, config in json.loads(PUBLISHED.read_text()).items():
        result["published"][name] = params(built(config, "meta"))
    for name in known_types():
        names = classes(name)
        result["built"][name] = dict(default_counts(name, names))
        rng = Random(name)
        for draw in range(max(DRAWS, len(names))):
            architecture = names[draw % len(names)]
            torch.manual_seed(draw)
            try:
                result["random"].append(measured(random_config(rng, name, architecture)))
            except Exception as error:  # noqa: BLE001 - what a class refuses, or cannot run
                sys.stderr.write(f"{architecture}: {error!r:.100}\n")
    return result


def default_counts(name: str, names: list[str]) -> Iterator[tuple[str, int]]:
    for architecture in names:
        try:
            yield architecture, params(built({"model_type": name, "architectures": [architecture]}, "meta"))
        except Exception as error:  # noqa: BLE001 - defaults that no module can be built from
            sys.stderr.write(f"{architecture}: {error!r:.100}\n")


def measured(config: dict[str, Any]) -> dict[str, Any]:
    module = built(config, "cpu")
    found = {"config": config, "params": params(module), "macs": multiplies(module, **inputs(module, config))[0]}
    if (
        re.search("CausalLM|LMHead|ConditionalGen|MTModel", config["architectures"][0])
        and config["model_type"] != "mamba"
    ):
        try:
            found["decoding"] = decoded(module, config)
        except Exception as error:  # noqa: BLE001 - encoders that are no decoders
            sys.stderr.write(f"{config['architectures'][0]}, decoding: {error!r:.100}\n")
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("defaults", "measure"))
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    if given.what == "defaults":
        given.output.write_text(defaults({*known_types(), *known_types(PARTS)}))
        return
    given.output.write_bytes(lzma.compress(json.dumps(measure(), separators=(",", ":")).encode(), preset=9))


if __name__ == "__main__":
    main()
