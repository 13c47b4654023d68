"""For programs in Python: a module of functions in integers, which needs nothing but Python."""

from __future__ import annotations

import json
from collections.abc import Iterator

from convcalc import __version__
from convcalc.errors import escape
from convcalc.formula.closed_form import Formula
from convcalc.formula.expr import IntegerLiteral
from convcalc.formula.printers import PYTHON
from convcalc.render.tables.surface import Surface
from convcalc.report.report import CONVENTION_ID


def formula(formula: Formula, surface: Surface) -> str:
    """Return a module with a function for every metric, and ``layers`` for those of every layer."""
    parts = ["\n".join(_heading(formula))]
    parts += ["\n".join(_function(formula, place)) for place in range(len(formula.columns))]
    if formula.ratios is not None:
        parts += ["\n".join(_ratio(formula, column.key)) for column in formula.columns if formula.ratios[column.key]]
    parts += ["\n".join(_layers(formula)), "\n".join(_requirement(formula))]
    return "\n\n\n".join(parts) + "\n"


def _heading(formula: Formula) -> Iterator[str]:
    name = f"{_plain(formula.name)}: closed" if formula.name != formula.design else "Closed"
    yield f'"""{name} forms of {_plain(formula.design)}.'
    yield ""
    yield f"By convcalc {__version__}, convention {CONVENTION_ID}; batch {formula.batch}, {formula.dtype}."
    for name, text in formula.settings.items():
        yield f"Here {_plain(name)} = {_plain(text)}."
    yield '"""'
    if formula.ratios is not None:
        yield ""
        yield "from fractions import Fraction"


def _plain(text: str) -> str:
    """Return a text that a docstring can hold, whatever it is."""
    return escape(text).replace("\\", "\\\\").replace('"', "'")


def _arguments(formula: Formula) -> str:
    return ", ".join(PYTHON.name(use.name) for use in formula.symbols)


def _function(formula: Formula, place: int) -> Iterator[str]:
    column, names = formula.columns[place], _arguments(formula)
    yield f"def {column.key}({names}):"
    yield f'    """{column.title}: {column.meaning}."""'
    yield f"    require({names})"
    yield f"    return {PYTHON.write(formula.totals[column.key])}"


def _ratio(formula: Formula, key: str) -> Iterator[str]:
    assert formula.ratios is not None
    ratio = formula.ratios[key]
    assert ratio is not None
    yield f"def {key}_ratio({_arguments(formula)}):"
    yield f'    """The same over that of {_plain(formula.denominator)}, exactly."""'
    yield f"    return {PYTHON.ratio(ratio)}"


def _layers(formula: Formula) -> Iterator[str]:
    names = _arguments(formula)
    yield f"def layers({names}):"
    yield '    """The same for each layer, by its path."""'
    yield f"    require({names})"
    yield "    return {"
    for line in formula.rows:
        counts = ", ".join(f'"{key}": {PYTHON.write(tree)}' for key, tree in line.values.items())
        if line.times != IntegerLiteral(1):
            counts += f', "times": {PYTHON.write(line.times)}'
        yield f"        {json.dumps(line.path)}: {{{counts}}},"
    yield "    }"


def _requirement(formula: Formula) -> Iterator[str]:
    names = _arguments(formula)
    conditions = [f"{PYTHON.name(use.name)} >= 1" for use in formula.symbols]
    conditions += map(PYTHON.assumption, formula.assumptions)
    yield f"def require({names}):"
    yield '    """Raise ValueError where the formulas do not hold."""'
    yield "    assumptions = {"
    yield from (f"        {json.dumps(condition, ensure_ascii=False)}: {condition}," for condition in conditions)
    yield "    }"
    yield "    for text, holds in assumptions.items():"
    yield "        if not holds:"
    yield '            raise ValueError(f"the formula holds only where {text}")'
