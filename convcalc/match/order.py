"""An order of layers that does not depend on the order in which a source lists the branches of a join."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from convcalc.graph.graph import Graph
from convcalc.match.layers import Layer


class _Upstream(NamedTuple):
    """What leads to a node, itself included; compared to sort the inputs of a join."""

    depth: int
    """Layers on the longest way from an input."""
    form: str
    """Kind, kernel and stride of the last layer on it."""
    number: int
    """Equal for equal content, whichever graph it is in."""


class Numbering:
    """Numbers for contents, in the order in which they come first: the same number for equal ones."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, content: Hashable) -> int:
        """Return the number of a content."""
        return self._numbers.setdefault(content, len(self._numbers))


def sorted_by_branches(graph: Graph, layers: Sequence[Layer], numbering: Numbering) -> list[Layer]:
    """Return layers from the inputs to the outputs, branches of a join one by one: shallow ones first, then by content.

    Linear in the edges of the graph, but for sorting the inputs of each join.
    """
    at = {layer.index: layer for layer in layers}
    upstream: list[_Upstream] = []
    for node in graph.nodes:
        upstream.append(_upstream([upstream[index] for index in node.inputs], at.get(node.index), numbering))
    ends = [graph.nodes[index].index for index in graph.outputs.values()]
    order = _depth_first(graph, ends + [node.index for node in graph.nodes], upstream)
    return [at[index] for index in order if index in at]


def _upstream(inputs: Sequence[_Upstream], layer: Layer | None, numbering: Numbering) -> _Upstream:
    """Return what leads to a node. Branches without layers, such as masks, tell nothing."""
    branches = sorted({each for each in inputs if each.depth})
    depth, form, number = branches[-1] if branches else (0, "", -1)
    if len(branches) > 1:
        number = numbering.number(tuple(branches))
    if layer is None:
        return _Upstream(depth, form, number)
    return _Upstream(depth + 1, str(layer.form), numbering.number((layer.key, number)))


def _depth_first(graph: Graph, ends: Sequence[int], upstream: Sequence[_Upstream]) -> list[int]:
    """Return all nodes, each behind its inputs, the first of which come first with all that leads there."""
    inputs: Mapping[int, Sequence[int]] = {
        node.index: sorted(set(node.inputs), key=lambda index: (upstream[index], index)) for node in graph.nodes
    }
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
