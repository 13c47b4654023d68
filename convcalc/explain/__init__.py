"""Where a number comes from: the facts of one layer, or of a group of layers, with their values put in.

Nothing is worked out twice. Factors are the sizes of the layer's own weights and tensors, as the op states them; a
derivation is given only where its factors come to the very number that the report has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from convcalc.analyzers.memory import peak
from convcalc.designs import Network
from convcalc.explain.details import INTENSITY, details_of
from convcalc.explain.model import Entering, Explanation, Metric, Step
from convcalc.graph import Node
from convcalc.ops import Product, Window
from convcalc.ops._docs import doc_of
from convcalc.report import Report, Row, report_on

MULTIPLYING = "macs"
PARAMS = "params"
SHOWN_PARTS = 8


def explain(network: Network, path: str = "", *, batch: int = 1, dtype: str = "float32") -> Explanation:
    """Explain a layer, a group of layers by its path, or the whole design.

    Raises:
        SpecError: CC211, where no layer has the path.
    """
    graph = network.graph
    part = graph.part(path) if path else graph
    node = next((node for node in graph.layers if node.path == path), None)
    if node is None:
        group = _group(
            network, path, report_on(part, network.design.text, batch=batch, dtype=dtype, detailed=(INTENSITY,))
        )
        return group._replace(peak=peak(part, batch, dtype))
    fused = tuple(other.path for other in part.layers if other.path != path)
    report = report_on(graph.only(node), network.design.text, batch=batch, dtype=dtype)
    told = _layer(network, node, report, batch)
    return told._replace(fused=fused, metrics=(*told.metrics, *details_of(graph, node, batch, dtype)))


# --- a layer ----------------------------------------------------------------------------------------------------------


def _layer(network: Network, node: Node, report: Report, batch: int) -> Explanation:
    whole = network.graph
    op = node.op
    assert op is not None
    (row,) = report.rows
    owned = whole.nodes[node.owner] if node.owner != node.index else None
    inputs = tuple(_entering(whole.nodes[index]) for index in node.inputs)
    return Explanation(
        design=network.design.text,
        path=node.path,
        kind=op.kind,
        summary=row.summary,
        does=doc_of(type(op)).summary,
        formula=" ".join(doc_of(type(op)).sections["Formula"].split()),
        inputs=inputs,
        output=tuple(node.shape),
        sizes=tuple(_sizes(node, op.window(*node.input_shapes))),
        metrics=tuple(_metrics(node, row, report, batch, tied=owned is not None)),
        parts=(),
        layers=1,
        counted=tuple(_counted(node)),
        left_out=tuple(_left_out(node)),
        source=node.source,
        tied_to=owned.path if owned else "",
    )


def _entering(node: Node) -> Entering:
    return Entering(node.path, tuple(node.shape), node.source)


def _metrics(node: Node, row: Row, report: Report, batch: int, *, tied: bool) -> Iterator[Metric]:
    for column in report.columns:
        value = row.values.get(column.key, report.totals[column.key])
        steps: list[Step] = []
        if column.key == PARAMS:
            steps = [] if tied else _weights(node)
        elif column.key == MULTIPLYING:
            steps = _multiplies(node, batch)
        elif column.key == "buffers":
            steps = [_step(name, shape) for name, shape in node.facts.buffers.items()]
        yield Metric(column, value, tuple(steps) if sum(step.value for step in steps) == value else ())


def _weights(node: Node) -> list[Step]:
    return [_step(name, shape) for name, shape in node.facts.weights.items()]


def _step(name: str, shape: Sequence[int]) -> Step:
    return Step(name, _product(shape), prod(shape))


def _product(factors: Sequence[int]) -> str:
    return "·".join(f"{factor:,}" for factor in factors) or "1"


def _multiplies(node: Node, batch: int) -> list[Step]:
    """A line for every matrix product: what it puts out times what one of these costs, if these are its sizes."""
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
    """Give the ways in which layers multiply: every output costs a kernel, or every input does, or a row a column."""
    weight = node.facts.weights.get("weight")
    entering = node.input_shapes[0]
    if weight is not None:
        yield tuple(node.shape), tuple(weight[1:])
        yield tuple(entering), tuple(weight[1:])
    yield tuple(node.shape), tuple(entering[-1:])
    if weight is not None:  # one kernel for all channels
        yield tuple(node.shape), (entering[0], *weight[1:])


def _sizes(node: Node, window: Window | None) -> Iterator[Step]:
    """How each spatial size comes about: the rule that gives the size that the layer has."""
    if window is None:
        return
    entering, leaving = node.input_shapes[0], node.shape
    axes = zip(
        entering.spatial,
        leaving.spatial,
        window.kernel_size,
        window.stride,
        window.padding,
        window.dilation,
        strict=True,
    )
    for axis, (n, size, k, s, (before, after), d) in enumerate(axes, 1):
        reach = d * (k - 1) + 1
        shown = f"{k}" if d == 1 else f"({d}·({k} − 1) + 1)"
        span = n + before + after - reach
        rules = (
            (f"⌊({n} + {before} + {after} − {shown})/{s}⌋ + 1", span // s + 1 if s else 0),
            (f"⌈({n} + {before} + {after} − {shown})/{s}⌉ + 1", -(-span // s) + 1 if s else 0),
            (f"⌈{n}/{s}⌉", -(-n // s) if s else 0),
            (f"({n} − 1)·{s} − {before} − {after} + {shown}", (n - 1) * s - before - after + reach),
        )
        for text, value in rules:
            if value == size:
                yield Step(f"axis {axis}", text, size)
                break


def _counted(node: Node) -> Iterator[str]:
    """What is in the numbers."""
    if node.facts.weights:
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
    if node.facts.buffers:
        yield "running statistics are buffers, not params"


# --- a group ----------------------------------------------------------------------------------------------------------


def _group(network: Network, path: str, report: Report) -> Explanation:
    heaviest = sorted(report.rows, key=lambda row: (-row.values[MULTIPLYING], -row.values[PARAMS]))
    parts = [(row.path, row.values[PARAMS], row.values[MULTIPLYING]) for row in heaviest[:SHOWN_PARTS]]
    metrics = [Metric(column, report.totals[column.key]) for column in report.columns]
    entering = [Entering(name, shape, None) for name, shape in report.inputs.items()]
    return Explanation(
        design=network.design.text,
        path=path,
        kind="",
        summary=f"{len(report.rows):,} layers",
        does="",
        formula="",
        inputs=tuple(entering),
        output=next(iter(report.outputs.values()), ()),
        sizes=(),
        metrics=tuple(metrics),
        parts=tuple(part for part in parts if part[1] or part[2]),
        layers=len(report.rows),
        counted=(),
        left_out=(),
        source=None,
    )
