"""Values of arguments as a person would write them, and as errors name them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any


def format_value(value: Any) -> str:
    """Write a value as a person would: 3.33333 for 10/3, [1, 2] for a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return f"{float(value):.6g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(format_value, value))}]"
    return str(value)


def describe_value(value: Any) -> str:
    """Name a value with its kind, for the end of a sentence."""
    if isinstance(value, bool):
        return format_value(value)
    if isinstance(value, tuple):
        return f"the list {format_value(value)}"
    return f"the word '{value}'" if isinstance(value, str) else format_value(value)
