"""Closed forms as data: trees of integers, names and what is done with them, and relations between trees.

A tree is evaluated by :meth:`Expr.value` in plain integers and needs no SymPy; :mod:`convcalc.formula.printers` write
it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType

from convcalc.records import dataclass

Assignment = Mapping[str, int]
"""An integer for every name."""


class InexactError(ArithmeticError):
    """A division that a closed form promises to come out whole did not."""


class Expr:
    """An integer expression: one of the classes below."""

    __slots__ = ()

    def value(self, values: Assignment) -> int:
        """Evaluate the expression."""
        match self:
            case IntegerLiteral(number):
                return number
            case SymbolRef(name):
                return values[name]
            case Sum(terms):
                return sum(term.value(values) for term in terms)
            case Product(factors):
                return prod(factor.value(values) for factor in factors)
            case Power(base, exponent):
                return int(base.value(values) ** exponent)
            case MinMax(word, items):
                return (max if word == "max" else min)(item.value(values) for item in items)
            case FloorDivision(dividend, divisor, is_exact):
                quotient, remainder = divmod(dividend.value(values), divisor.value(values))
                if is_exact and remainder:
                    raise InexactError(f"a division leaves {remainder}")
                return quotient
        raise TypeError(type(self))

    @property
    def operations(self) -> int:
        """How many ``+ − · ^ ⌊/⌋`` are written in it."""
        match self:
            case Sum(terms):
                return sum(term.operations for term in terms) + len(terms) - 1
            case Product(factors):
                is_minus = factors[0] == IntegerLiteral(-1)  # −x costs nothing
                return sum(factor.operations for factor in factors) + len(factors) - 1 - is_minus
            case Power(base):
                return base.operations + 1
            case FloorDivision(dividend, divisor):
                return dividend.operations + divisor.operations + 1
            case MinMax(_, items):
                return sum(item.operations for item in items) + 1
        return 0

    @property
    def degree(self) -> int:
        """How fast it grows with all names together; what comes first in a sum grows fastest."""
        match self:
            case SymbolRef():
                return 1
            case Sum(parts) | MinMax(_, parts):
                return max(part.degree for part in parts)
            case Product(factors):
                return sum(factor.degree for factor in factors)
            case Power(base, exponent):
                return base.degree * exponent
            case FloorDivision(dividend, divisor):
                return max(0, dividend.degree - divisor.degree)
        return 0

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


@dataclass(frozen=True, slots=True)
class SymbolRef(Expr):
    """A symbol."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum(Expr):
    """The sum of two terms or more."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Product(Expr):
    """The product of two factors or more; only the first may be an integer."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Power(Expr):
    """A base to the power of an integer above 1."""

    base: Expr
    exponent: int


@dataclass(frozen=True, slots=True)
class FloorDivision(Expr):
    """⌊dividend / divisor⌋; ``is_exact`` where the assumptions make the remainder 0."""

    dividend: Expr
    divisor: Expr
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class MinMax(Expr):
    """The largest or the smallest of some values; ``word`` is ``max`` or ``min``."""

    word: str
    items: tuple[Expr, ...]


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


COMPARISONS: Mapping[str, Callable[[int, int], bool]] = MappingProxyType(
    {"=": operator.eq, "≠": operator.ne, "<": operator.lt, "≤": operator.le, ">": operator.gt, "≥": operator.ge}
    | {"divides": lambda left, right: right % left == 0}
)


@dataclass(frozen=True, slots=True)
class Relation:
    """Two expressions and their relation: one of ``= ≠ < ≤ > ≥``, or that the left divides the right."""

    left: Expr
    right: Expr
    sign: str

    def holds(self, values: Assignment) -> bool:
        """Whether it is so."""
        return COMPARISONS[self.sign](self.left.value(values), self.right.value(values))


@dataclass(frozen=True, slots=True)
class BoolCombination:
    """Relations of which all hold (``and``), or at least one (``or``)."""

    word: str
    parts: tuple[Assumption, ...]

    def holds(self, values: Assignment) -> bool:
        """Whether it is so."""
        return (all if self.word == "and" else any)(part.holds(values) for part in self.parts)


Assumption = Relation | BoolCombination


@dataclass(frozen=True, slots=True)
class Ratio:
    """A fraction of two expressions without a common factor."""

    numerator: Expr
    denominator: Expr
