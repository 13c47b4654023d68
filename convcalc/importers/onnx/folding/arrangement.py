"""Constants whose elements are arranged, selected, repeated or reduced."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from convcalc.arith import is_plain
from convcalc.importers.onnx.call import Call, count
from convcalc.importers.onnx.folding.arithmetic import larger, smaller
from convcalc.importers.onnx.folding.arrays import Array, picked, spread, strides, walked
from convcalc.importers.onnx.model import MAX_ELEMENTS
from convcalc.importers.onnx.sizes import ARRANGED, order, reduced_axes, reduced_sizes, slice_of, slices, split_sizes
from convcalc.importers.onnx.values import FLOATS, broadcast


def same_elements(call: Call, *arrays: Array | None) -> Array:
    """Reshape, Flatten, Squeeze, Unsqueeze, Identity and the like: the same elements."""
    x, sizes = arrays[0], ARRANGED[call.op](call)
    assert x is not None
    if count(sizes) != len(x.elements):
        raise ValueError(sizes)
    return Array(x.elements, sizes)


def _transposed(call: Call, x: Array) -> Array:
    steps, sizes = strides(x.sizes), ARRANGED["Transpose"](call)
    return Array(walked(x, sizes, [steps[axis] for axis in order(call)]), sizes)


def _gathered(call: Call, x: Array, places: Array) -> Array | None:
    axis = call.axis(call.attribute("axis", 0), len(x.sizes))
    if count(x.sizes) // max(1, x.sizes[axis]) * len(places.elements) > MAX_ELEMENTS:
        return None
    found = [_index(place, x.sizes[axis]) for place in places.elements]
    along = [found if each == axis else range(size) for each, size in enumerate(x.sizes)]
    return Array(picked(x, *along).elements, (*x.sizes[:axis], *places.sizes, *x.sizes[axis + 1 :]))


def _index(place: int, size: int) -> int:
    if not -size <= place < size:
        raise IndexError(place)
    return place % size


def _sliced(call: Call, x: Array, *_given: Array | None) -> Array:
    along: list[range] = [range(size) for size in x.sizes]
    for axis, start, stop, step in slices(call):
        along[axis] = along[axis][slice_of(start, stop, step)]
    return picked(x, *along)


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


def _split(call: Call, x: Array, *_given: Array | None) -> list[Array]:
    axis = call.axis(call.attribute("axis", 0), len(x.sizes))
    parts, start, found = split_sizes(call, x.sizes[axis]), 0, []
    for part in parts:
        along = [range(start, start + part) if each == axis else range(size) for each, size in enumerate(x.sizes)]
        found.append(picked(x, *along))
        start += part
    return found


def _expanded(_call: Call, x: Array, shape: Array) -> Array | None:
    if not all(type(size) is int for size in shape.elements):
        return None
    sizes = broadcast(x.sizes, tuple(shape.elements))
    return Array(spread(x, sizes), sizes) if count(sizes) <= MAX_ELEMENTS else None


def _tiled(_call: Call, x: Array, times: Array) -> Array | None:
    if not all(type(n) is int for n in times.elements) or count(times.elements) * len(x.elements) > MAX_ELEMENTS:
        return None
    along = [list(range(size)) * n for size, n in zip(x.sizes, times.elements, strict=True)]
    return picked(x, *along)


def _range(_call: Call, start: Array, stop: Array, step: Array) -> Array | None:
    (first,), (last,), (by,) = start.elements, stop.elements, step.elements
    if not all(is_plain(value) for value in (first, last, by)):
        return None
    length = max(math.ceil((last - first) / by), 0)
    return Array([first + place * by for place in range(length)], (length,)) if length <= MAX_ELEMENTS else None


REDUCERS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "ReduceSum": sum, "ReduceProd": count, "ReduceMean": lambda values: sum(values) / len(values),
    "ReduceMax": lambda values: _joined(larger, values), "ReduceMin": lambda values: _joined(smaller, values),
}  # fmt: skip


def _joined(function: Callable[[Any, Any], Any], values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = function(found, value)
    return found


def _reduced(call: Call, x: Array, *_given: Array | None) -> Array | None:
    axes = reduced_axes(call)
    if call.op == "ReduceMean" and (call.require(0).data_type not in FLOATS or not all(map(is_plain, x.elements))):
        return None
    groups: dict[tuple[int, ...], list[Any]] = {}
    for place, element in zip(product(*map(range, x.sizes)), x.elements, strict=True):
        groups.setdefault(tuple(i for axis, i in enumerate(place) if axis not in axes), []).append(element)
    return Array([REDUCERS[call.op](values) for values in groups.values()], reduced_sizes(call, axes))


def _nonzero(_call: Call, x: Array) -> Array | None:
    if not all(map(is_plain, x.elements)):
        return None
    found = [place for place, each in zip(product(*map(range, x.sizes)), x.elements, strict=True) if each]
    return Array([place[axis] for axis in range(len(x.sizes)) for place in found], (len(x.sizes), len(found)))


def _scattered(call: Call, x: Array, places: Array, updates: Array) -> Array | None:
    """ScatterND without a reduction: slices of the last axes are replaced."""
    if call.attribute("reduction", "none") != "none":
        return None
    depth, elements = places.sizes[-1], list(x.elements)
    size = count(x.sizes[depth:])
    for row in range(count(places.sizes[:-1])):
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
