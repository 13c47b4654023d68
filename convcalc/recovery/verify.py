"""Whether a spec makes a graph: every layer of one against that of the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from convcalc.arith import prod
from convcalc.errors import Source, SpecErrors
from convcalc.graph.graph import Graph, Node
from convcalc.metrics.metric import Metric
from convcalc.metrics.registry import core_metrics, detail_metrics_of
from convcalc.ops.idle import Idle
from convcalc.ops.op import Op
from convcalc.records import replace
from convcalc.recovery.items import COMMUTATIVE, arguments
from convcalc.shapes import Shape
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.load import expand, parse_spec

PLACES = ("receptive_field", "effective_stride", "offset")
ORDERED = "peak_activation_bytes"
KEPT = frozenset(("params", "buffers", "macs", "seen_macs", "activations", "depth", "nonlinearities", *PLACES))
"""Metrics that are equal also where layers of the model are one in the spec."""


def unequal_metrics(graph: Graph, other: Graph) -> tuple[str, ...]:
    """Return the keys of the metrics of which two graphs have other totals, or other receptive fields at the end."""
    measures = (*core_metrics().values(), *detail_metrics_of(PLACES))
    return tuple(measure.key for measure in measures if _total(measure, graph) != _total(measure, other))


def _total(measure: Metric, graph: Graph) -> Any:
    values, found = measure.values(graph)
    return values[-1:] if measure.key in PLACES else found


def same_peak(graph: Graph, order: Sequence[int]) -> bool:
    """Whether layers in another order have as much in memory at once."""
    if list(order) == sorted(order):
        return True
    peak = core_metrics()[ORDERED]
    return bool(peak.values(graph)[1] == peak.values(ordered(graph, order))[1])


def ordered(graph: Graph, order: Sequence[int]) -> Graph:
    """Return a graph with its layers in another order."""
    places = [*(node.index for node in graph.inputs), *order]
    place = {index: at for at, index in enumerate(places)}
    nodes = [replace(graph.nodes[index], index=at) for at, index in enumerate(places)]
    for node in nodes:
        node.inputs, node.weight_owner = tuple(place[each] for each in node.inputs), place[node.weight_owner]
        node.beside = place.get(node.beside, -1)
    return replace(graph, nodes=nodes, outputs={name: place[index] for name, index in graph.outputs.items()})


def difference(text: str, graph: Graph, order: Sequence[int]) -> str:
    """Return where the network of a spec differs from a graph, or an empty text.

    Args:
        text: the spec.
        graph: what it has to make.
        order: its layers in the order of the spec.
    """
    try:
        made = graph_of(text)
    except SpecErrors as errors:
        return str(errors.errors[0])
    expected = [*(node.index for node in graph.inputs), *order]
    if len(made.nodes) != len(graph.nodes) or sorted(expected) != list(range(len(graph.nodes))):
        return f"{len(made.layers)} layers, not {len(graph.layers)}"
    place = {index: at for at, index in enumerate(expected)}
    owners: dict[int, int] = {}
    for node, index in zip(made.nodes, expected, strict=True):
        if found := _of_node(node, graph.nodes[index], made.nodes, place, owners):
            return f"{graph.nodes[index].path}: {found}"
    if list(made.outputs.values()) != [place[index] for index in graph.outputs.values()]:
        return "its outputs"
    return ""


def graph_of(text: str) -> Graph:
    """Return the network of a spec."""
    files = DocumentLoader()
    return expand(parse_spec(Source("recovered.yaml", text), files), files)[0]


def _joined(inputs: Iterable[int], nodes: Sequence[Node], op: Op) -> Iterator[int]:
    """Yield what a concatenation reads, with the inputs of another along the same axis in its place."""
    for index in inputs:
        node = nodes[index]
        if node.op == op:
            yield from _joined(node.inputs, nodes, op)
        else:
            yield index


def _of_node(node: Node, other: Node, made: Sequence[Node], place: dict[int, int], owners: dict[int, int]) -> str:
    if node.op is None or other.op is None:
        return "" if node.op is other.op and node.shape == other.shape else "its input"
    read, wanted = node.inputs, tuple(place[index] for index in other.inputs)
    if read != wanted and node.op.kind == "concat":
        read, wanted = (tuple(_joined(each, nodes, node.op)) for each, nodes in ((read, made), (wanted, made)))
    if node.op.kind in COMMUTATIVE:
        read, wanted = tuple(sorted(read)), tuple(sorted(wanted))
    same = {
        "its kind": node.op.kind == other.op.kind,
        "what it reads": read == wanted,
        "its output": node.shape == other.shape,
        "its arguments": _same_arguments(node, other),
        "its weights": _shapes(node.facts.weights) == _shapes(other.facts.weights),
        "its buffers": _shapes(node.facts.buffers) == _shapes(other.facts.buffers),
        "the experts that run": node.beside == place.get(other.beside, -1),
        "its multiplies": node.facts.products == other.facts.products,
        "its ties": owners.setdefault(other.weight_owner, node.weight_owner) == node.weight_owner,
    }
    return next((what for what, holds in same.items() if not holds), "")


def _same_arguments(node: Node, other: Node) -> bool:
    if node.op == other.op and node.source_form == other.source_form:
        return True
    if isinstance(node.op, Idle) and isinstance(other.op, Idle):  # their weights are compared, names are not
        tokens = (prod(each.input_shapes[0][:-1]) for each in (node, other))
        return node.op.attributes() == other.op.attributes() and len({*tokens}) == 1
    return arguments(node) == arguments(other)


def _shapes(named: Mapping[str, Shape]) -> list[Shape]:
    """Return shapes in order: a model has names of its own for what they are of."""
    return sorted(named.values())
