"""Every op gives the same facts on ints, on arrays and on symbols, and refuses the same points.

Ops are found by walking and start from the examples in their docstrings. The sizes that enter and the sizes among the
arguments are *places*: each is given other values, alone and together with the others. A run on ints says what is true
at a point; one run on arrays must say it of all points at once, and one run on symbols must say it once the values are
put in their place.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
import pytest
import sympy

from convcalc.arith import ConstraintLog, record_constraints
from convcalc.arith.symbols import symbol
from convcalc.errors import SpecError
from convcalc.graph.builder import GraphBuilder
from convcalc.ops.arguments import DimsType, InvalidArgument, PaddingType, ScalesType, SizesType, SizeType
from convcalc.ops.kinds.conv import Conv
from convcalc.ops.op import Held, Op, Window
from convcalc.ops.registry import load_all
from convcalc.shapes import Shape
from tests.ops.examples import EXAMPLES, Example

Place: TypeAlias = tuple[Any, ...]
"""Where a number stands: ``(0, 2)`` is axis 2 of the first input, ``("kernel_size", 1)`` an entry of an argument."""
Point: TypeAlias = dict[Place, Any]
Facts: TypeAlias = dict[Place, Any]

SLOTS = (SizeType, SizesType, PaddingType, DimsType, ScalesType)
"""Slots of sizes; a ``Count`` or an axis shapes the graph and stays an int."""

HELD = ("elements", "log_sums")


# --- places -----------------------------------------------------------------------------------------------------------


def numbers(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    """Every number in a nest of tuples, with its place."""
    if isinstance(value, tuple):
        for index, part in enumerate(value):
            yield from numbers(part, (*place, index))
    else:
        yield place, value


def with_numbers(value: Any, place: Place, point: Mapping[Place, Any]) -> Any:
    """The nest with the numbers of a point put in their places."""
    if isinstance(value, tuple):
        return tuple(with_numbers(part, (*place, index), point) for index, part in enumerate(value))
    return point.get(place, value)


def places(op: Op, inputs: Sequence[Shape]) -> Point:
    """The sizes that enter an op and those among its arguments; −1 is the word for an axis to be worked out."""
    found: Point = dict(numbers(tuple(map(tuple, inputs)), ()))
    for field in fields(op):
        if type(field.metadata["argument"].type) in SLOTS:
            given = numbers(getattr(op, field.name), (field.name,))
            found |= {place: value for place, value in given if type(value) is int and value != -1}
    return found


def facts(op: Op, inputs: Sequence[Shape], point: Mapping[Place, Any]) -> Facts:
    """All that the op states of a layer with these sizes, number by number."""
    builder = GraphBuilder()
    shapes = [Shape(shape) for shape in with_numbers(tuple(map(tuple, inputs)), (), point)]
    entering = [builder.input(f"input{index}", shape) for index, shape in enumerate(shapes)]
    changed = rebound(op, shapes[0].rank - 1, point)
    stated = builder.nodes[builder.append(op.kind, changed, entering)].facts
    found: Facts = {("output", axis): size for axis, size in enumerate(stated.output)}
    for name, tensors in (("weights", stated.weights), ("buffers", stated.buffers)):
        found |= {(name, tensor, axis): size for tensor, shape in tensors.items() for axis, size in enumerate(shape)}
    found |= {("products", index, *key): value for index, key, value in product_numbers(stated.products)}
    found |= {("cached",): changed.cached(*shapes)} | dict(numbers(changed.moved(*shapes) or (), ("moved",)))
    for via in ("module", "function", "fused"):
        held = (*changed.steps(via, *shapes), changed.kept(via, *shapes) or Held(0))
        found |= {(via, index, size): getattr(one, size) for index, one in enumerate(held) for size in HELD}
    window = changed.window(*shapes)
    return found | dict(numbers(() if window is None else tuple(window), (Window,)))


def product_numbers(products: Sequence[Any]) -> Iterator[tuple[int, Place, Any]]:
    for index, product in enumerate(products):
        named = (product.name, product.sequence_step, product.has_weights)
        yield index, (*named, "multiplies"), product.multiplies
        yield index, (*named, "outputs"), product.outputs
        yield index, (*named, "masked"), product.masked


def rebound(op: Op, axes: int, point: Mapping[Place, Any]) -> Op:
    """The op with other sizes, which pass the slots of their arguments as those of a spec do."""
    values = {}
    given = {field.metadata["argument"].key: getattr(op, field.name) for field in fields(op)}
    axes = op.spatial_axes(given, axes)
    for field in fields(op):
        value = getattr(op, field.name)
        if value is not None and type(field.metadata["argument"].type) in SLOTS:
            value = field.metadata["argument"].type.bind(with_numbers(value, (field.name,), point), axes)
        values[field.name] = value
    return type(op)(**values)


def points(start: Point, count: int, least: Callable[[Place], int]) -> list[Point]:
    """The start, every place alone one and two up and down, and some points that differ everywhere."""
    dice = random.Random(len(start))
    alone = [start | {place: value + step} for place, value in start.items() for step in (-2, -1, 1, 2)]
    scaled = [{place: value * dice.choice((1, 1, 1, 2, 3)) for place, value in start.items()} for _ in range(count)]
    moved = [{place: value + dice.randint(-2, 2) for place, value in start.items()} for _ in range(count)]
    found = [start, *alone, *scaled, *moved]
    return [{place: max(value, least(place)) for place, value in point.items()} for point in found]


def on_ints(op: Op, inputs: Sequence[Shape], point: Point) -> Facts | None:
    """What is true at a point; nothing where the op refuses it."""
    try:
        return facts(op, inputs, point)
    except (InvalidArgument, SpecError):
        return None


# --- arrays -----------------------------------------------------------------------------------------------------------

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.line)


@every_example
@pytest.mark.parametrize("dtype", ["int64", "object"])
def test_arrays_are_ints_point_by_point(example: Example, dtype: str) -> None:
    op, inputs = example.bound()
    cloud = points(places(op, inputs), 30, lambda place: 1 if isinstance(place[0], int) else -100)
    columns = {place: np.array([point[place] for point in cloud], dtype) for place in cloud[0]}
    with record_constraints() as ledger:
        arrays = facts(op, inputs, columns)
    refused = masked(ledger, len(cloud))
    for index, point in enumerate(cloud):
        true = on_ints(op, inputs, point)
        assert refused[index] == (true is None), point
        if true is not None:
            assert {place: at(value, index) for place, value in arrays.items()} == true, point


def masked(ledger: ConstraintLog, count: int) -> list[bool]:
    masks = [np.broadcast_to(failed, count) for failed, _, _ in ledger.violations]
    return [any(mask[index] for mask in masks) for index in range(count)]


def at(value: Any, index: int) -> Any:
    return int(value[index]) if isinstance(value, np.ndarray) else value


def test_object_arrays_are_exact_past_the_range_of_int64() -> None:
    conv = Conv(2**33, (3, 3), (1, 1), "half", (1, 1), 1, bias=True, weight_sharing="none")
    sizes = np.array([2**20, 2**31 - 1, 2**40 + 1], dtype=object)
    found = facts(conv, [Shape((2**35, 8, 8))], {(0, 1): sizes, (0, 2): sizes})
    assert list(found["products", 0, "", 1, True, "multiplies"]) == [9 * 2**68 * int(size) ** 2 for size in sizes]
    assert found["weights", "weight", 0] * found["weights", "weight", 1] == 2**68


# --- symbols ----------------------------------------------------------------------------------------------------------


@every_example
def test_symbols_are_ints_once_they_are_known(example: Example) -> None:
    """Symbols are positive, so zeros and negative numbers stay; assumptions are all and only what makes a network."""
    op, inputs = example.bound()
    start = {place: value for place, value in places(op, inputs).items() if value >= 1}
    symbols = {place: symbol(f"n{number}") for number, place in enumerate(start)}
    with record_constraints() as ledger:
        symbolic = facts(op, inputs, symbols)
    for point in points(start, 5, lambda _: 1):
        known = {symbols[place]: sympy.Integer(value) for place, value in point.items()}
        fits = all(assumption.xreplace(known) == sympy.true for assumption in ledger.assumptions)
        true = on_ints(op, inputs, point)
        assert fits == (true is not None), point
        if true is not None:
            assert {place: settled(value, known) for place, value in symbolic.items()} == true, point


def settled(value: Any, known: Mapping[Any, Any]) -> Any:
    if not isinstance(value, sympy.Basic):
        return value
    number = value.xreplace(known)
    assert number.is_Integer, number
    return int(number)


def test_every_op_is_tried() -> None:
    assert {example.op for example in EXAMPLES} == set(load_all().values())
