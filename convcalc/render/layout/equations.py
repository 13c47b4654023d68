"""Closed forms as equations of LaTeX: what ``amsmath`` aligns, long sums over several lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from convcalc.formula import Formula
from convcalc.formula.notation import LATEX, TEXT
from convcalc.formula.tree import Number, Sum, Tree, negated, negative
from convcalc.render.layout.formula import grouped, label, notes
from convcalc.render.layout.glyphs import Glyphs

LONGEST = 130
"""Characters of LaTeX after which a sum goes on in a line of its own."""
Escape: TypeAlias = Callable[[str], str]
"""Writes a text so that LaTeX sets it as it is."""


def equations(formula: Formula, glyphs: Glyphs, escaped: Escape) -> str:
    """Return one ``align*`` a metric, the ratios, and the assumptions."""
    comments = [f"{formula.name} ({formula.design})", *notes(formula, TEXT), r"Needs \usepackage{amsmath}."]
    heads = [f"% {glyphs.text(note)}" for note in comments]
    settings = [rf"% {glyphs.text(name)} = {glyphs.text(text)}" for name, text in formula.settings.items()]
    parts = [_aligned(list(_equations(formula, column.key, column.title, escaped))) for column in formula.columns]
    if formula.ratios is not None:
        titles = {column.key: column.title for column in formula.columns}
        found = [(titles[key], ratio) for key, ratio in formula.ratios.items() if ratio]
        parts.append(_aligned([rf"\text{{{escaped(title)}, ratio}} &= {LATEX.ratio(ratio)}" for title, ratio in found]))
    if formula.assumptions:
        parts.append(_aligned([f"& {LATEX.assumption(assumption)}" for assumption in formula.assumptions]))
    return "\n".join([*heads, *settings, *parts]) + "\n"


def _equations(formula: Formula, key: str, title: str, escaped: Escape) -> Iterator[str]:
    for line, count in grouped(formula):
        if line.values[key] != Number(0):
            yield rf"\text{{{escaped(label(line, count))}}} &= {_broken(line.values[key])}"
    yield rf"\text{{{escaped(title)}}} &= {_broken(formula.totals[key])}"


def _aligned(equations: Sequence[str]) -> str:
    return "\n".join([r"\begin{align*}", " \\\\\n".join(equations), r"\end{align*}"])


def _broken(tree: Tree) -> str:
    """Write a formula; a long sum goes on in further lines, between its terms."""
    text = LATEX.write(tree)
    if len(text) <= LONGEST or not isinstance(tree, Sum):
        return text
    lines: list[str] = []
    for place, term in enumerate(tree.terms):
        written = LATEX.write(term)
        if place:
            written = rf" - {LATEX.write(negated(term))}" if negative(term) else rf" + {written}"
        if not lines or len(lines[-1]) + len(written) > LONGEST:
            lines.append(written if not place else rf"&\quad{written}")
        else:
            lines[-1] += written
    return " \\\\\n".join(lines)
