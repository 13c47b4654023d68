"""Layers with what is fused to them: a convolution without bias, the norm behind it, the activation behind that."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from convcalc.graph.graph import Graph, Node
from convcalc.ops.idle import Idle
from convcalc.records import NamedTuple, dataclass, field
from convcalc.recovery.items import SpecItem, Value, arguments, every
from convcalc.shapes import Shape


class ExpertBranches(NamedTuple):
    """Those of one ``each``."""

    idle: Node
    """The row of those that do not run."""
    first: int
    """The first layer of those that do: all from it to that row are theirs."""
    shared: frozenset[int]
    """Layers of a single one that runs whose weights all experts share."""


def note_experts(graph: Graph, units: Sequence[Unit]) -> None:
    """Note experts at the first join that reads the last of those that run."""
    waiting = {node.beside: node for node in graph.layers if isinstance(node.op, Idle)}
    for unit in units if waiting else ():
        for index in unit.inputs if unit.is_join else ():
            node = waiting.get(index)
            if node is not None and isinstance(node.op, Idle) and unit.nodes[0].index > node.index:
                first = _first_layer(graph, node)
                unit.experts.append(
                    ExpertBranches(node, first, frozenset(_shared(node.op, graph.nodes[first : node.index])))
                )
                del waiting[index]


def _shared(op: Idle, nodes: Sequence[Node]) -> Iterator[int]:
    """Yield layers with weights that those which do not run have not."""
    idle = list(op.layers) if op.running == 1 else []
    for node in nodes if idle else ():
        if node.weight_owner == node.index and (node.facts.weights or node.facts.buffers):
            if idle and (idle[0].op, idle[0].entering) == (node.op, node.input_shapes):
                del idle[0]
            else:
                yield node.index


def _first_layer(graph: Graph, idle: Node) -> int:
    turn = re.compile(rf"{re.escape(_name(idle))}_?\d+(\.|$)")
    at = idle.index
    while turn.match(graph.nodes[at - 1].path):
        at -= 1
    return at


def with_each(item: SpecItem, experts: Sequence[ExpertBranches]) -> None:
    """Let the branches of a join that are experts be one, which is an item ``each``."""
    assert item.branches is not None
    for node, _, shared in experts:
        assert isinstance(node.op, Idle)
        end = item.ends.index(node.beside) + 1
        run = slice(end - node.op.running, end)
        if not all(item.branches[run]):
            continue  # they are in a branch of another join: there is no such spec
        each = SpecItem("each", {"each": node.op.running, "of": node.op.experts}, (node.index,), path=_name(node))
        each.branches, each.ends = item.branches[run], item.ends[run]
        for inner in every([each]):
            if not shared.isdisjoint(inner.nodes[:1]):
                inner.modifiers["tie"] = True
        item.branches[run] = [[each]]
        item.ends = (*item.ends[: run.start], node.index, *item.ends[end:])


def _name(idle: Node) -> str:
    """Return the path of experts without the number of each."""
    return idle.path.rpartition(".")[0]


@dataclass(slots=True)
class Unit:
    """A layer with the norm and the activation that are fused to it, and the nodes that it reads."""

    nodes: list[Node]
    inputs: tuple[int, ...]
    tie: int | None = None
    experts: list[ExpertBranches] = field(default_factory=list)
    """Of a join, those among its branches."""

    @property
    def is_join(self) -> bool:
        """Whether its inputs are branches."""
        op = self.nodes[0].op
        assert op is not None
        return op.arity != (1, 1)

    def item(self, known: dict[tuple[int, tuple[Shape, ...]], dict[str, Value]]) -> SpecItem:
        """Return it as an item, without branches; ``known`` holds the arguments of ops, which layers share."""

        def arguments_of(node: Node) -> dict[str, Value]:
            key = id(node.op), node.input_shapes
            if node.source_form:
                return arguments(node)
            if key not in known:
                known[key] = arguments(node)
            return dict(known[key])

        head, *parts = self.nodes
        op = head.op
        assert op is not None
        args = arguments_of(head)
        for part in parts:
            assert part.op is not None
            args |= {f"{part.op.kind}.{key}": value for key, value in arguments_of(part).items()}
        if "norm.type" in args and args.get("bias") is False:
            del args["bias"]
        item = SpecItem(op.kind, args, tuple(node.index for node in self.nodes), path=head.path, tie=self.tie)
        if self.is_join:
            item.ends, item.branches = self.inputs, [[] for _ in self.inputs]
        else:
            item.reads = self.inputs[0] if self.inputs else None
            item.references = dict(zip(op.layer_arguments, self.inputs[1:], strict=False))
        return item


def _extended(units: Sequence[Unit]) -> None:
    """Let a concatenation of what an earlier one has, and more, read that one: it is the same tensor."""
    known: dict[tuple[object, ...], int] = {}
    for unit in units:
        op = unit.nodes[0].op
        if op is None or op.kind != "concat" or unit.experts:
            continue
        found = next(
            (length for length in range(len(unit.inputs) - 1, 1, -1) if (op, *unit.inputs[:length]) in known), 0
        )
        known[op, *unit.inputs] = unit.nodes[-1].index
        if found:
            unit.inputs = (known[op, *unit.inputs[:found]], *unit.inputs[found:])


def fuse(graph: Graph, *, alone: bool = False) -> list[Unit]:
    """Return the layers of a graph in their order, each with what is fused to it; with ``alone`` nothing is."""
    readers = Counter(index for node in graph.nodes for index in node.inputs)
    tied = [node for node in graph.layers if node.weight_owner != node.index]
    shared = {index for node in tied for index in (node.index, node.weight_owner)}
    apart = {*graph.outputs.values(), *shared}
    units: list[Unit] = []
    ends: dict[int, Unit] = {}
    for node in graph.layers:
        if node.op is None or not node.op.has_output:
            continue
        before = ends.get(node.inputs[0]) if len(node.inputs) == 1 and node.index not in shared and not alone else None
        if before and readers[node.inputs[0]] == 1 and node.inputs[0] not in apart and _is_fused(before.nodes, node):
            before.nodes.append(node)
            ends[node.index] = before
        else:
            owner = node.weight_owner if node.weight_owner != node.index else None
            ends[node.index] = Unit([node], node.inputs, owner)
            units.append(ends[node.index])
    note_experts(graph, units)
    if not alone:
        _extended(units)
    return units


def _is_fused(nodes: Sequence[Node], node: Node) -> bool:
    """Whether a spec can have the node as a part of the layer before it."""
    head, last, op = nodes[0].op, nodes[-1].op, node.op
    if head is None or last is None or op is None or not head.accepts_norm_act:
        return False
    if op.kind == "norm":
        return len(nodes) == 1 and head.kind != "linear" and getattr(head, "bias", True) is False
    return op.kind == "act" and last.kind != "act"
