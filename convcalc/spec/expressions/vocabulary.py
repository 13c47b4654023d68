"""Words of expressions: those that the grammar reserves, and the choices of arguments, which the ops declare.

A choice, such as ``relu``, is a word in the argument that takes it; elsewhere a variable may have its name. Where there
is no such variable it is a word too, which variables, parameters and columns hold until it reaches its argument.
"""

from __future__ import annotations

from convcalc.ops.registry import choices_of, kinds
from convcalc.ops.source_form import SOURCE_FORMS

NONE = "none"
"""The choice of no norm, no activation."""

KEYWORDS: frozenset[str] = frozenset({"true", "false", "and", "or", "not", "if", "else"})

INPUT_VARIABLES: dict[str, str] = {"cin": "in_channels", "din": "in_features", "shape": "in_shape"}
"""Variable that describes the tensor entering an item → a name that a user's own variable may have instead."""

SUGGESTED_NAMES: dict[str, str] = {
    "abs": "magnitude", "ceil": "upper", "floor": "lower", "int": "whole", "len": "length", "log2": "bits",
    "make_divisible": "divisible", "max": "largest", "min": "smallest", "range": "span", "round": "rounded",
    "round_up": "multiple", "sqrt": "root", "sum": "total", "and": "both", "or": "any_of", "not": "inverse",
    "if": "condition", "else": "otherwise", "true": "enabled", "false": "disabled",
}  # fmt: skip
"""Reserved word → a name that a variable may have."""

FOREIGN_SPELLINGS: dict[str, str] = {
    "yes": "true", "on": "true", "no": "false", "off": "false", "null": "none", "nil": "none",
}  # fmt: skip
"""Words of YAML 1.1 and other languages → what is written here."""


def is_choice(word: str) -> bool:
    """Whether some argument takes a word. Ops are loaded until one does, those that most words are of first."""
    of_specs = word == NONE or word in SOURCE_FORMS
    return of_specs or any(word in choices_of(kind) for kind in ("act", "norm", *kinds()))


def choices() -> frozenset[str]:
    """Return the words that arguments take, for suggestions; all ops are loaded."""
    return frozenset({NONE, *SOURCE_FORMS}).union(*map(choices_of, kinds()))
