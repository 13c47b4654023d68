"""What a node of constants gives: a constant again, if its elements are few; else it becomes layers.

Here elements are arranged, selected, repeated or reduced; ``arithmetic`` computes with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from typing import Any

from convcalc.arith import is_plain, prod
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.folding.arithmetic import (
    ARITHMETIC,
    Array,
    larger,
    picked,
    result_type,
    smaller,
    spread,
    strides,
    walked,
)
from convcalc.importers.onnx.model import MAX_ELEMENTS, StoredTensor
from convcalc.importers.onnx.sizes import ARRANGED, order, reduced_axes, reduced_sizes, slices, split_sizes
from convcalc.importers.onnx.values import FLOAT, FLOATS, INT64, Sizes, Value, broadcast, constant


def same_elements(call: NodeCall, *arrays: Array | None) -> Array:
    """Reshape, Flatten, Squeeze, Unsqueeze, Identity and the like: the same elements."""
    x, sizes = arrays[0], ARRANGED[call.op](call)
    assert x is not None
    if prod(sizes) != len(x.elements):
        raise ValueError(sizes)
    return Array(x.elements, sizes)


def _transposed(call: NodeCall, x: Array) -> Array:
    steps, sizes = strides(x.sizes), ARRANGED["Transpose"](call)
    return Array(walked(x, sizes, [steps[axis] for axis in order(call)]), sizes)


def _gathered(call: NodeCall, x: Array, places: Array) -> Array | None:
    axis = call.axis(call.attribute("axis", 0), len(x.sizes))
    if prod(x.sizes) // max(1, x.sizes[axis]) * len(places.elements) > MAX_ELEMENTS:
        return None
    found = [_index(place, x.sizes[axis]) for place in places.elements]
    along = [found if each == axis else range(size) for each, size in enumerate(x.sizes)]
    return Array(picked(x, *along).elements, (*x.sizes[:axis], *places.sizes, *x.sizes[axis + 1 :]))


def _index(place: int, size: int) -> int:
    if not -size <= place < size:
        raise IndexError(place)
    return place % size


def _sliced(call: NodeCall, x: Array, *_given: Array | None) -> Array:
    along: list[range] = [range(size) for size in x.sizes]
    for axis, start, stop, step in slices(call):
        along[axis] = along[axis][start:stop:step]
    return picked(x, *along)


def _concatenated(call: NodeCall, *arrays: Array) -> Array | None:
    rank = len(arrays[0].sizes)
    axis = call.axis(call.attribute("axis", 1), rank)
    if any(len(array.sizes) != rank for array in arrays):
        raise ValueError(axis)
    if sum(len(array.elements) for array in arrays) > MAX_ELEMENTS:
        return None
    outer = prod(arrays[0].sizes[:axis])
    chunks = [len(array.elements) // max(1, outer) for array in arrays]
    elements = [
        element
        for row in range(outer)
        for array, chunk in zip(arrays, chunks, strict=True)
        for element in array.elements[row * chunk : (row + 1) * chunk]
    ]
    joined = sum(array.sizes[axis] for array in arrays)
    return Array(elements, (*arrays[0].sizes[:axis], joined, *arrays[0].sizes[axis + 1 :]))


def _split(call: NodeCall, x: Array, *_given: Array | None) -> list[Array]:
    axis = call.axis(call.attribute("axis", 0), len(x.sizes))
    parts, start, found = split_sizes(call, x.sizes[axis]), 0, []
    for part in parts:
        along = [range(start, start + part) if each == axis else range(size) for each, size in enumerate(x.sizes)]
        found.append(picked(x, *along))
        start += part
    return found


def _expanded(_call: NodeCall, x: Array, shape: Array) -> Array | None:
    if not all(type(size) is int for size in shape.elements):
        return None
    sizes = broadcast(x.sizes, tuple(shape.elements))
    return Array(spread(x, sizes), sizes) if prod(sizes) <= MAX_ELEMENTS else None


def _tiled(_call: NodeCall, x: Array, times: Array) -> Array | None:
    if not all(type(n) is int for n in times.elements) or prod(times.elements) * len(x.elements) > MAX_ELEMENTS:
        return None
    along = [list(range(size)) * n for size, n in zip(x.sizes, times.elements, strict=True)]
    return picked(x, *along)


def _range(_call: NodeCall, start: Array, stop: Array, step: Array) -> Array | None:
    (first,), (last,), (by,) = start.elements, stop.elements, step.elements
    if not all(is_plain(value) for value in (first, last, by)):
        return None
    length = max(math.ceil((last - first) / by), 0)
    return Array([first + place * by for place in range(length)], (length,)) if length <= MAX_ELEMENTS else None


REDUCERS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "ReduceSum": sum, "ReduceProd": prod, "ReduceMean": lambda values: sum(values) / len(values),
    "ReduceMax": lambda values: reduce(larger, values), "ReduceMin": lambda values: reduce(smaller, values),
}  # fmt: skip


def _reduced(call: NodeCall, x: Array, *_given: Array | None) -> Array | None:
    axes = reduced_axes(call)
    if call.op == "ReduceMean" and (call.require(0).data_type not in FLOATS or not all(map(is_plain, x.elements))):
        return None
    groups: dict[tuple[int, ...], list[Any]] = {}
    for place, element in zip(product(*map(range, x.sizes)), x.elements, strict=True):
        groups.setdefault(tuple(i for axis, i in enumerate(place) if axis not in axes), []).append(element)
    return Array([REDUCERS[call.op](values) for values in groups.values()], reduced_sizes(call, axes))


def _nonzero(_call: NodeCall, x: Array) -> Array | None:
    if not all(map(is_plain, x.elements)):
        return None
    found = [place for place, each in zip(product(*map(range, x.sizes)), x.elements, strict=True) if each]
    return Array([place[axis] for axis in range(len(x.sizes)) for place in found], (len(x.sizes), len(found)))


def _scattered(call: NodeCall, x: Array, places: Array, updates: Array) -> Array | None:
    """ScatterND without a reduction: slices of the last axes are replaced."""
    if call.attribute("reduction", "none") != "none":
        return None
    depth, elements = places.sizes[-1], list(x.elements)
    size = prod(x.sizes[depth:])
    for row in range(prod(places.sizes[:-1])):
        start = 0
        for each, n in zip(places.elements[row * depth : (row + 1) * depth], x.sizes, strict=False):
            start = start * n + _index(each, n)
        elements[start * size : (start + 1) * size] = updates.elements[row * size : (row + 1) * size]
    return Array(elements, x.sizes)


ARRANGEMENT: dict[str, Callable[..., Array | list[Array] | None]] = {
    **dict.fromkeys(REDUCERS, _reduced), "Transpose": _transposed, "Gather": _gathered, "Slice": _sliced,
    "Concat": _concatenated, "Split": _split, "Expand": _expanded, "Tile": _tiled, "Range": _range,
    "NonZero": _nonzero, "ScatterND": _scattered,
}  # fmt: skip


# --- nodes ------------------------------------------------------------------------------------------------------------

FOLDS = {**ARITHMETIC, **ARRANGEMENT}
PLAIN: dict[str, tuple[int | None, int | None]] = {
    "Slice": (1, None), "Gather": (1, None), "Split": (1, None), "Tile": (1, None), "Range": (None, None),
    "ScatterND": (1, 2), "Transpose": (1, None), "Unsqueeze": (1, None), "Squeeze": (1, None),
}  # fmt: skip
"""Inputs from one place up to another that say which elements are taken: they cannot be symbols."""


def fold(call: NodeCall) -> list[Value | None] | None:
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
            name, array.sizes, result_type(call), tuple(array.elements), is_constant=True, is_learned=is_learned,
            recipe=(call.node, call.x, place) if is_learned else None,
        )
        for place, (name, array) in enumerate(zip(call.node.outputs, result, strict=False))
    ]  # fmt: skip


def _arranged(call: NodeCall, array: Array | None, sizes: Sizes) -> Value:
    x = call.require(0)
    learned = x.is_learned or call.op == "DequantizeLinear"
    scales = tuple(value for value in call.x[1:3] if value is not None) if call.op.endswith("zeLinear") else ()
    return Value(
        call.node.outputs[0], sizes, result_type(call), tuple(array.elements) if array else None, x.key,
        handle=x.handle if call.op in ("Identity", "Cast") else None, is_constant=True,
        is_learned=learned and bool(sizes), recipe=None if x.key or not learned else (call.node, call.x, 0),
        quantisation=x.quantisation or scales, bits=x.bits,
    )  # fmt: skip


def _computed(call: NodeCall) -> list[Array] | None:
    """Return what a node gives, where its inputs are known and few enough."""
    for value in call.x:
        if value is not None and (value.elements is None or not all(type(size) is int for size in value.shape)):
            return None
    arrays = [None if value is None else Array(value.elements or (), value.shape) for value in call.x]
    plain = arrays[slice(*PLAIN[call.op])] if call.op in PLAIN else []
    if any(not is_plain(element) for array in plain if array is not None for element in array.elements):
        return None
    try:
        result = (FOLDS.get(call.op) or same_elements)(call, *arrays)
    except (ArithmeticError, ValueError):  # such as the logarithm of 0, which is no size
        if call.op in ARITHMETIC:
            return None
        raise
    return [result] if isinstance(result, Array) else result


# --- constants that are written ---------------------------------------------------------------------------------------


def _constant(call: NodeCall) -> Value:
    name, attributes = call.node.outputs[0], call.node.attributes
    tensor = attributes.get("value") or attributes.get("sparse_value")
    if isinstance(tensor, StoredTensor):
        return constant(tensor, name)
    key, value = next(iter(attributes.items()))
    data_type = FLOAT if "float" in key else INT64 if "int" in key else 8
    elements = value if isinstance(value, tuple) else (value,)
    made = StoredTensor(name, data_type, (len(elements),) if isinstance(value, tuple) else (), elements, "")
    return call.run.written.setdefault((id(call.node), ()), (constant(made, name), made, call.node))[0]


def _filled(call: NodeCall) -> list[Value | None] | None:
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
    few = is_plain_shape and prod(sizes) <= MAX_ELEMENTS
    elements = (element,) * prod(sizes) if few else None
    name, is_written = call.node.outputs[0], bool(shape.key) and is_plain_shape
    is_learned = is_written and bool(sizes) and data_type in FLOATS
    made = Value(name, sizes, data_type, elements, is_constant=True, is_learned=is_learned)
    if is_written:  # equal for all calls of a function that give it the same shape
        made.key = id(call.run.written.setdefault((id(call.node), sizes), (made, made, call.node)))
    return [made]
