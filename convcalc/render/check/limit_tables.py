"""Tables of a verdict: what is used of every limit, and what changed since the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from convcalc.errors import escape
from convcalc.findings import CheckResult, DesignResult, LimitResult
from convcalc.number_format import MAX_DECIMALS, count_of, format_exact, format_percent, format_signed
from convcalc.render.check.findings import format_metric_value
from convcalc.render.tables.blocks import Paragraph, Table, TableColumn, left_out
from convcalc.render.tables.characters import Characters, cells

BAR = 10
SHOWN_LAYERS = 3
SHOWN_DESIGNS = 20
FIXED = ("max", "min", "equals")
"""Rules whose limit does not depend on a baseline."""
RELATIONS = {"max": "<=", "min": ">=", "equals": "=", "growth": "<=", "ratchet": "<="}


# --- limits -----------------------------------------------------------------------------------------------------------


def limit_table(
    verdict: CheckResult, glyphs: Characters, width: int | None = None, *, every: bool = False
) -> Iterator[str]:
    """Give a row a limit: the design that uses most of it, and how many are under it; ``every`` has each design.

    Where a terminal is too narrow, bars go first, then shares, the ends of ids and the middles of designs, then ids;
    where the numbers alone do not fit, every row is a sentence.
    """
    if not verdict.limits:
        return
    rows = [(one, 1) for one in verdict.limits] if every else list(_tightest(verdict.limits))
    columns = _columns(rows, glyphs)
    yield ""
    for kept, gone in _narrowings(columns, rows, glyphs, width):
        if width is None or _width(kept) <= width:
            yield from Table(list(kept.values()), rule=glyphs.rule).plain()
            yield from left_out(gone, width, _width(columns)).plain() if gone else ()
            break
    else:
        for one, many in rows:
            yield from Paragraph([(glyphs.text(_sentence(one, many)), "")], width).plain()
    yield ""


IDS, SHARES, BARS, DESIGNS = "ids", "shares", "bars", "designs"
SHORTEST_ID, SHORTEST_DESIGN = 8, 14


def _columns(rows: Sequence[tuple[LimitResult, int]], glyphs: Characters) -> dict[str, TableColumn]:
    shown = [one for one, _ in rows]
    widest = max(1, *(_thousandths(one) for one in shown))
    columns = {
        IDS: TableColumn("Budget", [one.id for one in shown]),
        "metrics": TableColumn("Limit", [one.metric_label for one in shown]),
        "relations": TableColumn("", [RELATIONS[one.rule] for one in shown], gap=1),
        "limits": TableColumn(
            "", [format_metric_value(one.metric, one.limit, one.value) for one in shown], right=True, gap=1
        ),
        "rules": TableColumn("", ["" if one.rule in FIXED else one.rule for one in shown], gap=1),
        "values": TableColumn(
            "Value", [format_metric_value(one.metric, one.value, one.limit) for one in shown], right=True
        ),
        SHARES: TableColumn("Used", [format_used(one) for one in shown], right=True),
        "broken": TableColumn("", ["" if one.holds else "violated" for one in shown], gap=2),
        BARS: TableColumn("", glyphs.bars([_thousandths(one) for one in shown], BAR, max(1000, min(widest, 2000)))),
        DESIGNS: TableColumn("Design", [_whose(one, many) for one, many in rows]),
    }
    fit = {key: column._replace(texts=glyphs.texts(column.texts)) for key, column in columns.items()}
    return {key: column for key, column in fit.items() if column.heading or any(column.texts)}


def _narrowings(
    columns: dict[str, TableColumn], rows: Sequence[tuple[LimitResult, int]], glyphs: Characters, width: int | None
) -> Iterator[tuple[dict[str, TableColumn], str]]:
    """Give the columns, then fewer and shorter ones, each with what is not shown."""
    yield columns, ""
    without = {key: column for key, column in columns.items() if key != BARS}
    yield without, BARS
    without = {key: column for key, column in without.items() if key != SHARES}
    yield without, f"{BARS}, {SHARES}"
    room = (width or 0) - _width({key: column for key, column in without.items() if key not in (IDS, DESIGNS)}) - 2 * 2
    ids = max(SHORTEST_ID, min(room // 2, columns[IDS].width))
    for kept in (ids, -2):  # then no ids, nor the gap behind them
        named = max(SHORTEST_DESIGN, min(room - kept, columns[DESIGNS].width))
        designs = columns[DESIGNS]._replace(texts=[_shortened(one, many, glyphs, named) for one, many in rows])
        short = columns[IDS]._replace(texts=[glyphs.truncate(text, kept) for text in columns[IDS].texts])
        cut = {**without, DESIGNS: designs} | ({IDS: short} if kept > 0 else {})
        names = f"ends of {IDS}, " if 0 < kept < columns[IDS].width else f"{IDS}, " if kept < 0 else ""
        names += f"middles of {DESIGNS}, " if named < columns[DESIGNS].width else ""
        yield {key: cut[key] for key in without if key != IDS or kept > 0}, f"{BARS}, {SHARES}, {names}".rstrip(", ")


def _width(columns: dict[str, TableColumn]) -> int:
    return Table(list(columns.values())).width


def _tightest(standings: Iterable[LimitResult]) -> Iterator[tuple[LimitResult, int]]:
    """Give for every limit the standing that is worst, and how many designs are under it."""
    groups: dict[tuple[object, ...], list[LimitResult]] = {}
    for one in standings:  # a budget may be called max or min, as the limits of the command line are
        limit = one.limit if one.rule in FIXED else None
        groups.setdefault((one.id, one.rule, one.metric_label, limit), []).append(one)
    for group in groups.values():
        yield min(group, key=_slack), len({one.design for one in group})


def _slack(one: LimitResult) -> tuple[bool, Fraction]:
    used = one.used if one.used is not None else Fraction(0)
    return one.holds, abs(used - 1) if one.rule == "equals" and one.holds else used if one.rule == "min" else -used


def _thousandths(one: LimitResult) -> int:
    return min(2000, int(1000 * one.used)) if one.used is not None else 0


def format_used(one: LimitResult) -> str:
    """Return the share of the limit in tenths of a percent, and as many digits more as tell it from the whole."""
    if one.used is None:
        return ""
    places = 1
    while one.used != 1 and places < MAX_DECIMALS and format_percent(one.used, places) == format_percent(1, places):
        places += 1
    return format_percent(one.used, places)


def _whose(one: LimitResult, many: int) -> str:
    name = f"{one.path} in {one.design}" if one.path else one.design
    return f"{name} (and {many - 1:,} more)" if many > 1 else name


def _sentence(one: LimitResult, many: int) -> str:
    limit = f"{one.metric_label} {RELATIONS[one.rule]} {format_metric_value(one.metric, one.limit, one.value)}"
    rule = "" if one.rule in FIXED else f" ({one.rule})"
    value = format_metric_value(one.metric, one.value, one.limit) + ("" if one.holds else ", violated")
    return f"{one.id}: {limit}{rule}: {value}: {_whose(one, many)}"


def _shortened(one: LimitResult, many: int, glyphs: Characters, width: int) -> str:
    more = f" (+{many - 1:,})" if many > 1 else ""
    whole = glyphs.text(_whose(one, many))
    if cells(whole) <= width:
        return whole
    return glyphs.shorten_path(glyphs.text(_whose(one, 1)), width - len(more)) + more


# --- changes ----------------------------------------------------------------------------------------------------------


def change_list(verdict: CheckResult, glyphs: Characters) -> Iterator[str]:
    """Give the designs whose numbers are not what they were, each with the layers that changed most."""
    if not verdict.baseline:
        return
    changed = [one for one in verdict.designs if one.changes or _metrics(one)]
    alike = sum(one.past is not None for one in verdict.designs) - len(changed)
    yield f"Changes since {escape(verdict.baseline)}:" + ("" if changed else " none")
    for outcome in changed[:SHOWN_DESIGNS]:
        yield from _design(outcome, glyphs)
    if len(changed) > SHOWN_DESIGNS:
        yield f"  and {count_of(len(changed) - SHOWN_DESIGNS, 'design')} more"
    if changed and alike:
        yield f"  {count_of(alike, 'design')} unchanged"
    yield ""


def _metrics(outcome: DesignResult) -> list[str]:
    past = outcome.past or {}
    return [key for key, value in outcome.totals.items() if key in past and past[key] != value]


def _design(outcome: DesignResult, glyphs: Characters) -> Iterator[str]:
    changed = _metrics(outcome)
    yield f"  {escape(outcome.design)}"
    for key in list(dict.fromkeys(change.metric for change in outcome.changes)) or changed:
        if key in changed and outcome.past:
            before, after = outcome.past[key], outcome.totals[key]
            share = f", {format_percent(Fraction(after - before, before))}" if before else ""
            by = f"({format_signed(after - before)}{share})"
            yield glyphs.text(f"    {key} {format_exact(before)} → {format_exact(after)} {by}")
        layers = [change for change in outcome.changes if change.metric == key]
        for change in layers[:SHOWN_LAYERS]:
            was = f" (was {escape(change.old_path)})" if change.old_path else ""
            difference = (change.after or 0) - (change.before or 0)
            by = f" {format_signed(difference)}" if difference else ""
            yield f"      {change.change} {escape(change.path)}{was}{by}"
        if len(layers) > SHOWN_LAYERS:
            yield f"      and {count_of(len(layers) - SHOWN_LAYERS, 'layer')} more"
