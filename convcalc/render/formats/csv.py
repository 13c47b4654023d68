"""For spreadsheets: one layer a line, whole integers, RFC 4180."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from convcalc.render.results.row_list import LineRows, Rows, plain_shape
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.align_layers import AlignedRow
from convcalc.report.compare import Comparison
from convcalc.report.fold import FoldedRow, TableOptions, fold_report
from convcalc.report.report import Report
from convcalc.report.row_list import Listing

if TYPE_CHECKING:
    from convcalc.profiles import Reconciliation

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell."""
GATED = ("receptive_field", "effective_stride", "offset")
"""What gates may be left out of."""
OTHERS = "(others)"
_SIZES = re.compile(r"[-0-9.?]+(?:x[-0-9.?]+)*")
"""Numbers, one an axis, which may be negative."""


def report(report: Report, view: TableOptions, surface: Surface) -> str:
    """Return the lines of the view; without ``--columns``, with every metric that a layer has.

    There is no line for the total: a column can be summed.
    """
    folded = fold_report(report, view, default=None)
    keys = [column.key for column in folded.columns]
    names = [f"{key}_without_gates" if report.gated is not None and key in GATED else key for key in keys]
    header = ["path", "op", "summary", "layers", "output_shape", *names, "tied_to"]
    lines: list[Sequence[object]] = [header, *(_line(line, keys) for line in folded.lines)]
    if rest := folded.remainder:
        lines.append([OTHERS, "", "", rest.layers, "", *(_count(rest.values.get(key)) for key in keys), ""])
    return _written(lines, surface)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return one aligned place a line, every metric for every design, and the totals first.

    ``kind`` tells what may be summed: the layers, or the groups of one level; ``detail`` splits up a line above it.
    """
    keys = [metric.column.key for metric in comparison.metrics]
    header = ["kind", "level", "path"]
    header += [f"{label} {name}" for label in comparison.labels for name in ("path", "output_shape", *keys)]
    totals: list[object] = ["total", "", ""]
    for place in range(len(comparison.reports)):
        totals += ["", "", *(metric.values[place] for metric in comparison.metrics)]
    return _written([header, totals, *(_match(match, keys) for match in comparison.matches)], surface)


def reconciliation(found: Reconciliation, surface: Surface) -> str:
    """Return a term of a tool a line; those of one tool add up to its total."""
    from convcalc.render.results.reconciliation import reconciliation_rows  # what it needs is not for reports to load

    return _written(reconciliation_rows(found), surface)


def stream(listing: Listing, surface: Surface) -> LineRows:
    """Return a list of designs, one a line, whole integers, to be written as its rows come."""
    keys = [field.key for field in listing.fields]

    def fact(value: object) -> object:
        return plain_shape(value) if isinstance(value, tuple | Mapping) else value

    def drawn(rows: Rows) -> str:
        return _written(([fact(row.get(key)) for key in keys] for row in rows), surface)

    return LineRows(_written([keys], surface), drawn)


def _line(line: FoldedRow, keys: Sequence[str]) -> list[object]:
    counts = [None if key in line.unknown and line.layers == 1 else _count(line.values.get(key)) for key in keys]
    summary = " + ".join([line.summary, *line.parts]) if line.parts else line.summary
    return [line.path, line.op, summary, line.layers, "x".join(map(str, line.output_shape)), *counts, line.tied_to]


def _count(value: object) -> object:
    """A ratio is the decimal nearest to it; what is told axis by axis is ``7x7``, with a ``?`` for an unknown one."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return "x".join("?" if part is None else str(_count(part)) for part in value) if isinstance(value, tuple) else value


def _match(match: AlignedRow, keys: Sequence[str]) -> list[object]:
    kind = "detail" if match.splits_a_layer else "group" if match.group else "layer"
    line: list[object] = [kind, match.level, match.path]
    for cell in match.cells:
        shape, values = ("x".join(map(str, cell.output_shape)), cell.values) if cell else ("", {})
        line += [cell.path if cell else "", shape, *map(values.get, keys)]
    return line


def _written(lines: Iterable[Sequence[object]], surface: Surface) -> str:
    stream = io.StringIO(newline="")
    glyphs = surface.glyphs
    csv.writer(stream).writerows([_safe(cell, glyphs) for cell in line] for line in lines)
    return stream.getvalue()


def _safe(cell: object, glyphs: Characters) -> object:
    """Return a cell that a spreadsheet shows and does not run. Numbers stay numbers."""
    if cell is None or isinstance(cell, int | float) or (isinstance(cell, str) and _SIZES.fullmatch(cell)):
        return cell
    text = str(cell)
    return f"'{glyphs.text(text)}" if text.startswith(FORMULA) else glyphs.text(text)
