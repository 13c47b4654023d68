"""Count one file: only the totals that are requested, on the graph itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.batch.skeletons import Skeletons
from convcalc.designs.imports import Imports, imports_of
from convcalc.designs.names import DesignName, chosen_variant, spec_path
from convcalc.designs.sources import DEFAULT_COUNT_OPTIONS, CountOptions, SpecFile, open_spec, read_spec
from convcalc.errors import MAX_SHOWN_ERRORS, SpecError, SpecErrors, format_error
from convcalc.number_format import count_of
from convcalc.records import NamedTuple
from convcalc.report.metrics import is_known
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.yaml.text import decode

DTYPE = "dtype"
"""The field of a row that has its data type."""


class CountRequest(NamedTuple):
    """What to count of every design, with a row for each of the data types."""

    metrics: tuple[str, ...]
    options: CountOptions = DEFAULT_COUNT_OPTIONS
    variants: tuple[str | None, ...] | None = None
    """The variants of a file that is named without one; no names for all of them."""


class CountTask(NamedTuple):
    """A design to count, with the bytes of its file if they have been read."""

    design: DesignName
    from_glob: bool = False
    """Whether a folder or a glob named it: then a file that has only blocks is passed over."""
    data: bytes | None = None


class ErrorText(NamedTuple):
    """An error as text, so that it can go from process to process and be kept in millions."""

    code: str
    text: str
    hint: str
    source: Mapping[str, Any] | None
    line: str
    """The first line of the message: ``file:line:col: error CCnnn: text``."""
    excerpt: str
    """The whole message: with the line of the spec and the hint."""


class BatchRow(NamedTuple):
    """One design counted: its totals in the order of ``CountRequest.metrics``, or its errors."""

    design: DesignName
    name: str = ""
    """The network's own name; nothing if it has none."""
    input: object = None
    """The shape of the input; of several inputs, the shapes by name."""
    dtype: str | None = None
    totals: tuple[int, ...] = ()
    errors: tuple[ErrorText, ...] = ()
    uncounted: int = 0
    """How many layers are not known in these metrics."""
    bounds: tuple[str, ...] = ()
    """The metrics whose totals are lower bounds."""
    imports: Imports | None = None
    """What its file imports, if it does."""

    def facts(self, metrics: Sequence[str]) -> dict[str, Any]:
        """Return the row by the keys of its fields."""
        return {
            "design": self.design.text,
            "name": None if self.errors else self.design.title(self.name),
            "input": self.input,
            DTYPE: self.dtype,
            **dict(zip(metrics, self.totals or (None,) * len(metrics), strict=True)),
            "error": self.errors[0].line if self.errors else self._note(),
        }

    def _note(self) -> str | None:
        """What has to be known of totals that are lower bounds."""
        layers = count_of(self.uncounted, "layer is", "layers are")
        return f"lower bounds (≥) of {', '.join(self.bounds)}: {layers} not counted" if self.bounds else None


def count(task: CountTask, request: CountRequest, skeletons: Skeletons | None = None) -> list[BatchRow]:
    """Count the design of a task, or all variants of it; an error in one does not affect the others.

    With the skeletons of designs before it, one that differs from them in numbers alone is not read anew.
    """
    try:
        variant = chosen_variant(task.design, request.options.variant)
        if skeletons is not None and (filled := _fill(task, request, skeletons)) is not None:
            rows = _count_spec(filled, variant, task, request)
            if not any(row.errors for row in rows):
                return rows
        spec = _open(task, request)
        rows = _count_spec(spec, variant, task, request)
    except SpecErrors as errors:
        return [BatchRow(task.design, errors=_error_texts(errors))]
    if skeletons is not None and task.data is not None and not any(row.errors for row in rows):
        skeletons.keep(spec)
    return rows


def _count_spec(spec: SpecFile, variant: str | None, task: CountTask, request: CountRequest) -> list[BatchRow]:
    design = task.design
    if task.from_glob and not spec.variants:
        return []
    if request.variants is None or variant is not None or not spec.variants:
        named = spec.design(variant, design.part) if variant and design.variant is None else design
        return _count_variant(spec, named, variant, request)
    variants = request.variants or spec.variants
    return [row for each in variants for row in _count_variant(spec, spec.design(each, design.part), each, request)]


def _fill(task: CountTask, request: CountRequest, skeletons: Skeletons) -> SpecFile | None:
    """Return the spec of a task from a skeleton that is known; shapes that are given are read with the file."""
    if task.data is None or request.options.inputs:
        return None
    try:
        return skeletons.fill(decode(task.data, task.design.file), task.design.file)
    except SpecError:  # reading it says what is wrong
        return None


def _open(task: CountTask, request: CountRequest) -> SpecFile:
    file, options = task.design.file, request.options
    if task.data is None:
        return open_spec(file, libraries=options.libraries, inputs=options.inputs, code=options.code)
    try:
        path = spec_path(file)
        source = decode(task.data, path)
    except SpecError as error:
        raise SpecErrors([error]) from None
    return read_spec(source, file, path, DocumentLoader(libraries=options.libraries), options.inputs)


def _count_variant(spec: SpecFile, design: DesignName, variant: str | None, request: CountRequest) -> list[BatchRow]:
    options = request.options
    try:
        network = spec.expand(variant, design.part, overrides=options.overrides)
        if options.strict:
            network.require_counted()
    except SpecErrors as errors:
        return [BatchRow(design, errors=_error_texts(errors))]
    shapes = {node.path: tuple(node.shape) for node in network.graph.inputs}
    entering = next(iter(shapes.values())) if len(shapes) == 1 else shapes
    imports = imports_of(spec.files) if spec.document.imports else None
    rows: list[BatchRow] = []
    for dtype in options.dtypes:
        totals = network.measurements(options.batch, dtype).totals(request.metrics)
        lacking = [{key for key in request.metrics if not is_known(key, node)} for node in network.graph.uncounted]
        bounds = tuple(key for key in request.metrics if any(key in keys for keys in lacking))
        counts = tuple(totals.values())
        uncounted = sum(map(bool, lacking))
        rows.append(BatchRow(design, network.graph.name, entering, dtype, counts, (), uncounted, bounds, imports))
    return rows


def _error_texts(errors: SpecErrors) -> tuple[ErrorText, ...]:
    return tuple(error_text(error, shown=place < MAX_SHOWN_ERRORS) for place, error in enumerate(errors.errors))


def error_text(error: SpecError, *, shown: bool = True) -> ErrorText:
    """Return an error as text; the excerpt of its source only where it may be shown."""
    line, span = str(error), error.span
    location = span and {"file": span.file, "line": span.line, "column": span.column}
    return ErrorText(error.code, error.text, error.hint, location, line, format_error(error) if shown else line)
