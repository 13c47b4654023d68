"""Graphs inside nodes: functions, branches and loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convcalc.arith import Number, collapse_uniform, less, require_plain, total
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.model import AttributeParameter, ModelFunction, OnnxGraph, OnnxNode
from convcalc.importers.onnx.values import Scope, Value, known

MAX_DEPTH = 32


def _inside(call: NodeCall, opsets: Mapping[str, int], path: str, parent: Scope | None = None) -> Scope:
    """Return the scope of a function or a graph that a node has in it."""
    if call.scope.depth >= MAX_DEPTH:
        raise call.refused(f"its functions and graphs are nested more than {MAX_DEPTH} deep")
    return Scope(opsets, parent=parent, path=path, depth=call.scope.depth + 1)


def inline(call: NodeCall, function: ModelFunction) -> list[Value | None]:
    """Run the nodes of a function in place of a call."""
    scope = _inside(call, {**call.scope.opsets, **function.opsets}, call.path)
    scope.values.update(dict.fromkeys(function.inputs))
    scope.values.update(zip(function.inputs, call.x, strict=False))
    given = {**function.defaults, **call.node.attributes}
    absent = {name for name in function.inputs if scope.values.get(name) is None}
    nodes = [_without(_substituted(node, given), absent) for node in function.nodes]
    call.run.run_nodes(nodes, function.outputs, scope)
    return [scope.values.get(name) for name in function.outputs]


def _without(node: OnnxNode, absent: set[str]) -> OnnxNode:
    """Leave out inputs that the caller leaves out."""
    if not absent.intersection(node.inputs):
        return node
    return node._replace(inputs=tuple("" if name in absent else name for name in node.inputs))


def _substituted(node: OnnxNode, given: Mapping[str, Any]) -> OnnxNode:
    """Put the caller's attributes in place of a function's parameters."""
    if not any(isinstance(value, AttributeParameter | OnnxGraph) for value in node.attributes.values()):
        return node
    values = {name: _argument(value, given) for name, value in node.attributes.items()}
    return node._replace(attributes={name: value for name, value in values.items() if value is not None})


def _argument(value: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(value, AttributeParameter):
        return given.get(value.name)
    if isinstance(value, OnnxGraph):
        return value._replace(nodes=tuple(_substituted(inner, given) for inner in value.nodes))
    return value


def _run_body(call: NodeCall, graph: OnnxGraph, values: Sequence[Value | None], name: str) -> list[Value | None]:
    """Run a graph inside a node, given its inputs, and return its outputs."""
    scope = _inside(call, call.scope.opsets, f"{call.path}.{name}", call.scope)
    scope.values.update(zip((value.name for value in graph.inputs), values, strict=False))
    call.run.run_graph(graph, scope)
    return [scope.find(value.name) for value in graph.outputs]


def _renamed(call: NodeCall, values: Sequence[Value | None]) -> list[Value | None]:
    return [*values, *(None,) * max(0, len(call.node.outputs) - len(values))][: max(len(call.node.outputs), 1)]


def branch(call: NodeCall) -> list[Value | None]:
    """If: the branch of a condition that is known; else the one of more multiplies, and the total is a lower bound."""
    run, then, other = call.run, call.attribute("then_branch"), call.attribute("else_branch")
    if not isinstance(then, OnnxGraph) or not isinstance(other, OnnxGraph):
        raise run.damaged("If needs two branches", call.name)
    condition = call.require(0)
    if condition.elements:
        holds = require_plain(collapse_uniform(condition.elements[0]), "the condition of a branch")
        chosen, name = (then, "then") if holds else (other, "else")
        return _renamed(call, _run_body(call, chosen, (), name))
    mark, before = run.layers.mark(), dict(run.used)
    costs = []
    for graph in (then, other):
        _run_body(call, graph, (), "branch")
        costs.append(run.layers.multiplies(mark[0]))
        run.rollback(mark)
    read, run.used = run.used, before
    larger = less(costs[0], costs[1]) is True
    outputs = _run_body(call, (then, other)[larger], (), ("then", "else")[larger])
    params = total(elements for key, elements in read.items() if key not in run.used)
    what = "If (its condition depends on values, the larger branch is counted)"
    _mark_bound(call, what, "other_branch", params)
    return _renamed(call, outputs)


def _mark_bound(call: NodeCall, operation: str, name: str, params: Number = 0) -> None:
    """Add a row that makes totals lower bounds, with the parameters of what is left out."""
    handles = [value.handle for value in call.x if value is not None and value.handle is not None and value.sizes]
    run, anchor = call.run, handles[0] if handles else call.run.anchor()
    path = f"{call.path}.{name}"
    run.layers.opaque(call.name, operation, [anchor], run.layers.shape(anchor), path=path, params=params)


def loop(call: NodeCall) -> list[Value | None]:
    """Loop: its body as often as it runs, if that is known; else once, and the total is a lower bound."""
    graph = call.attribute("body")
    if not isinstance(graph, OnnxGraph):
        raise call.run.damaged("Loop needs a body", call.name)
    trips, condition = call.input(0), call.input(1)
    states, scanned = call.x[2:], []
    rounds = trips.elements[0] if trips is not None and trips.elements else None
    require_plain(rounds, "the number of rounds of a loop")
    is_open = (trips is not None and rounds is None) or (condition is not None and condition.elements is None)
    place, goes_on = 0, bool(condition is None or not condition.elements or condition.elements[0])
    while goes_on and (rounds is None or place < rounds):
        entering = [known("iteration", (place,), ()), condition or known("condition", (True,), (), 9), *states]
        condition, *results = _run_body(call, graph, entering, f"round{place}")
        states, scans = results[: len(states)], results[len(states) :]
        scanned.append(scans)
        place += 1
        is_open = is_open or condition is None or condition.elements is None
        goes_on = not is_open and bool(condition and condition.elements and condition.elements[0])
    if is_open:
        _mark_bound(call, "Loop (its rounds depend on values, one is counted)", "other_rounds")
    count = len(call.node.outputs) - len(states)
    stacked = [_stacked(call, [scans[each] for scans in scanned], is_open, 0) for each in range(max(count, 0))]
    return [*states, *stacked]


def _stacked(call: NodeCall, values: Sequence[Value | None], is_open: bool, axis: int) -> Value | None:
    """Return the values of all rounds along a new axis."""
    found = [value for value in values if value is not None and value.sizes is not None]
    if is_open or not found or len(found) < len(values):
        return None
    first, at = found[0], axis % (len(found[0].shape) + 1)
    sizes = (*first.shape[:at], len(found), *first.shape[at:])
    if at == 0 and all(value.elements is not None for value in found):
        elements = [element for value in found for element in value.elements or ()]
        return Value(first.name, sizes, first.data_type, tuple(elements), is_constant=True)
    one = (*first.shape[:at], 1, *first.shape[at:])
    if len(found) == 1:
        return call.viewed(first, one)
    handles = [call.view(call.handle(value), one) for value in found]
    return call.viewed(first, sizes, call.beside("concat", *handles, axis=at))


def scan(call: NodeCall) -> list[Value | None]:
    """Scan: its body for each element along an axis of the inputs that are scanned."""
    graph, inputs = call.attribute("body"), call.attribute("num_scan_inputs", 0)
    if not isinstance(graph, OnnxGraph) or not 0 < inputs <= len(call.x):
        raise call.run.damaged("Scan needs a body and inputs", call.name)
    if call.opset < 9:
        raise call.refused("Scan before version 9 works across the batch", "export with a later opset")
    split = len(call.x) - inputs
    states, sequences = call.x[:split], [call.require(place) for place in range(split, len(call.x))]
    axes = [
        call.axis(axis, len(value.shape))
        for axis, value in zip(call.integers("scan_input_axes") or (0,) * inputs, sequences, strict=True)
    ]
    rounds = require_plain(sequences[0].shape[axes[0]], "the number of rounds of a scan")
    scanned = []
    for place in range(rounds):
        items = [_item(call, value, axis, place) for value, axis in zip(sequences, axes, strict=True)]
        results = _run_body(call, graph, [*states, *items], f"round{place}")
        states = results[:split]
        scanned.append(results[split:])
    count = max(len(call.node.outputs) - split, 0)
    where = call.integers("scan_output_axes") or (0,) * count
    return [*states, *(_stacked(call, [each[k] for each in scanned], False, where[k]) for k in range(count))]


def _item(call: NodeCall, value: Value, axis: int, place: int) -> Value:
    sizes = (*value.shape[:axis], *value.shape[axis + 1 :])
    handle, at = call.along(value, axis)
    return call.viewed(value, sizes, call.beside("slice", handle, axis=at, start=place, stop=place + 1))


OPERATIONS: dict[str, Callable[[NodeCall], list[Value | None]]] = {"If": branch, "Loop": loop, "Scan": scan}
