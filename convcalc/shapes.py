"""Shapes without the batch axis: channels first, then any number of spatial axes."""

from __future__ import annotations

from convcalc.arith import Number, prod
from convcalc.errors import SpecError

MAX_AXES = 64
"""Most axes of a shape."""
MAX_AXIS_SIZE = 10**18
"""Largest size of an axis, which is also the largest number of an expression."""


class Shape(tuple[Number, ...]):
    """The axes of one tensor, without batch: ``(channels, *spatial)`` of images, ``(tokens, features)`` of text."""

    __slots__ = ()

    @property
    def rank(self) -> int:
        return len(self)

    @property
    def channels(self) -> Number:
        """Axis 0."""
        return self[0]

    @property
    def features(self) -> Number:
        """The last axis."""
        return self[-1]

    @property
    def spatial(self) -> tuple[Number, ...]:
        """All axes but the first."""
        return self[1:]

    @property
    def elements(self) -> Number:
        """Product of all axes."""
        return prod(self)

    def axis(self, axis: int, name: str = "axis") -> int:
        """Return an axis counted from 0, given one that may count from the end.

        Raises:
            SpecError: CC402, where the shape has no such axis.
        """
        if not -len(self) <= axis < len(self):
            raise SpecError("CC402", f"{name} {axis} is not an axis of {self}, which has {len(self)}")
        return axis % len(self)

    def with_axis(self, axis: int, size: Number) -> Shape:
        """Return this shape with another size on one axis."""
        axis = self.axis(axis)
        return Shape((*self[:axis], size, *self[axis + 1 :]))

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self))}]"
