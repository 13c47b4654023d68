"""Polynomials with integer coefficients in any atoms, and the forms in which a person may want to read them.

A polynomial is a mapping from exponents, one per atom, to the coefficient. Terms stand by falling degree, then in the
order of the atoms, so that the same polynomial is written alike on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd

from convcalc.formula.expr import Expr, IntegerLiteral, Power, make_product, make_sum

Exponents = tuple[int, ...]
Terms = Mapping[Exponents, int]


def term_order(exponents: Exponents) -> tuple[int, Exponents]:
    """Where a term stands in a sum: by falling degree, then by what the first atoms contribute."""
    return -sum(exponents), tuple(-exponent for exponent in exponents)


def expand(terms: Terms, atoms: Sequence[Expr]) -> Expr:
    """Every product multiplied out: 9·h·w·m² + 2·c·h·w·m."""
    return make_sum([monomial(terms[exponents], exponents, atoms) for exponents in sorted(terms, key=term_order)])


def factor_common(terms: Terms, atoms: Sequence[Expr], *, integers: bool) -> Expr:
    """What all terms share in front, and again in what is left; then the atom that most terms share.

    ``integers`` says whether a common divisor of the coefficients is taken out too.
    """
    if len(terms) < 2:
        return expand(terms, atoms)
    divisor, shared = common_factor(terms)
    divisor = divisor if integers else 1
    if any(shared) or divisor > 1:
        rest = divide_out(terms, divisor, shared)
        return make_product([monomial(divisor, shared, atoms), factor_common(rest, atoms, integers=integers)])
    counts = [sum(each[place] > 0 for each in terms) for place in range(len(atoms))]
    most = max(counts, default=0)
    if most < 2:
        return expand(terms, atoms)
    place = counts.index(most)
    parts = [{each: value for each, value in terms.items() if (each[place] > 0) is inside} for inside in (True, False)]
    parts.sort(key=lambda part: min(map(term_order, part)))
    return make_sum([factor_common(part, atoms, integers=integers) for part in parts])


def monomial(coefficient: int, exponents: Exponents, atoms: Sequence[Expr]) -> Expr:
    """Return one term."""
    powers = [
        atom if exponent == 1 else Power(atom, exponent)
        for atom, exponent in zip(atoms, exponents, strict=True)
        if exponent
    ]
    return make_product([IntegerLiteral(coefficient), *powers])


def common_factor(terms: Terms) -> tuple[int, Exponents]:
    """Return the integer and the powers of atoms that all terms share."""
    return gcd(*terms.values()), tuple(map(min, zip(*terms, strict=True)))


def divide_out(terms: Terms, divisor: int, shared: Exponents) -> Terms:
    """Divide every term by what all share."""
    return {
        tuple(one - other for one, other in zip(exponents, shared, strict=True)): coefficient // divisor
        for exponents, coefficient in terms.items()
    }
