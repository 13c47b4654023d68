"""Experts that do not run: what ``each: k, of: E`` has beside its k branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from convcalc.arith import equal, is_plain, less_equal, require, total
from convcalc.errors import SpecError
from convcalc.graph.graph import Node
from convcalc.ops.arguments import InvalidArgument, SizeType
from convcalc.ops.idle import ExpertLayer, Idle
from convcalc.spec.document.syntax_tree import Item
from convcalc.spec.document.value_nodes import ValueNode
from convcalc.spec.expansion.frames import OMITTED, Branch, Frame


def idle_experts(item: Item, branches: Sequence[Branch], evaluate: Callable[[ValueNode], Any]) -> Idle | None:
    """Return the op of the experts that do not run; ``None`` where all run, or hold no weights of their own.

    Raises:
        SpecError: CC410, where ``of`` is no integer, or less than the branches, or where none of these runs;
            CC407, where the branches differ, so that it is not known what the others hold.
    """
    if item.of is None or item.repeat is None or (branches and all(output == OMITTED for *_, output in branches)):
        return None
    value, running = evaluate(item.of), len(branches)
    try:
        experts = SizeType(0).bind(value, 0)
        require(running > 0 or equal(experts, 0), "CC410", "none of {} experts runs: `each` is 0", experts)
        text = "{} experts cannot run of {}: `each` is how many run, `of` how many there are"
        require(less_equal(running, experts), "CC410", text, running, experts)
        layers = [_own_layers(frame, nodes) for frame, nodes, _ in branches]
        _require_alike(layers)
    except InvalidArgument as error:
        raise SpecError("CC410", f"`of` {error}", item.of.span) from None
    except SpecError as error:
        error.span = item.of.span if running else item.repeat.span
        raise
    if not running or not layers[0] or (is_plain(experts) and experts == running):
        return None
    return Idle(experts, running, tuple(_expert_layers(layers[0], branches[0][0])))


def _own_layers(frame: Frame, nodes: Sequence[Node]) -> list[Node]:
    """Return the layers of a branch whose weights or buffers it shares with no other one, nor with a layer outside."""
    shared = {index for owners in (frame.loop or {}).values() for index in range(*owners)}
    own = [node for node in nodes if node.op and node.weight_owner == node.index not in shared]
    return [node for node in own if node.facts.weights or node.facts.buffers]


def _require_alike(experts: Sequence[Sequence[Node]]) -> None:
    """Demand that all experts hold as many weights and buffers."""
    params = [total(node.facts.params for node in nodes) for nodes in experts]
    buffers = [total(node.facts.buffer_elements for node in nodes) for nodes in experts]
    text = "the branches differ, so that it is not known what the experts hold that do not run: {} and {} {}"
    for what, (first, *others) in (("params", params), ("buffers", buffers)) if experts else ():
        for other in others:
            require(equal(first, other), "CC407", text, first, other, what)


def _expert_layers(nodes: Sequence[Node], frame: Frame) -> Iterator[ExpertLayer]:
    """Give the layers of an expert, by their paths in it."""
    above = len(frame.scope.path_of(""))
    paths = [node.path[above:].partition(".") for node in nodes]
    is_one = len({path[0] for path in paths}) == 1
    for node, path in zip(nodes, paths, strict=True):
        assert node.op is not None
        yield ExpertLayer(path[2] if is_one else "".join(path), node.op, node.input_shapes)
