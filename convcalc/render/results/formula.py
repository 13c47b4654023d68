"""Closed forms as text: a table of layers, those that share their formulas in one row, and the totals beneath."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TypeAlias

from convcalc.formula.closed_form import Formula, FormulaRow
from convcalc.formula.expr import Expr, IntegerLiteral, Ratio, Sum, is_negated, negate
from convcalc.formula.printers import ASCII, LATEX, PYTHON, TEXT, TextPrinter
from convcalc.number_format import count_of
from convcalc.render.report.header import name_and_design
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn, either
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface

WIDEST_TABLE = 160
"""Formulas longer than this stand on lines of their own even where the width is free."""


def formula_blocks(formula: Formula, surface: Surface) -> Iterator[Block]:
    """What the formulas are of, the layers, the totals, the ratio and what all rests on."""
    glyphs = surface.glyphs
    notation = ASCII if surface.ascii_only else TEXT
    yield Paragraph(name_and_design(formula.name, formula.design, glyphs), surface.width)
    yield surface.line(_symbol_domain(formula, notation), "dim")
    yield Paragraph()
    if formula.groups:
        table = _table(formula, notation, glyphs)
        if table.width <= (surface.width or WIDEST_TABLE):
            yield table
        else:
            yield from _entries(formula, notation, surface)
        yield Paragraph()
    width = max(len(column.title) for column in formula.columns)
    heads = {column.key: f"{glyphs.text(column.title):{width}} = " for column in formula.columns}
    for key, head in heads.items():
        tree, terms = formula.totals[key], formula.terms.get(key)
        yield Paragraph([(head, ""), (notation.write(tree), "total")], surface.width, indent=6)
        if terms is not None and terms != tree:
            yield Paragraph([(f"{'':{width}} = ", ""), (notation.write(terms), "total")], surface.width, indent=6)
    if formula.ratios is not None:
        yield Paragraph()
        yield surface.line(f"Relative to {formula.denominator}:")
        for key, head in heads.items():
            yield Paragraph([(head, ""), (_ratio(formula.ratios[key], notation), "total")], surface.width, indent=6)
    yield Paragraph()
    yield from (surface.line(note, "dim") for note in notes(formula, notation))


def _symbol_domain(formula: Formula, notation: TextPrinter) -> str:
    """``for positive integers h, w, m · c = 4*m``."""
    names = ", ".join(notation.name(use.name) for use in formula.symbols)
    settings = [f"{name} = {text}" for name, text in formula.settings.items()]
    circumstances = [f"batch {formula.batch:,}"] if formula.batch > 1 else []
    kind = "integers" if len(formula.symbols) > 1 else "integer"
    return " · ".join([f"for positive {kind} {names}", *settings, *circumstances])


def notes(formula: Formula, notation: TextPrinter) -> Iterator[str]:
    """What the formulas rest on, how they were checked, and what is not shown."""
    if formula.assumptions:
        yield f"Assumed: {'; '.join(map(notation.assumption, formula.assumptions))}."
    if formula.checked_at:
        values = ", ".join(f"{notation.name(name)} = {value:,}" for name, value in formula.checked_at.items())
        yield f"Verified against the integer count at {values}."
    else:
        yield "Not compared with a count in integers: no sizes were found that satisfy the assumptions."
    silent = formula.silent_layers
    if silent != IntegerLiteral(0):
        titles = either([column.title.lower() for column in formula.columns])
        shown = f"{notation.write(silent)} layers"
        if isinstance(silent, IntegerLiteral):
            shown = count_of(silent.number, "layer")
        yield f"{shown} without {titles} {'is' if silent == IntegerLiteral(1) else 'are'} not shown."


def label(line: FormulaRow, count: Expr, notation: TextPrinter = TEXT) -> str:
    """``stage1.block2.conv1 × 3``: the first of the layers that share their formulas, and how many they are."""
    written = f"({notation.write(count)})" if isinstance(count, Sum) else notation.write(count)
    return f"{line.path} × {written}" if count != IntegerLiteral(1) else line.path


def operation(line: FormulaRow) -> str:
    """The kind of a layer, or how many layers stand in a row."""
    return line.op or f"{line.layer_count:,} layers"


def _table(formula: Formula, notation: TextPrinter, glyphs: Characters) -> Table:
    columns = [
        TableColumn("Layer", [glyphs.text(label(line, count, notation)) for line, count in formula.groups]),
        TableColumn("Operation", [glyphs.text(operation(line)) for line, _ in formula.groups]),
    ]
    for column in formula.columns:
        trees = [line.values[column.key] for line, _ in formula.groups]
        texts = [glyphs.zero if tree == IntegerLiteral(0) else notation.write(tree) for tree in trees]
        columns.append(TableColumn(glyphs.text(column.title), texts))
    return Table(columns, rule=glyphs.rule)


def _entries(formula: Formula, notation: TextPrinter, surface: Surface) -> Iterator[Block]:
    """The layers one below the other, for formulas that no table has room for."""
    for line, count in formula.groups:
        name = surface.glyphs.text(label(line, count, notation))
        yield Paragraph([(name, "group"), (f"  {operation(line)}", "dim")], surface.width)
        for column in formula.columns:
            if line.values[column.key] != IntegerLiteral(0):
                text = f"  {column.title} = {notation.write(line.values[column.key])}"
                yield Paragraph([(text, "")], surface.width, indent=6)


def _ratio(ratio: Ratio | None, notation: TextPrinter) -> str:
    """Return a ratio, and a constant fraction to four digits too."""
    if ratio is None:
        return "undefined: the other total is 0"
    above, below = ratio.numerator, ratio.denominator
    decimal = ""
    if isinstance(above, IntegerLiteral) and isinstance(below, IntegerLiteral) and below.number != 1:
        decimal = f" {'=~' if notation is ASCII else '≈'} {float(Fraction(above.number, below.number)):.4g}"
    return notation.ratio(ratio) + decimal


def formula_facts(formula: Formula) -> Iterator[tuple[str, object]]:
    """Every formula by its key in JSON: those of layers as expressions of Python, the totals for people too."""
    yield from ((key, getattr(formula, key)) for key in ("design", "name", "batch", "dtype"))
    yield "symbols", [use._asdict() for use in formula.symbols]
    yield "settings", formula.settings
    yield "assumptions", [_notations(each, "assumption") for each in formula.assumptions]
    yield "checked", formula.checked_at
    yield "totals", {key: _notations(tree, "write") for key, tree in formula.totals.items()}
    yield "layers", map(_layer, formula.rows)
    if formula.ratios is not None:
        found = formula.ratios.items()
        yield "over", formula.denominator
        yield "ratios", {key: None if ratio is None else _notations(ratio, "ratio") for key, ratio in found}


def _layer(line: FormulaRow) -> dict[str, object]:
    counts = {key: PYTHON.write(tree) for key, tree in line.values.items()}
    times = {} if line.times == IntegerLiteral(1) else {"times": PYTHON.write(line.times)}
    return {"name": line.path, "op": line.op or None, "layers": line.layer_count, **times, **counts}


def _notations(what: object, how: str) -> dict[str, str]:
    """The same for people, for papers and for programs."""
    return {name: getattr(each, how)(what) for name, each in (("text", TEXT), ("latex", LATEX), ("python", PYTHON))}


LONGEST = 130
"""Characters of LaTeX after which a sum goes on in a line of its own."""

Escape: TypeAlias = Callable[[str], str]
"""Writes a text so that LaTeX sets it as it is."""


def equations(formula: Formula, glyphs: Characters, escaped: Escape) -> str:
    """Return one ``align*`` a metric, the ratios, and the assumptions."""
    design = f" ({formula.design})" if formula.design != formula.name else ""
    comments = [f"{formula.name}{design}", *notes(formula, TEXT), r"Needs \usepackage{amsmath}."]
    heads = [f"% {glyphs.text(note)}" for note in comments]
    settings = [rf"% {glyphs.text(name)} = {glyphs.text(text)}" for name, text in formula.settings.items()]
    parts = [_aligned(list(_lines(formula, column.key, column.title, escaped))) for column in formula.columns]
    if formula.ratios is not None:
        titles = {column.key: column.title for column in formula.columns}
        found = [(titles[key], ratio) for key, ratio in formula.ratios.items() if ratio]
        parts.append(_aligned([rf"\text{{{escaped(title)}, ratio}} &= {LATEX.ratio(ratio)}" for title, ratio in found]))
    if formula.assumptions:
        parts.append(_aligned([f"& {LATEX.assumption(assumption)}" for assumption in formula.assumptions]))
    return "\n".join([*heads, *settings, *parts]) + "\n"


def _lines(formula: Formula, key: str, title: str, escaped: Escape) -> Iterator[str]:
    for line, count in formula.groups:
        if line.values[key] != IntegerLiteral(0):
            yield rf"\text{{{escaped(label(line, count))}}} &= {_broken(line.values[key])}"
    yield rf"\text{{{escaped(title)}}} &= {_broken(formula.totals[key])}"


def _aligned(equations: Sequence[str]) -> str:
    return "\n".join([r"\begin{align*}", " \\\\\n".join(equations), r"\end{align*}"])


def _broken(tree: Expr) -> str:
    """Write a formula; a long sum goes on in further lines, between its terms."""
    text = LATEX.write(tree)
    if len(text) <= LONGEST or not isinstance(tree, Sum):
        return text
    lines: list[str] = []
    for place, term in enumerate(tree.terms):
        written = LATEX.write(term)
        if place:
            written = rf" - {LATEX.write(negate(term))}" if is_negated(term) else rf" + {written}"
        if not lines or len(lines[-1]) + len(written) > LONGEST:
            lines.append(written if not place else rf"&\quad{written}")
        else:
            lines[-1] += written
    return " \\\\\n".join(lines)
