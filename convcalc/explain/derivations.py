"""Derivations of the numbers of a layer: sums with its sizes, and intensity, receptive field, stride and offset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from convcalc.dtypes import BITS
from convcalc.explain.model import Entering, Explanation, Metric, Step
from convcalc.graph.graph import Graph, Node
from convcalc.ops.docs import doc_of
from convcalc.ops.op import Product
from convcalc.report.report import Report, Row

INTENSITY = "arithmetic_intensity"

FIELD, STRIDE, OFFSET = "receptive_field", "effective_stride", "offset"

OF_AN_INPUT = {FIELD: 1, STRIDE: 1, OFFSET: 0}


def derived(key: str, node: Node, row: Row, before: Row | None) -> tuple[Step, ...]:
    """Return the derivation of a detail, where the layer is a window on one tensor, or for the ratio that it is.

    ``before`` is the row of the layer that is read; nothing where several are read, or an input.
    """
    value = row.values[key]
    if key == INTENSITY and value:
        return (Step("", f"{row.values['flops']:,}/{row.values['traffic_bytes']:,}", value),)
    if key not in OF_AN_INPUT or len(node.inputs) != 1:
        return ()
    axes = len(node.input_shapes[0].spatial)
    entering = {each: before.values[each] if before else (first,) * axes for each, first in OF_AN_INPUT.items()}
    return _alike([*_axes(node, entering, key)], value)


def _axes(node: Node, entering: Mapping[str, Sequence[Any]], key: str) -> Iterator[Step]:
    """Give what the window of a layer makes of each axis: r + (k − 1)·d·j, j·s, q − p·j."""
    window = node.op.window(*node.input_shapes) if node.op else None
    if window is None:
        return
    values = zip(*(entering[each] for each in OF_AN_INPUT), strict=True)
    for axis, ((r, j, q), k, s, (p, _), d) in enumerate(zip(values, *window, strict=False), 1):
        if not all(isinstance(number, int) for number in (r, j, q)):
            continue
        reach = f"({k} − 1)" + f"·{d}" * (d != 1)
        text, value = {
            FIELD: (f"{r} + {reach}·{j}", r + (k - 1) * d * j),
            STRIDE: (f"{j}·{s}", j * s),
            OFFSET: (f"{q} − {p}·{j}", q - p * j),
        }[key]
        yield Step(f"axis {axis}", text.replace("-", "−"), value)


def _alike(steps: Sequence[Step], value: Sequence[Any]) -> tuple[Step, ...]:
    """Return one step for all axes where they are alike; none where one does not come to the value."""
    if not steps or [step.value for step in steps] != list(value):
        return ()
    return tuple(steps) if len({step.factors for step in steps}) > 1 else (steps[0]._replace(name=""),)


PARAMS, BUFFERS, MACS = "params", "buffers", "macs"


def explained(graph: Graph, node: Node, report: Report) -> Explanation:
    """Return everything about a layer; ``report`` is that of its network, with details."""
    op = node.op
    assert op is not None
    rows = {row.path: row for row in report.rows}
    row, before = rows[node.path], rows.get(graph.nodes[node.inputs[0]].path) if len(node.inputs) == 1 else None
    owner = graph.nodes[node.owner]
    metrics = []
    for column in report.columns:
        if column.additive or column.of_layers:
            value = row.values[column.key]
            steps = tuple(_steps(column.key, node, row.values, report)) or derived(column.key, node, row, before)
            metrics.append(Metric(column, value, steps))
    return Explanation(
        design=report.design,
        path=node.path,
        kind=op.kind,
        summary=row.summary,
        does=doc_of(type(op)).summary,
        formula=" ".join(doc_of(type(op)).sections["Formula"].split()),
        inputs=tuple(_entering(graph.nodes[index]) for index in node.inputs),
        output=tuple(node.shape),
        sizes=tuple(_sizes(node)),
        metrics=tuple(metrics),
        parts=(),
        layers=1,
        counted=tuple(_counted(node)),
        left_out=tuple(_left_out(node)),
        source=node.source,
        tied_to=owner.path if owner is not node else "",
        warnings=report.warnings,
    )


def _entering(node: Node) -> Entering:
    return Entering(node.path, tuple(node.shape), node.source)


def _steps(key: str, node: Node, values: Mapping[str, Any], report: Report) -> list[Step]:
    """Return the terms that a sum comes of, from the layer's own sizes; none where they do not come to it."""
    samples = f"{report.batch:,} samples × " if report.batch != 1 else ""
    steps: list[Step] = []
    match key:
        case "params":
            steps = _weights(node)
        case "buffers":
            steps = [_step(name, shape) for name, shape in node.facts.buffers.items()]
        case "macs":
            steps = _multiplies(node, report.batch)
        case "flops" if values[MACS]:
            steps = [Step("", f"2·{values[MACS]:,}", 2 * values[MACS])]
        case "output_elements":
            steps = [Step("", samples + _product(node.shape), report.batch * prod(node.shape))]
        case "weight_bytes" if BITS.get(report.dtype, 0) >= 8:
            width, kept = BITS[report.dtype] // 8, values[PARAMS] + values[BUFFERS]
            steps = [Step("", f"{width}·{kept:,}", width * kept)] if kept else []
    return steps if sum(step.value for step in steps) == values[key] else []


def _weights(node: Node) -> list[Step]:
    return [_step(name, shape) for name, shape in node.facts.weights.items()]


def _step(name: str, shape: Sequence[int]) -> Step:
    return Step(name, _product(shape), prod(shape))


def _product(factors: Sequence[int]) -> str:
    return "·".join(f"{factor:,}" for factor in factors) or "1"


def _multiplies(node: Node, batch: int) -> list[Step]:
    """A line for every matrix product: its outputs times the cost of one, if the layer has these sizes."""
    products = node.facts.products
    return [_multiplied(node, product, batch, alone=len(products) == 1) for product in products if product.multiplies]


def _multiplied(node: Node, product: Product, batch: int, *, alone: bool) -> Step:
    value = product.multiplies * batch
    name = product.name or "products"
    lead = f"{batch:,} samples × " if batch != 1 else ""
    for places, cost in _ways(node) if alone else ():
        if prod(places) * prod(cost) == product.multiplies:
            return Step(name, f"{lead}({_product(places)}) × ({_product(cost)})", value)
    each, rest = divmod(product.multiplies, product.outputs or 1)
    factors = f"{product.outputs:,} outputs × {each:,}" if not rest else f"{product.multiplies:,}"
    return Step(name, lead + factors, value)


def _ways(node: Node) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """Give candidate factors: every output costs a kernel, or every input does, or a row a column."""
    weight = node.facts.weights.get("weight")
    entering = node.input_shapes[0]
    if weight is not None:
        yield tuple(node.shape), tuple(weight[1:])
        yield tuple(entering), tuple(weight[1:])
    yield tuple(node.shape), tuple(entering[-1:])
    if weight is not None:  # one kernel for all channels
        yield tuple(node.shape), (entering[0], *weight[1:])


def _sizes(node: Node) -> Iterator[Step]:
    """How each spatial size is computed, by the formula of the layer; nothing if the layer sets it."""
    op = node.op
    assert op is not None
    window, facts = op.window(*node.input_shapes), op.attributes(*node.input_shapes)
    if window is None or facts.get("adaptive"):
        return
    places = zip(
        node.input_shapes[0].spatial, node.shape.spatial, *window, facts.get("output_padding", window.stride),
        strict=True,
    )  # fmt: skip
    for axis, (n, size, k, s, (before, after), d, more) in enumerate(places, 1):
        reach = d * (k - 1) + 1
        shown = f"{k}" if d == 1 else f"({d}·({k} − 1) + 1)"
        span = n + before + after - reach
        if "output_padding" in facts:
            text = f"({n} − 1)·{s} − {before} − {after} + {shown}" + f" + {more}" * bool(more)
            value = (n - 1) * s - before - after + reach + more
        elif facts.get("ceil_mode"):
            text, value = f"⌈({n} + {before} + {after} − {shown})/{s}⌉ + 1", -(-span // s) + 1
        else:
            text, value = f"⌊({n} + {before} + {after} − {shown})/{s}⌋ + 1", span // s + 1
        if value == size:
            yield Step(f"axis {axis}", text, size)


def _counted(node: Node) -> Iterator[str]:
    """What is in the numbers."""
    if node.facts.weights and node.owner == node.index:
        yield "params: every learnable weight, once" + (", and the bias" if "bias" in node.facts.weights else "")
    if any(product.multiplies for product in node.facts.products):
        yield "multiplies: every product of an input with a weight, or of two activations"
        if node.op is not None and (window := node.op.window(*node.input_shapes)) and any(map(any, window.padding)):
            yield "positions of zero padding, as real ones"


def _left_out(node: Node) -> Iterator[str]:
    """What another count might have and this one has not."""
    if not any(product.multiplies for product in node.facts.products):
        yield "elementwise work, pooling, norms and activations are no multiplies"
    elif any("bias" in name for name in node.facts.weights):
        yield "adding the bias"
    if node.op is not None and node.op.kind == "attention":
        yield "in memory, its queries, keys, values, scores and context (activations count their elements)"
    if node.facts.buffers:
        yield "running statistics are buffers, not params"
