"""Lengths of the longest path through the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convcalc.arith import Number
from convcalc.graph.graph import Graph, Node
from convcalc.metrics.metric import Metric


def _longest(graph: Graph, length: Callable[[Node], int]) -> list[Number]:
    """Return, for every layer, the greatest sum of lengths over the paths from an input through that layer."""
    reached: list[int] = []
    for node, own in zip(graph.nodes, graph.of_nodes(length), strict=True):
        read = node.inputs
        before = reached[read[0]] if len(read) == 1 else max([reached[index] for index in read], default=0)
        reached.append(before + own)
    return [value for value, node in zip(reached, graph.nodes, strict=True) if node.op]


def depth(graph: Graph) -> Sequence[Number]:
    """Weighted layers up to and with each layer.

    A convolution or linear is 1, attention 2, a recurrent layer one per stacked layer.

    Not:
        All layers: only those with weights, and only on the longest path.

    Called:
        the number in the name of ResNet-50 or VGG-16.
    """
    return _longest(
        graph, lambda node: len({product.sequence_step for product in node.facts.products if product.has_weights})
    )


def nonlinearities(graph: Graph) -> Sequence[Number]:
    """Activation layers up to and with each layer.

    Not:
        Activations inside a recurrent layer or an attention; all activation layers: only those of one path.

    Called:
        no tool of the profiles has a name for them.
    """
    return _longest(graph, lambda node: int(node.op is not None and node.op.nonlinear))


def _deepest(values: Sequence[Number]) -> Number:
    return max(values, default=0)


METRICS = (
    Metric("depth", "Depth", "layers", "layers with weights on the longest path", 70, depth, _deepest),
    Metric(
        "nonlinearities",
        "Nonlinearities",
        "layers",
        "activation layers on the path with the most of them",
        80,
        nonlinearities,
        _deepest,
    ),
)
