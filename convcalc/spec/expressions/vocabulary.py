"""The words that mean themselves: the closed vocabularies that arguments choose from.

They are *symbols* in expressions (``relu6 if mobile else relu``), so no variable may bear their names. The long lists
are those of the ops that understand them.
"""

from __future__ import annotations

from convcalc.ops.kinds import act, norm, upsample

VOCABULARIES: dict[str, frozenset[str]] = {
    "activation": frozenset(act.TYPES),
    "norm type": frozenset(norm.TYPES),
    "padding": frozenset({"valid", "half", "same"}),
    "pooling kernel": frozenset({"global"}),
    "weight sharing": frozenset({"channels"}),
    "scale": frozenset({"channel", "scalar"}),
    "upsampling mode": frozenset(upsample.MODES),
    "norm of queries and keys": frozenset({"layer_across_heads", "rms_across_heads"}),
    "word for nothing": frozenset({"none"}),
}
"""What the words are → the words. No word is two things."""

SYMBOLS: dict[str, str] = {word: group for group, words in VOCABULARIES.items() for word in sorted(words)}
"""Word → what it is."""

KEYWORDS: frozenset[str] = frozenset({"true", "false", "and", "or", "not", "if", "else"})

INPUT_VARIABLES: dict[str, str] = {"cin": "in_channels", "din": "in_features", "shape": "in_shape"}
"""Variable that describes the tensor entering an item → a name that a user's own variable may have instead."""

SUGGESTED_NAMES: dict[str, str] = {
    "abs": "magnitude", "ceil": "upper", "floor": "lower", "int": "whole", "len": "length", "log2": "bits",
    "make_divisible": "divisible", "max": "largest", "min": "smallest", "range": "span", "round": "rounded",
    "round_up": "multiple", "sqrt": "root", "sum": "total", "batch": "batch_size", "group": "group_width",
    "instance": "instances", "layer": "layer_index", "lrn": "lrn_size", "rms": "rms_size", "half": "half_width",
    "same": "same_size", "valid": "valid_size", "global": "global_size", "channel": "channel_index",
    "channels": "width", "scalar": "factor", "none": "nothing", "threshold": "limit", "area": "surface",
    "and": "both", "or": "any_of", "not": "inverse", "if": "condition", "else": "otherwise", "true": "enabled",
    "false": "disabled",
}  # fmt: skip
"""Reserved word → a name that a variable may have; other words get ``use_`` before them."""

FOREIGN_SPELLINGS: dict[str, str] = {
    "yes": "true", "on": "true", "no": "false", "off": "false", "null": "none", "nil": "none",
}  # fmt: skip
"""Words of YAML 1.1 and other languages → what is written here."""
