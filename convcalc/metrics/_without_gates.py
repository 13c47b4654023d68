"""Receptive fields of a network whose gates are left out.

A gate is a branch of a product (``mul``) that has one cell on every spatial axis and to which paths lead from inputs,
every one of them through a global pool: what squeeze-and-excitation multiplies a map by. To another branch of the same
product there is a path without such a pool: to what is gated. A global pool is a max or average pool with one window
over all that enters it, or with an output size of one cell on every axis, or a reduction over all spatial axes.

Only what the product reads of its gates is left out: the layers of a gate keep their own fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from convcalc.arith import Number, is_plain
from convcalc.graph.graph import Graph, Node
from convcalc.metrics import receptive_field
from convcalc.metrics.metric import Metric
from convcalc.records import replace

POOLS = ("avgpool", "maxpool")


@lru_cache(maxsize=1)  # so that the receptive fields of one are worked out once
def without_gates(graph: Graph) -> Graph:
    """Return the graph in which products do not read their gates."""
    pooled: list[bool | None] = []
    nodes: list[Node] = []
    for node in graph.nodes:
        kept = _branches_without_gates(node, pooled)
        pooled.append(_is_pooled(node, pooled))
        shapes = tuple([node.input_shapes[branch] for branch in kept])
        inputs = tuple([node.inputs[branch] for branch in kept])
        nodes.append(node if len(kept) == len(node.inputs) else replace(node, inputs=inputs, input_shapes=shapes))
    return replace(graph, nodes=nodes)


def _branches_without_gates(node: Node, pooled: Sequence[bool | None]) -> Sequence[int]:
    """Return the branches of a layer that are no gates."""
    branches = range(len(node.inputs))
    if node.op is None or node.op.kind != "mul" or all(pooled[index] is not False for index in node.inputs):
        return branches
    return [branch for branch in branches if not (pooled[node.inputs[branch]] and _is_a_cell(node, branch))]


def _is_a_cell(node: Node, branch: int) -> bool:
    shape = node.input_shapes[branch]
    return shape.rank == node.shape.rank and all(map(_is_one, shape.spatial))


def _is_global_pool(node: Node) -> bool:
    op = node.op
    if op is not None and op.kind == "reduce":
        spatial = frozenset(range(1, node.input_shapes[0].rank))
        return bool(spatial) and spatial <= op.mixed_axes(*node.input_shapes)
    if op is None or op.kind not in POOLS:
        return False
    is_wide = getattr(op, "kernel_size", None) == "global"
    return is_wide or (getattr(op, "out_size", None) is not None and all(map(_is_one, node.shape.spatial)))


def _is_pooled(node: Node, pooled: Sequence[bool | None]) -> bool | None:
    """Whether every path from an input passes a global pool; ``None`` without a path, as for a learned table."""
    if node.op is None or _is_global_pool(node):
        return node.op is not None
    read = [pooled[index] for index in node.inputs if node.op.depends_on_values and pooled[index] is not None]
    return all(read) if read else None


def _is_one(size: Number) -> bool:
    return is_plain(size) and size == 1


def _values_without_gates(detail: Metric, graph: Graph, batch: int, dtype: str) -> tuple[Sequence[Any], Any]:
    return detail.values(without_gates(graph), batch, dtype)


DETAILS = tuple(
    detail._replace(
        meaning=f"{detail.meaning}; gates are left out", values_and_total=partial(_values_without_gates, detail)
    )
    for detail in receptive_field.DETAILS
)
