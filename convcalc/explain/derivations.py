"""Derivations of the numbers of a layer: sums with its sizes, and intensity, receptive field, stride and offset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from convcalc.dtypes import BIT_WIDTHS, blocks_of, row_bits, weight_lookup
from convcalc.explain.model import DerivationStep, ExplainedMetric, Explanation, InputTensor
from convcalc.graph.graph import Graph, Node
from convcalc.ops.docs import read_docs
from convcalc.ops.op import MatrixProduct
from convcalc.report.report import LayerRow, Report

INTENSITY = "arithmetic_intensity"

FIELD, STRIDE, OFFSET = "receptive_field", "effective_stride", "offset"

INPUT_VALUES = {FIELD: 1, STRIDE: 1, OFFSET: 0}


def derive_detail(key: str, node: Node, row: LayerRow, before: LayerRow | None) -> tuple[DerivationStep, ...]:
    """Return the derivation of a detail, where the layer is a window on one tensor, or for the ratio that it is.

    ``before`` is the row of the layer that is read; nothing where several are read, or an input.
    """
    value = row.values[key]
    if key == INTENSITY and value:
        return (DerivationStep("", f"{row.values['flops']:,}/{row.values['traffic_bytes']:,}", value),)
    if key not in INPUT_VALUES or len(node.inputs) != 1:
        return ()
    axes = len(node.input_shapes[0].spatial)
    entering = {each: before.values[each] if before else (first,) * axes for each, first in INPUT_VALUES.items()}
    return _merge_axes([*_axis_steps(node, entering, key)], value)


def _axis_steps(node: Node, entering: Mapping[str, Sequence[Any]], key: str) -> Iterator[DerivationStep]:
    """Give what the window of a layer makes of each axis: r + (k − 1)·d·j, j·s, q − p·j."""
    window = node.op.window(*node.input_shapes) if node.op else None
    if window is None:
        return
    values = zip(*(entering[each] for each in INPUT_VALUES), strict=True)
    for axis, ((r, j, q), k, s, (p, _), d) in enumerate(zip(values, *window, strict=False), 1):
        if not all(isinstance(number, int) for number in (r, j, q)):
            continue
        reach = f"({k} − 1)" + f"·{d}" * (d != 1)
        text, value = {
            FIELD: (f"{r} + {reach}·{j}", r + (k - 1) * d * j),
            STRIDE: (f"{j}·{s}", j * s),
            OFFSET: (f"{q} − {p}·{j}", q - p * j),
        }[key]
        yield DerivationStep(f"axis {axis}", text.replace("-", "−"), value)


def _merge_axes(steps: Sequence[DerivationStep], value: Sequence[Any]) -> tuple[DerivationStep, ...]:
    """Return one step for all axes where they are alike; none where one does not come to the value."""
    if not steps or [step.value for step in steps] != list(value):
        return ()
    return tuple(steps) if len({step.factors for step in steps}) > 1 else (steps[0]._replace(name=""),)


PARAMS, BUFFERS, MACS = "params", "buffers", "macs"


def explain_layer(graph: Graph, node: Node, report: Report) -> Explanation:
    """Return everything about a layer; ``report`` is that of its network, with details."""
    op = node.op
    assert op is not None
    rows = {row.path: row for row in report.rows}
    owner, entering = graph.nodes[node.weight_owner], [graph.nodes[index] for index in node.inputs]
    row, before = rows[node.path], rows.get(entering[0].path) if len(entering) == 1 else None
    metrics = []
    for column in report.columns:
        if column.is_additive or column.per_layer:
            value = row.values[column.key]
            steps = tuple(_steps(column.key, node, row.values, report)) or derive_detail(column.key, node, row, before)
            metrics.append(ExplainedMetric(column, value, steps))
    return Explanation(
        design=report.design,
        path=node.path,
        kind=op.kind,
        summary=row.summary,
        description=read_docs(type(op)).summary,
        formula=" ".join(read_docs(type(op)).sections["Formula"].split()),
        inputs=tuple(InputTensor(read.path, tuple(read.shape), read.source) for read in entering),
        output=tuple(node.shape),
        sizes=tuple(_sizes(node)),
        metrics=tuple(metrics),
        counted=tuple(_counted_notes(node)),
        not_counted=tuple(_not_counted_notes(node)),
        source=node.source,
        tied_to=owner.path if owner is not node else "",
        warnings=report.warnings,
        unknown={path: keys for path, keys in report.unknown.items() if path == node.path},
    )


def _steps(key: str, node: Node, values: Mapping[str, Any], report: Report) -> list[DerivationStep]:
    """Return the terms that a sum comes of, from the layer's own sizes; none where they do not come to it."""
    samples = f"{report.batch:,} samples × " if report.batch != 1 else ""
    steps: list[DerivationStep] = []
    match key:
        case "params":
            steps = [_step(name, shape) for name, shape in node.facts.weights.items()]
        case "buffers":
            steps = [_step(name, shape) for name, shape in node.facts.buffers.items()]
        case "macs":
            products = [product for product in node.facts.products if product.multiplies]
            steps = [_product_step(node, product, report.batch) for product in products]
        case "seen_macs" if node.facts.seen != node.facts.multiplies:
            steps = [
                DerivationStep("multiplies", f"{values[MACS]:,}", values[MACS]),
                *_hidden_steps(node, report.batch),
            ]
        case "flops" if values[MACS]:
            steps = [DerivationStep("", f"2·{values[MACS]:,}", 2 * values[MACS])]
        case "train_flops" if values[MACS]:
            passes = 4 if node.checkpoint >= 0 else 3
            steps = [DerivationStep("", f"{passes}·{values['flops']:,}", passes * values["flops"])]
        case "output_elements":
            steps = [DerivationStep("", samples + _product(node.shape), report.batch * prod(node.shape))]
        case "cache_bytes" if node.op and values[key] and BIT_WIDTHS.get(report.dtype, 0) >= 8:
            width, kept = BIT_WIDTHS[report.dtype] // 8, node.op.cached(*node.input_shapes)
            steps = [DerivationStep("", f"{samples}{width}·{kept:,}", report.batch * width * kept)]
        case "weight_bytes" if kept := values[PARAMS] + values[BUFFERS]:
            form = weight_lookup(report.dtype)(node.path)
            ways = [_weight_bytes(node, kept, form.plain, name) for name in (form.matrices, form.tables)]
            steps = next((way for way in ways if sum(step.value for step in way) == values[key]), [])
    return steps if sum(step.value for step in steps) == values[key] else []


def _weight_bytes(node: Node, kept: int, plain: str, name: str) -> list[DerivationStep]:
    """A line for every matrix in blocks, and one for all other numbers that are kept."""
    in_blocks = node.op.matrices(*node.input_shapes) if node.op and blocks_of(name) else ()
    bits = [(rows, row_bits(length, name)) for rows, length in in_blocks]
    steps = [DerivationStep(name, f"{rows:,} rows × {each:,} bits / 8", rows * each // 8) for rows, each in bits]
    width, rest = BIT_WIDTHS[plain] // 8, kept - sum(rows * length for rows, length in in_blocks)
    return steps + ([DerivationStep("", f"{width}·{rest:,}", width * rest)] if rest else [])


def _step(name: str, shape: Sequence[int]) -> DerivationStep:
    return DerivationStep(name, _product(shape), prod(shape))


def _product(factors: Sequence[int]) -> str:
    return "·".join(f"{factor:,}" for factor in factors) or "1"


def _hidden_steps(node: Node, batch: int) -> Iterator[DerivationStep]:
    """What a mask hides: so many scores times what each costs in a product."""
    masked = [product for product in node.facts.products if product.masked]
    scores = masked[0].masked * masked[0].outputs // masked[0].multiplies
    for product in masked:
        lead = f"{batch:,} samples × " if batch != 1 else ""
        factors = f"−{lead}{scores:,} outputs × {product.masked // scores:,}"
        yield DerivationStep(f"hidden {product.name}", factors, -batch * product.masked)


def _product_step(node: Node, product: MatrixProduct, batch: int) -> DerivationStep:
    """A matrix product: its outputs times the cost of one, if the layer has these sizes."""
    value = product.multiplies * batch
    name = product.name or "products"
    lead = f"{batch:,} samples × " if batch != 1 else ""
    for places, cost in _candidate_factors(node) if len(node.facts.products) == 1 else ():
        if prod(places) * prod(cost) == product.multiplies:
            return DerivationStep(name, f"{lead}({_product(places)}) × ({_product(cost)})", value)
    each, rest = divmod(product.multiplies, product.outputs or 1)
    factors = f"{product.outputs:,} outputs × {each:,}" if not rest else f"{product.multiplies:,}"
    return DerivationStep(name, lead + factors, value)


def _candidate_factors(node: Node) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """Give candidate factors: every output costs a kernel, or every input does, or a row a column."""
    weight = node.facts.weights.get("weight")
    entering = node.input_shapes[0]
    if weight is not None:
        yield tuple(node.shape), tuple(weight[1:])
        yield tuple(entering), tuple(weight[1:])
    yield tuple(node.shape), tuple(entering[-1:])
    if weight is not None:  # one kernel for all channels
        yield tuple(node.shape), (entering[0], *weight[1:])


def _sizes(node: Node) -> Iterator[DerivationStep]:
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
            yield DerivationStep(f"axis {axis}", text, size)


def _counted_notes(node: Node) -> Iterator[str]:
    """What is in the numbers."""
    if node.facts.weights and node.weight_owner == node.index:
        yield "params: every learnable weight, once" + (", and the bias" if "bias" in node.facts.weights else "")
    if any(product.multiplies for product in node.facts.products):
        yield "multiplies: every product of an input with a weight, or of two activations"
        if node.facts.seen != node.facts.multiplies:
            yield "all pairs of queries and keys, those that the mask hides too; seen multiplies leave these out"
        if node.op is not None and (window := node.op.window(*node.input_shapes)) and any(map(any, window.padding)):
            yield "positions of zero padding, as real ones"


def _not_counted_notes(node: Node) -> Iterator[str]:
    """What another count might have and this one has not."""
    if not any(product.multiplies for product in node.facts.products):
        yield "elementwise work, pooling, norms and activations are no multiplies"
    elif any("bias" in name for name in node.facts.weights):
        yield "adding the bias"
    if node.op is not None and node.op.steps("", *node.input_shapes):
        yield "in traffic, what it holds inside (peak and training bytes have it)"
    if node.facts.buffers:
        yield "running statistics are buffers, not params"
