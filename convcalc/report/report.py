"""The report: plain frozen data between measurements and everything that shows or compares numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from convcalc.errors import Span
from convcalc.metrics.memory import Peak
from convcalc.metrics.metric import Metric, MisalignedJoin
from convcalc.records import NamedTuple, dataclass, field
from convcalc.report.drawn import Drawn, require_positive, words

if TYPE_CHECKING:
    from convcalc.devices.roofline import Device
    from convcalc.report.drawn import Picture


CONVENTION_ID = "convcalc/1"

SCHEMA_VERSION = 1


class LayerRow(NamedTuple):
    """One layer: its path, its kind, its shapes and its values."""

    path: str
    op: str
    summary: str
    """The layer's parameters in short: ``3×3, 128 → 192, /2``."""
    inputs: tuple[str, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    attributes: Mapping[str, Any]
    values: Mapping[str, Any]
    """By the keys of metrics: integers, or, where values do not add up, ratios, words, tuples with a value per axis."""
    tied_to: str | None = None
    source: Span | None = None


Format = Literal["text", "json", "csv", "markdown", "latex", "html", "svg"]


@dataclass(frozen=True, slots=True)
class Report(Drawn):
    """Metrics of one design under one counting convention.

    ``design`` is what the user typed, ``name`` the spec's own name (or the design). ``totals`` has a value for every
    column but those ``omitted``, in the order of ``columns``. ``unknown`` has the layers that could not be counted:
    then totals are lower bounds, in the metrics that each lacks. ``peak``, ``misaligned`` and ``device`` are set if
    they were requested.
    """

    design: str
    name: str
    batch: int
    dtype: str
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[int, ...]]
    columns: tuple[Metric, ...]
    totals: Mapping[str, Any]
    rows: Sequence[LayerRow]
    unknown: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The layers that could not be counted, each with the keys of the metrics in which it is not known."""
    warnings: tuple[str, ...] = ()
    peak: Peak | None = None
    """The step with the largest activations, and their tensors."""
    misaligned: tuple[MisalignedJoin, ...] | None = None
    """The joins of paths whose receptive fields are not aligned."""
    gated: tuple[str, ...] | None = None
    """The products whose gates are left out of receptive fields; ``None`` if gates count."""
    device: Device | None = None
    """The device that time bounds are for."""
    given: tuple[str, ...] = ()
    """The inputs whose shapes are not those of the spec: ``--input``."""
    overrides: tuple[tuple[str, str], ...] = ()
    """Variables that are not those of the spec, each with its text: ``--set``."""
    note: str = ""
    """The ``note`` of the spec."""
    omitted: tuple[str, ...] = ()
    """The keys of columns that have neither totals nor values here, because nothing shows them."""

    method = "report"

    @property
    def is_complete(self) -> bool:
        return not self.unknown

    @property
    def lower_bounds(self) -> frozenset[str]:
        """The keys of the metrics whose totals are lower bounds."""
        return frozenset().union(*self.unknown.values())

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
        from convcalc.report.fold import TableOptions

        require_positive("depth", 1 if depth is None else depth)
        return self._draw(format, TableOptions(depth, by, columns=None if columns is None else words(columns)))

    def plot(
        self,
        kind: Literal["bridge", "bars", "skyline", "treemap"] = "bridge",
        *,
        width: int | None = None,
        depth: int | None = None,
    ) -> Picture:
        """Draw the report: a notebook shows the picture, and ``to_svg()`` returns it as a file.

        Args:
            kind: ``bridge`` (shares of multiplies and of parameters), ``bars`` (both for every part), ``skyline``
                (every layer in order) or ``treemap`` (every layer as an area).
            width: in pixels; by default that of the kind.
            depth: of ``bars``, a row for so many segments of paths.

        Raises:
            ValueError: for a kind, a width or a depth that there is not.

        >>> import convcalc
        >>> convcalc.load("zoo:lenet").report().plot("bars").width
        720
        """
        require_positive("width", 1 if width is None else width)
        require_positive("depth", 1 if depth is None else depth)
        return self._picture(kind, width=width, depth=depth)

    def graph(
        self,
        *,
        depth: int | Literal["auto", "all"] = "auto",
        opened: str | Iterable[str] = (),
        closed: str | Iterable[str] = (),
        by: Literal["macs", "params", "output_elements", "traffic_bytes", "none"] = "macs",
        direction: Literal["down", "right"] = "down",
        repeats: Literal["fold", "show"] = "fold",
    ) -> Picture:
        """Draw what reads what: modules as frames, layers as boxes, equal neighbours once with their number.

        Args:
            depth: so many levels of modules; ``auto`` shows as many as have at most 96 boxes.
            opened: globs of paths, such as ``stage3.*``, that are open at any depth.
            closed: globs of paths that are not open.
            by: the metric of the boxes' tints.
            direction: of the lines.
            repeats: ``show`` draws each of equal neighbours.

        Raises:
            ValueError: for an option that there is not, or a glob that matches no path.

        >>> import convcalc
        >>> convcalc.load("zoo:vit").report().graph().label
        'Graph of 18 boxes, top to bottom, tinted by multiplies.'
        """
        globs = {"opened": words(opened), "closed": words(closed)}
        return self._graph(depth=depth, by=by, direction=direction, repeats=repeats, **globs)

    def to_dataframe(self, library: Literal["pandas", "polars"] = "pandas") -> Any:
        """Return the layers as a data frame, with a column for every metric that they have; ratios are floats.

        Raises:
            ValueError: for another library.
            SpecErrors: CC719, where the library is not installed.

        >>> import convcalc
        >>> convcalc.load("zoo:resnet50").report().to_dataframe()["params"].sum()
        np.int64(25557032)
        """
        from convcalc.extras import data_frame

        keys = [column.key for column in self.columns if column.is_additive or column.per_layer]
        heads = ("path", "op", "summary", "output_shape", "tied_to")
        table: dict[str, Sequence[Any]] = {head: [getattr(row, head) for row in self.rows] for head in heads}
        table |= {key: [row.values.get(key) for row in self.rows] for key in keys}
        return data_frame(table, library)

    def __repr__(self) -> str:
        bounds = self.lower_bounds
        totals = ", ".join(
            f"{'≥ ' * (key in bounds)}{self.totals[key]:,} {key}" for key in ("params", "macs") if key in self.totals
        )
        return f"<Report of {self.design}: {len(self.rows):,} layers, {totals}>"

    def _repr_html_(self) -> str:
        return self.to("html")
