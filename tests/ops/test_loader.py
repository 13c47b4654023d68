"""An op is one file: put into a folder of ops it is everywhere; malformed, it is refused by file and line."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc import schemas
from convcalc.errors import SpecError, SpecErrors, format_errors
from convcalc.guide import pages
from convcalc.ops import docs as _docs
from convcalc.ops import kinds
from convcalc.ops import registry as ops
from tests import tables
from tests.ops.examples import lines_of, read

STRETCH = '''\
"""A toy."""

from __future__ import annotations

from dataclasses import dataclass

from convcalc.arith import Number
from convcalc.ops.arguments import FlagType, SizeType, argument
from convcalc.ops.op import MatrixProduct, Op
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Stretch(Op):
    """Stretch every axis by learned factors.

    Formula:
        params = factor + 1 (the last term with bias); multiplies = the output's elements.
    Shapes:
        [a, b, …] → [factor·a, factor·b, …].
    Source:
        Made up.
    Examples:
        stretch: 2 on [3, 5] -> [6, 10]; 3 params, 60 multiplies
        stretch: {factor: 3, bias: false} on [4] -> [12]; 3 params, 12 multiplies
    """

    kind = "stretch"

    factor: Number = argument("factor", SizeType(), positional=True)
    """How many cells one becomes."""
    bias: bool = argument("bias", FlagType(), default=True)
    """Whether one number is added."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(self.factor * size for size in x)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": Shape((self.factor,)), **({"bias": Shape((1,))} if self.bias else {})}

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        outputs = self.output(*inputs).elements
        return (MatrixProduct(outputs, outputs),)
'''

Write = Callable[..., Path]


def forget() -> None:
    """Empty what remembers which ops there are."""
    importlib.invalidate_caches()
    for remembered in (ops.kind_files, ops.find_op, ops.activation_names, _docs._parsed):
        remembered.cache_clear()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes an op file into a further folder of ops; afterwards it is as if there had been none."""
    loaded = set(sys.modules)

    def put(name: str = "stretch", text: str = STRETCH, folder: str = "ops") -> Path:
        path = tmp_path / folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if str(path.parent) not in kinds.__path__:
            monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(path.parent)])
        forget()
        return path

    yield put
    monkeypatch.undo()
    for name in {name for name in sys.modules if name.startswith(f"{kinds.__name__}.")} - loaded:
        if str(tmp_path) in str(sys.modules.pop(name).__file__):
            vars(kinds).pop(name.rpartition(".")[2], None)
    forget()


# --- one file is enough -----------------------------------------------------------------------------------------------


def test_a_new_op_is_a_kind(write: Write) -> None:
    assert "stretch" not in ops.kinds()
    write()
    assert "stretch" in ops.kinds()
    assert list(ops.load_all()) == list(ops.kinds()) == sorted(ops.kinds())


def test_a_new_op_is_counted(write: Write) -> None:
    write()
    report = convcalc.load(text="input: [3, 5]\nlayers:\n  - stretch: 2\n  - {stretch: [4], name: wide}\n").report()
    assert [(row.path, row.op, row.output_shape) for row in report.rows] == [
        ("stretch1", "stretch", (6, 10)),
        ("wide", "stretch", (24, 40)),
    ]
    assert (report.totals["params"], report.totals["macs"], report.totals["depth"]) == (3 + 5, 60 + 960, 2)


def test_the_examples_of_a_new_op_are_found(write: Write) -> None:
    write()
    op = ops.load_all()["stretch"]
    for example in (read(op, line) for line in lines_of(op)):
        report = convcalc.load(text=example.text).report()
        assert (*report.outputs.values(), report.totals["macs"]) == (example.output, example.multiplies)


def test_a_new_op_takes_defaults_and_guesses(write: Write) -> None:
    write()
    defaults = "input: [3]\ndefaults: {stretch: {factor: 7}}\nlayers: [stretch]\n"
    assert convcalc.load(text=defaults).report().totals["macs"] == 21
    with pytest.raises(SpecErrors, match="no attribute 'faktor'; did you mean 'factor'"):
        convcalc.load(text="input: [3]\nlayers: [{stretch: {faktor: 7}}]\n")
    with pytest.raises(SpecErrors, match="did you mean 'stretch'"):
        convcalc.load(text="input: [3]\nlayers: [{strech: 7}]\n")


def test_the_words_of_a_new_op_break_no_spec(write: Write) -> None:
    variables = "input: [3]\nvars: {wide: 4}\nlayers: [param: [wide, 5]]\n"
    before = convcalc.load(text=variables).report().totals
    by = '    by: str = argument("by", ChoiceType(("wide", "max")), default="max")\n'
    write(text=STRETCH.replace("FlagType, Size", "ChoiceType, FlagType, Size").replace("    bias:", f"{by}    bias:"))
    assert convcalc.load(text=variables).report().totals == before
    arguments = ("{factor: wide, by: wide}", "{factor: 'max(wide, 5)', by: max}", "{factor: 2, by: how}")
    layers = ", ".join(f"stretch: {each}" for each in arguments)
    read = convcalc.load(text=f"input: [3]\nvars: {{wide: 4, how: max}}\nlayers: [{layers}]\n")
    made: list[Any] = [node.op for node in read.graph.layers]
    assert [(op.factor, op.by) for op in made] == [(4, "wide"), (5, "max"), (2, "max")]
    assert [warning.code for warning in read.graph.warnings] == ["CC807"]


def test_a_new_op_is_documented(write: Write) -> None:
    write()
    (row,) = [line for line in tables.ops_table().splitlines() if line.startswith("| `stretch` |")]
    assert "`(factor), bias=true`" in row
    assert "How many cells one becomes." in pages.kind_page("stretch")
    assert "stretch" in pages.kind_words()


def test_a_new_op_is_in_the_schema(write: Write) -> None:
    write()
    schema = json.loads(schemas.schema("spec"))
    item = schema["definitions"]["item"]
    assert '"stretch"' in json.dumps(item)
    assert set(schema["definitions"]["stretch.arguments"]["properties"]) == {"factor", "bias"}


def test_afterwards_it_is_gone() -> None:
    assert "stretch" not in ops.kinds()
    assert ops.find_op("stretch") is None


# --- what is malformed ------------------------------------------------------------------------------------------------

CLASS = "class Stretch(Op):"


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        ('kind = "stretch"', 'kind = = "stretch"', "kind = =", "SyntaxError: invalid syntax"),
        ("def output(", "  def output(", "  def output(", "IndentationError: unexpected indent"),
        ("SizeType(),", "SizeType(least=1),", "SizeType(least=1)", "TypeError: "),
        ("import Number", "import Numeral", "import Numeral", "ImportError: cannot import name 'Numeral'"),
        ("    Formula:", "    Formulas:", CLASS, "its docstring has no 'Formula:'"),
        ("    Examples:", "", CLASS, "its docstring has no 'Examples:'"),
        ('kind = "stretch"', 'kind = "stretched"', CLASS, "its kind is 'stretched', its file says 'stretch'"),
        ('    kind = "stretch"\n', "", CLASS, "its kind is None, its file says 'stretch'"),
        ("frozen=True, ", "", CLASS, "it is not a frozen dataclass"),
        ("@dataclass(frozen=True, slots=True)\n", "", CLASS, "it is not a frozen dataclass"),
        ('argument("bias", FlagType(), default=True)', "True", CLASS, "a field is not made by argument()"),
        ("def output(", "def outcome(", CLASS, "it states no output shape (a method 'output')"),
        ("(Op):", "(str):", "", "an op file defines exactly one op, this one 0"),
    ],
)
def test_a_malformed_op_is_refused(write: Write, old: str, new: str, at: str, said: str) -> None:
    assert STRETCH.count(old) >= 1
    text = STRETCH.replace(old, new, 1)
    path = write(text=text)
    with pytest.raises(SpecError) as raised:
        ops.find_op("stretch")
    assert raised.value.code == "CC901"
    assert said in raised.value.text
    assert place(raised.value) == (str(path), line_of(at, text))
    assert at in format_errors([raised.value])


def test_all_that_is_malformed_is_said_at_once(write: Write) -> None:
    write(text=STRETCH.replace("Formula:", "").replace("Source:", "").replace("frozen=True, ", ""))
    with pytest.raises(SpecError) as raised:
        ops.find_op("stretch")
    faults = ("'Formula:'", "'Source:'", "frozen")
    assert [fault in raised.value.text for fault in faults] == [True] * 3


def test_two_ops_in_a_file_are_refused(write: Write) -> None:
    second = STRETCH[STRETCH.index("@dataclass") :].replace("class Stretch", "class Shrink")
    path = write(text=f"{STRETCH}\n\n{second}")
    with pytest.raises(SpecError, match="exactly one op, this one 2") as raised:
        ops.find_op("stretch")
    assert place(raised.value)[0] == str(path)


def test_a_spec_that_uses_a_malformed_op_says_which_file(write: Write) -> None:
    path = write(text=STRETCH.replace("frozen=True, ", ""))
    with pytest.raises((SpecError, SpecErrors), match="CC901") as raised:
        convcalc.load(text="input: [3]\nlayers: [{stretch: 2}]\n")
    assert str(path) in str(raised.value)


def test_a_malformed_op_does_not_harm_the_others(write: Write) -> None:
    write(text="syntax error")
    assert convcalc.load(text="input: [3]\nlayers: [linear: 2]\n").report().totals["params"] == 8


def test_a_mended_op_is_taken(write: Write) -> None:
    write(text=STRETCH.replace("frozen=True, ", ""))
    with pytest.raises(SpecError):
        ops.find_op("stretch")
    write()
    assert ops.find_op("stretch") is not None


def test_one_kind_in_two_folders_names_both_files(write: Write) -> None:
    paths = [write(folder="first"), write(folder="second")]
    with pytest.raises(SpecError, match="'stretch' is defined twice") as raised:
        ops.kinds()
    assert raised.value.code == "CC901"
    assert [str(path) in str(raised.value) for path in paths] == [True, True]


def test_no_file_can_replace_an_op(write: Write) -> None:
    path = write("conv", STRETCH)
    with pytest.raises(SpecError, match="'conv' is defined twice") as raised:
        ops.find_op("conv")
    assert place(raised.value)[0] == str(path)


def test_files_that_ops_share_are_no_ops(write: Write) -> None:
    write("_shared", "SHARED = 1")
    assert "_shared" not in ops.kinds()
    assert ops.find_op("_shared") is None


def place(error: SpecError) -> tuple[str, int]:
    assert error.span is not None
    return error.span.file, error.span.line


def line_of(part: str, text: str) -> int:
    """The line where a part of a text stands, from 1."""
    return text[: text.index(part)].count("\n") + 1
