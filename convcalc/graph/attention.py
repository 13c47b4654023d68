"""Attention however it is written: as one layer, or as products around a softmax with their projections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush

from convcalc.arith import Number
from convcalc.graph.graph import Graph, LayerFacts, Node
from convcalc.ops.make import make
from convcalc.records import NamedTuple, replace

ATTENTION = "attention"
POSITIONS = "position_bias"
"""The weight of an attention that other sources have as a layer of its own."""
PRODUCTS = ("matmul", "einsum")
"""Products of two activations: which of them a source writes is no difference."""
REARRANGING = (
    "reshape", "permute", "flatten", "concat", "split", "slice", "broadcast", "dropout", "elementwise", "roll",
)  # fmt: skip
"""Layers that may be between the products and the projection of their result."""
SCORED = (*REARRANGING, "add", "mul", "scale", "norm", "act")
"""Layers that may be between the softmax and the products: scaling, masks, a bias of positions."""
FARTHEST = 32
"""So many layers are between a softmax and its products at most."""


class AttentionLayers(NamedTuple):
    """The layers of one attention, the last of them its output."""

    nodes: tuple[Node, ...]
    scores: Number
    """Elements of the scores."""
    heads: Number | None
    """Heads, where there is a projection by which they are known."""
    in_features: Number | None
    """Features that the queries, or the first that is projected, are projected from."""
    has_bias: bool
    """Whether the projection of the output adds a bias."""


class _Core(NamedTuple):
    """The products themselves."""

    first: Node
    """What reads queries and keys."""
    last: Node
    """What reads the values."""
    inside: tuple[int, ...]


def joined(graph: Graph) -> Iterator[AttentionLayers]:
    """Give every attention of a graph, its layers in their order. Linear in the layers."""
    readers: list[list[int]] = [[] for _ in graph.nodes]
    for node in graph.nodes:
        for index in set(node.inputs):
            readers[index].append(node.index)
    for node in graph.layers:
        assert node.op is not None
        if node.op.kind == ATTENTION:
            yield _written_as_one(node)
        elif core := _core(graph, node, readers):
            yield _with_projections(graph, core, readers)


def _written_as_one(node: Node) -> AttentionLayers:
    scores, context = (_product(node, name) for name in ("scores", "context"))
    x = node.input_shapes[0]
    return AttentionLayers(
        (node,), scores[1], _heads(scores, context, node), x.features, "o.bias" in node.facts.weights
    )


def _product(node: Node, name: str) -> tuple[Number, Number]:
    """Return multiplies and outputs of a product of a layer; of one without names, those of its only product."""
    products = node.facts.products
    found = next((product for product in products if product.name in (name, "")), products[0])
    return found.multiplies, found.outputs


def _heads(scores: tuple[Number, Number], context: tuple[Number, Number], output: Node) -> Number | None:
    """Heads: scores are heads · queries · keys, a cell of the context is one product a key."""
    keys, queries = context[0] // context[1], output.shape.elements // output.shape[-1]
    return scores[1] // (keys * queries)


def _core(graph: Graph, node: Node, readers: Sequence[Sequence[int]]) -> _Core | None:
    """Return the products around a softmax, or ``sdpa``, which is both."""
    assert node.op is not None
    if node.op.kind == "sdpa":
        return _Core(node, node, (node.index,))
    if node.op.kind != "softmax":
        return None
    above, below = _above(graph, node), _below(graph, node, readers, SCORED)
    if above is None or below is None or not _is_product(below[-1]):
        return None
    inside = (*(each.index for each in above), node.index, *(each.index for each in below))
    return _Core(above[-1], below[-1], inside)


def _is_product(node: Node) -> bool:
    return node.op is not None and node.op.kind in PRODUCTS and not node.facts.params


def _above(graph: Graph, softmax: Node) -> list[Node] | None:
    """Return the layers from a softmax up to the product of its scores."""
    passed: list[Node] = []
    waiting = [graph.nodes[index] for index in softmax.inputs]
    while waiting and len(passed) < FARTHEST:
        node = waiting.pop(0)
        passed.append(node)
        if _is_product(node):
            return passed
        if node.op is not None and node.op.kind in SCORED:
            waiting += [graph.nodes[index] for index in node.inputs]
    return None


def _below(graph: Graph, node: Node, readers: Sequence[Sequence[int]], passing: Sequence[str]) -> list[Node] | None:
    """Return the layers behind one, each the only reader of the one before, up to the first of another kind."""
    passed: list[Node] = []
    while len(readers[node.index]) == 1 and len(passed) < FARTHEST:
        node = graph.nodes[readers[node.index][0]]
        passed.append(node)
        if node.op is None or node.op.kind not in passing:
            return passed
    return None


def _with_projections(graph: Graph, core: _Core, readers: Sequence[Sequence[int]]) -> AttentionLayers:
    """Return the products with the linear layers that only they read, and the one that alone reads their result."""
    members = [graph.nodes[index] for index in _projected(graph, core, readers)]
    first = next((node for node in members if node.facts.multiplies), None)
    members += [core.first, core.last] if core.first is not core.last else [core.first]
    scores, context = _product(core.first, "scores"), _product(core.last, "context")
    behind = _below(graph, core.last, readers, REARRANGING)
    last = behind[-1] if behind and behind[-1].op is not None and behind[-1].op.kind == "linear" else None
    members += [last] if last else []
    return AttentionLayers(
        tuple(sorted(members, key=lambda node: node.index)),
        scores[1],
        _heads(scores, context, last) if last else None,
        first.input_shapes[0].features if first else None,
        last is not None and "bias" in last.facts.weights,
    )


def _projected(graph: Graph, core: _Core, readers: Sequence[Sequence[int]]) -> list[int]:
    """Return the linear layers before the products that nothing else reads, and the norms between, in their order."""
    kept, inside = set(core.inside), set(core.inside)
    waiting = [-index for index in {*core.first.inputs, *core.last.inputs} - inside]
    heapify(waiting)
    while waiting:  # the last first: all that reads a layer has been seen before it
        node = graph.nodes[-heappop(waiting)]
        if node.index in kept or node.op is None or not kept.issuperset(readers[node.index]):
            continue
        if not node.facts.multiplies or node.op.kind == "linear":
            kept.add(node.index)
        for index in node.inputs if not node.facts.multiplies else ():
            heappush(waiting, -index)
    return list(_behind_projections(graph, sorted(kept - inside)))


def _behind_projections(graph: Graph, indices: Sequence[int]) -> Iterator[int]:
    """Give the linear layers, and what has a setting behind them; a norm before them is a layer of its own."""
    behind: set[int] = set()
    for index in indices:
        node = graph.nodes[index]
        assert node.op is not None
        if node.op.kind == "linear" or not behind.isdisjoint(node.inputs):
            behind.add(index)
            if node.facts.params or node.op.kind in ("linear", "norm", "act"):
                yield index


def with_tables_apart(graph: Graph) -> Graph:
    """Return a graph in which tables of positions are layers before the attention that has them."""
    if not any(POSITIONS in node.facts.weights for node in graph.nodes):
        return graph
    nodes: list[Node] = []
    place: list[int] = []
    for node in graph.nodes:
        weights = dict(node.facts.weights)
        table, facts, owner = weights.pop(POSITIONS, None), node.facts, node.weight_owner
        if table is not None:
            facts = LayerFacts(facts.output, weights, facts.buffers, facts.products)
        if table is not None and owner == node.index:
            op, own = make("param", shape=table), LayerFacts(table, {"weight": table}, {}, ())
            nodes.append(Node(len(nodes), f"{node.path}.{POSITIONS}", op, (), (), own, node.source, len(nodes)))
        place.append(len(nodes))
        inputs = tuple(place[index] for index in node.inputs)
        nodes.append(replace(node, index=place[-1], inputs=inputs, weight_owner=place[owner], facts=facts))
    return replace(graph, nodes=nodes, outputs={name: place[index] for name, index in graph.outputs.items()})
