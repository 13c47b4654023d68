"""What is said about a word: why no variable may bear it, and what an unknown one may have been meant to be."""

from __future__ import annotations

from collections.abc import Iterable

from convcalc.errors import did_you_mean, quoted
from convcalc.spec.faults import UNKNOWN_NAME, ExpressionError, Place
from convcalc.spec.functions import FUNCTIONS
from convcalc.spec.vocabulary import KEYWORDS, SYMBOLS

ENTERING: dict[str, str] = {"cin": "in_channels", "din": "in_features", "shape": "in_shape"}
"""What describes the tensor entering an item → another name for one's own variable."""

INSTEAD: dict[str, str] = {
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

HABITS: dict[str, str] = {"yes": "true", "on": "true", "no": "false", "off": "false", "null": "none", "nil": "none"}
"""Words of YAML 1.1 and other languages → what is written here."""


def is_misspelt_boolean(word: str) -> bool:
    """Whether a word is true or false with capitals, which YAML would take and expressions do not."""
    return word.lower() in {"true", "false"} and word not in KEYWORDS


def reserved_reason(name: str) -> str:
    """Return why no variable may bear a name, and a better one; nothing for a free name."""
    if name in ENTERING:
        return f"'{name}' always describes the tensor entering the item; call it {ENTERING[name]}"
    if is_misspelt_boolean(name):
        return f"'{name}' is a misspelt boolean; call it {INSTEAD[name.lower()]}"
    what = "function" if name in FUNCTIONS else "keyword" if name in KEYWORDS else SYMBOLS.get(name)
    if what is None:
        return ""
    article = "an" if what[0] in "aeiou" else "a"
    return f"'{name}' is {article} {what}; call it {INSTEAD.get(name, f'use_{name}')}"


def unknown_name(name: str, place: Place, known: Iterable[str] = ()) -> ExpressionError:
    """Return the error about a name that nothing bears, with the nearest of all known words."""
    if name in HABITS:
        guess = f"; did you mean '{HABITS[name]}'?"
    else:
        guess = did_you_mean(name, {*known, *SYMBOLS, *FUNCTIONS, *KEYWORDS})
    return ExpressionError(UNKNOWN_NAME, f"unknown name {quoted(name)}{guess}", *place)
