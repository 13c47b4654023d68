"""The Python interface: what ``import convcalc`` offers. ``convcalc.load("spec.yaml").report()``.

An argument that a function does not take, such as a batch of 0 or an unknown data type, metric or format, is a
``ValueError``. What is wrong with a design, its spec, variables, inputs, axes, conditions, symbols or device is
``SpecErrors``, each with a code and a place, which is in a file or in an argument: ``set:1:1``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convcalc.arith import is_plain
from convcalc.designs.names import DesignName
from convcalc.designs.sources import Axes, CountOptions, SpecFile, input_texts, open_design, open_source
from convcalc.designs.sources import Network as _Network
from convcalc.dtypes import parse_dtype
from convcalc.errors import Source, SpecError, SpecErrors, python_errors, quoted
from convcalc.graph.graph import Graph
from convcalc.metrics.registry import DETAIL_KEYS, WITHOUT_GATES, report_metrics
from convcalc.report.compare import Comparison
from convcalc.report.compare import compare as _compared
from convcalc.report.drawn import chosen, listed, require_positive, words
from convcalc.report.metrics import LEAST_TIME
from convcalc.report.report import Report

if TYPE_CHECKING:
    import torch

    from convcalc.formula.closed_form import Formula
    from convcalc.sweep.table import SweepTable

Path = str | os.PathLike[str]


class Design:
    """A shape-checked network: count it, compare it, sweep it.

    >>> load("zoo:lenet")
    <Design zoo:lenet: 12 layers>
    """

    __slots__ = ("_set", "network")

    def __init__(self, network: _Network, given: Mapping[str, Any] | None = None) -> None:
        self.network = network
        """What the rest of the program works with."""
        self._set = {name: listed(value) for name, value in (given or {}).items()}

    @property
    def name(self) -> str:
        """Its name in reports: the network's own, or that by which it was loaded."""
        return self.network.title

    @property
    def graph(self) -> Graph:
        """Its layers with their shapes."""
        return self.network.graph

    @property
    def variables(self) -> Mapping[str, Any] | None:
        """The variables of its spec with their values; ``None`` for a graph in memory, which has none."""
        return self.network.variables

    def __repr__(self) -> str:
        return f"<Design {self.network.design.text}: {len(self.graph.layers):,} layers>"

    def outputs(self) -> list[Design]:
        """Return every output as a design of its own: the layers that lead to it."""
        return [Design(network) for network in self.network.outputs()]

    def report(
        self, *, batch: int = 1, dtype: str = "float32", detailed: Collection[str] = (), device: str | None = None
    ) -> Report:
        """Count everything.

        Args:
            batch: the batch size.
            dtype: number format for metrics in bytes; ``float16, stage1.**=int8`` for others in some layers.
            detailed: what to add to the counts, of ``receptive_field``, ``effective_stride``, ``offset``,
                ``arithmetic_intensity`` and ``peak``.
            device: adds the least time on a device: ``v100-sxm2``, or the path of its file.

        Returns:
            Exact integers per layer and in total.

        Raises:
            SpecErrors: CC731 to CC733 for the device.
            ValueError: for a batch that is not a positive integer, a number format or a detail that there is not.

        >>> load("zoo:resnet50").report(batch=8).totals["macs"]
        32713474048
        """
        details = chosen("detail", detailed, (*DETAIL_KEYS, "peak", WITHOUT_GATES))
        _require_conditions(batch, dtype)
        with python_errors():
            return self.network.report(batch=batch, dtype=dtype, extra=details, device=device)

    def compare(self, *others: Design | Path, batch: int = 1, dtype: str = "float32") -> Comparison:
        """Compare designs with this one; without others, the outputs of this one with each other.

        Raises:
            SpecErrors: what is wrong with a design that is read.
            ValueError: for a single design with a single output, a batch or a number format.

        >>> load("zoo:resnet50").compare("zoo:resnet50@101").metrics[0].ratios[1] > 1
        True
        """
        designs = [self, *(each if isinstance(each, Design) else load(each) for each in others)]
        if len(designs) == 1:
            designs = self.outputs()
        return _compared([design.report(batch=batch, dtype=dtype) for design in designs])

    def formula(  # noqa: PLR0913 - all by name, as on the command line
        self,
        *,
        symbols: str | Sequence[str] = (),
        set: Mapping[str, Any] | None = None,  # noqa: A002 - the word that the command line uses
        metrics: str | Sequence[str] = ("params", "macs"),
        depth: int | None = None,
        over: Design | None = None,
        batch: int = 1,
        dtype: str = "float32",
    ) -> Formula:
        """Return its counts as formulas in some of its sizes. SymPy is needed.

        Args:
            symbols: variables and axes of the input to leave open.
            set: variables to set, also to expressions, whose other names are symbols too: ``{"size": "32*k"}``.
            metrics: keys of metrics that are sums over layers.
            depth: folds layers to so many segments of their paths.
            over: a design to divide the totals by.
            batch: the batch size.
            dtype: number format for metrics in bytes.

        Raises:
            SpecErrors: CC751 for a graph in memory, CC721 for a symbol, CC719 without SymPy.
            ValueError: for a metric, a batch or a number format that there is not.

        >>> load("zoo:resnet18").formula(symbols="classes").totals["params"].value({"classes": 1000})
        11689512
        """
        from convcalc.formula import require_symbols

        _require_conditions(batch, dtype)
        require_positive("depth", 1 if depth is None else depth)
        with python_errors():
            require_symbols()
            from convcalc.formula.closed_form import derive
            from convcalc.formula.symbolic_design import FormulaRequest
            from convcalc.render.results.sweep_points import plain

            def options(design: Design) -> CountOptions:
                design._require_variables("a formula")
                given = {**design._set_but(symbols), **(set or {})}.items()
                return CountOptions({name: plain(value) for name, value in given}, batch=batch, dtypes=(dtype,))

            request = FormulaRequest(words(symbols), options(self), _metrics(metrics, additive=True), depth)
            if over is None:
                return derive(self.network, request)
            return derive(self.network, request, over=over.network, over_options=options(over))

    def sweep(
        self,
        *,
        metrics: str | Sequence[str] = ("params", "macs"),
        where: str | None = None,
        jobs: int = 1,
        dtype: str = "float32",
        device: str | None = None,
        **axes: Iterable[Any] | str,
    ) -> SweepTable:
        """Count every choice of values of some variables. NumPy is needed.

        Args:
            metrics: keys of metrics; with a device also ``least_time``, in whole nanoseconds, rounded up.
            where: keeps only points for which this holds: ``"params <= 5M and width > 32"``.
            jobs: processes.
            dtype: number format for metrics in bytes.
            device: as in a report.
            axes: variables with their values, also ``variant`` and ``batch``; the last is the fastest.

        Raises:
            SpecErrors: CC751 for a graph in memory, CC711 to CC715 for axes and conditions, CC719 without NumPy.
            ValueError: for a metric, a number format or a number of processes that there is not.

        >>> table = load("zoo:resnet18").sweep(classes=[10, 1000])
        >>> table["params"].tolist()
        [11181642, 11689512]
        """
        spec = self._require_variables("a sweep")
        require_positive("jobs", jobs)
        _require_conditions(1, dtype)
        keys = _metrics(metrics, LEAST_TIME)
        with python_errors():
            from convcalc.sweep.job import make_job
            from convcalc.sweep.table import axis_of, swept

            variants = axes.pop("variant", None) if "variant" not in (self.variables or ()) else None
            names = None if variants is None else words(variants)
            read = [axis_of(*axis) for axis in axes.items()]
            variant = self.network.design.variant
            given = CountOptions(self._set_but(axes), tuple(spec.files.libraries), variant, dtypes=(dtype,))
            return swept(make_job(self.network, read, given, variants=names, metrics=keys, where=where), jobs, device)

    def _set_but(self, names: str | Iterable[str]) -> dict[str, Any]:
        """Return the values that were set at loading, without those of some names."""
        return {name: value for name, value in self._set.items() if name not in words(names)}

    def _require_variables(self, what: str) -> SpecFile:
        arrays = [name for name, value in self._set.items() if not is_plain(value)]
        if self.network.spec is not None and not arrays:
            return self.network.spec
        text, hint = f"variables, and {self.name} is a graph in memory, which has none", "load a spec with `vars`"
        if arrays:
            text = f"plain values, and {quoted(arrays[0])} is set to an array or a symbol"
            hint = "load the spec without it"
        raise SpecErrors([SpecError("CC751", f"{what} needs {text}", hint=hint)])


Network = Design  # its former name


def _metrics(metrics: str | Sequence[str], *more: str, additive: bool = False) -> tuple[str, ...]:
    known = [each.key for each in report_metrics() if each.is_additive or not additive]
    return chosen("metric", metrics, [*known, *more])


def _require_conditions(batch: Any, dtype: Any) -> None:
    require_positive("batch", batch)
    try:
        parse_dtype(str(dtype))
    except SpecError as error:
        raise ValueError(f"dtype: {error.text} ({error.hint})") from None


def load(  # noqa: PLR0913 - what the command line has as options
    design: Path | torch.nn.Module | None = None,
    *,
    text: str | None = None,
    name: str = "<text>",
    variant: str | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - the word that the command line uses
    input: Axes | Mapping[str, Axes] = "",  # noqa: A002 - likewise
    libraries: Path | Sequence[Path] = (),
) -> Design:
    """Read a design and check its shapes.

    Args:
        design: ``FILE``, ``FILE@variant``, ``FILE#path``, ``zoo:NAME``; or a module of PyTorch, which is traced.
        text: the text of a spec, in place of a design.
        name: what to call a text in errors.
        variant: a named set of overrides in the spec.
        set: variables to override: numbers, or expressions as text.
        input: another input shape, ``"3,320,320"`` or ``(3, 320, 320)``; of several by names: ``{"ids:int64": 128}``.
        libraries: folders that specs may import from.

    Raises:
        SpecErrors: everything that is wrong, with places; ``str()`` of it is what the command line prints.

    >>> load(text="input: [3, 8, 8]\\nlayers: [conv: [4, 3]]").report().totals["params"]
    112
    """
    if (design is None) == (text is None):
        raise TypeError("load() takes a design or text=, and not both")
    folders = [os.fspath(each) for each in ([libraries] if isinstance(libraries, str | os.PathLike) else libraries)]
    given: Any = {"variant": variant, "overrides": set, "libraries": folders, "inputs": input_texts(input)}
    with python_errors():
        if text is not None:
            return Design(open_source(Source(name, text), **given), set)
        if isinstance(design, str | os.PathLike):
            return Design(open_design(os.fspath(design), **given), set)
        from convcalc.importers.torch.parent import trace_module

        return from_graph(trace_module(design, input_texts(input)), name=type(design).__name__)


def from_graph(graph: Graph, *, name: str = "<graph>") -> Design:
    """Make a design of a graph that was built in Python.

    >>> from convcalc import GraphBuilder, ops
    >>> b = GraphBuilder()
    >>> _ = b.add("fc", ops.make("linear", out=10), b.input("features", [64]))
    >>> from_graph(b.graph(), name="head").report().totals["params"]
    650
    """
    return Design(_Network(DesignName(name, name), graph))


def compare(first: Design | Path, *others: Design | Path, batch: int = 1, dtype: str = "float32") -> Comparison:
    """Compare designs with the first; a single one with several outputs, output by output.

    >>> compare("zoo:resnet50", "zoo:mobilenet_v2")
    <Comparison of resnet50, mobilenet_v2>
    """
    design = first if isinstance(first, Design) else load(first)
    return design.compare(*others, batch=batch, dtype=dtype)
