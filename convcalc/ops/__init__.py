"""Layer types (ops): arguments, output shape, weights and multiplies of every kind of layer.

``kinds/`` has one file a type; ``registry`` finds them, ``op`` has their base class, ``arguments`` the types of
arguments; ``make`` builds one: ``ops.make("conv", out=16, kernel=3)``.
"""

from __future__ import annotations

from convcalc.ops.make import get, make
from convcalc.ops.op import Op, Product, Window, arguments_of
from convcalc.ops.registry import HEADINGS, activations, every, find
from convcalc.ops.registry import kinds as names

__all__ = [
    "HEADINGS",
    "Op",
    "Product",
    "Window",
    "activations",
    "arguments_of",
    "every",
    "find",
    "get",
    "make",
    "names",
]
