"""Pages to read: a kind of layer from its docstrings, an error code from the list of codes. Text in, text out."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial

from convcalc.errors import Source
from convcalc.ops.arguments import shown
from convcalc.ops.docs import doc_of
from convcalc.ops.op import Op, arguments_of
from convcalc.ops.registry import activations, every, find, kinds
from convcalc.spec import limits
from convcalc.spec.document.value_nodes import LOOP_VARIABLES
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.vocabulary import INPUT_VARIABLES, KEYWORDS, VOCABULARIES
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, parse_yaml

CODES = os.path.join(os.path.dirname(os.path.dirname(__file__)), "error_codes.yaml")
WIDTH = 80
SEQ = """\
Items run in order: what a list does, in a form that takes modifiers. With a name or a repeat it is a scope: the paths \
of its layers begin with its own."""
SEQ_EXAMPLES = ("{seq: [conv: [64, 3], relu], repeat: 2}", "{seq: [flatten, linear: 10], name: head}")

_fill = partial(textwrap.fill, break_long_words=False, break_on_hyphens=False)


# --- kinds ------------------------------------------------------------------------------------------------------------


def kind_words() -> tuple[str, ...]:
    """Return the words that have a page: all kinds, ``seq`` and the activations."""
    return (*kinds(), "seq", *sorted(activations()))


def kind_page(word: str, width: int = WIDTH) -> str:
    """Return how a kind is written, what it counts and examples; for an activation, the page of ``act``."""
    if word == "seq":
        return page(word, SEQ, {"Examples": "\n".join(SEQ_EXAMPLES)}, width)
    op = find("act" if word in activations() else word)
    assert op is not None
    doc = doc_of(op)
    written = {"Written": "\n".join([word] if word in activations() else _forms(op))}
    arguments = {"Arguments": "\n".join(_argument_lines(op, width - 2))} if doc.arguments else {}
    facts = {heading: wrapped(text, width - 2) for heading, text in doc.sections.items()}
    facts["Examples"] = _examples(doc.sections["Examples"])
    title = word if word == op.kind else f"{word} ({op.kind})"
    return page(title, doc.summary, {**written, **arguments, **facts}, width)


def ops_table() -> str:
    """Return all kinds as a Markdown table: the arguments and what is counted; those of a list in parentheses."""
    rows = (
        (_code(kind), _code(_signature(op)), _joined(doc_of(op).sections["Formula"])) for kind, op in every().items()
    )
    return _table(("Kind", "Arguments", "Params, multiplies, size"), rows)


def _forms(op: type[Op]) -> Iterator[str]:
    """Give the ways to write a layer: alone, with one value, with a list, by name."""
    arguments = arguments_of(op)
    if op.arity != (1, 1):
        yield f"{op.kind}: [item, item{'' if op.arity[1] else ', …'}]"
        if arguments:
            yield f"{op.kind}: {{{''.join(f'{key}: …, ' for key in arguments)}branches: [item, …]}}"
        return
    places = [key for key, argument in arguments.items() if argument.positional]
    required = [key for key, argument in arguments.items() if argument.required]
    words = list(doc_of(op).arguments)
    named = required or words[:1]
    if not required and all(arguments[key].default is not None for key in places):
        yield op.kind
    if places and required in ([], places[:1]):
        yield f"{op.kind}: {places[0]}"
    if len(places) > 1:
        yield f"{op.kind}: [{', '.join(places)}]"
    if words:
        yield f"{op.kind}: {{{', '.join(f'{key}: …' for key in named)}{', …' if len(words) > len(named) else ''}}}"


def _argument_lines(op: type[Op], width: int) -> Iterator[str]:
    """Give a table of the arguments: word, default, meaning."""
    arguments = doc_of(op).arguments.items()
    return hanging([(key, _default(op, key), f"{text}{_choices(op, key, text)}") for key, text in arguments], width)


def _default(op: type[Op], key: str) -> str:
    argument = arguments_of(op).get(key)
    if argument is None or argument.default is None:
        return "required" if argument and argument.required else ""
    return shown(argument.default)


def _choices(op: type[Op], key: str, text: str) -> str:
    """Return the words that an argument chooses from, if its text does not say them."""
    words = getattr(arguments_of(op)[key].slot, "words", ()) if key in arguments_of(op) else ()
    return "" if all(word in text for word in words) else f" One of {', '.join(words)}."


def _signature(op: type[Op]) -> str:
    """Return the arguments with their defaults, those that may stand in a list in parentheses."""
    arguments = arguments_of(op)
    written = {key: f"{key}={shown(one.default)}" for key, one in arguments.items() if one.default is not None}
    places = [key for key, argument in arguments.items() if argument.positional]
    listed = ", ".join(written.get(key, key) for key in places)
    named = [written.get(key, key) for key in doc_of(op).arguments if key not in places]
    return ", ".join([f"({listed})", *named] if listed else named)


def _examples(lines: str) -> str:
    """Return each example as the line of a spec and, below it, what becomes of which input."""
    return "\n".join(part for line in lines.splitlines() for part in _example(line))


def _example(line: str) -> tuple[str, str]:
    written, _, rest = line.partition(" on ")
    facts = re.sub(r"\b\d{4,}(?= (?:params|multiplies))", lambda count: f"{int(count[0]):,}", rest)
    return written.removesuffix(":"), f"    {facts.replace(' -> ', ' → ')}"


# --- the reference of the language ------------------------------------------------------------------------------------

_LIMITS = {
    "FILE_BYTES": ("bytes of a file (1 MiB)", "CC003"),
    "IMPORTS": ("files that are imported, directly or not", "CC505"),
    "YAML_DEPTH": ("brackets and indents in one another", "CC108"),
    "REPEAT": ("turns of one `repeat` or `each`", "CC502"),
    "LAYERS": ("layers, fused norms and activations included", "CC503"),
    "ITEMS": ("items after all repeats and calls, those without a layer included", "CC504"),
    "LIST": ("elements of a list, those of the lists in it included", "CC501"),
    "ENTRIES": ("entries of `vars`, `variants`, `defaults`, `blocks`, `claims` or `params`", "CC507"),
    "NAME": ("characters of a name", "CC110"),
    "CALLS": ("block calls in one another", "CC506"),
    "PATHS": ("characters of the paths of all layers together", "CC509"),
    "AXES": ("axes of a shape", "CC508"),
    "AXIS": ("cells of an axis", "CC508"),
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
    return _table(heads, (_kind_row(kind, op) for kind, op in every().items()))


def _kind_row(kind: str, op: type[Op]) -> tuple[str, ...]:
    doc = doc_of(op)
    facts = (_joined(doc.sections[heading]) for heading in ("Shapes", "Formula"))
    lines = (re.sub(r"; (?![^(]*\))", "<br>", text) for text in facts)  # not those in parentheses
    return (_code(kind), doc.summary, _code(_signature(op)), *lines)


def arguments_table() -> str:
    """Return the arguments of all kinds as a Markdown table: default and meaning."""
    rows = (
        (_code(kind), _code(key), _default(op, key), f"{text}{_choices(op, key, text)}")
        for kind, op in every().items()
        for key, text in doc_of(op).arguments.items()
    )
    return _table(("Kind", "Argument", "Default", "Meaning"), rows)


def functions_table() -> str:
    """Return the functions of expressions as a Markdown table."""
    return _table(("Function", "Value"), ((_code(one.signature), one.summary) for one in FUNCTIONS.values()))


def words_table() -> str:
    """Return the words that expressions understand as a Markdown table; no variable may bear their names."""
    groups = {
        "what enters the item": sorted(INPUT_VARIABLES),
        "of a repeat": LOOP_VARIABLES,
        "keyword": sorted(KEYWORDS),
        **{group: sorted(words) for group, words in VOCABULARIES.items()},
    }
    return _table(("What", "Words"), ((group, ", ".join(map(_code, words))) for group, words in groups.items()))


def codes_table() -> str:
    """Return the codes of errors and warnings with their titles as a Markdown table."""
    return _table(("Code", "Title"), ((_code(code), _codes()[code]["title"]) for code in error_codes()))


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


# --- error codes ------------------------------------------------------------------------------------------------------


def error_codes() -> tuple[str, ...]:
    """Return the codes of all errors and warnings, in order."""
    return tuple(sorted(_codes()))


def error_page(code: str, width: int = WIDTH) -> str:
    """Return what an error code means and how to mend it, with an example where the list of codes has one."""
    entry = _codes()[code]
    examples = {heading.capitalize(): entry[heading].rstrip() for heading in ("wrong", "right") if heading in entry}
    return page(f"{code}: {entry['title']}", entry["text"], examples, width)


@cache
def _codes() -> dict[str, dict[str, str]]:
    """Read code → title, text and perhaps an example, wrong and right."""
    with open(CODES, encoding="utf-8") as file:
        root = parse_yaml(Source(CODES, file.read()))
    assert isinstance(root, MapNode)
    return {code.text: dict(_texts(entry)) for code, entry in root.pairs if isinstance(entry, MapNode)}


def _texts(entry: MapNode) -> Iterator[tuple[str, str]]:
    return ((key.text, value.text) for key, value in entry.pairs if isinstance(value, ScalarNode))


# --- text -------------------------------------------------------------------------------------------------------------


def page(title: str, text: str, sections: dict[str, str], width: int) -> str:
    """Return a title, a text and sections under their headings."""
    parts = [title, _indented(wrapped(text, width - 2))]
    parts += [f"{heading}\n{_indented(body)}" for heading, body in sections.items()]
    return "\n\n".join(parts) + "\n"


def hanging(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Give a table whose last column is wrapped."""
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    for *cells, text in rows:
        lead = "".join(f"{cell:<{size}}" for cell, size in zip(cells, widths, strict=False))
        yield _fill(text, max(width, 2 * len(lead)), initial_indent=lead, subsequent_indent=" " * len(lead))


def _indented(text: str) -> str:
    return textwrap.indent(text, "  ")


def wrapped(text: str, width: int) -> str:
    """Return paragraphs wrapped; a formula begins a line of its own, and an indented paragraph stays as it is."""
    paragraphs = text.strip("\n").split("\n\n")
    return "\n\n".join(one if one.startswith(" ") else _filled(one, width) for one in paragraphs)


def _filled(paragraph: str, width: int) -> str:
    return "\n".join(_fill(_joined(piece), width) for piece in re.split(r"\n(?=\w+ = )", paragraph))


def _joined(text: str) -> str:
    return " ".join(text.split())
