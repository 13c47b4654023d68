"""SymPy expressions to ``Expr`` trees, in their most readable form. Only this module inspects SymPy expressions.

An expression is written in the form that takes the fewest operations: expanded, collected, factored or as it was
computed. Of several it is that with the fewest parentheses, the shortest, the first. Floors are atoms, like symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from operator import add
from typing import Any

from convcalc.errors import Undecided
from convcalc.formula.expr import (
    Assumption,
    BoolCombination,
    Expr,
    FloorDivision,
    IntegerLiteral,
    MinMax,
    Power,
    Ratio,
    Relation,
    SymbolRef,
    make_product,
    make_sum,
)
from convcalc.formula.polynomial import Terms, common_factor, divide_out, expand, factor_common, monomial, term_order
from convcalc.formula.printers import TEXT
from convcalc.records import NamedTuple

MAX_FACTORED_TERMS = 40
MAX_FACTORED_ATOMS = 8
"""Polynomials larger than this are not factored: SymPy may take minutes over them."""
MAX_CANCELLED_TERMS = 400
"""Of two polynomials larger than this together, only what all terms share is cancelled."""
MAX_SHOWN_TERMS = 8
SYMBOL_OF = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
FLIPPED = {"=": "=", "≠": "≠", "<": ">", "≤": "≥", ">": "<", "≥": "≤"}


class Polynomial(NamedTuple):
    """Terms in atoms, over a common denominator."""

    terms: Terms
    atoms: tuple[Any, ...]
    """As SymPy has them, in the order in which they are written."""
    denominator: int = 1


class Simplifier:
    """Writes expressions as trees; the same expression is worked out once.

    ``names`` are the symbols in the order in which factors are written; ``known`` are relations that may be relied on:
    divisions that leave nothing are then exact, and bounds decide what is largest.
    """

    def __init__(self, names: Sequence[str], known: Sequence[Any]) -> None:
        self._ranks = {name: rank for rank, name in enumerate(names)}
        self._assumptions = known
        self._divisions = _divisions(known)
        self._simplified: dict[Any, Expr] = {}

    def simplify(self, expression: Any) -> Expr:
        """Return an expression in its most readable form.

        Raises:
            Undecided: a choice between cases is left in it.
        """
        import sympy

        from convcalc.arith.symbols import simplify_extremes

        expression = simplify_extremes(sympy.sympify(expression).xreplace(self._divisions), self._assumptions)
        if expression not in self._simplified:
            self._simplified[expression] = self._simplify(expression)
        return self._simplified[expression]

    def terms(self, expression: Any) -> Expr | None:
        """Return an expression multiplied out, where it has few terms and divides by no symbol."""
        whole = self._polynomial(expression.xreplace(self._divisions))
        if len(whole.terms) > MAX_SHOWN_TERMS or any(each < 0 for exponents in whole.terms for each in exponents):
            return None
        tree = expand(whole.terms, tuple(map(self._atom, whole.atoms)))
        return tree if whole.denominator == 1 else FloorDivision(tree, IntegerLiteral(whole.denominator), is_exact=True)

    def ratio(self, numerator: Any, denominator: Any) -> Ratio | None:
        """Return a fraction with common factors cancelled; nothing where the denominator is 0."""
        import sympy

        above, below = (sympy.sympify(part).xreplace(self._divisions) for part in (numerator, denominator))
        if sympy.expand(below) == 0:
            return None
        first, second = self._cancel(above, below)
        return Ratio(self.simplify(first), self.simplify(second))

    def assumptions(self) -> tuple[Assumption, ...]:
        """Return what the trees rest on, each relation once and without those that the bounds decide."""
        from convcalc.arith.symbols import simplify_extremes

        plain = Simplifier(list(self._ranks), ())
        kept = (simplify_extremes(condition, self._assumptions) for condition in self._assumptions)
        found = (plain.relation(condition) for condition in kept if condition != True)  # noqa: E712 - SymPy's own true
        return tuple(dict.fromkeys(found))

    def relation(self, condition: Any) -> Assumption:
        """Return a relation between expressions as one between trees."""
        import sympy

        if isinstance(condition, sympy.Or | sympy.And):
            word = "or" if isinstance(condition, sympy.Or) else "and"
            return BoolCombination(word, tuple(sorted(map(self.relation, condition.args), key=TEXT.assumption)))
        divided = division(condition)
        if divided is not None:
            return Relation(self.simplify(divided[1]), self.simplify(divided[0]), "divides")
        sign = SYMBOL_OF[condition.rel_op]
        whole = self._polynomial(condition.lhs - condition.rhs)
        if whole.terms and all(exponent >= 0 for exponents in whole.terms for exponent in exponents):
            return self._balance(whole, sign)
        left, right = self.simplify(condition.lhs), self.simplify(condition.rhs)
        return Relation(right, left, FLIPPED[sign]) if isinstance(left, IntegerLiteral) else Relation(left, right, sign)

    def _balance(self, whole: Polynomial, sign: str) -> Relation:
        """Relate what is added in a difference to what is taken away, without the divisor that all terms share."""
        atoms = tuple(map(self._atom, whole.atoms))
        divisor = gcd(*whole.terms.values())
        leading = min(whole.terms, key=term_order)
        scale = divisor if whole.terms[leading] > 0 else -divisor
        terms = {each: value // scale for each, value in whole.terms.items()}
        added = {each: value for each, value in terms.items() if value > 0}
        taken = {each: -value for each, value in terms.items() if value < 0}
        left, right = _cheapest(_candidates(added, atoms)), _cheapest(_candidates(taken, atoms))
        return Relation(left, right, sign if scale > 0 else FLIPPED[sign])

    # --- polynomials --------------------------------------------------------------------------------------------------

    def _simplify(self, expression: Any) -> Expr:
        import sympy

        whole = self._polynomial(expression)
        atoms = tuple(map(self._atom, whole.atoms))
        if any(exponent < 0 for exponents in whole.terms for exponent in exponents):
            return _quotient(whole, atoms)
        forms = _candidates(whole.terms, atoms)
        if 1 < len(whole.terms) <= MAX_FACTORED_TERMS and len(atoms) <= MAX_FACTORED_ATOMS:
            forms.append(_factor(whole.terms, atoms))
        if whole.denominator > 1:
            return FloorDivision(_cheapest(forms), IntegerLiteral(whole.denominator), is_exact=True)
        if all(number.is_Integer for number in expression.atoms(sympy.Number)):
            forms.append(self._as_computed(expression))
        return _cheapest(forms)

    def _polynomial(self, expression: Any) -> Polynomial:
        """Multiply an expression out."""
        import sympy

        powers: list[tuple[Fraction, dict[Any, int]]] = []
        for term in sympy.Add.make_args(sympy.expand(expression)):
            coefficient, rest = term.as_coeff_Mul()
            held = {base: int(exponent) for base, exponent in rest.as_powers_dict().items() if base != 1}
            powers.append((Fraction(int(coefficient.p), int(coefficient.q)), held))
        atoms = tuple(sorted({atom for _, held in powers for atom in held}, key=self._place))
        denominator = lcm(*(coefficient.denominator for coefficient, _ in powers))
        terms = {tuple(held.get(atom, 0) for atom in atoms): int(value * denominator) for value, held in powers}
        return Polynomial({each: value for each, value in terms.items() if value}, atoms, denominator)

    def _cancel(self, above: Any, below: Any) -> tuple[Any, Any]:
        """Divide two expressions by what they share."""
        import sympy

        first, second = self._polynomial(above), self._polynomial(below)
        atoms = sorted({*first.atoms, *second.atoms}, key=self._place)
        dummies = [sympy.Symbol(f"x{place}") for place in range(len(atoms))]
        known, back = dict(zip(atoms, dummies, strict=True)), dict(zip(dummies, atoms, strict=True))
        if len(first.terms) + len(second.terms) <= MAX_CANCELLED_TERMS:
            parts = sympy.expand(above).xreplace(known), sympy.expand(below).xreplace(known)
            numerator, denominator = sympy.fraction(sympy.together(sympy.cancel(parts[0] / parts[1])))
            return numerator.xreplace(back), denominator.xreplace(back)
        shared = sympy.gcd_terms(above).as_coeff_Mul()[0], sympy.gcd_terms(below).as_coeff_Mul()[0]
        divisor = sympy.gcd(*shared)
        return above / divisor, below / divisor

    # --- parts of expressions -----------------------------------------------------------------------------------------

    def _atom(self, atom: Any) -> Expr:
        """Return what a polynomial takes as a whole: a symbol, a floor, the largest or smallest of some."""
        import sympy

        from convcalc.arith.symbols import FloorDiv

        if atom.is_Symbol:
            return SymbolRef(atom.name)
        if isinstance(atom, FloorDiv):
            dividend, divisor = atom.args
            return FloorDivision(self.simplify(dividend), self.simplify(divisor))
        if isinstance(atom, sympy.Max | sympy.Min):
            items = sorted(map(self.simplify, atom.args), key=TEXT.write)
            return MinMax("max" if isinstance(atom, sympy.Max) else "min", tuple(items))
        raise Undecided("a choice between cases", tuple(sorted(str(name) for name in atom.free_symbols)))

    def _place(self, atom: Any) -> tuple[int, int, str]:
        """Where an atom stands among the factors of a term: symbols as they were named, floors by their divisors."""
        tree = self._atom(atom)
        if isinstance(tree, SymbolRef):
            return 0, self._ranks.get(tree.name, len(self._ranks)), tree.name
        divisor = tree.divisor if isinstance(tree, FloorDivision) else None
        return 1, divisor.number if isinstance(divisor, IntegerLiteral) else 0, TEXT.write(tree)

    def _as_computed(self, expression: Any) -> Expr:
        """Return an expression with integer coefficients as it came out of the walk over the layers."""
        if expression.is_Integer:
            return IntegerLiteral(int(expression))
        if expression.is_Pow:
            return Power(self._as_computed(expression.base), int(expression.exp))
        if expression.is_Add:
            terms = [self._as_computed(term) for term in expression.args]
            return make_sum(sorted(terms, key=lambda term: (-term.degree, TEXT.write(term))))
        if expression.is_Mul:
            return make_product(sorted((self._as_computed(factor) for factor in expression.args), key=self._rank))
        return self._atom(expression)

    def _rank(self, factor: Expr) -> tuple[int, int, str]:
        """Where a factor stands: symbols, floors, sums."""
        base = factor.base if isinstance(factor, Power) else factor
        if isinstance(base, SymbolRef):
            return 0, self._ranks.get(base.name, len(self._ranks)), base.name
        return 1 if isinstance(base, FloorDivision) else 2, 0, TEXT.write(base)


def _candidates(terms: Terms, atoms: Sequence[Expr]) -> list[Expr]:
    """Return the forms that cost nothing to find."""
    return [expand(terms, atoms), *(factor_common(terms, atoms, integers=integers) for integers in (True, False))]


def _quotient(whole: Polynomial, atoms: Sequence[Expr]) -> Expr:
    """Return what divides by symbols as a polynomial and one exact division, which the assumptions make whole."""
    is_plain = whole.denominator == 1
    plain = {each: value for each, value in whole.terms.items() if is_plain and min(each) >= 0}
    divided = {each: value for each, value in whole.terms.items() if each not in plain}
    powers = tuple(max(0, *(-each[place] for each in divided)) for place in range(len(atoms)))
    above = {tuple(map(add, each, powers)): value for each, value in divided.items()}
    quotient = FloorDivision(
        _cheapest(_candidates(above, atoms)), monomial(whole.denominator, powers, atoms), is_exact=True
    )
    return make_sum([_cheapest(_candidates(plain, atoms)), quotient]) if plain else quotient


def _cheapest(forms: Sequence[Expr]) -> Expr:
    """Return the form of the fewest operations, then of the fewest parentheses, then of the shortest text."""
    return min(forms, key=_cost)


def _cost(form: Expr) -> tuple[int, int, int]:
    text = TEXT.write(form)
    return form.operations, text.count("("), len(text)


def _factor(terms: Terms, atoms: Sequence[Expr]) -> Expr:
    """Return a product of polynomials that cannot be split further."""
    import sympy

    divisor, shared = common_factor(terms)
    symbols = [sympy.Symbol(f"x{place}") for place in range(len(atoms))]
    rest = sympy.Poly.from_dict(dict(divide_out(terms, divisor, shared)), *symbols)
    scale, factors = rest.factor_list()
    found = [({tuple(each): int(value) for each, value in factor.terms()}, times) for factor, times in factors]
    found.sort(key=lambda factor: (len(factor[0]), sorted(map(term_order, factor[0])), sorted(factor[0].values())))
    parts = [monomial(divisor * int(scale), shared, atoms)]
    for factor, times in found:
        forms = [expand(factor, atoms), factor_common(factor, atoms, integers=False)]
        parts.append(_cheapest(forms) if times == 1 else Power(_cheapest(forms), times))
    return make_product(parts)


def _divisions(known: Sequence[Any]) -> dict[Any, Any]:
    """Return the floors that known relations say to leave nothing, each with its quotient."""
    from convcalc.arith.symbols import FloorDiv

    return {FloorDiv(dividend, divisor): dividend / divisor for dividend, divisor in filter(None, map(division, known))}


@lru_cache(256)
def division(condition: Any) -> tuple[Any, Any] | None:
    """Return (a, d) of a relation that says a − d·⌊a/d⌋ = 0, which is that d divides a; nothing for any other."""
    import sympy

    from convcalc.arith.symbols import FloorDiv

    if not isinstance(condition, sympy.Eq):
        return None
    difference = sympy.expand(condition.lhs - condition.rhs)
    for floor in sorted(difference.atoms(FloorDiv), key=str):
        dividend, divisor = floor.args
        scale = sympy.cancel(difference / sympy.expand(dividend - divisor * floor))
        if scale.is_Rational and scale != 0:
            return dividend, divisor
    return None
