"""The docstrings of an op and its arguments, parsed for schemas, pages and tables."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from functools import cache
from itertools import pairwise

from convcalc.ops.op import Op
from convcalc.records import NamedTuple

LAYER_ARGUMENT_TEXT = "Path of another layer, whose output is read too."
NORM_ACT_TEXTS = {
    "norm": "A normalisation after the layer: a type, or {type: group, groups: 32}; none for no such layer.",
    "act": "An activation after the layer (and its norm): relu, silu, …; none for no such layer.",
}


class OpDoc(NamedTuple):
    """The docstring of an op and those of its arguments."""

    summary: str
    """The first line."""
    sections: dict[str, str]
    """Heading, without its colon → text; lines are kept."""
    arguments: dict[str, str]
    """Word of an argument in a spec → what it means, on one line; references and fused layers are among them."""


def read_docs(op: type[Op]) -> OpDoc:
    """Read the docstrings of an op.

    >>> from convcalc.ops import find
    >>> read_docs(find("conv")).arguments["groups"]
    'Groups g: each output channel reads Ci/g input channels; divides both.'
    """
    text, sections = parse_docstring(op)
    arguments = {
        **_arguments(op),
        **dict.fromkeys(op.layer_arguments, LAYER_ARGUMENT_TEXT),
        **(NORM_ACT_TEXTS if op.accepts_norm_act else {}),
    }
    return OpDoc(text.partition("\n")[0], sections, arguments)


def parse_docstring(documented: object) -> tuple[str, dict[str, str]]:
    """Return the text of a docstring before its first heading, and its sections: heading → text."""
    sections: dict[str, list[str]] = {"": []}
    for line in single_backticks(inspect.cleandoc(documented.__doc__ or "")).splitlines():
        if line.endswith(":") and not line[:1].isspace():
            sections[line.removesuffix(":")] = []
        else:
            list(sections.values())[-1].append(line)
    texts = {heading: textwrap.dedent("\n".join(lines)).strip() for heading, lines in sections.items()}
    return texts.pop(""), texts


def single_backticks(markup: str) -> str:
    """Return a docstring's text with code between single backticks instead of double ones."""
    return markup.replace("``", "`")


def _arguments(op: type[Op]) -> dict[str, str]:
    """Return the docstring below each field that ``argument`` makes; they are not kept at run time, but in the file."""
    found = {}
    for statement, below in (pair for base in reversed(op.__mro__) for pair in pairwise(_body(base))):
        match statement, below:
            case (
                ast.AnnAssign(value=ast.Call(func=ast.Name("argument"), args=[ast.Constant(str(key)), *_])),
                ast.Expr(ast.Constant(str(text))),
            ):
                found[key] = " ".join(single_backticks(text).split())
    return found


def _body(base: type) -> list[ast.stmt]:
    """Return the statements of a class that may declare arguments: an op, or what several ops derive from."""
    if not issubclass(base, Op) or base is Op:
        return []
    module = _parsed(base.__module__)
    return next(node.body for node in module.body if isinstance(node, ast.ClassDef) and node.name == base.__name__)


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))
