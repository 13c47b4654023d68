"""Networks with one thing changed: a layer with another setting, without it, or with one more before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from convcalc.errors import SpecError
from convcalc.graph.attention import POSITIONS
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph, Node
from convcalc.ops.kinds.act import TYPES


class Change(NamedTuple):
    """What was done to a layer, by its path: the setting that was changed, or ``removed``."""

    path: str
    what: str


def rebuilt(
    graph: Graph,
    op_of: Callable[[Node], Any] = lambda node: node.op,
    path_of: Callable[[Node], str] = lambda node: node.path,
    order: Sequence[int] = (),
) -> Graph:
    """Build a graph anew, with other ops and paths and in another order; a layer without an op is left out."""
    builder, handles = GraphBuilder(), dict[int, int]()
    for node in [graph.nodes[index] for index in order] or graph.nodes:
        inputs = [handles[index] for index in node.inputs or shaped(graph, node, handles)]
        if node.op is None:
            handles[node.index] = builder.input(path_of(node), node.shape, source=node.source)
        elif op := op_of(node):
            handles[node.index] = builder.add(path_of(node), op, *inputs, source=node.source)
        else:
            handles[node.index] = inputs[0]
    for node in graph.layers:
        if node.weight_owner != node.index:
            builder.tie(handles[node.index], handles[node.weight_owner])
    return builder.graph({label: handles[index] for label, index in graph.outputs.items()}, name=graph.name)


def shaped(graph: Graph, node: Node, built: Mapping[int, int]) -> tuple[int, ...]:
    """Return nodes that are built and have the shapes of what a layer reads that depends on shapes alone."""
    shapes = node.input_shapes
    return tuple(next(index for index in built if graph.nodes[index].shape == shape) for shape in shapes)


def flattened(graph: Graph) -> Graph:
    """Return a graph whose paths have no structure, and no word of the former ones."""
    return rebuilt(graph, path_of=lambda node: f"n{node.index}")


def shuffled(graph: Graph, dice: Random) -> Graph:
    """Return a graph with the same layers in another order in which each is behind what it reads."""
    waiting = {node.index: set(node.inputs or (range(node.index) if node.op else ())) for node in graph.nodes}
    order: list[int] = []
    while waiting:
        placed = dice.choice([index for index, inputs in waiting.items() if not inputs])
        order.append(placed)
        del waiting[placed]
        for inputs in waiting.values():
            inputs.discard(placed)
    return rebuilt(graph, order=order)


def random_change(graph: Graph, dice: Random, but: str = "") -> tuple[Graph, Change] | None:
    """Return a graph with one change, or nothing where none of the layers that were drawn allows one."""
    tied = {node.weight_owner for node in graph.nodes if node.weight_owner != node.index}
    nodes = [node for node in graph.layers if changes_of(node, dice) and node.weight_owner == node.index]
    for node in dice.sample(nodes, len(nodes)):
        for name, fields in _shuffled(changes_of(node, dice), dice):
            try:
                changed = _changed(graph, node, fields)
            except SpecError:
                continue
            if name != but and (node.index not in tied or name not in ("out", "kernel")):
                return changed, Change(node.path, name)
    return None


def _shuffled(found: dict[str, Any], dice: Random) -> list[tuple[str, Any]]:
    return dice.sample(list(found.items()), len(found))


def _changed(graph: Graph, changed: Node, fields: dict[str, Any] | None) -> Graph:
    """Return a graph in which one layer has other values of some fields of its op, or is left out."""

    def op_of(node: Node) -> Any:
        if node is not changed:
            return node.op
        return None if fields is None else replace(node.op, **fields)  # type: ignore[type-var]

    return rebuilt(graph, op_of)


def changes_of(node: Node, dice: Random) -> dict[str, dict[str, Any] | None]:
    """Return what may be changed in a layer that is compared: the word for it, and other values of its op's fields."""
    op: Any = node.op
    found = _settings(op, node.shape.rank - 1, dice)
    if hasattr(op, "bias") and op.kind not in ("norm", "attention"):
        found["bias"] = {"bias": not op.bias}
    keeps_shape = node.shape == node.input_shapes[0]
    is_alone = POSITIONS not in node.facts.weights  # the table goes with it, and is compared apart
    return {**found, "removed": None} if found and keeps_shape and is_alone else found


def _settings(op: Any, axes: int, dice: Random) -> dict[str, dict[str, Any] | None]:
    if op.kind in ("conv", "dwconv", "deconv"):
        window: dict[str, dict[str, Any] | None] = {
            "kernel": {"kernel_size": tuple(size + 2 for size in op.kernel_size)},
            "stride": {"stride": tuple(3 - min(step, 2) for step in op.stride)},
            "dilation": {"dilation": tuple(step + 1 for step in op.dilation)},
            "padding": {"padding": ((3, 4),) * axes},
        }
        if all(size == 1 for size in op.kernel_size):  # without a distance between cells it changes nothing
            del window["dilation"]
        if op.kind == "dwconv":
            return {**window, "out": {"multiplier": op.multiplier + 1}}
        groups = {"groups": {"groups": op.groups // 2}} if op.groups % 2 == 0 else {}
        return {**window, **groups, "out": {"out_channels": op.out_channels + op.groups}}
    if op.kind == "linear":
        return {"out": {"out_features": op.out_features + 1}}
    if op.kind == "attention" and op.head_dim is None:
        return {"heads": {"heads": 2 * op.heads, "kv_heads": None}}
    learns = op.kind == "norm" and (op.type == "batch" if op.affine is None else op.affine)
    if learns and op.type in ("batch", "instance") and op.scale is not False:
        other = "instance" if op.type == "batch" else "batch"
        return {"type": {"type": other, "affine": True}, "scale": {"scale": False, "affine": True}}
    if op.kind == "act" and op.type != "prelu":
        return {"type": {"type": dice.choice([each for each in TYPES if each not in ("prelu", op.type)])}}
    if op.kind in ("lstm", "gru", "rnn"):
        return {"hidden": {"hidden_size": op.hidden_size + 1}, "layers": {"num_layers": op.num_layers + 1}}
    return {}
