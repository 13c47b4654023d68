"""Branches, of which values choose one."""

from __future__ import annotations

from typing import Any

from convcalc.importers.torch.aten.rules import rule_for
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.recording import Node
from convcalc.importers.torch.values import Tensor

WHAT = "cond (its condition depends on values, the larger branch is counted)"


@rule_for("cond", weighted=True)
def branch(g: Lowering, node: Node) -> Any:
    """The branch of more multiplies; totals are lower bounds."""
    start, costs, read = g.builder.last + 1, [], set(g.read)
    for body in node.bodies:
        with g.trial():
            g.run_nodes(body.nodes)
            costs.append(g.builder.multiplies(start))
            read |= g.read
    body = node.bodies[1 if costs[0] < costs[1] else 0]
    g.run_nodes(body.nodes)
    g.other_branches |= read
    values = [g.value(reference) for reference in body.results]
    handle = next((value.handle for value in values if isinstance(value, Tensor)), g.first)
    g.builder.opaque(node.label, WHAT, [handle], tuple(g.builder.shape(handle)), path=g.path(node, "other_branch"))
    return values if len(values) > 1 else values[0]
