"""Recurrent layers and cells, and branches."""

from __future__ import annotations

from math import prod
from typing import Any

from convcalc.importers.torch.aten.layers import linear_layer
from convcalc.importers.torch.aten.rules import rule_for, slot
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.recording import TracedNode
from convcalc.importers.torch.values import Tensor, Weight, without

LARGER = "cond (its condition depends on values, the larger branch is counted)"
KINDS = {"lstm": ("lstm", 4), "gru": ("gru", 3), "rnn_tanh": ("rnn", 1), "rnn_relu": ("rnn", 1)}


@rule_for(*KINDS, weighted=True)
def recurrent(g: Lowering, node: TracedNode) -> Any:
    value, weights = g.value(node["input"]), [g.value(each) for each in node["params"] or ()]
    keys, shape = [slot(weight) for weight in weights], node.shape
    if value is None or not all(keys) or node["batch_sizes"] is not None:
        return g.unknown(node)
    kind, gates = KINDS[node.op]
    hidden, biased = weights[0].shape[0] // gates if weights[0] else 1, bool(node["has_biases"])
    per_cell = len(weights) // (int(node["num_layers"]) * (2 if node["bidirectional"] else 1))
    projection = weights[per_cell - 1] if kind == "lstm" and per_cell in (3, 5) else None
    rows, width = (prod(value.shape[:-1]), value.shape[-1])
    # sequences of a batch, such as windows, run one after the other: the layer has one
    turned = len(value.shape) == 3 and not node["batch_first"] and 1 not in value.shape[:2]
    entering = g.permuted(node, g.whole(node, value), [1, 0, 2]) if turned else g.handle(node, value)
    names = tuple(key for key in keys if key)
    g.own(names, tuple(weight.shape for weight in weights if weight))
    handle = g.add(node, kind, g.reshaped(node, entering, (rows, width)), hidden=hidden, bias=biased,
                   layers=int(node["num_layers"]), bidirectional=bool(node["bidirectional"]), weights=names,
                   proj_size=projection.shape[0] if projection else None)  # fmt: skip
    if turned:
        steps, sequences, features = shape
        back = g.reshaped(node, handle, (sequences, steps, features))
        made = Tensor(shape, g.permuted(node, back, [1, 0, 2]))
    else:
        made = g.given(node, handle, shape, next((axis for axis, size in enumerate(shape[:-1]) if size == 1), None))
    states = [
        g.custom(node, handle, state, op="state") if state is not None and g.is_used(node, place) else None
        for place, state in enumerate(node.outputs[1:], 1)
    ]
    return [made, *states]


CELLS = {"lstm_cell": 4, "gru_cell": 3, "rnn_tanh_cell": 1, "rnn_relu_cell": 1}


@rule_for(*CELLS, weighted=True)
def cell(g: Lowering, node: TracedNode) -> Any:
    """Two linear layers and what joins them: the state is free of products of weights."""
    value, state, shape = g.value(node["input"]), node["hx"], node.shape
    first = g.value(state[0] if isinstance(state, list) else state)
    weights: list[Any] = [g.value(node[name]) for name in ("w_ih", "w_hh", "b_ih", "b_hh")]
    if value is None or first is None or not all(isinstance(each, Weight) for each in weights[:2]):
        return g.unknown(node)
    wide = (*shape[:-1], shape[-1] * CELLS[node.op])
    gates = [
        linear_layer(g, TracedNode(f"{node.name}.{name}", name, {}, (wide,), node.path), *operands)
        for name, operands in (("input", (value, weights[0], weights[2])), ("hidden", (first, weights[1], weights[3])))
    ]
    batch = gates[0].batch
    joined = g.add(node, "add", *(g.laid_out(node, gate, without(wide, batch)) for gate in gates))
    handles = [
        g.add(node, "slice", joined, op="state", axis=-1, start=place * shape[-1], stop=(place + 1) * shape[-1])
        if CELLS[node.op] > 1
        else joined
        for place in range(len(node.outputs))
    ]
    states = [g.given(node, handle, shape, batch) for handle in handles]
    return states if len(states) > 1 else states[0]


@rule_for("cond", weighted=True)
def branch(g: Lowering, node: TracedNode) -> Any:
    """The branch of more multiplies, of two of which values choose one; totals are lower bounds."""
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
    g.builder.opaque(node.label, LARGER, [handle], tuple(g.builder.shape(handle)), path=g.path(node, "other_branch"))
    return values if len(values) > 1 else values[0]
