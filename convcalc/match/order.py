"""An order of layers that does not depend on the order in which a source lists the branches of a join."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import count
from typing import Any

from convcalc.graph.graph import Graph
from convcalc.match.layers import IGNORABLE, WINDOW, Layer
from convcalc.records import NamedTuple


class _Upstream(NamedTuple):
    """What leads to a node, itself included, by the deepest way from an input. Norms and activations are no steps."""

    depth: int
    forms: tuple[str, ...]
    """Kind, kernel and stride of the last layers on it, the last first."""
    others: tuple[str, ...]
    """Their other settings."""
    number: int
    """Equal for equal content, whichever graph it is in."""
    outline: int
    """Equal for equal content but for settings, norms and activations included."""


LAST = 8
"""So many layers tell branches apart."""
KEYS: tuple[Callable[[_Upstream], tuple[Any, ...]], ...] = (
    lambda upstream: upstream,
    lambda upstream: (upstream.others, upstream),
    lambda upstream: (upstream.forms, upstream),
    lambda upstream: (upstream.depth, upstream.forms, upstream.outline),
)
"""By what the branches of a join are sorted: a layer that differs leaves the order by one of them as it is."""


Numbering = defaultdict[Hashable, int]
"""Numbers for contents, in the order in which they come first: the same number for equal ones."""


def new_numbering() -> Numbering:
    return defaultdict(count().__next__)


def sorted_by_branches(graph: Graph, layers: Sequence[Layer], numbering: Numbering) -> list[list[Layer]]:
    """Return layers from the inputs to the outputs, the branches of each join one by one: in one order for each key.

    Linear in the edges of the graph, but for sorting the inputs of each join.
    """
    at = {layer.index: layer for layer in layers}
    upstream: list[_Upstream] = []
    for node in graph.nodes:
        upstream.append(_upstream([upstream[index] for index in node.inputs], at.get(node.index), numbering))
    return [[at[index] for index in _depth_first(graph, list(map(key, upstream))) if index in at] for key in KEYS]


def _upstream(inputs: Sequence[_Upstream], layer: Layer | None, numbering: Numbering) -> _Upstream:
    """Return what leads to a node. Branches without layers, such as masks, tell nothing."""
    branches = sorted({each for each in inputs if each.depth})
    deepest = branches[-1] if branches else _Upstream(0, (), (), -1, -1)
    number, outline = deepest.number, deepest.outline
    if len(branches) > 1:
        number = numbering[tuple(branches)]
        outline = numbering[tuple(sorted({each.outline for each in branches}))]
    if layer is None:
        return deepest._replace(number=number, outline=outline)
    number, outline = numbering[layer.key, number], numbering[layer.form, outline]
    if layer.kind in IGNORABLE:
        return deepest._replace(number=number, outline=outline)
    others = str([value for name, value in layer.settings.items() if name not in WINDOW[:3]])
    forms, trail = (str(layer.form), *deepest.forms[: LAST - 1]), (others, *deepest.others[: LAST - 1])
    return _Upstream(deepest.depth + 1, forms, trail, number, outline)


def _depth_first(graph: Graph, keys: Sequence[Any]) -> list[int]:
    """Return all nodes, each behind its inputs, the first of which come first with all that leads there."""
    ends = [*graph.outputs.values(), *range(len(graph.nodes))]
    inputs: list[list[int]] = [sorted(set(node.inputs), key=lambda index: (keys[index], index)) for node in graph.nodes]
    order: dict[int, None] = {}
    opened: set[int] = set()
    stack = list(reversed(ends))
    while stack:
        index = stack[-1]
        if index in opened:
            stack.pop()
            order.setdefault(index)
        else:
            opened.add(index)
            stack += [each for each in reversed(inputs[index]) if each not in opened]
    return list(order)
