"""Metrics by their keys: our own, those that do not add up, the least time on a device, and other tools' counts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from convcalc.graph.graph import Node
from convcalc.metrics.metric import Metric
from convcalc.metrics.registry import FIELD_KEYS, core_metrics, lazy_metrics

if TYPE_CHECKING:
    from convcalc.devices.roofline import Device

LEAST_TIME = "least_time"
_OF_WEIGHTS = frozenset({"params", "active_params", "buffers", "weight_bytes", "training_bytes", "traffic_bytes"})
KNOWN_WITHOUT_COUNTS = _OF_WEIGHTS | {"output_elements", "peak_activation_bytes", *FIELD_KEYS}
"""Metrics that are exact though the multiplies of a layer are not known, if its weights are."""


@cache
def detail_metrics() -> dict[str, Metric]:
    """Return the metrics that only ``max``, ``min`` and ``equals`` of budgets take, by their keys."""
    from convcalc.devices import roofline

    return {measure.key: measure for measure in (*lazy_metrics(), roofline.LEAST_TIME_METRIC)}


@cache
def whole_metrics() -> tuple[Metric, ...]:
    """Return the metrics that a sweep may count: those of every report, and the least time on a device."""
    from convcalc.devices import roofline

    return (*core_metrics().values(), roofline.LEAST_TIME_METRIC)


@cache
def profile_metrics() -> dict[str, Metric]:
    """Return other tools' counts by the keys of their profiles."""
    from convcalc import profiles

    return {profile.key: profiles.profile_metric(profile) for profile in profiles.profiles()}


@cache
def find_metric(key: str) -> Metric | None:
    """Return the metric of a key, if there is one; profiles, which take longest to load, come last."""
    return next(
        (found[key] for known in (core_metrics, detail_metrics, profile_metrics) if key in (found := known())), None
    )


def metric(key: str, device: Device | None = None) -> Metric:
    """Return an existing metric by its key."""
    if key == LEAST_TIME and device is not None:
        from convcalc.devices.roofline import device_metrics

        return device_metrics(device)[0]
    found = find_metric(key)
    assert found
    return found


def is_additive(key: str) -> bool:
    """Whether the total of a metric is the sum of its layers."""
    return metric(key).is_additive


def documented_keys() -> tuple[str, ...]:
    """Return the keys of all metrics but the counts of other tools, of which there are many."""
    return (*core_metrics(), *detail_metrics())


def is_known(key: str, node: Node) -> bool:
    """Whether the value of a layer in a metric is exact: it is counted, or known without."""
    if node.op is None or node.op.is_counted:
        return True
    return key in KNOWN_WITHOUT_COUNTS and not (node.op.has_unknown_weights and key in _OF_WEIGHTS)
