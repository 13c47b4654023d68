"""What a recovered spec makes, beside what it was recovered from; the comparison is not that of the program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import convcalc
from convcalc.api import Design
from convcalc.graph.graph import Graph, Node
from convcalc.ops.idle import Idle
from convcalc.recovery import recover


def row(node: Node) -> tuple[Any, ...]:
    """All that is counted of a layer; weights of experts that do not run have the names of layers before their own."""
    assert node.op is not None
    facts = node.facts
    return (node.op.kind, tuple(node.shape), facts.params, facts.buffer_elements, facts.multiplies,
            sorted((name.rpartition(".")[2], tuple(shape)) for name, shape in facts.weights.items()))  # fmt: skip


def of_text(text: str) -> Graph:
    return convcalc.load(text=text).graph


def lines(text: str) -> int:
    """Lines that hold something."""
    return sum(bool(line.strip()) for line in text.splitlines())


def totals(graph: Graph) -> dict[str, int]:
    """Sums over a graph, each weight once."""
    own = [node for node in graph.layers if node.weight_owner == node.index]
    return {
        "layers": len(graph.layers),
        "params": sum(node.facts.params for node in own),
        "macs": sum(node.facts.multiplies for node in graph.layers),
        "activations": sum(node.facts.product_outputs for node in graph.layers),
    }


def outputs(graph: Graph) -> list[tuple[int, ...]]:
    return [tuple(graph.nodes[index].shape) for index in graph.outputs.values()]


def edges(graph: Graph) -> Iterator[tuple[Any, Any]]:
    """The rows at both ends of everything that is read; concatenations of concatenations are one."""
    for node in graph.layers:
        for index in node.inputs:
            before = graph.nodes[index]
            if "concat" not in {node.op.kind if node.op else "", before.op.kind if before.op else ""}:
                yield (row(before) if before.op else tuple(before.shape)), row(node)


def require_equal(text: str, graph: Graph) -> None:
    """Demand that a spec makes the layers of a graph, whatever their order among parallel branches."""
    made = of_text(text)
    assert totals(made) == totals(graph)
    assert sorted(map(row, made.layers), key=repr) == sorted(map(row, graph.layers), key=repr)
    assert sorted(edges(made), key=repr) == sorted(edges(graph), key=repr)
    assert outputs(made) == outputs(graph)


def require_fixed(graph: Graph) -> str:
    """Demand that the spec of a recovered spec is that spec, and return it."""
    text = recover(graph)
    assert recover(of_text(text)) == text
    return text


METRICS = (
    "params",
    "active_params",
    "macs",
    "seen_macs",
    "activations",
    "weight_bytes",
    "traffic_bytes",
    "cache_bytes",
)


def idle(graph: Graph) -> list[tuple[Any, ...]]:
    """All that is said of experts that do not run."""
    ops = [(node, node.op) for node in graph.layers if isinstance(node.op, Idle)]
    return [(op.experts, op.running, node.facts.params, tuple(graph.nodes[node.beside].shape)) for node, op in ops]


def require_same(network: Design, *, flat: bool = False) -> str:
    """Demand that what is recovered of a network has its layers and totals, and return it."""
    text = recover(network.graph, flat=flat)
    made = convcalc.load(text=text)
    require_equal(text, network.graph)
    assert sorted(idle(made.graph), key=repr) == sorted(idle(network.graph), key=repr)
    one, other = network.report().totals, made.report().totals
    assert {key: one[key] for key in METRICS} == {key: other[key] for key in METRICS}
    return text
