"""Every op says what it computes, on which shapes, after which source, and what each of its arguments means."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise

import pytest

from convcalc.ops.op import Op
from convcalc.ops.registry import REQUIRED_SECTIONS, load_all

every_op = pytest.mark.parametrize("op", load_all().values(), ids=load_all())


def docstring(op: type[Op]) -> str:
    return inspect.cleandoc(op.__doc__ or "")


def sections(op: type[Op]) -> dict[str, str]:
    """Heading → the text below it."""
    parts = re.split(rf"^({'|'.join(REQUIRED_SECTIONS)})\n", docstring(op), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def class_of(op: type) -> ast.ClassDef:
    tree = ast.parse(inspect.getsource(sys.modules[op.__module__]))
    (found,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == op.__name__]
    return found


def documented(op: type[Op]) -> Iterator[tuple[str, str]]:
    """(field, docstring under it) for every annotated field that has one, those of a base dataclass first."""
    for base in reversed(op.__mro__):
        for statement, below in pairwise(class_of(base).body if is_dataclass(base) else []):
            match statement, below:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                    yield name, text


@every_op
def test_the_summary_is_a_sentence(op: type[Op]) -> None:
    summary, empty, *_ = docstring(op).split("\n")
    assert summary[0].isupper()
    assert summary.endswith(".")
    assert empty == ""


@every_op
def test_every_heading_stands_once_in_order_with_text(op: type[Op]) -> None:
    assert tuple(sections(op)) == REQUIRED_SECTIONS
    assert [heading for heading, text in sections(op).items() if not text.strip()] == []
    assert [docstring(op).count(heading) for heading in REQUIRED_SECTIONS] == [1] * len(REQUIRED_SECTIONS)


@every_op
def test_the_formula_speaks_of_weights_and_work(op: type[Op]) -> None:
    if op.kind != "custom":  # there, both are what the spec says
        assert "params" in sections(op)["Formula:"]
        assert "multiplies" in sections(op)["Formula:"] or "not counted" in sections(op)["Formula:"]


@every_op
def test_every_argument_is_explained(op: type[Op]) -> None:
    explained = dict(documented(op))
    assert list(explained) == [field.name for field in fields(op)]
    assert [name for name, text in explained.items() if not text.strip().endswith(".")] == []
