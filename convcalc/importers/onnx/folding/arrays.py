"""Small arrays in plain Python. Elements may be symbols or arrays of a sweep, where a free size of an input is one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from convcalc.importers.onnx.call import count
from convcalc.importers.onnx.values import Sizes, padded
from convcalc.records import NamedTuple


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
        return list(array.elements) * count(sizes)
    return walked(array, sizes, strides(padded(array.sizes, len(sizes))))


def walked(array: Array, sizes: Sizes, steps: Sequence[int]) -> list[Any]:
    """Return the elements met along axes of these sizes, so far apart."""
    return [array.elements[sum(map(int.__mul__, place, steps))] for place in product(*map(range, sizes))]


def picked(array: Array, *places: Sequence[int]) -> Array:
    """Return the elements at all combinations of places along the axes."""
    steps = strides(array.sizes)
    offsets = [[place * step for place in along] for along, step in zip(places, steps, strict=True)]
    return Array([array.elements[sum(each)] for each in product(*offsets)], tuple(map(len, places)))
