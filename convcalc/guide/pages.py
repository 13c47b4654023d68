"""Pages to read: a layer type from its docstrings, an error code from the list of codes. Text in, text out."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import chain

from convcalc.errors import Source
from convcalc.ops.docs import read_docs
from convcalc.ops.op import Op, arguments_of
from convcalc.ops.registry import activation_names, find_op, kinds
from convcalc.ops.value_text import format_value
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
    return (*kinds(), "seq", *sorted(activation_names()))


def kind_page(word: str, width: int = WIDTH) -> str:
    """Return how a kind is written, what it counts and examples; for an activation, the page of ``act``."""
    if word == "seq":
        return page(word, SEQ, {"Examples": "\n".join(SEQ_EXAMPLES)}, width)
    op = find_op("act" if word in activation_names() else word)
    assert op is not None
    doc = read_docs(op)
    written = {"Written": "\n".join([word] if word in activation_names() else _forms(op))}
    rows = [(key, default_text(op, key), f"{text}{choice_text(op, key, text)}") for key, text in doc.arguments.items()]
    arguments = {"Arguments": "\n".join(hanging_table(rows, width - 2))} if rows else {}
    facts = {heading: wrap_paragraphs(text, width - 2) for heading, text in doc.sections.items()}
    facts["Examples"] = "\n".join(chain.from_iterable(map(_example, doc.sections["Examples"].splitlines())))
    title = word if word == op.kind else f"{word} ({op.kind})"
    return page(title, doc.summary, {**written, **arguments, **facts}, width)


def _forms(op: type[Op]) -> Iterator[str]:
    """Give the ways to write a layer: alone, with one value, with a list, by name."""
    arguments = arguments_of(op)
    places = [key for key, argument in arguments.items() if argument.positional]
    if op.arity != (1, 1):
        if places:
            yield f"{op.kind}: {places[0]}"
        elif not any(argument.required for argument in arguments.values()):
            items = ", ".join(["item"] * max(op.arity[0], 2))
            yield f"{op.kind}: [{items}{'' if op.arity[0] == op.arity[1] else ', …'}]"
        if arguments:
            yield f"{op.kind}: {{{''.join(f'{key}: …, ' for key in arguments)}branches: [item, …]}}"
        return
    required = [key for key, argument in arguments.items() if argument.required]
    words = list(read_docs(op).arguments)
    named = required or words[:1]
    if not required and all(arguments[key].default is not None for key in places):
        yield op.kind
    if places and required in ([], places[:1]):
        yield f"{op.kind}: {places[0]}"
    if len(places) > 1:
        yield f"{op.kind}: [{', '.join(places)}]"
    if words:
        yield f"{op.kind}: {{{', '.join(f'{key}: …' for key in named)}{', …' if len(words) > len(named) else ''}}}"


def default_text(op: type[Op], key: str) -> str:
    """Return the default of an argument, or that it is required."""
    argument = arguments_of(op).get(key)
    if argument is None or argument.default is None:
        return "required" if argument and argument.required else ""
    return format_value(argument.default)


def choice_text(op: type[Op], key: str, text: str) -> str:
    """Return the words that an argument chooses from, if its text does not say them."""
    words = arguments_of(op)[key].type.words if key in arguments_of(op) else ()
    return "" if all(word in text for word in words) else f" One of {', '.join(words)}."


def _example(line: str) -> tuple[str, str]:
    """Return an example as the line of a spec and, below it, what becomes of which input."""
    written, _, rest = line.partition(" on ")
    facts = re.sub(r"\b\d{4,}(?= (?:params|multiplies))", lambda count: f"{int(count[0]):,}", rest)
    return written.removesuffix(":"), f"    {facts.replace(' -> ', ' → ')}"


# --- error codes ------------------------------------------------------------------------------------------------------


def error_codes() -> tuple[str, ...]:
    """Return the codes of all errors and warnings, in order."""
    return tuple(sorted(code_entries()))


def error_page(code: str, width: int = WIDTH) -> str:
    """Return what an error code means and how to fix it, with an example where the list of codes has one."""
    entry = code_entries()[code]
    examples = {heading.capitalize(): entry[heading].rstrip() for heading in ("wrong", "right") if heading in entry}
    return page(f"{code}: {entry['title']}", entry["text"], examples, width)


@cache
def code_entries() -> dict[str, dict[str, str]]:
    """Return code → title, text and perhaps an example, wrong and right."""
    with open(CODES, encoding="utf-8") as file:
        root = parse_yaml(Source(CODES, file.read()))
    assert isinstance(root, MapNode)
    return {
        code.text: {key.text: value.text for key, value in entry.pairs if isinstance(value, ScalarNode)}
        for code, entry in root.pairs
        if isinstance(entry, MapNode)
    }


# --- text -------------------------------------------------------------------------------------------------------------


def page(title: str, text: str, sections: dict[str, str], width: int) -> str:
    """Return a title, a text and sections under their headings."""
    parts = [title, _indented(wrap_paragraphs(text, width - 2))]
    parts += [f"{heading}\n{_indented(body)}" for heading, body in sections.items()]
    return "\n\n".join(parts) + "\n"


def hanging_table(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Give a table whose last column is wrapped."""
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    for *cells, text in rows:
        lead = "".join(f"{cell:<{size}}" for cell, size in zip(cells, widths, strict=False))
        yield _fill(text, max(width, 2 * len(lead)), initial_indent=lead, subsequent_indent=" " * len(lead))


def _indented(text: str) -> str:
    return textwrap.indent(text, "  ")


def wrap_paragraphs(text: str, width: int) -> str:
    """Return paragraphs wrapped; a formula begins a line of its own, and an indented paragraph stays as it is."""
    paragraphs = text.strip("\n").split("\n\n")
    return "\n\n".join(one if one.startswith(" ") else _filled(one, width) for one in paragraphs)


def _filled(paragraph: str, width: int) -> str:
    return "\n".join(_fill(in_one_line(piece), width) for piece in re.split(r"\n(?=\w+ = )", paragraph))


def in_one_line(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.split())
