"""What of a report's table a terminal has room for: columns go in a fixed order until the rest fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convcalc.records import NamedTuple

SHORTEST_BAR = 3
LONGEST_BAR = 20
PIPED_BAR = 10
GAP = 2
SHORT_LAYER = 12
"""Paths are not cut below this while digits can go."""
SHORTEST_LAYER = 8
"""Nor below this while metrics can."""
MIDDLING_LAYER = 24
MIDDLING_OPERATION = 34


class ColumnPlan(NamedTuple):
    """Which columns a table has and how wide the flexible ones are."""

    metrics: tuple[str, ...]
    bar: int = PIPED_BAR
    share: bool = True
    output: bool = True
    operation: str = "full"
    """``full``, ``brief`` (one word) or nothing."""
    short: bool = False
    """Numbers rounded: 25.56 M."""
    layer: int | None = None
    """The widest that the layer column may be."""
    operation_width: int | None = None


Width = Callable[[str], int]
"""The natural width of a column, heading included: ``layer``, ``operation``, ``brief``, ``output``; of a metric exact
(``KEY``), rounded (``KEY short``) and as shares (``KEY %``: 0 where it has none)."""


def fit_columns(plan: ColumnPlan, natural: Width, width: int | None) -> ColumnPlan:
    """Return the fullest plan that fits into ``width``.

    What goes, in this order: shares, output shapes, bars, ends of operations, operations, middles of paths, digits,
    then metrics from the last.
    """
    if width is None:
        return plan
    stage = plan
    for stage, least in _stages(plan._replace(bar=SHORTEST_BAR), width):
        room = width - used(stage._replace(layer=0), natural)
        if room >= min(least or natural("layer"), natural("layer")):
            return _filled(stage._replace(layer=min(room, natural("layer"))), natural, width)
    return stage._replace(layer=1)


def used(plan: ColumnPlan, natural: Width) -> int:
    """Return how wide the table is under a plan."""
    total = natural("layer") if plan.layer is None else plan.layer
    if plan.operation == "brief":
        total += GAP + natural("brief")
    elif plan.operation:
        total += GAP + min(natural("operation"), plan.operation_width or natural("operation"))
    if plan.output:
        total += GAP + natural("output")
    for key in plan.metrics:
        total += GAP + natural(f"{key} short" if plan.short else key)
        if natural(f"{key} %"):
            total += (GAP + natural(f"{key} %") if plan.share else 0) + (1 + plan.bar if plan.bar else 0)
    return total


def _stages(plan: ColumnPlan, width: int) -> Iterator[tuple[ColumnPlan, int]]:
    """Return plans, each smaller than the one before, and the least width that each leaves to paths (0: all)."""
    yield plan, 0
    least = max(MIDDLING_LAYER, width // 3)
    plan = plan._replace(operation_width=max(MIDDLING_OPERATION, width // 4))
    yield plan, least
    yield (plan := plan._replace(share=False)), least
    yield (plan := plan._replace(output=False)), least
    yield (plan := plan._replace(bar=0)), least
    yield (plan := plan._replace(operation="brief")), least
    yield (plan := plan._replace(operation="")), least
    yield plan, SHORT_LAYER
    yield (plan := plan._replace(short=True)), SHORT_LAYER
    yield plan, SHORTEST_LAYER
    while len(plan.metrics) > 1:
        yield (plan := plan._replace(metrics=plan.metrics[:-1])), SHORTEST_LAYER
    yield plan, 1


def _filled(plan: ColumnPlan, natural: Width, width: int) -> ColumnPlan:
    """Give the room that is left to operations, then to bars."""
    if plan.operation_width and plan.operation == "full":
        spare = width - used(plan, natural)
        plan = plan._replace(operation_width=min(natural("operation"), plan.operation_width + spare))
    bars = sum(1 for key in plan.metrics if natural(f"{key} %"))
    if not plan.bar or not bars:
        return plan
    return plan._replace(bar=min(LONGEST_BAR, plan.bar + (width - used(plan, natural)) // bars))
