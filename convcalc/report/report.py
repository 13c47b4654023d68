"""The report: plain frozen data between the metrics and everything that shows, compares or checks numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from convcalc.arith import is_plain
from convcalc.dtypes import unmatched
from convcalc.errors import Span, describe_one, did_you_mean, quoted
from convcalc.gc_pause import uncollected
from convcalc.graph.graph import Graph, Node
from convcalc.metrics.memory import Peak, peak
from convcalc.metrics.metric import Misaligned
from convcalc.metrics.registry import details, measures
from convcalc.report.drawn import Drawn, words
from convcalc.report.layer_summary import summary

if TYPE_CHECKING:
    from fractions import Fraction


CONVENTION = "convcalc/1"

SCHEMA_VERSION = 1


class Column(NamedTuple):
    """A metric: its key in machine formats, its heading, its unit and what it means in one line."""

    key: str
    title: str
    unit: str
    meaning: str
    additive: bool = True
    """Whether the total is the sum of the layers (params) or a property of the whole graph (depth)."""
    of_layers: bool = False
    """Whether single layers have it, though it is no sum: a ratio, a receptive field."""
    largest: bool = False
    """Whether several layers have the largest of theirs."""


class Device(NamedTuple):
    """A machine as its maker states it: the most operations in a second by number format, and bytes in a second."""

    key: str
    """What ``--device`` called it."""
    name: str
    source: str
    operations: Mapping[str, Fraction]
    bandwidth: Fraction
    note: str = ""
    """What its numbers rest on."""


class Row(NamedTuple):
    """One layer: where it stands, what it is, and its value in every additive column."""

    path: str
    op: str
    summary: str
    """What a person wants to read of the layer's parameters: ``3×3, 128 → 192, stride 2``."""
    inputs: tuple[str, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    attributes: Mapping[str, Any]
    values: Mapping[str, Any]
    """Integers; of a column that is no sum also a ratio, a word, or a tuple with one of these for each input axis."""
    tied_to: str | None = None
    source: Span | None = None


Format = Literal["text", "json", "csv", "markdown", "latex", "html", "svg"]


@dataclass(frozen=True, slots=True)
class Report(Drawn):
    """What is known of one design under one convention.

    ``design`` is what the user typed, ``name`` the spec's own name (or the design). ``totals`` has a value for every
    column, in the order of ``columns``. ``unknown`` lists layers that could not be counted: then totals are lower
    bounds. ``peak``, ``misaligned`` and ``device`` are there where details were asked for.
    """

    design: str
    name: str
    batch: int
    dtype: str
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[int, ...]]
    columns: tuple[Column, ...]
    totals: Mapping[str, Any]
    rows: Sequence[Row]
    unknown: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    peak: Peak | None = None
    """Where the most activations are alive, and which."""
    misaligned: tuple[Misaligned, ...] | None = None
    """The joins of paths that look at different places of the input."""
    gated: tuple[str, ...] | None = None
    """The products whose gates are left out of receptive fields; nothing where gates are in them."""
    device: Device | None = None
    """The device that time bounds are for."""
    given: tuple[str, ...] = ()
    """The inputs whose shapes are not those of the spec: ``--input``."""
    note: str = ""
    """What the spec says of its designs."""

    method = "report"

    @property
    def complete(self) -> bool:
        return not self.unknown

    def to(  # type: ignore[override] # fewer formats
        self,
        format: Format,  # noqa: A002 - the word that the command line uses
        *,
        depth: int | None = None,
        columns: str | Iterable[str] | None = None,
        by: Literal["layer", "op", "block"] = "layer",
    ) -> str:
        """Return the report in a format, as ``convcalc report`` writes it into a file.

        Args:
            format: which one.
            depth: folds layers to so many segments of their paths.
            columns: keys of metrics; by default params and multiplies, in formats for machines all.
            by: a row for each layer, op or block.

        Raises:
            ValueError: for a format, a column, a grouping or a depth that there is not.

        >>> import convcalc
        >>> report = convcalc.load(text="input: [3, 8, 8]\\nlayers: [conv: [4, 3], relu]").report()
        >>> report.to("csv", columns=["params"], by="op").split()
        ['path,op,summary,layers,output_shape,params,tied_to', 'conv,,,1,4x6x6,112,', 'act,,,1,4x6x6,0,']
        """
        from convcalc.report.fold import View

        if depth is not None and (not isinstance(depth, int) or depth < 1):
            raise ValueError(f"depth is a positive integer, not {depth!r}")
        return self._draw(format, View(depth, by, columns=None if columns is None else words(columns)))

    def to_dataframe(self, library: Literal["pandas", "polars"] = "pandas") -> Any:
        """Return the layers as a data frame, with a column for every metric that they have; ratios are floats.

        Raises:
            ValueError: for another library.
            SpecError: CC719, where the library is not installed.

        >>> import convcalc
        >>> convcalc.load("zoo:resnet50").report().to_dataframe()["params"].sum()
        np.int64(25557032)
        """
        from convcalc.extras import data_frame

        keys = [column.key for column in self.columns if column.additive or column.of_layers]
        heads = ("path", "op", "summary", "output_shape", "tied_to")
        table: dict[str, Sequence[Any]] = {head: [getattr(row, head) for row in self.rows] for head in heads}
        table |= {key: [row.values.get(key) for row in self.rows] for key in keys}
        return data_frame(table, library)

    def __repr__(self) -> str:
        totals = ", ".join(f"{self.totals[key]:,} {key}" for key in ("params", "macs") if key in self.totals)
        return f"<Report of {self.design}: {len(self.rows):,} layers, {totals}>"

    def _repr_html_(self) -> str:
        return self.to("html")


@uncollected()
def report_on(
    graph: Graph, design: str, *, batch: int = 1, dtype: str = "float32", detailed: Collection[str] = ()
) -> Report:
    """Measure a graph.

    Args:
        graph: layers with their shapes.
        design: what the user calls it.
        batch: samples at once; counts that grow with it are given for the whole batch.
        dtype: number format that byte metrics are worked out for, perhaps with others for some layers.
        detailed: details to add, of :data:`convcalc.metrics.registry.DETAILS`; ``peak`` adds what is alive at the peak,
            :data:`convcalc.metrics.registry.WITHOUT_GATES` leaves gates out of receptive fields.
            Plain numbers have them; a graph of arrays or symbols goes without.
    """
    columns: list[Column] = []
    totals: dict[str, Any] = {}
    additive: list[tuple[str, Sequence[int]]] = []
    for measure in measures():
        values, totals[measure.key] = measure.values(graph, batch, dtype)
        columns.append(Column(measure.key, measure.title, measure.unit, measure.meaning, measure.additive))
        if measure.additive:
            additive.append((measure.key, values))
    keys = [key for key, _ in additive]
    per_layer = zip(*(values for _, values in additive), strict=True)
    described: dict[int, Described] = {}
    rows = [
        _row(graph, node, dict(zip(keys, values, strict=True)), described)
        for node, values in zip(graph.layers, per_layer, strict=True)
    ]
    report = Report(
        design=design,
        name=graph.name or design,
        batch=batch,
        dtype=dtype,
        inputs={node.path: tuple(node.shape) for node in graph.inputs},
        outputs={label: tuple(graph.nodes[index].shape) for label, index in graph.outputs.items()},
        columns=tuple(columns),
        totals=totals,
        rows=rows,
        warnings=(*(describe_one(warning) for warning in graph.warnings), *_unmatched(graph, dtype)),
    )
    return _detailed(report, graph, detailed) if detailed and all(map(is_plain, totals.values())) else report


def _unmatched(graph: Graph, dtype: str) -> list[str]:
    """Return a warning for every glob of number formats that fits no layer."""
    globs = unmatched(dtype, (node.path for node in graph.nodes))
    return [f"no layer has a path like {quoted(glob)}, which has a number format of its own"
            f"{did_you_mean(glob, graph.paths())}" for glob in globs]  # fmt: skip


def _detailed(report: Report, graph: Graph, keys: Collection[str]) -> Report:
    found = details(graph, keys, report.batch, report.dtype)
    more = [
        (Column(*one[:4], additive=False, of_layers=True, largest=one.largest), one.values, one.total)
        for one in found.details
    ]
    most = peak(graph, report.batch, report.dtype) if "peak" in keys else None
    return replace(added(report, more), misaligned=found.misaligned, gated=found.gated, peak=most)


def added(report: Report, more: Sequence[tuple[Column, Sequence[Any], Any]]) -> Report:
    """Return a report with more columns: each with the value of every layer, and of the whole (``None`` for none).

    One that the report has already, for the whole alone, becomes one of layers.
    """
    if not more:
        return report
    columns, values, totals = zip(*more, strict=True)
    keys = [column.key for column in columns]
    each = zip(*values, strict=True)
    facts = (dict(zip(keys, own, strict=True)) for own in each)
    rows = [row._replace(values={**row.values, **own}) for row, own in zip(report.rows, facts, strict=True)]
    known = {key: total for key, total in zip(keys, totals, strict=True) if total is not None}
    own = {column.key: column for column in (*report.columns, *columns)}
    return replace(report, columns=tuple(own.values()), totals={**report.totals, **known}, rows=rows)


Described: TypeAlias = tuple[Mapping[str, Any], str]
"""The attributes of a layer and what they are in words."""


def _row(graph: Graph, node: Node, values: Mapping[str, int], described: dict[int, Described]) -> Row:
    """Return the row of a layer; layers that share their facts are described once."""
    op = node.op
    assert op is not None
    if id(node.facts) not in described:
        found = op.attributes(*node.input_shapes)
        described[id(node.facts)] = found, summary(found, node)
    attributes, words = described[id(node.facts)]
    return Row(
        path=node.path,
        op=op.kind,
        summary=words,
        inputs=tuple([graph.nodes[index].path for index in node.inputs]),
        input_shapes=tuple([tuple(shape) for shape in node.input_shapes]) if op.reads else (),
        output_shape=tuple(node.shape),
        attributes=attributes,
        values=values,
        tied_to=graph.nodes[node.owner].path if node.owner != node.index else None,
        source=node.source,
    )
