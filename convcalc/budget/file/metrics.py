"""What budgets limit: our metrics, facts that are no sums, the least time on a device, and other tools' counts."""

from __future__ import annotations

from functools import cache, partial

from convcalc.budget.file.types import LEAST_TIME
from convcalc.metrics.metric import Measure
from convcalc.metrics.registry import detailed, measures
from convcalc.report.report import Device


@cache
def core_metrics() -> dict[str, Measure]:
    """Return our metrics by their keys: what baselines keep, and what may be held against them."""
    return {measure.key: measure for measure in measures()}


@cache
def detail_metrics() -> dict[str, Measure]:
    """Return what ``max``, ``min`` and ``equals`` take beside: worked out for the budgets that name one."""
    from convcalc.devices import roofline

    return {measure.key: measure for measure in (*detailed(), roofline.MEASURE)}


@cache
def profile_metrics() -> dict[str, Measure]:
    """Return other tools' counts by the keys of their profiles."""
    from convcalc import profiles

    return {profile.key: profiles.profile_metric(profile) for profile in profiles.profiles()}


@cache
def find_metric(key: str) -> Measure | None:
    """Return what a key is that of, if of anything; what loads most is asked last."""
    return next(
        (found[key] for known in (core_metrics, detail_metrics, profile_metrics) if key in (found := known())), None
    )


def metric(key: str, device: Device | None = None) -> Measure:
    """Return what a budget limits, by its key."""
    if key == LEAST_TIME and device is not None:
        from convcalc.devices.roofline import least_times

        return detail_metrics()[LEAST_TIME]._replace(sized=partial(least_times, device))
    found = find_metric(key)
    assert found
    return found


def is_additive(key: str) -> bool:
    """Whether the total of a metric is the sum of its layers."""
    return metric(key).additive


def documented_keys() -> tuple[str, ...]:
    """Return the keys that people look for first: without the counts of other tools, of which there are many."""
    return (*core_metrics(), *detail_metrics())
