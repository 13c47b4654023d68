"""Layer types: what they are made of, where they are found, and how one is read.

``kinds/`` has one file a type; ``registry`` finds them, ``op`` is what they derive from, ``arguments`` their arguments.
"""

from __future__ import annotations

from convcalc.ops.op import Op, Product, Window, arguments_of
from convcalc.ops.registry import HEADINGS, activations, every, find

__all__ = ["HEADINGS", "Op", "Product", "Window", "activations", "arguments_of", "every", "find"]
