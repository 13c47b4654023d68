"""Closed forms as data: trees of integers, names and what is done with them, and relations between trees.

A tree is worked out by :meth:`value` in plain integers and needs no SymPy; how it is written is the matter of
``notation``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

Values = Mapping[str, int]
"""An integer for every name."""


class InexactError(ArithmeticError):
    """A division that a closed form promises to come out whole did not."""


class Tree(ABC):
    """An integer expression."""

    __slots__ = ()

    @abstractmethod
    def value(self, values: Values) -> int:
        """Work the expression out."""

    @property
    @abstractmethod
    def operations(self) -> int:
        """How many ``+ − · ^ ⌊/⌋`` are written in it."""

    @property
    @abstractmethod
    def degree(self) -> int:
        """How fast it grows with all names together; what comes first in a sum grows fastest."""

    def __str__(self) -> str:
        from convcalc.formula.printers import TEXT

        return TEXT.write(self)

    def _repr_latex_(self) -> str:
        from convcalc.formula.printers import LATEX

        return f"${LATEX.write(self)}$"


@dataclass(frozen=True, slots=True)
class Number(Tree):
    """An integer."""

    number: int

    def value(self, values: Values) -> int:
        return self.number

    @property
    def operations(self) -> int:
        return 0

    @property
    def degree(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Name(Tree):
    """A symbol."""

    name: str

    def value(self, values: Values) -> int:
        return values[self.name]

    @property
    def operations(self) -> int:
        return 0

    @property
    def degree(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Sum(Tree):
    """The sum of two terms or more."""

    terms: tuple[Tree, ...]

    def value(self, values: Values) -> int:
        return sum(term.value(values) for term in self.terms)

    @property
    def operations(self) -> int:
        return sum(term.operations for term in self.terms) + len(self.terms) - 1

    @property
    def degree(self) -> int:
        return max(term.degree for term in self.terms)


@dataclass(frozen=True, slots=True)
class Product(Tree):
    """The product of two factors or more; only the first may be an integer."""

    factors: tuple[Tree, ...]

    def value(self, values: Values) -> int:
        return prod(factor.value(values) for factor in self.factors)

    @property
    def operations(self) -> int:
        signs = self.factors[0] == Number(-1)  # −x costs nothing
        return sum(factor.operations for factor in self.factors) + len(self.factors) - 1 - signs

    @property
    def degree(self) -> int:
        return sum(factor.degree for factor in self.factors)


@dataclass(frozen=True, slots=True)
class Power(Tree):
    """A base to the power of an integer above 1."""

    base: Tree
    exponent: int

    def value(self, values: Values) -> int:
        return self.base.value(values) ** self.exponent  # type: ignore[no-any-return] # the exponent is not negative

    @property
    def operations(self) -> int:
        return self.base.operations + 1

    @property
    def degree(self) -> int:
        return self.base.degree * self.exponent


@dataclass(frozen=True, slots=True)
class Floor(Tree):
    """⌊dividend / divisor⌋; ``exact`` where the assumptions say that the division leaves nothing."""

    dividend: Tree
    divisor: Tree
    exact: bool = False

    def value(self, values: Values) -> int:
        quotient, remainder = divmod(self.dividend.value(values), self.divisor.value(values))
        if self.exact and remainder:
            raise InexactError(f"a division leaves {remainder}")
        return quotient

    @property
    def operations(self) -> int:
        return self.dividend.operations + self.divisor.operations + 1

    @property
    def degree(self) -> int:
        return max(0, self.dividend.degree - self.divisor.degree)


@dataclass(frozen=True, slots=True)
class Extreme(Tree):
    """The largest or the smallest of some values; ``word`` is ``max`` or ``min``."""

    word: str
    items: tuple[Tree, ...]

    def value(self, values: Values) -> int:
        found = [item.value(values) for item in self.items]
        return max(found) if self.word == "max" else min(found)

    @property
    def operations(self) -> int:
        return sum(item.operations for item in self.items) + 1

    @property
    def degree(self) -> int:
        return max(item.degree for item in self.items)


def negative(term: Tree) -> bool:
    """Whether a term is written behind a minus."""
    first = term.factors[0] if isinstance(term, Product) else term
    return isinstance(first, Number) and first.number < 0


def negated(term: Tree) -> Tree:
    """Return −term for a negative term."""
    if not isinstance(term, Product):
        assert isinstance(term, Number)
        return Number(-term.number)
    first, *others = term.factors
    assert isinstance(first, Number)
    return multiplied([Number(-first.number), *others])


def added(terms: list[Tree]) -> Tree:
    """Return the sum of terms, flat; zeros fall away."""
    flat = [part for term in terms for part in (term.terms if isinstance(term, Sum) else (term,))]
    kept = [term for term in flat if term != Number(0)]
    return Sum(tuple(kept)) if len(kept) > 1 else kept[0] if kept else Number(0)


def multiplied(factors: list[Tree]) -> Tree:
    """Return the product of factors, flat; their integers come first as one."""
    flat = [part for factor in factors for part in (factor.factors if isinstance(factor, Product) else (factor,))]
    number = prod(factor.number for factor in flat if isinstance(factor, Number))
    others = [factor for factor in flat if not isinstance(factor, Number)]
    if number == 0 or not others:
        return Number(number)
    kept = others if number == 1 else [Number(number), *others]
    return Product(tuple(kept)) if len(kept) > 1 else kept[0]


# --- relations --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Relation:
    """Two trees and what is said of them: one of ``= ≠ < ≤ > ≥``, or that the left divides the right."""

    left: Tree
    right: Tree
    sign: str

    def holds(self, values: Values) -> bool:
        """Whether it is so."""
        left, right = self.left.value(values), self.right.value(values)
        if self.sign == "divides":
            return right % left == 0
        return {"=": left == right, "≠": left != right, "<": left < right, "≤": left <= right,
                ">": left > right, "≥": left >= right}[self.sign]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Combined:
    """Relations of which all hold (``and``), or at least one (``or``)."""

    word: str
    parts: tuple[Assumption, ...]

    def holds(self, values: Values) -> bool:
        """Whether it is so."""
        found = [part.holds(values) for part in self.parts]
        return all(found) if self.word == "and" else any(found)


Assumption = Relation | Combined


@dataclass(frozen=True, slots=True)
class Ratio:
    """A fraction of two trees without a common factor."""

    numerator: Tree
    denominator: Tree
