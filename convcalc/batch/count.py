"""One file counted: only the totals that are asked for, worked out on the graph itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from convcalc.designs.names import DesignName, spec_path
from convcalc.designs.sources import Network, Spec, open_spec, past_spec
from convcalc.errors import SHOWN_ERRORS, Span, SpecError, SpecErrors, describe_one
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.yaml.text import decode


class CountRequest(NamedTuple):
    """What is wanted of every design alike: see the options of ``report``."""

    metrics: tuple[str, ...]
    overrides: Mapping[str, Any] = {}
    libraries: tuple[str, ...] = ()
    variant: str | None = None
    variants: tuple[str | None, ...] | None = None
    """Those that a file without a named variant stands for; without names all."""
    batch: int = 1
    dtypes: tuple[str, ...] = ("float32",)
    """Number formats: a row each."""
    inputs: Mapping[str, str] = {}


class CountTask(NamedTuple):
    """A design to count, with the bytes of its file where they have been read."""

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
    """The first line of what people see: ``file:line:col: error CCnnn: text``."""
    excerpt: str
    """All of it: with the line of the spec and the hint."""


class Counted(NamedTuple):
    """What came out for one design: its totals in the order of ``Asked.metrics``, or what is wrong with it."""

    design: str
    name: str = ""
    input: object = None
    """The shape that goes in; where there are several, a shape by name."""
    dtype: str = ""
    totals: tuple[int, ...] = ()
    faults: tuple[ErrorText, ...] = ()


def count(task: CountTask, request: CountRequest) -> list[Counted]:
    """Count the design of a task, or all variants of it; what is wrong with one is its fault alone."""
    design = task.design
    variant = request.variant if design.variant is None else design.variant
    try:
        spec = _open(task, request)
    except SpecErrors as errors:
        return [Counted(design.text, faults=_error_texts(errors))]
    if task.from_glob and not spec.variants:
        return []
    if request.variants is not None and variant is None and spec.variants:
        return [
            one
            for each in request.variants or spec.variants
            for one in _count_variant(spec, _with_variant(design, each), each, request)
        ]
    return _count_variant(spec, design, variant, request)


def _open(task: CountTask, request: CountRequest) -> Spec:
    file = task.design.file
    if task.data is None:
        return open_spec(file, libraries=request.libraries, inputs=request.inputs)
    try:
        path = spec_path(file)
        source = decode(task.data, path)
    except SpecError as error:
        raise SpecErrors([error]) from None
    return past_spec(source, file, path, DocumentLoader(libraries=request.libraries), request.inputs)


def _with_variant(design: DesignName, variant: str | None) -> DesignName:
    named = design.file + (f"@{variant}" if variant else "") + (f"#{design.part}" if design.part is not None else "")
    return design._replace(text=named, variant=variant)


def _count_variant(spec: Spec, design: DesignName, variant: str | None, request: CountRequest) -> list[Counted]:
    try:
        network = spec.network(variant, design.part, overrides=request.overrides)
    except SpecErrors as errors:
        return [Counted(design.text, faults=_error_texts(errors))]
    name, shape = network.graph.name, _input_shapes(network)
    counted: list[Counted] = []
    for dtype in request.dtypes:
        totals = network.measurements(request.batch, dtype).totals(request.metrics)
        counted.append(Counted(design.text, name, shape, dtype, tuple(totals.values())))
    return counted


def _input_shapes(network: Network) -> object:
    shapes = {node.path: tuple(node.shape) for node in network.graph.inputs}
    return next(iter(shapes.values())) if len(shapes) == 1 else shapes


def _error_texts(errors: SpecErrors) -> tuple[ErrorText, ...]:
    return tuple(error_text(error, shown=place < SHOWN_ERRORS) for place, error in enumerate(errors.errors))


def error_text(error: SpecError, *, shown: bool = True) -> ErrorText:
    """Return an error as text; the excerpt of its source only where it may be shown."""
    line = str(error)
    return ErrorText(
        error.code, error.text, error.hint, _location(error.span), line, describe_one(error) if shown else line
    )


def _location(span: Span | None) -> Mapping[str, Any] | None:
    return None if span is None else {"file": span.file, "line": span.line, "column": span.column}
