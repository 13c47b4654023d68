"""What goes into a baseline file: the present numbers, or lower ones where ratchets hold on to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from convcalc.budget.baseline.file import (
    DEFAULT_NAME,
    MISSING,
    AcceptedValue,
    BaselineFile,
    DesignCounts,
    count_graph,
    read_baseline_file,
    require_replaceable,
)
from convcalc.budget.baseline.sources import baseline_path
from convcalc.budget.file.types import Budget, BudgetFile
from convcalc.budget.select.match_designs import PartFinder, matching_designs, patterns_match
from convcalc.designs.names import NOT_FILES, parse_design
from convcalc.designs.sources import Network, open_spec
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.paths import path_from_cwd
from convcalc.records import NamedTuple
from convcalc.report.measurements import Measurements
from convcalc.report.metrics import is_additive


class BaselineUpdate(NamedTuple):
    """A baseline that is to be written, and what is new in it."""

    path: str
    file: BaselineFile
    changes: Sequence[str]
    """A line for everything that changes."""


# --- reading ----------------------------------------------------------------------------------------------------------


def writable_path(file: BudgetFile) -> str:
    """Return the path of a budget file's baseline.

    Raises:
        SpecErrors: CC641 where the baseline is a revision, CC646 where another file is in its place.
    """
    origin = file.baseline
    if origin is not None and origin.kind == "git":
        text = f"the baseline is counted from git ({origin.value}); there is no file to write"
        hint = f"for a file write baseline: {{file: {DEFAULT_NAME}}}; growth is accepted with: convcalc baseline accept"
        raise SpecErrors([SpecError(MISSING, text, origin.span, hint)])
    path = baseline_path(origin, file.folder)
    require_replaceable(path)
    return path


def read_existing(path: str) -> BaselineFile:
    """Read a baseline file that must be there.

    Raises:
        SpecErrors: CC641 missing, CC645 counted otherwise, CC646 malformed.
    """
    path = path_from_cwd(path)
    text = f"there is no baseline {quoted(path)}"
    missing = SpecError(MISSING, text, Span(Source(path)), hint="convcalc baseline write")
    return read_baseline_file(path, missing)


def _design_names(file: BudgetFile, budgets: Iterable[Budget]) -> list[str]:
    """Return the designs of budgets, sorted, so that those of one file stand together."""
    return sorted({name for budget in budgets for name in matching_designs(budget, file.folder)})


def _networks(file: BudgetFile, names: Iterable[str], libraries: Sequence[str]) -> Iterator[tuple[str, Network]]:
    """Expand designs; each file is read once.

    Raises:
        SpecErrors: everything that is wrong with any of them, when all were looked at.
    """
    errors: list[SpecError] = []
    last, spec = "", None
    for name in names:
        is_bundled = name.startswith(NOT_FILES)
        design = parse_design(name if is_bundled else os.path.join(file.folder, name))
        try:
            if spec is None or design.file != last:
                path = design.file if is_bundled else path_from_cwd(design.file)
                last, spec = design.file, open_spec(path, libraries=libraries)
            yield name, spec.expand(design.variant, design.part)
        except SpecErrors as found:
            errors += found.errors
            spec = None
    if errors:
        raise SpecErrors(errors)


# --- write ------------------------------------------------------------------------------------------------------------

Advance = Callable[[Sequence[str]], Iterable[str]]


def write(file: BudgetFile, *, libraries: Sequence[str] = (), advance: Advance = iter) -> BaselineUpdate:
    """Count all designs of all budgets anew. What was accepted is in these numbers and needed no more.

    Raises:
        SpecErrors: what is wrong with any spec: then nothing is to be written.
    """
    path = writable_path(file)
    names = advance(_design_names(file, file.budgets))
    counted = {name: count_graph(network.graph) for name, network in _networks(file, names, libraries)}
    before = BaselineFile()
    with suppress(SpecErrors):  # a file that cannot be read is what is being mended
        before = read_existing(path)
    return BaselineUpdate(path, BaselineFile(counted), list(_describe_rewrite(before, counted)))


def _describe_rewrite(before: BaselineFile, counted: Mapping[str, DesignCounts]) -> Iterator[str]:
    yield f"{len(counted):,} {'design' if len(counted) == 1 else 'designs'}"
    new = [name for name in counted if name not in before.designs]
    gone = [name for name in before.designs if name not in counted]
    changed = [name for name in counted if name in before.designs and before.designs[name] != counted[name]]
    for word, names in (("new", new), ("removed", gone), ("changed", changed)):
        if names and before.designs:
            yield f"{word}: {', '.join(names)}"
    if before.accepted:
        yield f"no longer needed: {len(before.accepted):,} accepted"


# --- tighten ----------------------------------------------------------------------------------------------------------


def tighten(file: BudgetFile, *, libraries: Sequence[str] = ()) -> BaselineUpdate:
    """Lower what ratchets hold on to where the present is lower; nothing rises and nothing is added.

    Raises:
        SpecErrors: what is wrong with any spec, or with the baseline: then nothing is to be written.
    """
    path = writable_path(file)
    record = read_existing(path)
    ratchets = [budget for budget in file.budgets if budget.ratchets]
    places = PartFinder()
    names = [name for name in _design_names(file, ratchets) if name in record.designs]
    lowered, said, totals = dict(record.designs), list[str](), dict[str, Mapping[str, int]]()
    for name, network in _networks(file, names, libraries):
        budgets = [budget for budget in ratchets if patterns_match(budget.designs, name)]
        measured = Measurements(name, network.graph, network.source)
        now = count_graph(network.graph)
        totals[name] = now.totals
        lowered[name] = _lower_to_current(record.designs[name], now, list(_ratchet_metrics(budgets, measured, places)))
        said += _describe_decrease(name, record.designs[name], lowered[name])
    kept = tuple(_remaining(record.accepted, ratchets, lowered, totals))
    said += [describe_accepted(entry) for entry in kept if entry not in record.accepted]
    if len(kept) < len(record.accepted):
        said.append(f"no longer needed: {len(record.accepted) - len(kept):,} accepted")
    return BaselineUpdate(path, BaselineFile(lowered, kept), said)


def _ratchet_metrics(
    budgets: Iterable[Budget], measured: Measurements, places: PartFinder
) -> Iterator[tuple[str, Sequence[str] | None]]:
    """Give the metrics that are held, each with the layers of one place; with nothing for the whole design."""
    for budget in budgets:
        for limit in budget.ratchets:
            for place in places.parts(budget, measured):
                layers = place.layers
                yield limit.metric.key, None if layers is None else [measured.layers[index].path for index in layers]


def _lower_to_current(
    before: DesignCounts, now: DesignCounts, wanted: Sequence[tuple[str, Sequence[str] | None]]
) -> DesignCounts:
    """Return a past with the lower of both numbers.

    Layers take their present numbers only where none of those that are summed together grew: a sum of lowered layers
    would otherwise be less than the design has now.
    """
    totals = dict(before.totals)
    layers = {path: dict(values) for path, values in before.layers.items()}
    for metric, named in wanted:
        if named is None and metric in totals:
            totals[metric] = min(totals[metric], now.totals[metric])
        if not is_additive(metric):
            continue
        paths = {*before.layers, *now.layers} if named is None else named
        values = {path: now.layers.get(path, {}).get(metric, 0) for path in paths}
        if all(value <= before.layers.get(path, {}).get(metric, 0) for path, value in values.items()):
            for path, value in values.items():
                if path in layers:
                    layers[path] = {**layers[path], metric: value}
    nonzero = {path: {metric: value for metric, value in values.items() if value} for path, values in layers.items()}
    return DesignCounts(totals, {path: values for path, values in nonzero.items() if values})


def _describe_decrease(name: str, before: DesignCounts, after: DesignCounts) -> Iterator[str]:
    for metric, value in before.totals.items():
        if after.totals[metric] < value:
            yield f"{name}: {metric} shrank from {value:,} to {after.totals[metric]:,}"
    if after.totals == before.totals and after.layers != before.layers:
        yield f"{name}: layers shrank"


def describe_accepted(entry: AcceptedValue) -> str:
    """``edge: params of models/a.yaml may be 5,612,345``."""
    return f"{entry.budget}: {entry.metric} of {entry.design} may be {entry.value:,}"


def _remaining(
    accepted: Iterable[AcceptedValue],
    ratchets: Iterable[Budget],
    lowered: Mapping[str, DesignCounts],
    present: Mapping[str, Mapping[str, int]],
) -> Iterator[AcceptedValue]:
    """Give what is accepted, ratchets' values lowered to the present ones, without what the baseline has by itself."""
    whole = {budget.id for budget in ratchets if budget.layers is None and budget.per == "total"}
    for entry in accepted:
        now = present.get(entry.design, {}).get(entry.metric)
        if entry.budget not in whole or now is None:
            yield entry
        elif lowered[entry.design].totals.get(entry.metric, 0) < now:
            yield entry._replace(value=min(entry.value, now))
