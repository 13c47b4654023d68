"""An explanation as people read it: what the layer is, what it reads, and every number with its values put in."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.explain.model import Explanation
from convcalc.metrics.memory import Peak
from convcalc.number_format import count_of, format_exact, format_per_axis
from convcalc.render.report.facts import location_facts
from convcalc.render.report.header import given_inputs
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn, left_out
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.fold import is_informative


def explanation_blocks(explanation: Explanation, surface: Surface) -> Iterator[Block]:
    """The heading, what enters and leaves, the numbers with their derivations, what is counted and what is not."""
    yield surface.line(explanation.path or explanation.design, "title")
    what = f"{explanation.kind} {explanation.summary}".strip()
    design = f" · {explanation.design}" if explanation.path else ""
    yield surface.line(f"{what}{design}{given_inputs(explanation.given_inputs)}", "dim")
    if explanation.description:
        yield surface.line(explanation.description)
    yield Paragraph()
    yield from map(surface.line, _flow(explanation, surface.glyphs))
    if explanation.formula:
        yield Paragraph()
        yield surface.line(f"Formula: {explanation.formula}")
    yield Paragraph()
    yield from _numbers(explanation, surface)
    if explanation.heaviest:
        yield Paragraph()
        yield _heaviest(explanation, surface.glyphs)
    if explanation.peak:
        yield Paragraph()
        yield surface.line(_most(explanation.peak))
    for heading, texts in (("Counted", explanation.counted), ("Not counted", explanation.not_counted)):
        if texts:
            yield Paragraph()
            yield surface.line(f"{heading}: {'; '.join(texts)}.")
    if not explanation.kind and explanation.heaviest:
        yield Paragraph()
        example = f"convcalc explain {explanation.design} {explanation.heaviest[0][0]}"
        yield surface.line(f"To explain one layer: {example}", "dim")


def _flow(explanation: Explanation, glyphs: Characters) -> Iterator[str]:
    if explanation.source:
        yield f"defined at {explanation.source}"
    for entering in explanation.inputs:
        where = f" ({entering.source})" if entering.source else ""
        yield f"input:  {glyphs.shape(entering.shape)} from {entering.path}{where}"
    yield f"output: {glyphs.shape(explanation.output)}" if explanation.output else "output: one number"
    yield from (f"  {step.name}: {step.factors} = {step.value:,}" for step in explanation.sizes)
    if explanation.fused:
        yield f"followed by {' and '.join(explanation.fused)}, counted separately"
    if explanation.tied_to:
        yield f"uses the weights of {explanation.tied_to}, which count there"


def _numbers(explanation: Explanation, surface: Surface) -> Iterator[Block]:
    """A line a number, and below it the terms that it is the sum of.

    Where there is no room, what numbers mean goes first, then units, then derivations.
    """
    whole, brief = (_columns(explanation, surface.glyphs, meanings=meanings) for meanings in (True, False))
    grids = [Table(columns) for columns in (whole, brief, [*brief[:2], brief[3]], brief[:2])]
    lost = ("what numbers mean", "units", "derivations")
    width = surface.width
    found = next((place for place, grid in enumerate(grids) if width is None or grid.width <= width), len(lost))
    yield grids[found]
    if found:
        yield left_out(", ".join(lost[:found]), width, grids[0].width)


def _columns(explanation: Explanation, glyphs: Characters, *, meanings: bool) -> list[TableColumn]:
    rows: list[tuple[str, str, str, str]] = []
    unknown = frozenset().union(*explanation.unknown.values())
    values = {metric.column.key: metric.value for metric in explanation.metrics}
    for metric in explanation.metrics:
        if not is_informative(metric.column.key, values):
            continue
        if metric.column.key in unknown and explanation.kind:
            rows.append((metric.column.title, "?", metric.column.unit, "not known"))
        elif metric.steps or (any(metric.value) if isinstance(metric.value, tuple) else metric.value):
            alone = len(metric.steps) == 1
            how = metric.steps[0].factors if alone else metric.column.meaning if meanings and not metric.steps else ""
            mark = f"{glyphs.at_least} " if metric.column.key in unknown else ""
            text = mark + format_per_axis(metric.value, format_exact, glyphs.text)
            rows.append((metric.column.title, text, metric.column.unit, how))
            rows += [
                (f"  {step.name}", format_exact(step.value), "", step.factors) for step in metric.steps if not alone
            ]
    titles, numbers, units, derivations = zip(*rows, strict=True) if rows else ((), (), (), ())
    return [
        TableColumn("", [glyphs.text(text) for text in titles]),
        TableColumn("", numbers, right=True, style="total"),
        TableColumn("", units, style="dim"),
        TableColumn("", [glyphs.text(text) for text in derivations]),
    ]


def _most(peak: Peak) -> str:
    """``At the peak, while conv1 runs, 9,633,792 bytes are alive: input 602,112, conv1 3,211,264``."""
    alive = ", ".join(f"{tensor.name} {tensor.bytes:,}" for tensor in peak.alive)
    return f"At the peak, while {peak.layer} runs, {peak.bytes:,} bytes are alive: {alive}."


def _heaviest(explanation: Explanation, glyphs: Characters) -> Table:
    names, params, macs = zip(*explanation.heaviest, strict=True)
    multiplies = [
        "?" if "macs" in explanation.unknown.get(name, ()) else format_exact(value)
        for name, value in zip(names, macs, strict=True)
    ]
    heading = f"Heaviest of {count_of(explanation.layers, 'layer')}"
    columns = [
        TableColumn(heading, [glyphs.text(name) for name in names]),
        TableColumn("Params", list(map(format_exact, params)), right=True),
        TableColumn("Multiplies", multiplies, right=True),
    ]
    return Table(columns)


def explanation_facts(explanation: Explanation) -> dict[str, object]:
    """Return an explanation as what JSON has words for."""
    peak, unknown = explanation.peak, {path: sorted(keys) for path, keys in explanation.unknown.items()}
    return {
        "design": explanation.design,
        "path": explanation.path,
        **({"given_inputs": explanation.given_inputs} if explanation.given_inputs else {}),
        "op": explanation.kind,
        "summary": explanation.summary,
        "does": explanation.description,
        "formula": explanation.formula,
        "inputs": [
            {"name": one.path, "shape": one.shape, "source": location_facts(one.source)} for one in explanation.inputs
        ],
        "output_shape": explanation.output,
        "sizes": [step._asdict() for step in explanation.sizes],
        "metrics": [
            {
                "key": metric.column.key,
                "unit": metric.column.unit,
                "value": metric.value,
                "meaning": metric.column.meaning,
                "steps": [step._asdict() for step in metric.steps],
            }
            for metric in explanation.metrics
        ],
        "layers": explanation.layers,
        "heaviest": [{"name": name, "params": params, "macs": macs} for name, params, macs in explanation.heaviest],
        "counted": explanation.counted,
        "left_out": explanation.not_counted,
        "fused": explanation.fused,
        "tied_to": explanation.tied_to,
        **({"unknown": unknown} if unknown else {}),
        "peak": peak and {"layer": peak.layer, "bytes": peak.bytes, "alive": [each._asdict() for each in peak.alive]},
        "source": location_facts(explanation.source),
    }
