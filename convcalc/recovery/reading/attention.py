"""Attention that a model writes as products with their projections, as one layer where that counts the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any

from convcalc.arith import total
from convcalc.errors import SpecError
from convcalc.graph.attention import ATTENTION, PRODUCTS, REARRANGING, AttentionLayers, joined
from convcalc.graph.graph import Graph, Node
from convcalc.ops.kinds.attention import QK_NORMS
from convcalc.ops.kinds.sdpa import ScaledDotProductAttention
from convcalc.ops.make import make
from convcalc.ops.op import MatrixProduct, Op
from convcalc.recovery.reading.rewriting import Replacement, keeps_order, rebuilt
from convcalc.shapes import Shape

PASSED = frozenset((*REARRANGING, *PRODUCTS, "sdpa", "softmax", "add", "mul", "norm", "gather", "param"))
"""Kinds, beside the projections, that an attention may consist of."""


def with_attention(graph: Graph) -> Graph:
    """Return a graph in which products with their projections are ``attention``; the same one where there are none."""
    readers: list[set[int]] = [set() for _ in graph.nodes]
    for node in graph.nodes:
        for index in node.inputs:
            readers[index].add(node.index)
    tied = [node for node in graph.nodes if node.weight_owner != node.index]
    apart = {index for node in tied for index in (node.index, node.weight_owner)}
    outputs = {*graph.outputs.values()}
    groups: dict[int, Replacement] = {}
    taken: set[int] = set()
    for found in joined(graph):
        group = _group(graph, found, readers) if len(found.nodes) > 1 else None
        last = found.nodes[-1].index
        if group is not None and group[0].isdisjoint(taken | apart | outputs - {last}):
            inside, groups[last] = group
            taken |= inside
    return rebuilt(graph, groups, taken, {}) if groups else graph


def _group(
    graph: Graph, found: AttentionLayers, readers: Sequence[set[int]]
) -> tuple[frozenset[int], Replacement] | None:
    """Return the layers of an attention, and it as one layer, where that has the same params, products and output."""
    last = found.nodes[-1]
    projections = {node.index: node for node in found.nodes if _is_linear(node)}
    products = [node for node in found.nodes if node.op is not None and node.op.kind in ("sdpa", *PRODUCTS)]
    if found.heads is None or projections.pop(last.index, None) is None:
        return None
    reached = _reached(graph, last.inputs, projections)
    inside = frozenset((*(reached or ()), last.index))
    if reached is None or not inside.issuperset(projections) or any(not readers[each] <= inside for each in reached):
        return None
    linears = [_projection(graph, branch, projections) for branch in _branches(graph, products, projections)]
    read = [linear.inputs[0] for linear in linears if linear is not None]
    if len(read) != 3:
        return None
    nodes = [graph.nodes[index] for index in sorted(inside)]
    for inputs in dict.fromkeys((_distinct(read), _distinct([_viewed(graph, index) for index in read]))):
        shapes = [graph.nodes[index].shape for index in inputs]
        for arguments in _arguments(found, nodes, products, [*linears, last], shapes):
            if (op := _same(arguments, shapes, nodes, last)) is not None:
                return inside, Replacement(_path(graph, nodes, last), op, inputs)
    return None


def _distinct(inputs: Sequence[int]) -> tuple[int, ...]:
    """Return what queries, keys and values are projected from, as far as it is not what the one before it is."""
    x, keys, values = inputs
    if values != keys:
        return x, keys, values
    return (x, keys) if keys != x else (x,)


def _viewed(graph: Graph, index: int) -> int:
    """Return the layer that some is a view of, with the same features: exporters add and move axes of one cell."""
    node = graph.nodes[index]
    while keeps_order(node) and graph.nodes[node.inputs[0]].shape[-1] == node.shape[-1]:
        node = graph.nodes[node.inputs[0]]
    return node.index


def _is_linear(node: Node) -> bool:
    return node.op is not None and node.op.kind == "linear" and node.shape[:-1] == node.input_shapes[0][:-1]


def _reached(graph: Graph, starts: Iterable[int], projections: Iterable[int]) -> set[int] | None:
    """Return the layers from some back to the projections; none where others are among them."""
    found: set[int] = set()
    waiting = list(starts)
    while waiting:
        node = graph.nodes[waiting.pop()]
        if node.index in found or _is_constant(graph, node):
            continue
        found.add(node.index)
        if node.index not in projections:
            if node.op is None or node.op.kind not in PASSED:
                return None
            waiting += node.inputs
    return found


def _is_constant(graph: Graph, node: Node) -> bool:
    """Whether a layer is one number that is kept with the weights: what exporters scale by, which many layers read."""
    while keeps_order(node):
        node = graph.nodes[node.inputs[0]]
    return node.op is not None and node.op.kind == "param" and node.shape.elements == 1


def _branches(graph: Graph, products: Sequence[Node], projections: Iterable[int]) -> Iterator[int]:
    """Yield what gives queries, keys and values."""
    first, last = products[0], products[-1]
    yield from first.inputs[:2]
    if first is last:
        yield first.inputs[2]
        return
    yield from (each for each in last.inputs if first.index not in (_reached(graph, [each], projections) or ()))


def _projection(graph: Graph, branch: int, projections: dict[int, Node]) -> Node | None:
    """Return the only projection that leads to a branch."""
    found = (_reached(graph, [branch], projections) or set()) & projections.keys()
    return projections[found.pop()] if len(found) == 1 else None


def _arguments(
    found: AttentionLayers,
    nodes: Sequence[Node],
    products: Sequence[Node],
    linears: Sequence[Node | None],
    shapes: Sequence[Shape],
) -> Iterator[dict[str, Any]]:
    """Yield arguments that one layer may have, for what its products are and its projections give."""
    q, k, v, o = (linear for linear in linears if linear is not None)
    scores, context = products[0].facts.products[0], products[-1].facts.products[-1]
    x, heads, dim = shapes[0], found.heads or 1, o.shape[-1]
    head_dim, value_dim = scores.multiplies // scores.outputs, context.outputs * x[-1] // (heads * x.elements)
    projected = total(each.shape[-1] for each in {q.index: q, k.index: k, v.index: v}.values())
    kv_heads = (projected - heads * head_dim) // (head_dim + value_dim)
    bias = tuple("bias" in each.facts.weights for each in (q, k, v, o))
    tables = [node.facts.params // heads for node in nodes if node.op is not None and node.op.kind == "param"]
    norms = {getattr(node.op, "type", "") for node in nodes if node.op is not None and node.op.kind == "norm"}
    op = products[0].op
    mask = (
        {"mask": "causal", "window": op.key_window}
        if isinstance(op, ScaledDotProductAttention) and op.is_causal
        else {}
    )
    given = {
        **mask,
        "heads": heads,
        "dim": dim if dim != x[-1] else None,
        "head_dim": head_dim if head_dim * heads != dim else None,
        "value_dim": value_dim if value_dim != head_dim else None,
        "kv_heads": kv_heads if kv_heads != heads else None,
        "bias": (bias if len({*bias}) > 1 else False) if False in bias else None,
        "position_bias": tables[0] if tables else None,
    }
    for norm in QK_NORMS[1:] if norms else (None,):
        if norm is None or norm.split("_")[0] in norms:
            yield {key: value for key, value in {**given, "qk_norm": norm}.items() if value is not None}


def _same(arguments: dict[str, Any], shapes: Sequence[Shape], nodes: Sequence[Node], last: Node) -> Op | None:
    """Return attention with some arguments, if it has the params, products, and output of the layers that it joins."""
    op = make(ATTENTION, **arguments)
    try:
        output, weights, products = op.output(*shapes), op.weights(*shapes), op.products(*shapes)
    except SpecError:
        return None
    own = [product for node in nodes for product in node.facts.products]
    is_same = (
        output == last.shape
        and total(shape.elements for shape in weights.values()) == total(node.facts.params for node in nodes)
        and _counts(products) == _counts(own)
        and not any(node.facts.buffers for node in nodes)
    )
    return op if is_same else None


def _counts(products: Iterable[MatrixProduct]) -> list[Any]:
    """Return the multiplies, those that are masked, and the outputs of products with weights, and of those without."""
    listed = list(products)
    return [
        tuple(total(each) for each in zip(*((one.multiplies, one.masked, one.outputs) for one in some), strict=True))
        for some in ([each for each in listed if each.has_weights is flag] for flag in (True, False))
    ]


def _path(graph: Graph, nodes: Sequence[Node], last: Node) -> str:
    """Return the path of the scope that holds the layers; below it, where it holds others too."""
    names = zip(*(node.path.split(".") for node in nodes if node.facts.params), strict=False)
    scope = ".".join(each[0] for each in takewhile(lambda each: len({*each}) == 1, names))
    inside = sum(node.path.startswith(f"{scope}.") for node in graph.layers) if scope else 0
    own = sum(node.path.startswith(f"{scope}.") for node in nodes)
    if scope and inside == own:
        return scope
    return f"{scope}.{ATTENTION}" if scope else last.path
