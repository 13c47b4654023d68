"""Metrics by their keys: our own, facts that are no sums, the least time on a device, and other tools' counts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from convcalc.metrics.metric import Measure
from convcalc.metrics.registry import core_metrics, detailed

if TYPE_CHECKING:
    from convcalc.devices.roofline import Device

LEAST_TIME = "least_time"


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
    """Return a metric that there is, by its key."""
    if key == LEAST_TIME and device is not None:
        from convcalc.devices.roofline import device_metrics

        return device_metrics(device)[0]
    found = find_metric(key)
    assert found
    return found


def is_additive(key: str) -> bool:
    """Whether the total of a metric is the sum of its layers."""
    return metric(key).additive


def documented_keys() -> tuple[str, ...]:
    """Return the keys that people look for first: without the counts of other tools, of which there are many."""
    return (*core_metrics(), *detail_metrics())
