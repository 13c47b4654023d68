"""One file counted: only the totals that are asked for, worked out on the graph itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from convcalc.designs.names import DesignName, spec_path
from convcalc.designs.sources import Network, Spec, open_spec, past_spec
from convcalc.errors import SHOWN_ERRORS, Span, SpecError, SpecErrors, describe_one
from convcalc.metrics.registry import measures
from convcalc.spec.document.loader import Files
from convcalc.spec.yaml.text import decode


class Asked(NamedTuple):
    """What is wanted of every design alike: see the options of ``report``."""

    metrics: tuple[str, ...]
    overrides: Mapping[str, Any] = {}
    libraries: tuple[str, ...] = ()
    variant: str | None = None
    every: bool = False
    """Whether a file without a named variant stands for all its variants."""
    batch: int = 1
    dtype: str = "float32"


class Job(NamedTuple):
    """A design to count, with the bytes of its file where they have been read."""

    design: DesignName
    found: bool = False
    """Whether a folder or a glob named it: then a file that has only blocks is passed over."""
    data: bytes | None = None


class Fault(NamedTuple):
    """An error as text, so that it can go from process to process and be kept in millions."""

    code: str
    text: str
    hint: str
    source: Mapping[str, Any] | None
    line: str
    """The first line of what people see: ``file:line:col: error CCnnn: text``."""
    shown: str
    """All of it: with the line of the spec and the hint."""


class Counted(NamedTuple):
    """What came out for one design: its totals in the order of ``Asked.metrics``, or what is wrong with it."""

    design: str
    name: str = ""
    input: object = None
    """The shape that goes in; where there are several, a shape by name."""
    totals: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()


def count(job: Job, asked: Asked) -> list[Counted]:
    """Count the design of a job, or all variants of it; what is wrong with one is its fault alone."""
    design = job.design
    variant = asked.variant if design.variant is None else design.variant
    try:
        spec = _opened(job, asked)
    except SpecErrors as errors:
        return [Counted(design.text, faults=_faults(errors))]
    if job.found and not spec.variants:
        return []
    if asked.every and variant is None and spec.variants:
        return [_counted(spec, _named(design, each), each, asked) for each in spec.variants]
    return [_counted(spec, design, variant, asked)]


def _opened(job: Job, asked: Asked) -> Spec:
    file = job.design.file
    if job.data is None:
        return open_spec(file, libraries=asked.libraries)
    try:
        path = spec_path(file)
        source = decode(job.data, path)
    except SpecError as error:
        raise SpecErrors([error]) from None
    return past_spec(source, file, path, Files(libraries=asked.libraries))


def _named(design: DesignName, variant: str | None) -> DesignName:
    named = design.file + (f"@{variant}" if variant else "") + (f"#{design.part}" if design.part is not None else "")
    return design._replace(text=named, variant=variant)


def _counted(spec: Spec, design: DesignName, variant: str | None, asked: Asked) -> Counted:
    try:
        network = spec.network(variant, design.part, overrides=asked.overrides)
    except SpecErrors as errors:
        return Counted(design.text, faults=_faults(errors))
    return Counted(design.text, network.graph.name, _input(network), tuple(totals(network, asked)))


def totals(network: Network, asked: Asked) -> Iterator[int]:
    """Give the totals of the metrics that are asked for, as ``report`` has them."""
    known = {measure.key: measure for measure in measures()}
    for key in asked.metrics:
        _, total = known[key].values(network.graph, asked.batch, asked.dtype)
        yield int(total)


def _input(network: Network) -> object:
    shapes = {node.path: tuple(node.shape) for node in network.graph.inputs}
    return next(iter(shapes.values())) if len(shapes) == 1 else shapes


def _faults(errors: SpecErrors) -> tuple[Fault, ...]:
    return tuple(fault(error, shown=place < SHOWN_ERRORS) for place, error in enumerate(errors.errors))


def fault(error: SpecError, *, shown: bool = True) -> Fault:
    """Return an error as text; the excerpt of its source only where it may be shown."""
    line = str(error)
    return Fault(error.code, error.text, error.hint, _source(error.span), line, describe_one(error) if shown else line)


def _source(span: Span | None) -> Mapping[str, Any] | None:
    return None if span is None else {"file": span.file, "line": span.line, "column": span.column}
