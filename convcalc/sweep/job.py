"""The description of a sweep: texts and plain data, so that any process on any machine can evaluate a part of it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convcalc.designs.names import chosen_variant, parse_design
from convcalc.designs.sources import DEFAULT_COUNT_OPTIONS, CountOptions, Network, SpecFile, open_spec, read_spec
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted, similar_variable
from convcalc.metrics.metric import Metric
from convcalc.metrics.registry import report_metrics
from convcalc.records import dataclass, replace
from convcalc.report.metrics import LEAST_TIME
from convcalc.spec.document.loader import DocumentLoader, FileSystem
from convcalc.spec.document.names import no_variant
from convcalc.sweep.axes import EMPTY_AXIS, FOR, Axis
from convcalc.sweep.grid import MAX_POINTS, Block, unravel

VARIANT = "variant"
"""The axis of variants; it stands before all others."""
BATCH = "batch"
"""The axis of batch sizes, where no variable has that name."""
DEFAULT_METRICS = ("params", "macs")
"""Default metrics of a sweep."""


class _KnownFiles(FileSystem):
    """Files whose texts are known."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources

    def read(self, path: str) -> Source:
        return self.sources[path]

    def resolve(self, path: str) -> str:
        return path if path in self.sources else os.path.realpath(path)

    def is_file(self, path: str) -> bool:
        return path in self.sources

    def display_name(self, path: str) -> str:
        return self.sources[path].name if path in self.sources else path


@dataclass(frozen=True, slots=True)
class SweepJob:
    """A sweep: a spec with what it imports, what is set, the axes, and the metrics that are worked out."""

    file: str
    """As the user named it."""
    path: str
    files: tuple[tuple[str, str, str], ...]
    """Of every file its path, its name in errors and its text."""
    libraries: tuple[str, ...] = ()
    overrides: tuple[tuple[str, Any], ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    variant: str | None = None
    part: str | None = None
    batch: int = 1
    dtype: str = "float32"
    axes: tuple[Axis, ...] = ()
    metrics: tuple[str, ...] = DEFAULT_METRICS
    """Metrics to evaluate: those of the output, and those of the condition and the selection."""
    output_metrics: tuple[str, ...] = DEFAULT_METRICS
    where: str | None = None
    by_batch: bool = False
    """Whether an axis is that of batch sizes."""
    device: tuple[str, str] | None = None
    """What ``--device`` called it, and the text of its file."""

    @property
    def by_variant(self) -> bool:
        """Whether the first axis is that of variants."""
        return bool(self.axes) and self.axes[0].name == VARIANT

    @property
    def point_count(self) -> int:
        return Block.whole(self.axes).size

    @property
    def design(self) -> str:
        """The file with its variant and its part, as commands take it."""
        return self.file + (f"@{self.variant}" if self.variant else "") + (f"#{self.part}" if self.part else "")

    @property
    def given_inputs(self) -> dict[str, str]:
        """The shapes that ``--input`` gives, by the names of the inputs."""
        return {name or "input": text for name, text in self.inputs}

    def with_metrics(self, more: Sequence[str]) -> SweepJob:
        """Return the sweep that works out more metrics, which are not shown."""
        return replace(self, metrics=tuple(dict.fromkeys((*self.metrics, *more))))

    def on_device(self, name: str | None) -> SweepJob:
        """Return the sweep with the least times of a device.

        Raises:
            SpecErrors: CC731 no such device, or none where there are least times; CC732 what is wrong with its file.
        """
        if name is None:
            if LEAST_TIME not in self.metrics:
                return self
            text, hint = f"{LEAST_TIME} is that of a device", "such as --device h100-sxm"
            raise SpecErrors([SpecError("CC731", text, Span(Source(LEAST_TIME)), hint=hint)])
        from convcalc.devices import roofline  # only a sweep with a device needs it

        source = roofline.device_source(name)
        roofline.parse_device(name, source)
        return replace(self, device=(name, source.text))

    def open(self) -> SpecFile:
        """Read the spec again from its texts, in any process; what it was read from may have changed or gone.

        A model has no texts: it is read again from its file.
        """
        if not self.files:
            return open_spec(self.file, libraries=self.libraries, inputs=dict(self.inputs))
        files = _KnownFiles({path: Source(name, text) for path, name, text in self.files})
        loader = DocumentLoader(read=files.read, libraries=self.libraries, file_system=files)
        return read_spec(files.read(self.path), self.file, self.path, loader, dict(self.inputs))

    def values_at(self, number: int) -> dict[str, Any]:
        """Return the values of all axes at one point."""
        places = unravel(number, [len(axis.values) for axis in self.axes])
        return {axis.name: axis.value(at) for axis, at in zip(self.axes, places, strict=True)}

    def ranks(self, name: str, numbers: Any) -> Any:
        """Return the order of points along an axis, by an array of their numbers."""
        place = [axis.name for axis in self.axes].index(name)
        later = math.prod(len(axis.values) for axis in self.axes[place + 1 :])
        return self.axes[place].ranks(numbers // later % len(self.axes[place].values))

    def expand(self, spec: SpecFile, values: dict[str, Any]) -> tuple[Network, Any]:
        """Return the design for values of the axes, of any kind of number, and the batch size.

        Raises:
            SpecErrors: why it is not a network.
        """
        variant = values.pop(VARIANT) if self.by_variant else self.variant
        batch = values.pop(BATCH) if self.by_batch else self.batch
        return spec.expand(variant, self.part, overrides={**dict(self.overrides), **values}), batch

    def measures(self) -> list[Metric]:
        """Return the metrics that are worked out; the least time on the device in whole nanoseconds, rounded up."""
        known = {measure.key: measure for measure in report_metrics()}
        if self.device is not None:
            from convcalc.devices import roofline  # only a sweep with a device needs it

            machine = roofline.parse_device(self.device[0], Source(*self.device))
            known[LEAST_TIME] = roofline.whole_nanoseconds(machine)
        return [known[key] for key in self.metrics]

    def errors_at(self, number: int) -> list[SpecError]:
        """Return what is wrong with one point, worked out with plain numbers; nothing for a network."""
        try:
            self.expand(self.open(), self.values_at(number))[0].require_counted(self.metrics)
        except SpecErrors as errors:
            return errors.errors
        return []


def make_job(
    design: str | Network,
    axes: Sequence[Axis],
    options: CountOptions = DEFAULT_COUNT_OPTIONS,
    *,
    variants: Sequence[str] | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    where: str | None = None,
) -> SweepJob:
    """Return the sweep of a design over axes; ``variants`` makes an axis of its variants, no names for all of them.

    Raises:
        SpecErrors: what is wrong with the spec, an axis or a name.
    """
    if isinstance(design, Network):
        named, variant, spec = design.design, design.design.variant, design.spec
    else:
        named = parse_design(design)
        variant = chosen_variant(named, options.variant)
        if variants is not None:
            chosen_variant(named, ",".join(variants) or "all", "--variants")
        spec = open_spec(named.file, libraries=options.libraries, inputs=options.inputs, code=options.code)
    assert spec is not None, "a graph in memory has no variables"
    if variants is not None:
        axes = (_variant_axis(spec, variants), *axes)
    job = SweepJob(
        file=named.file,
        path=spec.path,
        files=spec.texts,
        libraries=tuple(map(os.path.realpath, options.libraries)),
        overrides=tuple(options.overrides.items()),
        inputs=tuple(spec.inputs.items()),
        variant=variant,
        part=named.part,
        batch=options.batch,
        dtype=options.dtype,
        axes=tuple(axes),
        metrics=tuple(metrics),
        output_metrics=tuple(metrics),
        where=where,
        by_batch=BATCH not in spec.document.vars and any(axis.name == BATCH for axis in axes),
    )
    _require_axes(job, spec)
    _require_variables(job, spec)
    return job


def variables(design: str, libraries: Sequence[str]) -> tuple[str, ...]:
    """Return the variables of a design; none where it cannot be read."""
    try:
        return tuple(open_spec(parse_design(design).file, libraries=libraries).document.vars)
    except SpecErrors:
        return ()


def _variant_axis(spec: SpecFile, names: Sequence[str]) -> Axis:
    known = spec.document.variants
    for name in names:
        if name not in known:
            raise SpecErrors([no_variant("CC701", name, known, Span(spec.document.source))])
    return Axis(VARIANT, tuple(names) or spec.variants, 0)


def _batch_faults(job: SweepJob, axis: Axis, span: Span) -> Iterator[SpecError]:
    """Give what is wrong with the axis of batch sizes."""
    if job.batch != 1:
        yield SpecError("CC714", "'batch' is an axis and set by --batch", span)
    elif axis.denominator != 1 or min(axis.values) < 1:
        text = "the axis 'batch' has batch sizes, which are integers of at least 1"
        yield SpecError("CC711", text, span, hint="batch=1,8,64")


def _require_axes(job: SweepJob, spec: SpecFile) -> None:
    """Demand axes that are variables of the spec, each once, and no other column of the same name."""
    errors = []
    seen = {VARIANT} if job.by_variant else set[str]()
    known = spec.document.vars
    for axis in job.axes[job.by_variant :]:
        span = Span(Source(axis.argument, axis.name), 1, 1, max(1, len(axis.name)))
        if axis.name in seen:
            errors.append(SpecError("CC714", f"the axis {quoted(axis.name)} is given twice", span))
        elif axis.name == BATCH and job.by_batch:
            errors += _batch_faults(job, axis, span)
        elif axis.name not in known:
            done = "solve for" if axis.argument == FOR else "sweep"
            text = f"no variable {quoted(axis.name)} to {done}{similar_variable(axis.name, known)}"
            errors.append(SpecError("CC712", text, span, hint=spec.document.variables_hint))
        elif axis.name in job.output_metrics:
            text = f"{quoted(axis.name)} is an axis and a metric; ask for other metrics with --columns"
            errors.append(SpecError("CC714", text, span))
        elif axis.name in dict(job.overrides):
            errors.append(SpecError("CC714", f"{quoted(axis.name)} is an axis and set by --set", span))
        seen.add(axis.name)
    points = job.point_count
    if not job.axes or points > MAX_POINTS:
        text = f"{points} points are more than the limit of {MAX_POINTS}" if job.axes else "a sweep needs an axis"
        hint = "write width=32,64,128 behind the design"
        errors.append(SpecError(EMPTY_AXIS, text, Span(Source("sweep")), hint=hint))
    if errors:
        raise SpecErrors(errors)


def _require_variables(job: SweepJob, spec: SpecFile) -> None:
    """Demand that the variant and what is set exist, so that they fail once and not at every point."""
    for name, _ in job.overrides:
        if name not in spec.document.vars:
            text = f"no variable {quoted(name)} to set{similar_variable(name, spec.document.vars)}"
            place = Span(Source("--set", name), 1, 1)
            raise SpecErrors([SpecError("CC702", text, place, hint=spec.document.variables_hint)])
    if not job.by_variant and job.variant is not None:
        _variant_axis(spec, [job.variant])


def metric_names() -> tuple[str, ...]:
    """Return the keys of all metrics, in their order."""
    return tuple(measure.key for measure in report_metrics())
