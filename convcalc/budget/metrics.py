"""What budgets limit: our metrics, facts that are no sums, the least time on a device, and other tools' counts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

from convcalc.analyzers import Measure, detailed, measures
from convcalc.report import Device

TIME = "least_time"
"""The metric that needs a device."""


@cache
def metrics() -> dict[str, Measure]:
    """Return our metrics by their keys: what baselines keep, and what may be held against them."""
    return {measure.key: measure for measure in measures()}


@cache
def limited() -> dict[str, Measure]:
    """Return what ``max``, ``min`` and ``equals`` take beside: worked out only for budgets that name one."""
    from convcalc import profiles, roofline

    others = (*detailed(), roofline.MEASURE, *map(profiles.measure, profiles.profiles()))
    return {measure.key: measure for measure in others}


def find(key: str) -> Measure | None:
    """Return what a key is that of, if of anything; our own metrics are asked first, which load nothing more."""
    return metrics().get(key) or limited().get(key)


def measure(key: str, device: Device | None = None) -> Measure:
    """Return what a budget limits, by its key."""
    if key == TIME and device is not None:
        from convcalc.roofline import least_times

        return limited()[TIME]._replace(sized=partial(least_times, device))
    found = find(key)
    assert found
    return found


def additive(key: str) -> bool:
    """Whether the total of a metric is the sum of its layers."""
    return measure(key).additive


def keys() -> Iterator[str]:
    """Give the keys that people look for: without the counts of other tools, of which there are many."""
    from convcalc.profiles import names

    yield from metrics()
    yield from (key for key in limited() if key not in names())
