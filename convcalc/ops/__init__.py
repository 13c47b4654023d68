"""Layer types (ops): arguments, output shape, weights and multiplies of every kind of layer.

``kinds/`` has one file a type; ``registry`` finds them, ``op`` has their base class, ``arguments`` the types of
arguments; ``make`` builds one: ``ops.make("conv", out=16, kernel=3)``.
"""

from __future__ import annotations

from convcalc.ops.make import get, make
from convcalc.ops.op import MatrixProduct, Op, Window, arguments_of
from convcalc.ops.registry import REQUIRED_SECTIONS, activation_names, load_all
from convcalc.ops.registry import find_op as find
from convcalc.ops.registry import kinds as names

__all__ = [
    "REQUIRED_SECTIONS",
    "MatrixProduct",
    "Op",
    "Window",
    "activation_names",
    "arguments_of",
    "find",
    "get",
    "load_all",
    "make",
    "names",
]
