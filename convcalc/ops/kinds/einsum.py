"""Sums of products by an equation of letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from convcalc.arith import Number, at_least, at_most, either, equal, prod, require
from convcalc.errors import SpecError, quoted
from convcalc.ops.arguments import InvalidArgument, TextType, argument
from convcalc.ops.op import MatrixProduct, Op
from convcalc.records import dataclass
from convcalc.shapes import Shape

DOTS = "..."
TERM = re.compile(r"([A-Za-z]|\.\.\.)*")

Term: TypeAlias = tuple[str, ...]
"""Letters, and perhaps ``...`` once."""
Label: TypeAlias = str | int
"""A letter, or the place of an axis of ``...``, counted from its end."""
Sizes: TypeAlias = Mapping[Label, Number]


class EquationType(TextType):
    """An equation: the letters of each branch, and behind ``->`` those of the output."""

    def bind(self, value: Any, axes: int) -> Any:
        text = super().bind(value, axes)
        _parsed(text)
        return text


@dataclass(frozen=True, slots=True)
class Einsum(Op):
    """The sum of products that an equation says: one letter for each axis of each branch, without the batch.

    Formula:
        Branches are multiplied from left to right, two at a time; of each two the letters that only one of them has
        and nothing later needs are summed before. multiplies = Σ product of the sizes of the two's other letters, where
        at least one is summed; else they are multiplied element by element, which is not counted. No params.
    Shapes:
        As the equation says; sizes of 1 broadcast. A letter twice in a term is a diagonal, ``...`` stands for any
        axes; without ``->`` the output has the letters that stand once, sorted.
    Source:
        PyTorch reference, torch.einsum, without opt_einsum.
    Examples:
        einsum: {equation: "ij,jk->ik", branches: [{from: x}, {from: y}]} on x [5, 8], y [8, 6] -> [5, 6]; 0 params, 240 multiplies
        einsum: {equation: "hi,ij,jk->hk", branches: [identity, {from: y}, {from: z}]} on x [5, 8], y [8, 3], z [3, 4] -> [5, 4]; 0 params, 180 multiplies
        einsum: {equation: "iij->ji", branches: [identity]} on [5, 5, 3] -> [3, 5]; 0 params, 0 multiplies
    """  # noqa: E501

    kind = "einsum"
    arity = (1, None)
    source_form = "function"

    equation: str = argument("equation", EquationType())
    """The letters of each branch with commas between, ``->``, and those of the output: "hid,hjd->hij"."""

    def output(self, *inputs: Shape) -> Shape:
        operands, output = self._labelled(inputs)
        sizes: dict[Label, Number] = {}
        for operand in operands:
            for label, size in operand.items():
                known = sizes.setdefault(label, size)
                fits = either(equal(known, size), either(equal(known, 1), equal(size, 1)))
                axis = label if isinstance(label, str) else DOTS
                text = "einsum: the sizes of {} differ in {}: {} vs {}"
                require(fits, "CC405", text, axis, quoted(self.equation), known, size)
                sizes[label] = at_least(known, size)
        if not output:
            raise SpecError("CC401", f"einsum: {quoted(self.equation)} leaves no axis; an output has at least one")
        return Shape(sizes[label] for label in output)

    def _labelled(self, inputs: Sequence[Shape]) -> tuple[list[Sizes], tuple[Label, ...]]:
        """Return the sizes of every branch by label, and the labels of the output."""
        terms, output = _parsed(self.equation)
        if len(terms) != len(inputs):
            text = f"einsum: {quoted(self.equation)} is for {len(terms)} branches, not {len(inputs)}"
            raise SpecError("CC415", text)
        operands = [self._sizes(term, shape) for term, shape in zip(terms, inputs, strict=True)]
        further = {label for operand in operands for label in operand if isinstance(label, int)}
        return operands, tuple(_labels(output, len(further)))

    def _sizes(self, term: Term, shape: Shape) -> Sizes:
        further = shape.rank - len([letter for letter in term if letter != DOTS])
        fits = further == 0 or (DOTS in term and further > 0)
        text = "einsum: the term {} does not fit the {} axes of {}"
        require(fits, "CC401", text, quoted("".join(term)), shape.rank, shape)
        sizes: dict[Label, Number] = {}
        for label, size in zip(_labels(term, further), shape, strict=True):
            same = equal(sizes.setdefault(label, size), size)
            require(same, "CC405", "einsum: the axes of {} in {} differ: {}", label, quoted(self.equation), shape)
        return sizes

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        (left, *others), output = self._labelled(inputs)
        if not others:
            return (MatrixProduct(0, 0, has_weights=False),)
        later, made = [frozenset(output)], []
        for operand in reversed(others[1:]):
            later.append(later[-1].union(operand))
        for step, (right, needed) in enumerate(zip(others, reversed(later), strict=True), 1):
            summed = [at_most(left[label], right[label]) for label in left if label in right and label not in needed]
            both = (*left, *(label for label in right if label not in left))
            left = {label: at_least(left.get(label, 1), right.get(label, 1)) for label in both if label in needed}
            made.append((step, prod(left.values()) if summed else 0, prod(summed)))
        name = "product{}" if len(made) > 1 else ""
        return tuple(
            MatrixProduct(outputs * each, outputs, step, has_weights=False, name=name.format(step))
            for step, outputs, each in made
        )


def _labels(term: Term, further: int) -> Iterator[Label]:
    """Give the label of every axis; ``...`` are so many."""
    for letter in term:
        if letter == DOTS:
            yield from range(-further, 0)
        else:
            yield letter


@lru_cache
def _parsed(equation: str) -> tuple[tuple[Term, ...], Term]:
    """Return the terms of the branches and that of the output, or raise ``InvalidArgument``."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = tuple(_term(text) for text in left.split(","))
    known = [letter for term in terms for letter in term]
    if not arrow:  # the dot is sorted before the letters
        return terms, tuple(sorted(letter for letter in {*known} if known.count(letter) == 1 or letter == DOTS))
    output = _term(right)
    for letter in output:
        if output.count(letter) > 1:
            raise InvalidArgument(f"has {letter} twice in the output: {quoted(equation)}")
        if letter not in known:
            raise InvalidArgument(f"has {letter} in the output alone: {quoted(equation)}")
    return terms, output


def _term(text: str) -> Term:
    if not TERM.fullmatch(text) or text.count(DOTS) > 1:
        raise InvalidArgument(f"has letters and at most one ... in a term, such as ij,jk->ik, not {quoted(text)}")
    return tuple(re.findall(r"[A-Za-z]|\.\.\.", text))
