"""Tables of the documents that are generated from the program: ops, functions, words, error codes and limits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from convcalc.guide.pages import choice_text, code_entries, default_text, error_codes, in_one_line
from convcalc.ops.docs import read_docs
from convcalc.ops.op import Op, arguments_of
from convcalc.ops.registry import load_all
from convcalc.ops.value_text import format_value
from convcalc.spec import limits
from convcalc.spec.document.value_nodes import LOOP_VARIABLES
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.vocabulary import INPUT_VARIABLES, KEYWORDS


def ops_table() -> str:
    """Return all kinds as a Markdown table: the arguments and what is counted; those of a list in parentheses."""
    rows = (
        (_code(kind), _code(_signature(op)), in_one_line(read_docs(op).sections["Formula"]))
        for kind, op in load_all().items()
    )
    return _table(("Kind", "Arguments", "Params, multiplies, size"), rows)


def _signature(op: type[Op]) -> str:
    """Return the arguments with their defaults, those that may stand in a list in parentheses."""
    arguments = arguments_of(op)
    written = {key: f"{key}={format_value(one.default)}" for key, one in arguments.items() if one.default is not None}
    places = [key for key, argument in arguments.items() if argument.positional]
    listed = ", ".join(written.get(key, key) for key in places)
    named = [written.get(key, key) for key in read_docs(op).arguments if key not in places]
    return ", ".join([f"({listed})", *named] if listed else named)


_LIMITS = {
    "FILE_BYTES": ("bytes of a file (1 MiB)", "CC003"),
    "IMPORTS": ("files that are imported, directly or not", "CC505"),
    "YAML_DEPTH": ("brackets and indents in one another", "CC108"),
    "REPEAT": ("turns of one `repeat` or `each`", "CC502"),
    "LAYERS": ("layers, fused norms and activations included", "CC503"),
    "ITEMS": ("items after all repeats and calls, those without a layer included", "CC504"),
    "LIST": ("elements of a list, those of the lists in it included", "CC501"),
    "LIST_ELEMENTS": ("elements of all lists that expressions make or read, each time they do", "CC501"),
    "ENTRIES": ("entries of `vars`, `variants`, `defaults`, `blocks`, `claims` or `params`", "CC507"),
    "NAME": ("characters of a name", "CC110"),
    "CALLS": ("block calls in one another", "CC506"),
    "PATHS": ("characters of the paths of all layers together", "CC509"),
    "AXES": ("axes of a shape", "CC508"),
    "AXIS": ("cells of an axis", "CC508"),
    "EXTREMES": ("max and min in a size of symbols", "CC510"),
    "LONGEST_TEXT": ("characters of an expression", "CC304"),
    "DEEPEST_NESTING": ("brackets in one another in an expression", "CC304"),
    "LARGEST": ("a number in an expression; the numerator and the denominator of a fraction", "CC304"),
    "LARGEST_EXPONENT": ("an exponent, behind `e` and behind `**`", "CC304"),
    "DECIMALS": ("decimals of an irrational number, which is rounded to them", ""),
}
"""Name of a limit in the program → what it bounds, and the code of the error."""


def kinds_table() -> str:
    """Return all kinds as a Markdown table, with what they do and the shapes they take."""
    heads = ("Kind", "Does", "Arguments", "Shapes", "Params, multiplies, size")
    return _table(heads, (_kind_row(kind, op) for kind, op in load_all().items()))


def _kind_row(kind: str, op: type[Op]) -> tuple[str, ...]:
    doc = read_docs(op)
    facts = (in_one_line(doc.sections[heading]) for heading in ("Shapes", "Formula"))
    lines = (re.sub(r"; (?![^(]*\))", "<br>", text) for text in facts)  # not those in parentheses
    return (_code(kind), doc.summary, _code(_signature(op)), *lines)


def arguments_table() -> str:
    """Return the arguments of all kinds as a Markdown table: default and meaning."""
    rows = (
        (_code(kind), _code(key), default_text(op, key), f"{text}{choice_text(op, key, text)}")
        for kind, op in load_all().items()
        for key, text in read_docs(op).arguments.items()
    )
    return _table(("Kind", "Argument", "Default", "Meaning"), rows)


def functions_table() -> str:
    """Return the functions of expressions as a Markdown table."""
    return _table(("Function", "Value"), ((_code(one.signature), one.summary) for one in FUNCTIONS.values()))


def words_table() -> str:
    """Return the words that have their meaning in all expressions as a Markdown table."""
    groups = {
        "what enters the item": sorted(INPUT_VARIABLES),
        "of a repeat": LOOP_VARIABLES,
        "keyword": sorted(KEYWORDS),
    }
    return _table(("What", "Words"), ((group, ", ".join(map(_code, words))) for group, words in groups.items()))


def codes_table() -> str:
    """Return the codes of errors and warnings with their titles as a Markdown table."""
    return _table(("Code", "Title"), ((_code(code), code_entries()[code]["title"]) for code in error_codes()))


def limits_table() -> str:
    """Return the limits of a spec as a Markdown table."""
    held = ((name, value) for name, value in vars(limits).items())
    found = ((value, *_LIMITS[name]) for name, value in held if name.isupper() and isinstance(value, int))
    return _table(("At most", "of", "Error"), ((_size(value), text, _code(code)) for value, text, code in found))


def _size(number: int) -> str:
    """Write an integer in groups of three digits; a large power of ten as that."""
    return f"10^{len(str(number)) - 1}" if number >= 10**9 else f"{number:,}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return rows as a table in Markdown."""
    heads = tuple(heads)
    lines = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in (heads, ("---",) * len(heads), *rows))
    return "".join(f"| {line} |\n" for line in lines)
