"""Which cells of the input a cell of a layer depends on: receptive field, effective stride and offset, axis by axis.

For a layer and an axis of the input, the cells that output cell i depends on reach from ``low(i)`` to ``high(i)``,
counted from the first cell of the input; negative ones lie in the padding. Both are periodic: ``low(i + P) = low(i) +
step``. P is 1 until something is enlarged; behind an upsampling cells take turns, and the largest field of a period is
reported.

A window of extent e = d·(k − 1) + 1, stride s and padding p before reads the cells i·s − p … i·s − p + e − 1 of what
enters. For P = 1, with the field r, the stride j and the padding q = −low(0) of what enters, this is the folding
r' = r + (k − 1)·d·j, j' = j·s, q' = q + p·j. Source: Araujo, Norris and Sim 2019, Computing Receptive Fields of
Convolutional Neural Networks.

At a join the largest field wins. Paths whose strides or centres disagree there are misaligned and reported by name. An
axis of which everything is read (a global pool, attention, a linear layer over a flattened map) has the mark ``whole``,
and one that can no longer be followed (cells rearranged by reshape or permute, joined along the axis) has none. Gates
see everything too; ``_without_gates`` leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from convcalc.arith import is_plain
from convcalc.graph.graph import Graph, Node
from convcalc.metrics._receptive_axis import (
    INPUT_FIELD,
    NO_INPUT,
    WHOLE,
    AxisField,
    AxisOrder,
    FieldSequence,
    join_fields,
)
from convcalc.metrics._window_reads import ReadPattern, read_patterns
from convcalc.metrics.metric import Metric, MisalignedJoin

ALL_TOKENS = ("attention", "lstm", "gru", "rnn")
PERMUTING = "permute"
REARRANGING = ("reshape", PERMUTING, "flatten", "matmul", "custom")
KNOWN_PRODUCTS = ("linear",)
MAX_CELLS = 2**20
"""Cells of all periods that are worked out for one graph; beyond, no axis is followed whose cells take turns."""


def _size(place: AxisField) -> Any:
    return place.size if isinstance(place, FieldSequence) else 0 if place == NO_INPUT else place


def _stride(place: AxisField) -> Any:
    return place.stride if isinstance(place, FieldSequence) else None


def _offset(place: AxisField) -> Any:
    return place.low[0] if isinstance(place, FieldSequence) and place.first_is_nonempty else None


def _axis_by_axis(fact: Callable[[AxisField], Any], graph: Graph, *_: object) -> tuple[list[tuple[Any, ...]], None]:
    """Return a fact of every layer, a value for each axis of the input; of the whole design there is none."""
    places = trace_receptive_fields(graph)[0]
    return [tuple(map(fact, places[node.index])) for node in graph.layers], None


DETAILS = tuple(
    Metric(key, title, "input cells", meaning, values_and_total=partial(_axis_by_axis, fact), per_layer=True)
    for key, title, meaning, fact in (
        ("receptive_field", "Receptive field", "cells of the input that one cell depends on", _size),
        ("effective_stride", "Stride", "cells of the input from one cell to the next", _stride),
        ("offset", "Offset", "first cell of the input that the first cell depends on", _offset),
    )
)


def smallest_receptive_field(graph: Graph, batch: int, dtype: str) -> tuple[list[int | None], int | None]:  # noqa: ARG001
    """The field of every layer and of the outputs on the axis where it is smallest; ``whole`` is all cells.

    A window of k cells with dilation d on a field r and a stride j has the field r + (k − 1)·d·j; at a join the largest
    wins. The offset, the first cell of the first field, falls by p·j at a padding of p.

    Not:
        The effective receptive field, measured by gradients, which is smaller. Cells beyond the border count, and so do
        gates: `report --receptive-field without-gates` leaves these out.

    Called:
        receptive field size in the paper of Araujo, Norris and Sim, whose padding is minus the offset, the first cell
        of the first field.
    """
    sizes = [
        max(node.shape[axis + 1] for node in graph.inputs if node.shape.rank > axis + 1) for axis in range(_axes(graph))
    ]
    return _worst_over_axes(graph, lambda axis, place: sizes[axis] if place == WHOLE else _size(place), min)


def largest_stride(graph: Graph, batch: int, dtype: str) -> tuple[list[int | None], int | None]:  # noqa: ARG001
    """The stride of every layer and of the outputs on the axis on which it is largest; ``whole`` has none.

    A stride s on a stride j is j·s; behind an upsampling it may be a fraction.

    Not:
        The stride that is written at a layer.

    Called:
        output stride in the papers of DeepLab, effective stride in that of Araujo, Norris and Sim.
    """
    return _worst_over_axes(graph, lambda _, place: _stride(place), max)


def _worst_over_axes(
    graph: Graph, fact: Callable[[int, AxisField], Any], worst: Callable[[Sequence[int]], int]
) -> tuple[list[int | None], int | None]:
    """Return one number for all axes; ``None`` where one of them is unknown, or where there is none."""

    def one(facts: Sequence[Any]) -> int | None:
        return worst(facts) if facts and None not in facts else None

    found = [one([fact(axis, place) for axis, place in enumerate(axes)]) for axes in trace_receptive_fields(graph)[0]]
    return [found[node.index] for node in graph.layers], one([found[index] for index in graph.outputs.values()])


def _axes(graph: Graph) -> int:
    return max((node.shape.rank - 1 for node in graph.inputs), default=0)


METRICS = (
    Metric(
        "receptive_field", "Receptive field", "input cells",
        "cells of the input that one cell depends on, on the axis with the fewest; the whole axis where all are read",
        130, values_and_total=smallest_receptive_field,
    ),
    Metric(
        "effective_stride", "Stride", "input cells",
        "cells of the input from one cell to the next, on the axis with the most", 140, values_and_total=largest_stride,
    ),
)  # fmt: skip


@lru_cache(maxsize=1)  # several metrics in turn ask for those of one graph
def trace_receptive_fields(graph: Graph) -> tuple[list[tuple[AxisField, ...]], list[MisalignedJoin]]:
    """Return the places of every node, and the joins at which paths disagree. Several inputs are assumed aligned."""
    axes = _axes(graph)
    straight = tuple(range(1, axes + 1))
    places: list[tuple[AxisField, ...]] = []
    orders: list[AxisOrder] = []
    misaligned: list[MisalignedJoin] = []
    cells = 0
    for node in graph.nodes:
        order = straight
        if node.op is None:
            own = node.shape.rank - 1
            found: tuple[AxisField, ...] = (INPUT_FIELD,) * own + (None,) * (axes - own)
        elif not node.op.depends_on_values:
            found = (NO_INPUT,) * axes
        else:
            entering, before = [places[index] for index in node.inputs], {orders[index] for index in node.inputs}
            order = before.pop()
            if before:
                entering, order = [(None,) * axes], straight
            place = join_fields(graph, node, entering, order, misaligned) if len(entering) > 1 else entering[0]
            found = _field_after(node, place, order)
            order = _order_after(node, order)
            cells += sum(
                len(axis.low) - 1
                for axis in found
                if isinstance(axis, FieldSequence) and all(axis is not old for old in place)
            )
        if cells >= MAX_CELLS:
            found = tuple(
                [place if not isinstance(place, FieldSequence) or len(place.low) == 1 else None for place in found]
            )
        places.append(found)
        orders.append(order)
    return places, misaligned


def _order_after(node: Node, order: AxisOrder) -> AxisOrder:
    """Return which axis of its output each input axis is, given which axis it is of the tensor that it reads."""
    if _permutes(node, order):
        places = [node.input_shapes[0].axis(axis) for axis in node.op.axes]  # type: ignore[union-attr]
        return tuple([places.index(axis) for axis in order])
    return tuple(range(1, len(order) + 1)) if _rearranges(node, order) else order


def _permutes(node: Node, order: AxisOrder) -> bool:
    """Whether it permutes axes, all of the input among them."""
    return node.op is not None and node.op.kind == PERMUTING and node.shape.rank == len(order) + 1


# --- layers -----------------------------------------------------------------------------------------------------------


def _field_after(node: Node, entering: tuple[AxisField, ...], order: AxisOrder) -> tuple[AxisField, ...]:
    """Return the fields of a layer, given those of the tensor that it reads and their axes in it."""
    op = node.op
    assert op is not None
    kind, x = op.kind, node.input_shapes[0]
    if kind in ALL_TOKENS and x.rank == 2:
        return tuple([place if place == NO_INPUT else WHOLE for place in entering])
    if kind == "linear" and x.rank == 1:
        return tuple([WHOLE if place is None else place for place in entering])
    read = read_patterns(op, node.input_shapes, node.shape)
    if read is not None and x.rank - 1 == len(entering):
        kept = zip(entering, order, strict=True)
        return tuple([_field_read(place, read[axis - 1] if axis else None) for place, axis in kept])
    if _permutes(node, order):
        return entering
    if _rearranges(node, order):
        return tuple([place if isinstance(place, str) or _is_point(node) else None for place in entering])
    mixed, kept = fully_mixed_axes(node), zip(entering, order, strict=True)
    return tuple([WHOLE if axis in mixed and isinstance(place, FieldSequence) else place for place, axis in kept])


def _field_read(place: AxisField, reading: ReadPattern | str | None) -> AxisField:
    if place == NO_INPUT or reading == WHOLE:
        return place if place == NO_INPUT else WHOLE
    if not isinstance(place, FieldSequence):
        return place
    return place.read(reading) if isinstance(reading, ReadPattern) else None


def _rearranges(node: Node, order: AxisOrder) -> bool:
    """Whether a layer rearranges cells, or in a way that is unknown."""
    op = node.op
    assert op is not None
    if op.kind in REARRANGING or (op.kind == "concat" and _tensor_axis(node) in order):
        return True
    return bool(node.facts.products) and op.kind not in KNOWN_PRODUCTS


def _is_point(node: Node) -> bool:
    """Whether the input is a single cell, so that rearranging moves nothing."""
    return len(node.inputs) == 1 and all(is_plain(size) and size == 1 for size in node.input_shapes[0].spatial)


def fully_mixed_axes(node: Node) -> frozenset[int]:
    """Return the axes along which every cell depends on all others, for a layer that has no window."""
    op, x = node.op, node.input_shapes[0]
    assert op is not None
    if op.kind == "linear":
        return frozenset((x.rank - 1,))
    if op.kind == "softmax":
        return frozenset((_tensor_axis(node),))
    if op.kind == "norm":
        found = op.attributes(*node.input_shapes)
        if found["type"] == "group" or (found["type"] in ("batch", "instance") and not node.facts.buffers):
            return frozenset(range(x.rank))  # the statistics are those of the input
        return frozenset(x.axis(axis) for axis in found.get("axis", ()))
    return frozenset()


def _tensor_axis(node: Node) -> int:
    return node.input_shapes[0].axis(getattr(node.op, "axis", 0))
