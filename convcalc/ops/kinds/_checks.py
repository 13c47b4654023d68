"""Checks that several ops share: shapes that broadcast, groups of equal size, lists of axes."""

from __future__ import annotations

from convcalc.arith import Number, at_least, divides, either, equal, require
from convcalc.errors import SpecError
from convcalc.shapes import Shape


def broadcast(kind: str, *shapes: Shape, whole: tuple[Shape, ...] = ()) -> Shape:
    """Return the shape that all shapes broadcast to; ``whole`` are the shapes to name in an error."""
    named = whole or shapes
    joined = shapes[0]
    for position, other in enumerate(shapes[1:], 1):
        require(joined.rank == other.rank, "CC405", "{}: shapes differ: {} vs {}", kind, named[0], named[position])
        joined = Shape(
            _broadcast_axis(kind, a, b, named[0], named[position]) for a, b in zip(joined, other, strict=True)
        )
    return joined


def _broadcast_axis(kind: str, left: Number, right: Number, first: Shape, other: Shape) -> Number:
    fits = either(equal(left, right), either(equal(left, 1), equal(right, 1)))
    require(fits, "CC405", "{}: shapes differ: {} vs {}", kind, first, other)
    return at_least(left, right)


def require_groups(groups: Number, channels: Number, which: str = "channels") -> None:
    """Demand that the groups are of equal size."""
    require(divides(groups, channels), "CC404", f"groups = {{}} does not divide the {{}} {which}", groups, channels)


def distinct_axes(kind: str, axes: int | tuple[int, ...], shape: Shape) -> tuple[int, ...]:
    """Return axes counted from 0, given ones that may count from the end: each once, or CC402."""
    named = axes if isinstance(axes, tuple) else (axes,)
    found = tuple(map(shape.axis, named))
    if len(found) > 1 and len(set(found)) != len(found):
        raise SpecError("CC402", f"{kind}: the axes {list(named)} name one of {shape} twice")
    return found
