"""Small arrays in plain Python, and constants that are computed element by element.

Elements may be symbols or arrays of a sweep, where a free size of an input is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from itertools import product
from typing import Any

from convcalc.arith import at_least, at_most, either, equal, floordiv, is_plain, less, less_equal, modulo, prod, select
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.model import MAX_ELEMENTS
from convcalc.importers.onnx.values import BOOL, FLOAT, FLOATS, INT64, Sizes, broadcast, padded
from convcalc.records import NamedTuple

LARGEST = 1 << 62
"""As far from 0 as an integer is let be: exporters write the largest of 64 bits for the end of an axis."""


class Array(NamedTuple):
    """Elements in row-major order."""

    elements: Sequence[Any]
    sizes: Sizes


def strides(sizes: Sizes) -> list[int]:
    """Return how far apart neighbours along each axis are; 0 along an axis of size 1, so that it broadcasts."""
    found, step = [], 1
    for size in reversed(sizes):
        found.append(0 if size == 1 else step)
        step *= size
    return found[::-1]


def spread(array: Array, sizes: Sizes) -> Sequence[Any]:
    """Return the elements of an array that broadcasts to a shape."""
    if array.sizes == sizes:
        return array.elements
    if len(array.elements) == 1:
        return list(array.elements) * prod(sizes)
    return walked(array, sizes, strides(padded(array.sizes, len(sizes))))


def walked(array: Array, sizes: Sizes, steps: Sequence[int]) -> list[Any]:
    """Return the elements met along axes of these sizes, so far apart."""
    return [array.elements[sum(map(int.__mul__, place, steps))] for place in product(*map(range, sizes))]


def picked(array: Array, *places: Sequence[int]) -> Array:
    """Return the elements at all combinations of places along the axes."""
    steps = strides(array.sizes)
    offsets = [[place * step for place in along] for along, step in zip(places, steps, strict=True)]
    return Array([array.elements[sum(each)] for each in product(*offsets)], tuple(map(len, places)))


def larger(left: Any, right: Any) -> Any:
    """The larger of two numbers; NumPy, which symbols and arrays may need, is not loaded for floats."""
    return max(left, right) if is_plain(left) and is_plain(right) else at_least(left, right)


def smaller(left: Any, right: Any) -> Any:
    """The smaller of two numbers."""
    return min(left, right) if is_plain(left) and is_plain(right) else at_most(left, right)


def _remainder(left: Any, right: Any) -> Any:
    return left % right if is_plain(left) and is_plain(right) else modulo(left, right)


def result_type(call: NodeCall) -> int:
    """Return the type of what a node gives."""
    if call.op in ("Cast", "CastLike"):
        return int(call.attribute("to", FLOAT))
    if call.op in COMPARISONS or call.op in ("Not", "And", "Or", "Xor"):
        return BOOL
    if call.op == "DequantizeLinear":
        return FLOAT
    values = [value for value in call.x if value is not None]
    return values[1 if call.op == "Where" else 0].data_type if values else INT64


def _exact(value: Any, other: Any) -> Any:
    """Return a number as a fraction where it meets a symbol, which floats would make inexact."""
    return Fraction(str(value)) if isinstance(value, float) and hasattr(other, "free_symbols") else value


def _quotient(left: Any, right: Any, *, whole: bool) -> Any:
    if not whole:
        return _exact(left, right) / _exact(right, left)
    if is_plain(left) and is_plain(right):  # towards 0, as in C
        found = abs(left) // abs(right)
        return found if (left < 0) == (right < 0) else -found
    return floordiv(left, right)


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Equal": equal, "Less": less, "LessOrEqual": less_equal, "Greater": lambda a, b: less(b, a),
    "GreaterOrEqual": lambda a, b: less_equal(b, a),
}  # fmt: skip
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    **COMPARISONS, "Add": lambda a, b: _exact(a, b) + _exact(b, a), "Sub": lambda a, b: _exact(a, b) - _exact(b, a),
    "Mul": lambda a, b: _exact(a, b) * _exact(b, a), "Or": either,
    "And": lambda a, b: bool(a) and bool(b) if is_plain(a) and is_plain(b) else a & b,
    "Xor": lambda a, b: bool(a) != bool(b), "Min": smaller, "Max": larger,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {
    "Neg": lambda a: -a, "Abs": lambda a: larger(a, -a),
    "Floor": lambda a: float(math.floor(a)) if isinstance(a, int | float | Fraction) else floordiv(a, 1),
    "Ceil": lambda a: float(math.ceil(a)) if isinstance(a, int | float | Fraction) else -floordiv(-a, 1),
    "Not": lambda a: not a if isinstance(a, int | float) else equal(a, 0),
    "Round": lambda a: float(round(a)), "Sqrt": math.sqrt, "Exp": math.exp, "Log": math.log, "Sin": math.sin,
    "Cos": math.cos, "Reciprocal": lambda a: 1 / a, "Sign": lambda a: (a > 0) - (a < 0), "Erf": math.erf,
    "Tanh": math.tanh, "Relu": lambda a: larger(a, 0), "Sigmoid": lambda a: 1 / (1 + math.exp(-a)),
}  # fmt: skip


def _elementwise(function: Callable[..., Any], *arrays: Array | None) -> Array | None:
    given = [array for array in arrays if array is not None]
    sizes = broadcast(*(array.sizes for array in given))
    if prod(sizes) > MAX_ELEMENTS:
        return None
    rows = zip(*(spread(array, sizes) for array in given), strict=True)
    if len(given) <= 2 or function is select:
        return Array([function(*each) for each in rows], sizes)
    return Array([reduce(function, each) for each in rows], sizes)


def _unary(call: NodeCall, x: Array) -> Array | None:
    function = UNARY[call.op]
    if any(not is_plain(value) for value in x.elements) and call.op not in ("Neg", "Abs", "Floor", "Ceil", "Not"):
        return None
    return Array([function(value) for value in x.elements], x.sizes)


def _binary(call: NodeCall, *arrays: Array) -> Array | None:
    if len(arrays) == 1:  # Min and Max of one
        return arrays[0]
    if call.op in ("Add", "Sub", "Mul", "Div") and call.opset < 7 and call.attribute("broadcast", 0):
        return None
    return _elementwise(BINARY[call.op], *arrays)


def _divided(call: NodeCall, left: Array, right: Array) -> Array | None:
    whole = call.require(0).data_type not in FLOATS
    return _elementwise(lambda a, b: _quotient(a, b, whole=whole), left, right)


def _modulo(call: NodeCall, left: Array, right: Array) -> Array | None:
    return _elementwise(math.fmod if call.attribute("fmod", 0) else _remainder, left, right)


def _power(_call: NodeCall, left: Array, right: Array) -> Array | None:
    if any(not is_plain(value) or abs(value) > 64 for value in right.elements):
        return None
    return _elementwise(lambda a, b: _real(a**b), left, right)


def _real(value: Any) -> Any:
    """Return a number that is none for roots of negative numbers."""
    if isinstance(value, complex):
        raise ArithmeticError
    return value


def _where(_call: NodeCall, condition: Array, left: Array, right: Array) -> Array | None:
    plain = Array([bool(each) if is_plain(each) else each for each in condition.elements], condition.sizes)
    return _elementwise(select, plain, left, right)


def _cast(call: NodeCall, x: Array, *_like: Array) -> Array | None:
    to = result_type(call) if call.op == "Cast" else call.require(1).data_type
    if to in FLOATS:
        return Array([float(value) if is_plain(value) else value for value in x.elements], x.sizes)
    if to == BOOL:
        return Array([value != 0 if is_plain(value) else value for value in x.elements], x.sizes)
    return Array([_integer(value) for value in x.elements], x.sizes)


def _integer(value: Any) -> Any:
    if is_plain(value):
        return int(max(min(value, LARGEST), -LARGEST))
    return value.astype("int64") if hasattr(value, "astype") else value


def _clipped(_call: NodeCall, x: Array, *bounds: Array | None) -> Array | None:
    for bound, function in zip(bounds, (larger, smaller), strict=False):
        if bound is not None:
            x = Array([function(value, *bound.elements) for value in x.elements], x.sizes)
    return x


ARITHMETIC: dict[str, Callable[..., Array | None]] = {
    **dict.fromkeys(UNARY, _unary), **dict.fromkeys(BINARY, _binary), "Div": _divided, "Mod": _modulo, "Pow": _power,
    "Where": _where, "Cast": _cast, "CastLike": _cast, "Clip": _clipped,
}  # fmt: skip
