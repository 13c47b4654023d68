"""Where a number comes from: the facts of one layer, or of a group of layers, with their values put in.

Nothing is computed twice. Values are those of the report of the whole network; a derivation is given only where its
factors, the sizes of the layer's own weights and tensors, come to the very number that the report has.
"""

from __future__ import annotations

from convcalc.designs.sources import Network
from convcalc.explain.derivations import INTENSITY, explain_layer
from convcalc.explain.model import ExplainedMetric, Explanation, InputTensor
from convcalc.metrics.registry import DETAIL_KEYS
from convcalc.report.measurements import Conditions, Measurements
from convcalc.report.report import Report

SHOWN_PARTS = 8


def explain(network: Network, path: str = "", *, batch: int = 1, dtype: str = "float32") -> Explanation:
    """Explain a layer, a group of layers by its path, or the whole design.

    Raises:
        SpecError: CC211, where no layer has the path.
    """
    graph = network.graph
    part = graph.subgraph(path) if path else graph
    node = next((node for node in graph.layers if node.path == path), None)
    if node is None:
        measured = Measurements(network.design.text, part, network.source, Conditions(batch, dtype))
        group = _group(network, path, measured.report((INTENSITY, "peak")))
        return group._replace(given_inputs=network.given_inputs)
    fused = tuple(other.path for other in part.layers if other.path != path)
    report = network.report(batch=batch, dtype=dtype, extra=DETAIL_KEYS)
    return explain_layer(graph, node, report)._replace(fused=fused, given_inputs=network.given_inputs)


def _group(network: Network, path: str, report: Report) -> Explanation:
    heaviest = sorted(report.rows, key=lambda row: (-row.values["macs"], -row.values["params"]))
    parts = [(row.path, row.values["params"], row.values["macs"]) for row in heaviest[:SHOWN_PARTS]]
    metrics = [ExplainedMetric(column, report.totals[column.key]) for column in report.columns]
    entering = [InputTensor(name, shape, None) for name, shape in report.inputs.items()]
    return Explanation(
        design=network.design.text,
        path=path,
        summary="1 layer" if len(report.rows) == 1 else f"{len(report.rows):,} layers",
        inputs=tuple(entering),
        output=next(iter(report.outputs.values()), ()),
        metrics=tuple(metrics),
        heaviest=tuple(part for part in parts if part[1] or part[2]),
        layers=len(report.rows),
        warnings=report.warnings,
        unknown=report.unknown,
        peak=report.peak,
    )
