"""How what is no sum comes about: intensity, receptive field, stride and offset of a layer in its network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convcalc.analyzers import DETAILS, details
from convcalc.analyzers.memory import traffic_bytes
from convcalc.analyzers.multiplies import flops
from convcalc.explain.model import Metric, Step
from convcalc.graph import Graph, Node
from convcalc.report import Column

INTENSITY = "arithmetic_intensity"
FIELD, STRIDE, OFFSET = "receptive_field", "effective_stride", "offset"
OF_AN_INPUT = {FIELD: 1, STRIDE: 1, OFFSET: 0}


def details_of(graph: Graph, node: Node, batch: int, dtype: str) -> Iterator[Metric]:
    """Give every detail of a layer, with its derivation where the layer has a window, or is a ratio."""
    place = graph.layers.index(node)
    found = {detail.key: detail for detail in details(graph, DETAILS, batch, dtype).details}
    entering = _entering(graph, node, {key: found[key].values for key in OF_AN_INPUT})
    for detail in found.values():
        value = detail.values[place]
        steps: tuple[Step, ...] = ()
        if detail.key == INTENSITY:
            operations, moved = batch * flops(graph)[place], traffic_bytes(graph, batch, dtype)[place]
            steps = (Step("", f"{operations:,}/{moved:,}", value),) if value else ()
        elif detail.key in OF_AN_INPUT and isinstance(value, tuple):
            steps = _alike([*_axes(node, entering, detail.key)], value)
        yield Metric(Column(*detail[:4], additive=False, of_layers=True), value, steps)


def _entering(graph: Graph, node: Node, values: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
    """Return field, stride and offset of the one tensor that a layer reads; nothing where it reads several."""
    if len(node.inputs) != 1:
        return {}
    before = graph.nodes[node.inputs[0]]
    if before.op is None:
        return {key: (first,) * len(before.shape.spatial) for key, first in OF_AN_INPUT.items()}
    place = graph.layers.index(before)
    return {key: values[key][place] for key in OF_AN_INPUT}


def _axes(node: Node, entering: Mapping[str, Sequence[Any]], key: str) -> Iterator[Step]:
    """Give what the window of a layer makes of each axis: r + (k − 1)·d·j, j·s, q − p·j."""
    window = node.op.window(*node.input_shapes) if node.op else None
    if window is None or not entering:
        return
    told = zip(*(entering[each] for each in OF_AN_INPUT), strict=True)
    for axis, ((r, j, q), k, d, s, (p, _)) in enumerate(
        zip(told, window.kernel_size, window.dilation, window.stride, window.padding, strict=False), 1
    ):
        if not all(isinstance(number, int) for number in (r, j, q)):
            continue
        reach = f"({k} − 1)" + f"·{d}" * (d != 1)
        text, value = {
            FIELD: (f"{r} + {reach}·{j}", r + (k - 1) * d * j),
            STRIDE: (f"{j}·{s}", j * s),
            OFFSET: (f"{q} − {p}·{j}", q - p * j),
        }[key]
        yield Step(f"axis {axis}", text.replace("-", "−"), value)


def _alike(steps: Sequence[Step], value: Sequence[Any]) -> tuple[Step, ...]:
    """Return one step for all axes where they are alike; none where one does not come to the value."""
    if not steps or [step.value for step in steps] != list(value):
        return ()
    return tuple(steps) if len({step.factors for step in steps}) > 1 else (steps[0]._replace(name=""),)
