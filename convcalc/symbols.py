"""Symbols behind the door for numbers. The only module that imports SymPy; ``arith`` loads it when a symbol arrives."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE


def symbol(name: str) -> Any:
    """Return a symbol for a size: a positive integer."""
    return sympy.Symbol(name, integer=True, positive=True)


class FloorDiv(sympy.Function):  # type: ignore[misc]
    """⌊n / d⌋ in one canonical, flat form.

    SymPy's own ``floor`` nests: five stride-2 layers give five floors. Here ⌊(⌊n/a⌋ + c)/b⌋ becomes ⌊(n + a·c)/(a·b)⌋,
    what the divisor divides leaves the floor, and the constant that stays is in [0, d): the five layers give
    ⌊(n + 31)/32⌋.
    """

    nargs = (2,)
    is_integer = True
    is_real = True
    precedence = PRECEDENCE["Add"] + 1  # in text: n*(n//2), but n//2 + 1

    @classmethod
    def eval(cls, dividend: Any, divisor: Any) -> Any:
        dividend, divisor = sympy.expand(dividend), sympy.sympify(divisor)
        if divisor == 1:
            return dividend
        if not divisor.is_Integer:
            return _exact_quotient(dividend, divisor)
        whole, rest = _split(dividend, divisor)
        inner = _inner(rest)
        if inner is not None and divisor.is_positive:
            nested, constant = inner
            numerator, denominator = nested.args
            return whole + FloorDiv(numerator + constant * denominator, denominator * divisor)
        if rest.is_Integer:
            return whole + rest // divisor
        return None if rest == dividend else whole + FloorDiv(rest, divisor)

    def _eval_is_nonnegative(self) -> bool | None:
        dividend, divisor = self.args
        return True if dividend.is_nonnegative and divisor.is_positive else None

    def _eval_is_positive(self) -> bool | None:
        dividend, divisor = self.args
        return True if divisor.is_positive and (dividend - divisor).is_nonnegative else None

    def _sympystr(self, printer: Any) -> str:
        dividend, divisor = (printer.parenthesize(argument, 60) for argument in self.args)
        return f"{dividend}//{divisor}"

    def _latex(self, printer: Any) -> str:
        dividend, divisor = map(printer.doprint, self.args)
        return rf"\left\lfloor\frac{{{dividend}}}{{{divisor}}}\right\rfloor"


def _split(dividend: Any, divisor: Any) -> tuple[Any, Any]:
    """Return (w, r) with dividend = w·divisor + r, where r keeps only what the divisor does not divide."""
    whole, rest = sympy.Integer(0), sympy.Integer(0)
    for term in sympy.Add.make_args(dividend):
        coefficient, factor = term.as_coeff_Mul()
        if not (coefficient.is_Integer and factor.is_integer):
            return sympy.Integer(0), dividend
        if factor == 1:
            whole, rest = whole + coefficient // divisor, rest + coefficient % divisor
        elif coefficient % divisor == 0:
            whole += coefficient // divisor * factor
        else:
            rest += term
    return whole, rest


def _inner(rest: Any) -> tuple[Any, Any] | None:
    """Return (⌊…⌋, constant) where the rest is one floor division plus a constant, else nothing."""
    constant, term = rest.as_coeff_Add()
    return (term, constant) if isinstance(term, FloorDiv) and constant.is_Integer else None


def _exact_quotient(dividend: Any, divisor: Any) -> Any:
    """Return the quotient where it is a polynomial with integer coefficients, else nothing (the floor stays)."""
    quotient = sympy.cancel(dividend / divisor)
    denominator = sympy.fraction(sympy.together(quotient))[1]
    return quotient if denominator == 1 else None


def floor_divide(dividend: Any, divisor: Any) -> Any:
    return FloorDiv(dividend, divisor)


def maximum(left: Any, right: Any) -> Any:
    return sympy.Max(left, right)


def minimum(left: Any, right: Any) -> Any:
    return sympy.Min(left, right)


def piecewise(condition: Any, then: Any, otherwise: Any) -> Any:
    return sympy.Piecewise((then, condition), (otherwise, True))


def equality(left: Any, right: Any) -> Any:
    """left = right: a relation, or a bool where all positive integers decide it alike."""
    difference = _from_zero(left - right)
    if difference == 0:
        return True
    if difference.is_nonzero:
        return False
    return sympy.Eq(left, right)


def less(left: Any, right: Any) -> Any:
    """left < right: a relation, or a bool where all positive integers decide it alike."""
    return _decided(right - left - 1, left < right)


def less_equal(left: Any, right: Any) -> Any:
    """left ≤ right: a relation, or a bool where all positive integers decide it alike."""
    return _decided(right - left, left <= right)


def _decided(spare: Any, relation: Any) -> Any:
    spare = _from_zero(spare)
    if spare.is_nonnegative:
        return True
    return False if spare.is_negative else relation


def _from_zero(expression: Any) -> Any:
    """Put n + 1 in place of every positive n, for n from 0: then the sign of n·m − 1 shows in its terms."""
    shifted = {
        n: sympy.Symbol(n.name, integer=True, nonnegative=True) + 1 for n in expression.free_symbols if n.is_positive
    }
    return sympy.expand(expression.xreplace(shifted))
