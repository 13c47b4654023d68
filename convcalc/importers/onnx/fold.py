"""Constants that are computed: shapes, axes and sizes, and what exporters write to make them, in plain Python.

Elements may be symbols or arrays, where a free size of an input is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

from convcalc.arith import at_least, at_most, either, equal, floordiv, is_plain, less, less_equal, modulo, select
from convcalc.importers.onnx.call import Call, count
from convcalc.importers.onnx.model import MAX_ELEMENTS, Tensor
from convcalc.importers.onnx.sizes import ARRANGED, order
from convcalc.importers.onnx.values import BOOL, FLOAT, FLOATS, INT64, Sizes, Value, broadcast, constant, padded

LARGEST = 1 << 62


class Array(NamedTuple):
    """Elements in row-major order."""

    elements: Sequence[Any]
    sizes: Sizes


def fold(call: Call) -> list[Value | None] | None:
    """Return the outputs of a node all of whose inputs are constants; ``None`` if its elements cannot be computed."""
    if call.op in ("Constant", "ConstantOfShape"):
        return [_constant(call)] if call.op == "Constant" else _filled(call)
    arranged = ARRANGED.get(call.op)
    if arranged is None and call.op not in FOLDS:
        return None
    result = _computed(call)
    if arranged is not None and call.x and call.x[0] is not None and (call.x[0].key or result is not None):
        return [_arranged(call, result[0] if result else None, arranged(call))]
    if result is None:
        return None
    is_learned = any(value is not None and value.is_learned for value in call.x)
    return [
        Value(
            name, array.sizes, _type(call), tuple(array.elements), is_constant=True, is_learned=is_learned,
            recipe=(call.node, call.x, place) if is_learned else None,
        )
        for place, (name, array) in enumerate(zip(call.node.outputs, result, strict=False))
    ]  # fmt: skip


def _arranged(call: Call, array: Array | None, sizes: Sizes) -> Value:
    x = call.require(0)
    learned = x.is_learned or call.op == "DequantizeLinear"
    scales = tuple(value for value in call.x[1:3] if value is not None) if call.op.endswith("zeLinear") else ()
    return Value(
        call.node.outputs[0], sizes, _type(call), tuple(array.elements) if array else None, x.key, x.handle if
        call.op in ("Identity", "Cast") else None, is_constant=True, is_learned=learned and bool(sizes), recipe=None if
        x.key or not learned else (call.node, call.x, 0), quantisation=x.quantisation or scales,
    )  # fmt: skip


def _computed(call: Call) -> list[Array] | None:
    """Return what a node gives, where its inputs are known and few enough."""
    arrays = []
    for value in call.x:
        if value is None:
            arrays.append(None)
            continue
        if value.elements is None or not all(type(size) is int for size in value.shape):
            return None
        arrays.append(Array(value.elements, value.shape))
    try:
        result = (FOLDS.get(call.op) or _same_elements)(call, *arrays)
    except ArithmeticError:  # such as the logarithm of 0, which is no size
        return None
    return [result] if isinstance(result, Array) else result


def _type(call: Call) -> int:
    if call.op in ("Cast", "CastLike"):
        return int(call.attribute("to", FLOAT))
    if call.op in COMPARISONS or call.op in ("Not", "And", "Or", "Xor"):
        return BOOL
    if call.op == "DequantizeLinear":
        return FLOAT
    values = [value for value in call.x if value is not None]
    return values[1 if call.op == "Where" else 0].data_type if values else INT64


# --- constants that are written ---------------------------------------------------------------------------------------


def _constant(call: Call) -> Value:
    name, attributes = call.node.outputs[0], call.node.attributes
    tensor = attributes.get("value") or attributes.get("sparse_value")
    if isinstance(tensor, Tensor):
        return constant(tensor, name)
    key, value = next(iter(attributes.items()))
    data_type = FLOAT if "float" in key else INT64 if "int" in key else 8
    elements = value if isinstance(value, tuple) else (value,)
    made = Tensor(name, data_type, (len(elements),) if isinstance(value, tuple) else (), elements, "")
    return call.run.written.setdefault(id(call.node), (constant(made, name), made))[0]


def _filled(call: Call) -> list[Value | None] | None:
    """ConstantOfShape; of a shape that the file states it is a constant of the file, as in models without weights."""
    shape, value = call.require(0), call.attribute("value")
    if shape.elements is None:
        return None
    sizes = tuple(shape.elements)
    data_type = value.data_type if value is not None else FLOAT
    element = value.elements[0] if value is not None and value.elements else 0.0
    is_plain_shape = all(type(size) is int for size in sizes)
    if any(is_plain(size) and size < 0 for size in sizes):
        raise ValueError(sizes)
    few = is_plain_shape and count(sizes) <= MAX_ELEMENTS
    elements = (element,) * count(sizes) if few else None
    key = id(call.node) if shape.key and is_plain_shape else 0
    return [
        Value(
            call.node.outputs[0], sizes, data_type, elements, key, is_constant=True,
            is_learned=bool(key) and bool(sizes) and data_type in FLOATS,
        )
    ]  # fmt: skip


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _exact(value: Any, other: Any) -> Any:
    """Return a number as a fraction where it meets a symbol, which floats would make inexact."""
    return Fraction(str(value)) if isinstance(value, float) and hasattr(other, "free_symbols") else value


def _quotient(left: Any, right: Any, *, whole: bool) -> Any:
    if not whole:
        return _exact(left, right) / _exact(right, left)
    if type(left) is int and type(right) is int:  # towards 0, as in C
        found = abs(left) // abs(right)
        return found if (left < 0) == (right < 0) else -found
    return floordiv(left, right)


def _floor(value: Any) -> Any:
    return float(math.floor(value)) if isinstance(value, int | float | Fraction) else floordiv(value, 1)


def _ceil(value: Any) -> Any:
    return float(math.ceil(value)) if isinstance(value, int | float | Fraction) else -floordiv(-value, 1)


def _not(value: Any) -> Any:
    return not value if isinstance(value, int | float) else equal(value, 0)


def _both(left: Any, right: Any) -> Any:
    return bool(left) and bool(right) if is_plain(left) and is_plain(right) else left & right


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Equal": equal, "Less": less, "LessOrEqual": less_equal, "Greater": lambda a, b: less(b, a),
    "GreaterOrEqual": lambda a, b: less_equal(b, a),
}  # fmt: skip
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    **COMPARISONS, "Add": lambda a, b: _exact(a, b) + _exact(b, a), "Sub": lambda a, b: _exact(a, b) - _exact(b, a),
    "Mul": lambda a, b: _exact(a, b) * _exact(b, a), "And": _both, "Or": either,
    "Xor": lambda a, b: bool(a) != bool(b), "Min": at_most, "Max": at_least,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {
    "Neg": lambda a: -a, "Abs": lambda a: at_least(a, -a), "Floor": _floor, "Ceil": _ceil, "Not": _not,
    "Round": lambda a: float(round(a)), "Sqrt": math.sqrt, "Exp": math.exp, "Log": math.log, "Sin": math.sin,
    "Cos": math.cos, "Reciprocal": lambda a: 1 / a, "Sign": lambda a: (a > 0) - (a < 0), "Erf": math.erf,
    "Tanh": math.tanh, "Relu": lambda a: at_least(a, 0), "Sigmoid": lambda a: 1 / (1 + math.exp(-a)),
}  # fmt: skip


def _spread(array: Array, sizes: Sizes) -> Sequence[Any]:
    """Return the elements of an array that broadcasts to a shape."""
    if array.sizes == sizes:
        return array.elements
    if len(array.elements) == 1:
        return array.elements * count(sizes)
    own, strides, step = padded(array.sizes, len(sizes)), [], 1
    for size in reversed(own):
        strides.append(0 if size == 1 else step)
        step *= size
    strides.reverse()
    places = product(*map(range, sizes))
    return [array.elements[sum(map(int.__mul__, place, strides))] for place in places]


def _elementwise(function: Callable[..., Any], *arrays: Array | None) -> Array | None:
    given = [array for array in arrays if array is not None]
    sizes = broadcast(*(array.sizes for array in given))
    if count(sizes) > MAX_ELEMENTS:
        return None
    spread = [_spread(array, sizes) for array in given]
    if len(given) == 2 or len(given) == 1 or function is select:
        return Array([function(*each) for each in zip(*spread, strict=True)], sizes)
    joined = spread[0]
    for other in spread[1:]:
        joined = [function(*each) for each in zip(joined, other, strict=True)]
    return Array(joined, sizes)


def _unary(call: Call, x: Array) -> Array | None:
    function = UNARY[call.op]
    if any(not is_plain(value) for value in x.elements) and call.op not in ("Neg", "Abs", "Floor", "Ceil", "Not"):
        return None
    return Array([function(value) for value in x.elements], x.sizes)


def _binary(call: Call, *arrays: Array) -> Array | None:
    if len(arrays) == 1:  # Min and Max of one
        return arrays[0]
    if call.op in ("Add", "Sub", "Mul", "Div") and call.opset < 7 and call.attribute("broadcast", 0):
        return None
    return _elementwise(BINARY[call.op], *arrays)


def _divided(call: Call, left: Array, right: Array) -> Array | None:
    whole = call.require(0).data_type not in FLOATS
    return _elementwise(lambda a, b: _quotient(a, b, whole=whole), left, right)


def _modulo(call: Call, left: Array, right: Array) -> Array | None:
    return _elementwise(math.fmod if call.attribute("fmod", 0) else modulo, left, right)


def _power(call: Call, left: Array, right: Array) -> Array | None:
    if any(not is_plain(value) or abs(value) > 64 for value in right.elements):
        return None
    return _elementwise(lambda a, b: a**b, left, right)


def _where(call: Call, condition: Array, left: Array, right: Array) -> Array | None:
    plain = Array([bool(each) if is_plain(each) else each for each in condition.elements], condition.sizes)
    return _elementwise(select, plain, left, right)


def _cast(call: Call, x: Array, *like: Array) -> Array | None:
    to = _type(call) if call.op == "Cast" else call.require(1).data_type
    if to in FLOATS:
        return Array([float(value) if is_plain(value) else value for value in x.elements], x.sizes)
    if to == BOOL:
        return Array([value != 0 if is_plain(value) else value for value in x.elements], x.sizes)
    return Array([_integer(value) for value in x.elements], x.sizes)


def _integer(value: Any) -> Any:
    if is_plain(value):
        return int(max(min(value, LARGEST), -LARGEST))
    return value.astype("int64") if hasattr(value, "astype") else value


# --- arrangement ------------------------------------------------------------------------------------------------------


def _same_elements(call: Call, x: Array, *others: Any) -> Array:
    """Reshape, Flatten, Squeeze, Unsqueeze, Identity and the like."""
    sizes = ARRANGED[call.op](call)
    if count(sizes) != len(x.elements):
        raise ValueError(sizes)
    return Array(x.elements, sizes)


def _picked(x: Array, *places: Sequence[int]) -> Array:
    """Return the elements at all combinations of places along the axes."""
    strides, step = [], 1
    for size in reversed(x.sizes):
        strides.append(step)
        step *= size
    strides.reverse()
    offsets = [[place * stride for place in along] for along, stride in zip(places, strides, strict=True)]
    return Array([x.elements[sum(each)] for each in product(*offsets)], tuple(map(len, places)))


def _transposed(call: Call, x: Array) -> Array:
    axes = order(call)
    places = product(*(range(x.sizes[axis]) for axis in axes))
    strides, step = [], 1
    for size in reversed(x.sizes):
        strides.append(step)
        step *= size
    strides.reverse()
    steps = [strides[axis] for axis in axes]
    return Array([x.elements[sum(map(int.__mul__, each, steps))] for each in places], ARRANGED["Transpose"](call))


def _gathered(call: Call, x: Array, places: Array) -> Array | None:
    axis = call.axis(call.attribute("axis", 0), len(x.sizes))
    if count(x.sizes) // max(1, x.sizes[axis]) * len(places.elements) > MAX_ELEMENTS:
        return None
    found = [_index(place, x.sizes[axis]) for place in places.elements]
    along = [found if each == axis else range(size) for each, size in enumerate(x.sizes)]
    return Array(_picked(x, *along).elements, (*x.sizes[:axis], *places.sizes, *x.sizes[axis + 1 :]))


def _index(place: int, size: int) -> int:
    if not -size <= place < size:
        raise IndexError(place)
    return place % size


def _sliced(call: Call, x: Array, *given: Array | None) -> Array:
    along: list[range] = [range(size) for size in x.sizes]
    for axis, start, stop, step in slices(call):
        along[axis] = along[axis][slice_of(start, stop, step)]
    return _picked(x, *along)


def slices(call: Call) -> list[tuple[int, Any, Any, Any]]:
    """Return axis, start, stop and step of everything that a Slice cuts."""
    starts, stops = call.numbers_or("starts", 1) or (), call.numbers_or("ends", 2) or ()
    rank = len(call.require(0).shape)
    axes = call.numbers_or("axes", 3) or range(len(starts))
    steps = call.numbers(4) or (1,) * len(starts)
    return [
        (call.axis(axis, rank), start, stop, step)
        for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True)
    ]


def slice_of(start: int, stop: int, step: int) -> slice:
    """Return the slice of Python; before the first element is left out by a stop that is far below 0."""
    return slice(start, None if step < 0 and stop < -LARGEST // 2**32 else stop, step)


def _concatenated(call: Call, *arrays: Array) -> Array | None:
    rank = len(arrays[0].sizes)
    axis = call.axis(call.attribute("axis", 1), rank)
    if any(len(array.sizes) != rank for array in arrays):
        raise ValueError(axis)
    if sum(len(array.elements) for array in arrays) > MAX_ELEMENTS:
        return None
    outer = count(arrays[0].sizes[:axis])
    chunks = [len(array.elements) // max(1, outer) for array in arrays]
    elements = [
        element
        for row in range(outer)
        for array, chunk in zip(arrays, chunks, strict=True)
        for element in array.elements[row * chunk : (row + 1) * chunk]
    ]
    joined = sum(array.sizes[axis] for array in arrays)
    return Array(elements, (*arrays[0].sizes[:axis], joined, *arrays[0].sizes[axis + 1 :]))


def _split(call: Call, x: Array, *given: Array | None) -> list[Array]:
    axis = call.axis(call.attribute("axis", 0), len(x.sizes))
    parts, start, found = split_sizes(call, x.sizes[axis]), 0, []
    for part in parts:
        along = [range(start, start + part) if each == axis else range(size) for each, size in enumerate(x.sizes)]
        found.append(_picked(x, *along))
        start += part
    return found


def split_sizes(call: Call, size: Any) -> list[Any]:
    """Return the sizes of the parts of an axis: as stated, or equal ones, of which the last may be smaller."""
    if (given := call.numbers_or("split", 1)) is not None:
        return list(given)
    parts = call.attribute("num_outputs", len(call.node.outputs))
    if not is_plain(size):
        return [floordiv(size, parts)] * parts
    each = -(-size // parts)
    return [min(each, size - place * each) for place in range(parts)]


def _expanded(call: Call, x: Array, shape: Array) -> Array | None:
    if not all(type(size) is int for size in shape.elements):
        return None
    sizes = broadcast(x.sizes, tuple(shape.elements))
    return Array(_spread(x, sizes), sizes) if count(sizes) <= MAX_ELEMENTS else None


def _tiled(call: Call, x: Array, times: Array) -> Array | None:
    if not all(type(n) is int for n in times.elements) or count(times.elements) * len(x.elements) > MAX_ELEMENTS:
        return None
    along = [list(range(size)) * n for size, n in zip(x.sizes, times.elements, strict=True)]
    return _picked(x, *along)


def _range(call: Call, start: Array, stop: Array, step: Array) -> Array | None:
    (first,), (last,), (by,) = start.elements, stop.elements, step.elements
    if not all(is_plain(value) for value in (first, last, by)):
        return None
    length = max(math.ceil((last - first) / by), 0)
    return Array([first + place * by for place in range(length)], (length,)) if length <= MAX_ELEMENTS else None


REDUCERS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "ReduceSum": sum, "ReduceProd": count, "ReduceMean": lambda values: sum(values) / len(values),
    "ReduceMax": lambda values: _joined(at_least, values), "ReduceMin": lambda values: _joined(at_most, values),
}  # fmt: skip


def _joined(function: Callable[[Any, Any], Any], values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = function(found, value)
    return found


def _reduced(call: Call, x: Array, *given: Array | None) -> Array | None:
    axes = reduced_axes(call)
    if call.op == "ReduceMean" and (call.require(0).data_type not in FLOATS or not all(map(is_plain, x.elements))):
        return None
    groups: dict[tuple[int, ...], list[Any]] = {}
    for place, element in zip(product(*map(range, x.sizes)), x.elements, strict=True):
        groups.setdefault(tuple(i for axis, i in enumerate(place) if axis not in axes), []).append(element)
    return Array([REDUCERS[call.op](values) for values in groups.values()], reduced_sizes(call, axes))


def reduced_axes(call: Call) -> frozenset[int]:
    """Return the axes that a reduction goes over; all where none are named."""
    rank = len(call.require(0).shape)
    axes = call.numbers_or("axes", 1)
    if not axes:
        return frozenset() if call.attribute("noop_with_empty_axes", 0) else frozenset(range(rank))
    return frozenset(call.axis(axis, rank) for axis in axes)


def reduced_sizes(call: Call, axes: frozenset[int]) -> Sizes:
    """Return the sizes of a reduced tensor; axes stay with size 1 by default."""
    keeps = call.attribute("keepdims", 1)
    sizes = call.require(0).shape
    return tuple(1 if axis in axes else size for axis, size in enumerate(sizes) if keeps or axis not in axes)


def _nonzero(call: Call, x: Array) -> Array | None:
    if not all(map(is_plain, x.elements)):
        return None
    found = [place for place, each in zip(product(*map(range, x.sizes)), x.elements, strict=True) if each]
    return Array([place[axis] for axis in range(len(x.sizes)) for place in found], (len(x.sizes), len(found)))


FOLDS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(UNARY, _unary), **dict.fromkeys(BINARY, _binary), **dict.fromkeys(REDUCERS, _reduced),
    "Div": _divided, "Mod": _modulo, "Pow": _power, "Where": _where, "Cast": _cast, "CastLike": _cast,
    "Transpose": _transposed, "Gather": _gathered, "Slice": _sliced, "Concat": _concatenated, "Split": _split,
    "Expand": _expanded, "Tile": _tiled, "Range": _range, "NonZero": _nonzero,
}  # fmt: skip
