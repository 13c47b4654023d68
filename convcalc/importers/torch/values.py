"""Tensors of a traced model as the graph sees them: activations, weights, and constants that no layer makes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convcalc.importers.torch.recording import Shape
from convcalc.records import dataclass


@dataclass(frozen=True, slots=True)
class Tensor:
    """An activation: what a layer of the graph gives. ``batch`` is the axis of size 1 that the layer's shape lacks."""

    shape: Shape
    handle: int
    batch: int | None = None
    padding: tuple[tuple[int, int], ...] = ()
    """Cells of zeros around the last axes, which the convolution that reads it alone adds."""

    @property
    def layer_shape(self) -> Shape:
        """The shape that the layer has."""
        return without(self.shape, self.batch)


@dataclass(frozen=True, slots=True)
class Weight:
    """What is computed from parameters and constants alone, the same for every input."""

    shape: Shape
    sources: tuple[str, ...]
    """The keys of the parameters, the largest first."""
    whole: bool = True
    """Whether it has as many elements as the first of them, so that this one can be the weight of a layer."""
    selected: bool = False
    """Whether elements were looked up."""


@dataclass(frozen=True, slots=True)
class Constant:
    """What is computed from neither parameters nor inputs."""

    shape: Shape


Value = Tensor | Weight | Constant


def without(shape: Sequence[int], axis: int | None) -> Shape:
    """Return a shape without an axis; one that has none left is [1], as no layer gives a number."""
    kept = tuple(shape) if axis is None else (*shape[:axis], *shape[axis + 1 :])
    return kept or (1,)


def first_batch(shape: Shape) -> int | None:
    """Return the batch axis of a tensor that is made anew: a first axis of size 1, if there are others."""
    return 0 if len(shape) > 1 and shape[0] == 1 else None


def batch_after_reshape(shape: Shape, batch: int | None, new: Shape) -> int | None:
    """Return the batch axis of a tensor in another shape.

    It is an axis of size 1 with as many elements before it as there were. Where the batch is in no axis of its own,
    as of windows, a first axis of size 1 is taken for it.
    """
    before = 1 if batch is None else prod(shape[:batch])
    for axis, size in enumerate(new[:-1]):
        if size == 1 and prod(new[:axis]) == before:
            return axis
    return None
