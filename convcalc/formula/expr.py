"""Closed forms as data: trees of integers, names and what is done with them, and relations between trees.

A tree is worked out by :meth:`value` in plain integers and needs no SymPy; how it is written is the matter of
``notation``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

Assignment = Mapping[str, int]
"""An integer for every name."""


class InexactError(ArithmeticError):
    """A division that a closed form promises to come out whole did not."""


class Expr(ABC):
    """An integer expression."""

    __slots__ = ()

    @abstractmethod
    def value(self, values: Assignment) -> int:
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
class IntegerLiteral(Expr):
    """An integer."""

    number: int

    def value(self, values: Assignment) -> int:
        return self.number

    @property
    def operations(self) -> int:
        return 0

    @property
    def degree(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class SymbolRef(Expr):
    """A symbol."""

    name: str

    def value(self, values: Assignment) -> int:
        return values[self.name]

    @property
    def operations(self) -> int:
        return 0

    @property
    def degree(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Sum(Expr):
    """The sum of two terms or more."""

    terms: tuple[Expr, ...]

    def value(self, values: Assignment) -> int:
        return sum(term.value(values) for term in self.terms)

    @property
    def operations(self) -> int:
        return sum(term.operations for term in self.terms) + len(self.terms) - 1

    @property
    def degree(self) -> int:
        return max(term.degree for term in self.terms)


@dataclass(frozen=True, slots=True)
class Product(Expr):
    """The product of two factors or more; only the first may be an integer."""

    factors: tuple[Expr, ...]

    def value(self, values: Assignment) -> int:
        return prod(factor.value(values) for factor in self.factors)

    @property
    def operations(self) -> int:
        signs = self.factors[0] == IntegerLiteral(-1)  # −x costs nothing
        return sum(factor.operations for factor in self.factors) + len(self.factors) - 1 - signs

    @property
    def degree(self) -> int:
        return sum(factor.degree for factor in self.factors)


@dataclass(frozen=True, slots=True)
class Power(Expr):
    """A base to the power of an integer above 1."""

    base: Expr
    exponent: int

    def value(self, values: Assignment) -> int:
        return self.base.value(values) ** self.exponent  # type: ignore[no-any-return] # the exponent is not negative

    @property
    def operations(self) -> int:
        return self.base.operations + 1

    @property
    def degree(self) -> int:
        return self.base.degree * self.exponent


@dataclass(frozen=True, slots=True)
class FloorDivision(Expr):
    """⌊dividend / divisor⌋; ``is_exact`` where the assumptions make the remainder 0."""

    dividend: Expr
    divisor: Expr
    is_exact: bool = False

    def value(self, values: Assignment) -> int:
        quotient, remainder = divmod(self.dividend.value(values), self.divisor.value(values))
        if self.is_exact and remainder:
            raise InexactError(f"a division leaves {remainder}")
        return quotient

    @property
    def operations(self) -> int:
        return self.dividend.operations + self.divisor.operations + 1

    @property
    def degree(self) -> int:
        return max(0, self.dividend.degree - self.divisor.degree)


@dataclass(frozen=True, slots=True)
class MinMax(Expr):
    """The largest or the smallest of some values; ``word`` is ``max`` or ``min``."""

    word: str
    items: tuple[Expr, ...]

    def value(self, values: Assignment) -> int:
        found = [item.value(values) for item in self.items]
        return max(found) if self.word == "max" else min(found)

    @property
    def operations(self) -> int:
        return sum(item.operations for item in self.items) + 1

    @property
    def degree(self) -> int:
        return max(item.degree for item in self.items)


def is_negated(term: Expr) -> bool:
    """Whether a term is written behind a minus."""
    first = term.factors[0] if isinstance(term, Product) else term
    return isinstance(first, IntegerLiteral) and first.number < 0


def negate(term: Expr) -> Expr:
    """Return −term for a negative term."""
    if not isinstance(term, Product):
        assert isinstance(term, IntegerLiteral)
        return IntegerLiteral(-term.number)
    first, *others = term.factors
    assert isinstance(first, IntegerLiteral)
    return make_product([IntegerLiteral(-first.number), *others])


def make_sum(terms: list[Expr]) -> Expr:
    """Return the sum of terms, flat; zeros fall away."""
    flat = [part for term in terms for part in (term.terms if isinstance(term, Sum) else (term,))]
    kept = [term for term in flat if term != IntegerLiteral(0)]
    return Sum(tuple(kept)) if len(kept) > 1 else kept[0] if kept else IntegerLiteral(0)


def make_product(factors: list[Expr]) -> Expr:
    """Return the product of factors, flat; their integers come first as one."""
    flat = [part for factor in factors for part in (factor.factors if isinstance(factor, Product) else (factor,))]
    number = prod(factor.number for factor in flat if isinstance(factor, IntegerLiteral))
    others = [factor for factor in flat if not isinstance(factor, IntegerLiteral)]
    if number == 0 or not others:
        return IntegerLiteral(number)
    kept = others if number == 1 else [IntegerLiteral(number), *others]
    return Product(tuple(kept)) if len(kept) > 1 else kept[0]


# --- relations --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Relation:
    """Two trees and what is said of them: one of ``= ≠ < ≤ > ≥``, or that the left divides the right."""

    left: Expr
    right: Expr
    sign: str

    def holds(self, values: Assignment) -> bool:
        """Whether it is so."""
        left, right = self.left.value(values), self.right.value(values)
        if self.sign == "divides":
            return right % left == 0
        return {"=": left == right, "≠": left != right, "<": left < right, "≤": left <= right,
                ">": left > right, "≥": left >= right}[self.sign]  # fmt: skip


@dataclass(frozen=True, slots=True)
class BoolCombination:
    """Relations of which all hold (``and``), or at least one (``or``)."""

    word: str
    parts: tuple[Assumption, ...]

    def holds(self, values: Assignment) -> bool:
        """Whether it is so."""
        found = [part.holds(values) for part in self.parts]
        return all(found) if self.word == "and" else any(found)


Assumption = Relation | BoolCombination


@dataclass(frozen=True, slots=True)
class Ratio:
    """A fraction of two trees without a common factor."""

    numerator: Expr
    denominator: Expr
