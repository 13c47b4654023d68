"""Everything that the output of a sweep depends on, as facts: to tell one sweep from another, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import TypeAlias

from convcalc import __version__
from convcalc.report.report import CONVENTION_ID
from convcalc.sweep.axes import Axis
from convcalc.sweep.job import SweepJob
from convcalc.sweep.selection import Selection

Facts: TypeAlias = Mapping[str, tuple[str, str]]
"""What → how it is shown, and a digest of all of it."""

MAX_LISTED_VALUES = 8
"""Values of an axis that are shown one by one."""
MAX_HASHED_VALUES = 1 << 16
"""Values of an axis that are compared one by one; a longer one by how it is written."""
MAX_SHOWN_LENGTH = 60


def facts(job: SweepJob, keep: Selection, format_: str) -> Facts:
    """Return what makes a sweep that sweep, and its output that output."""
    plain = {
        "program": f"convcalc {__version__}, {CONVENTION_ID}",
        "design": job.design,
        "axes": ", ".join(axis.name for axis in job.axes),
        "--set": ", ".join(f"{name}={value}" for name, value in sorted(job.overrides)),
        "--input": "; ".join(f"{name}={text}" if name else text for name, text in sorted(job.inputs)),
        "--columns": ",".join(job.output_metrics),
        "--where": job.where or "",
        "--pareto": ",".join(keep.metrics) if keep.kind == "pareto" else "",
        "--sort": keep.order or ("" if keep.kind == "pareto" else ",".join(keep.metrics)),
        "--top": str(keep.limit or ""),
        "--batch": str(job.batch),
        "--dtype": job.dtype,
        "--device": "\n".join(job.device or ()),
        "format": format_,
    }
    return {
        **{name: (_shorten(text), _digest(text)) for name, text in plain.items()},
        **{f"axis {axis.name}": _axis(axis) for axis in job.axes},
        **{f"text of {name}": ("", _digest(text)) for _, name, text in job.files},
    }


def differences(before: Facts, now: Facts) -> Iterator[str]:
    """Say in what two sweeps differ: ``axis width was 8, 16 and is 8, 16, 32``."""
    for name in dict.fromkeys([*before, *now]):
        if before.get(name) == now.get(name):
            continue
        then, here = (facts.get(name, ("", ""))[0] for facts in (before, now))
        if then == here:
            yield f"the {name} has changed"
        else:
            yield f"{name} was {then or 'none'} and is {here or 'none'}"


def _axis(axis: Axis) -> tuple[str, str]:
    size = len(axis.values)
    places = range(size) if size <= MAX_LISTED_VALUES else (0, 1, size - 1)
    shown = [str(axis.value(place)) for place in places]
    if size > MAX_LISTED_VALUES:
        shown = [*shown[:2], "…", f"{shown[2]} ({size:,} values)"]
    whole = (
        [axis.value(place) for place in range(size)] if size <= MAX_HASHED_VALUES else [axis.values, axis.denominator]
    )
    return _shorten(", ".join(shown)), _digest(repr(whole))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[: MAX_SHOWN_LENGTH - 1]}…"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
