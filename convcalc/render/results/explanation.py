"""An explanation as people read it: what the layer is, what it reads, and every number with its values put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convcalc.errors import Span
from convcalc.explain.model import Explanation
from convcalc.metrics.memory import Peak
from convcalc.number_format import count_of, format_exact, format_per_axis
from convcalc.render.report.header import given_inputs
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.paragraph import Block, Paragraph, left_out
from convcalc.render.tables.surface import Surface
from convcalc.render.tables.table import Table, TableColumn
from convcalc.report.fold import is_informative


def explanation_blocks(explanation: Explanation, surface: Surface) -> Iterator[Block]:
    """The heading, what enters and leaves, the numbers with their derivations, what is counted and what is not."""
    glyphs, width = Characters(surface.ascii_only), surface.width

    def line(text: str, style: str = "", indent: int = 0) -> Paragraph:
        return Paragraph([(" " * indent + glyphs.text(text), style)], width, indent + 2)

    yield line(explanation.path or explanation.design, "title")
    what = f"{explanation.kind} {explanation.summary}".strip()
    design = f" · {explanation.design}" if explanation.path else ""
    yield line(f"{what}{design}{given_inputs(explanation.given_inputs)}", "dim")
    if explanation.description:
        yield line(explanation.description)
    yield Paragraph()
    yield from (line(text) for text in _flow(explanation, glyphs))
    if explanation.formula:
        yield Paragraph()
        yield line(f"Formula: {explanation.formula}")
    yield Paragraph()
    yield from _numbers(explanation, glyphs, width)
    if explanation.heaviest:
        yield Paragraph()
        yield _parts(explanation, glyphs)
    if explanation.peak:
        yield Paragraph()
        yield line(_most(explanation.peak))
    for heading, texts in (("Counted", explanation.counted), ("Not counted", explanation.not_counted)):
        if texts:
            yield Paragraph()
            yield line(f"{heading}: {'; '.join(texts)}.")
    if not explanation.kind and explanation.heaviest:
        yield Paragraph()
        yield line(f"To explain one layer: convcalc explain {explanation.design} {explanation.heaviest[0][0]}", "dim")


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


def _numbers(explanation: Explanation, glyphs: Characters, width: int | None) -> Iterator[Block]:
    """A line a number, and below it the terms that it is the sum of.

    Where there is no room, what numbers mean goes first, then units, then derivations.
    """
    whole = _columns(explanation, glyphs, meanings=True)
    brief = _columns(explanation, glyphs, meanings=False)
    lost = ("what numbers mean", "units", "derivations")
    offered = (whole, brief, [*brief[:2], brief[3]], brief[:2])
    grids = [Table(columns, ["" for _ in columns[0].texts]) for columns in offered]
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


def _parts(explanation: Explanation, glyphs: Characters) -> Table:
    names, params, macs = zip(*explanation.heaviest, strict=True)
    heading = f"Heaviest of {count_of(explanation.layers, 'layer')}"
    columns = [
        TableColumn(heading, [glyphs.text(name) for name in names]),
        TableColumn("Params", [format_exact(value) for value in params], right=True),
        TableColumn(
            "Multiplies",
            [
                "?" if "macs" in explanation.unknown.get(name, ()) else format_exact(value)
                for name, value in zip(names, macs, strict=True)
            ],
            right=True,
        ),
    ]
    return Table(columns, ["" for _ in names])


def explanation_facts(explanation: Explanation, place: Callable[[Span | None], object]) -> dict[str, object]:
    """Return an explanation as what JSON has words for."""
    return {
        "design": explanation.design,
        "path": explanation.path,
        **({"given_inputs": explanation.given_inputs} if explanation.given_inputs else {}),
        "op": explanation.kind,
        "summary": explanation.summary,
        "does": explanation.description,
        "formula": explanation.formula,
        "inputs": [
            {"name": one.path, "shape": list(one.shape), "source": place(one.source)} for one in explanation.inputs
        ],
        "output_shape": list(explanation.output),
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
        "counted": list(explanation.counted),
        "left_out": list(explanation.not_counted),
        "fused": list(explanation.fused),
        "tied_to": explanation.tied_to,
        **(
            {"unknown": {path: sorted(keys) for path, keys in explanation.unknown.items()}}
            if explanation.unknown
            else {}
        ),
        "peak": explanation.peak
        and {
            "layer": explanation.peak.layer,
            "bytes": explanation.peak.bytes,
            "alive": [tensor._asdict() for tensor in explanation.peak.alive],
        },
        "source": place(explanation.source),
    }
