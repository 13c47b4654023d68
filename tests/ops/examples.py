"""The examples in the docstrings of ops, read: ``SPEC LINE on SHAPES -> SHAPE; N params, M multiplies``."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

import convcalc
from convcalc.ops.op import Op
from convcalc.ops.registry import load_all
from convcalc.shapes import Shape

LINE = re.compile(
    r"(?P<layer>\w+(?::.*?)?) ?on (?P<inputs>.+) -> (?P<output>.+); (?P<params>\d+) params, (?P<macs>\d+) multiplies"
)
SHAPE = re.compile(r"(?P<name>\w+ )?\[(?P<sizes>[\d, ]+)\]")


@dataclass(frozen=True)
class Example:
    """One example. Inputs that the line does not name are called ``input``."""

    op: type[Op]
    line: str
    layer: str
    inputs: dict[str, Shape]
    output: Shape
    params: int
    multiplies: int

    @property
    def text(self) -> str:
        """A spec of this one layer."""
        if list(self.inputs) == ["input"]:
            return f"input: {self.inputs['input']}\nlayers:\n  - {self.layer}\n"
        shapes = ", ".join(f"{name}: {shape}" for name, shape in self.inputs.items())
        return f"inputs: {{{shapes}}}\nlayers:\n  - {self.layer}\n"

    def bound(self) -> tuple[Op, tuple[Shape, ...]]:
        """The op with its arguments, as the spec gives it, and the shapes that enter it."""
        layers = convcalc.load(text=self.text).graph.layers
        if not layers:  # it passes its input on and is not a layer of its own
            return self.op(), tuple(self.inputs.values())
        op = layers[-1].op
        assert isinstance(op, self.op)
        return op, layers[-1].input_shapes


def lines_of(op: type[Op]) -> list[str]:
    """The lines under ``Examples:``, the last heading."""
    return inspect.cleandoc(op.__doc__ or "").partition("Examples:\n")[2].splitlines()


def read(op: type[Op], line: str) -> Example:
    found = LINE.fullmatch(line.strip())
    assert found, f"{op.kind}: no example of the form SPEC LINE on SHAPES -> SHAPE; N params, M multiplies: {line}"
    return Example(
        op,
        line.strip(),
        found["layer"],
        shapes(found["inputs"]),
        shapes(found["output"])["input"],
        int(found["params"]),
        int(found["macs"]),
    )


def shapes(text: str) -> dict[str, Shape]:
    """Shapes by name."""
    found = [(match["name"] or "input", match["sizes"].split(",")) for match in SHAPE.finditer(text)]
    return {name.strip(): Shape(map(int, sizes)) for name, sizes in found}


EXAMPLES = [read(op, line) for op in load_all().values() for line in lines_of(op)]
