r"""For papers: a ``tabular`` with booktabs rules. Needs ``\usepackage{booktabs}`` and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convcalc.render.comparison import page as aligned
from convcalc.render.comparison.sentences import comparison_sentences
from convcalc.render.comparison.side_by_side import SideBySidePlan
from convcalc.render.report.header import convention, coverage, notes
from convcalc.render.report.page import flat_table
from convcalc.render.tables.blocks import Table
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.compare import Comparison
from convcalc.report.fold import TableOptions, fold_report
from convcalc.report.report import Report

if TYPE_CHECKING:
    from convcalc.formula.closed_form import Formula

ESCAPED = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "`": r"\textasciigrave{}",
    "-": "{-}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "≥": r"$\geq$",
    "–": "--",
    "…": r"\dots{}",
    "·": r"$\cdot$",
}
NUMBER = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]\d+")
"""A number with separators or a sign, standing alone."""


def report(report: Report, view: TableOptions, surface: Surface) -> str:
    """Return the table of layers with its total."""
    glyphs = surface.glyphs
    design = f" ({report.design})" if report.design != report.name else ""
    lines = [f"{report.name}{design}", convention(report)]
    if not report.is_complete:
        lines.append("".join(text for text, _ in coverage(report, glyphs)))
    lines += notes(report)
    return _document(lines, [flat_table(fold_report(report, view), glyphs)], glyphs)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the aligned layers and the totals, one table each."""
    glyphs = surface.glyphs
    layers, _ = aligned.layers(comparison, glyphs)
    plan = SideBySidePlan(together=len(comparison.labels) == 2, bar=False)
    grids = layers.tables(plan) if len(layers.names) > 1 else []
    grids += aligned.totals(comparison, glyphs).tables(plan)
    return _document([*comparison_sentences(comparison), convention(*comparison.reports)], grids, glyphs)


def formula(formula: Formula, surface: Surface) -> str:
    r"""Return the layers and the totals as one ``align*`` a metric. Needs ``\usepackage{amsmath}``."""
    from convcalc.render.results.formula import equations

    return equations(formula, surface.glyphs, _cell)


def _document(notes: Sequence[str], grids: Sequence[Table], glyphs: Characters) -> str:
    """Put what a caption needs into comments above the tables."""
    comments = [f"% {glyphs.text(note)}" for note in [*notes, r"Needs \usepackage{booktabs}."]]
    tables = ["\n".join(_table(grid)) for grid in grids if grid.columns]
    return "\n".join([*comments, "\n\n".join(tables)]) + "\n"


def _table(grid: Table) -> Iterator[str]:
    yield rf"\begin{{tabular}}{{{''.join('r' if column.right else 'l' for column in grid.columns)}}}"
    yield r"\toprule"
    if grid.group_headings:
        yield from _spans(grid)
    yield _line([_cell(column.heading) for column in grid.columns])
    yield r"\midrule"
    rows = zip(*(column.texts for column in grid.columns), strict=True)
    for place, cells in enumerate(rows, grid.footer_rows - len(grid.kinds)):
        if place == 0:
            yield r"\midrule"
        yield _line(list(map(_cell, cells)))
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _spans(grid: Table) -> Iterator[str]:
    """Headings over several columns, and the rules beneath them."""
    cells, at = [], 0
    for first, last, title in grid.group_headings:
        cells += [""] * (first - at)
        cells.append(rf"\multicolumn{{{last - first + 1}}}{{c}}{{{_cell(title)}}}")
        at = last + 1
    yield _line(cells)
    yield " ".join(rf"\cmidrule(lr){{{first + 1}-{last + 1}}}" for first, last, _ in grid.group_headings)


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells).rstrip() + r" \\"


def _cell(text: str) -> str:
    r"""Escape a cell; thousands are set apart by ``\,`` and a minus is one."""
    if NUMBER.fullmatch(text):
        spaced = text.replace(",", r"\,")
        return f"${spaced}$" if text[0] in "+-" else spaced
    bare = text.lstrip(" ")
    indent = r"\quad " * ((len(text) - len(bare)) // 2)
    return indent + "".join(map(_character, bare))


def _character(character: str) -> str:
    r"""Return a character as LaTeX sets it; what a plain ``pdflatex`` has no glyph for is spelled out."""
    if character in ESCAPED:
        return ESCAPED[character]
    if ord(character) < 0x180:
        return character
    return rf"\textbackslash{{}}u{ord(character):04x}"
