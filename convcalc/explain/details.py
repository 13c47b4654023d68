"""How what is no sum comes about: intensity, receptive field, stride and offset of a layer in its network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convcalc.explain.model import Step
from convcalc.graph import Node
from convcalc.report import Row

INTENSITY = "arithmetic_intensity"
FIELD, STRIDE, OFFSET = "receptive_field", "effective_stride", "offset"
OF_AN_INPUT = {FIELD: 1, STRIDE: 1, OFFSET: 0}


def derived(key: str, node: Node, row: Row, before: Row | None) -> tuple[Step, ...]:
    """Return the derivation of a detail, where the layer is a window on one tensor, or for the ratio that it is.

    ``before`` is the row of the layer that is read; nothing where several are read, or an input.
    """
    value = row.values[key]
    if key == INTENSITY and value:
        return (Step("", f"{row.values['flops']:,}/{row.values['traffic_bytes']:,}", value),)
    if key not in OF_AN_INPUT or len(node.inputs) != 1:
        return ()
    axes = len(node.input_shapes[0].spatial)
    entering = {each: before.values[each] if before else (first,) * axes for each, first in OF_AN_INPUT.items()}
    return _alike([*_axes(node, entering, key)], value)


def _axes(node: Node, entering: Mapping[str, Sequence[Any]], key: str) -> Iterator[Step]:
    """Give what the window of a layer makes of each axis: r + (k − 1)·d·j, j·s, q − p·j."""
    window = node.op.window(*node.input_shapes) if node.op else None
    if window is None:
        return
    told = zip(*(entering[each] for each in OF_AN_INPUT), strict=True)
    for axis, ((r, j, q), k, s, (p, _), d) in enumerate(zip(told, *window, strict=False), 1):
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
