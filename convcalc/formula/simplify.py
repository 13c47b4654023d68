"""From symbolic expressions to trees, each in its most readable form. What is known of SymPy here ends here.

An expression is written in that form which takes the fewest operations: expanded, collected, factored or as it was
computed. Of those with equally many it is the one with the fewest parentheses, then the shortest, then the first.
Floors are atoms of polynomials, like symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, NamedTuple

from convcalc.errors import Undecided
from convcalc.formula.expr import (
    Assumption,
    Combined,
    Extreme,
    Floor,
    Name,
    Number,
    Power,
    Ratio,
    Relation,
    Tree,
    added,
    multiplied,
)
from convcalc.formula.polynomial import Terms, collected, content, expanded, monomial, order, without
from convcalc.formula.printers import TEXT

FACTORED_TERMS = 40
FACTORED_ATOMS = 8
"""Polynomials larger than this are not factored: SymPy may take minutes over them."""
CANCELLED_TERMS = 400
"""Of two polynomials larger than this together, only what all terms share is cancelled."""
SIGNS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
MIRRORED = {"=": "=", "≠": "≠", "<": ">", "≤": "≥", ">": "<", "≥": "≤"}


class Polynomial(NamedTuple):
    """Terms in atoms, over a common denominator."""

    terms: Terms
    atoms: tuple[Any, ...]
    """As SymPy has them, in the order in which they are written."""
    denominator: int = 1


class Forms:
    """Writes expressions as trees; the same expression is worked out once.

    ``names`` are the symbols in the order in which factors are written; ``known`` are relations that may be relied on:
    divisions that leave nothing are then exact, and bounds decide what is largest.
    """

    def __init__(self, names: Sequence[str], known: Sequence[Any]) -> None:
        self._ranks = {name: rank for rank, name in enumerate(names)}
        self._known = known
        self._divisions = _divisions(known)
        self._trees: dict[Any, Tree] = {}

    def tree(self, expression: Any) -> Tree:
        """Return an expression in its most readable form.

        Raises:
            Undecided: a choice between cases is left in it.
        """
        import sympy

        from convcalc.symbols import under

        expression = under(sympy.sympify(expression).xreplace(self._divisions), self._known)
        if expression not in self._trees:
            self._trees[expression] = self._best(expression)
        return self._trees[expression]

    def ratio(self, numerator: Any, denominator: Any) -> Ratio | None:
        """Return a fraction with common factors cancelled; nothing where the denominator is 0."""
        import sympy

        above, below = (sympy.sympify(part).xreplace(self._divisions) for part in (numerator, denominator))
        if sympy.expand(below) == 0:
            return None
        first, second = self._cancelled(above, below)
        return Ratio(self.tree(first), self.tree(second))

    def assumptions(self) -> tuple[Assumption, ...]:
        """Return what the trees rest on, each relation once and without those that the bounds decide."""
        from convcalc.symbols import under

        plain = Forms(list(self._ranks), ())
        kept = (under(condition, self._known) for condition in self._known)
        found = (plain.relation(condition) for condition in kept if condition != True)  # noqa: E712 - SymPy's own true
        return tuple(dict.fromkeys(found))

    def relation(self, condition: Any) -> Assumption:
        """Return a relation between expressions as one between trees."""
        import sympy

        if isinstance(condition, sympy.Or | sympy.And):
            word = "or" if isinstance(condition, sympy.Or) else "and"
            return Combined(word, tuple(sorted(map(self.relation, condition.args), key=TEXT.assumption)))
        divided = division(condition)
        if divided is not None:
            return Relation(self.tree(divided[1]), self.tree(divided[0]), "divides")
        sign = SIGNS[condition.rel_op]
        if sign in "=≠":
            return Relation(*self._balanced(condition.lhs - condition.rhs), sign)
        left, right = self.tree(condition.lhs), self.tree(condition.rhs)
        return Relation(right, left, MIRRORED[sign]) if isinstance(left, Number) else Relation(left, right, sign)

    def _balanced(self, difference: Any) -> tuple[Tree, Tree]:
        """Return what is added and what is taken away in a difference, without the divisor that all terms share."""
        whole = self._polynomial(difference)
        atoms = tuple(map(self._atom, whole.atoms))
        divisor = gcd(*whole.terms.values())
        leading = min(whole.terms, key=order)
        scale = divisor if whole.terms[leading] > 0 else -divisor
        terms = {each: value // scale for each, value in whole.terms.items()}
        added = {each: value for each, value in terms.items() if value > 0}
        taken = {each: -value for each, value in terms.items() if value < 0}
        return _shortest(_forms(added, atoms)), _shortest(_forms(taken, atoms))

    # --- polynomials --------------------------------------------------------------------------------------------------

    def _best(self, expression: Any) -> Tree:
        import sympy

        whole = self._polynomial(expression)
        atoms = tuple(map(self._atom, whole.atoms))
        forms = _forms(whole.terms, atoms)
        if 1 < len(whole.terms) <= FACTORED_TERMS and len(atoms) <= FACTORED_ATOMS:
            forms.append(_factored(whole.terms, atoms))
        if whole.denominator > 1:
            return Floor(_shortest(forms), Number(whole.denominator), exact=True)
        if all(number.is_Integer for number in expression.atoms(sympy.Number)):
            forms.append(self._computed(expression))
        return _shortest(forms)

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

    def _cancelled(self, above: Any, below: Any) -> tuple[Any, Any]:
        """Divide two expressions by what they share."""
        import sympy

        first, second = self._polynomial(above), self._polynomial(below)
        atoms = sorted({*first.atoms, *second.atoms}, key=self._place)
        dummies = [sympy.Symbol(f"x{place}") for place in range(len(atoms))]
        known, back = dict(zip(atoms, dummies, strict=True)), dict(zip(dummies, atoms, strict=True))
        if len(first.terms) + len(second.terms) <= CANCELLED_TERMS:
            parts = sympy.expand(above).xreplace(known), sympy.expand(below).xreplace(known)
            numerator, denominator = sympy.fraction(sympy.together(sympy.cancel(parts[0] / parts[1])))
            return numerator.xreplace(back), denominator.xreplace(back)
        shared = sympy.gcd_terms(above).as_coeff_Mul()[0], sympy.gcd_terms(below).as_coeff_Mul()[0]
        divisor = sympy.gcd(*shared)
        return above / divisor, below / divisor

    # --- parts of expressions -----------------------------------------------------------------------------------------

    def _atom(self, atom: Any) -> Tree:
        """Return what a polynomial takes as a whole: a symbol, a floor, the largest or smallest of some."""
        import sympy

        from convcalc.symbols import FloorDiv

        if atom.is_Symbol:
            return Name(atom.name)
        if isinstance(atom, FloorDiv):
            dividend, divisor = atom.args
            return Floor(self.tree(dividend), self.tree(divisor))
        if isinstance(atom, sympy.Max | sympy.Min):
            items = sorted(map(self.tree, atom.args), key=TEXT.write)
            return Extreme("max" if isinstance(atom, sympy.Max) else "min", tuple(items))
        raise Undecided("a choice between cases", tuple(sorted(str(name) for name in atom.free_symbols)))

    def _place(self, atom: Any) -> tuple[int, int, str]:
        """Where an atom stands among the factors of a term: symbols as they were named, floors by their divisors."""
        tree = self._atom(atom)
        if isinstance(tree, Name):
            return 0, self._ranks.get(tree.name, len(self._ranks)), tree.name
        divisor = tree.divisor if isinstance(tree, Floor) else None
        return 1, divisor.number if isinstance(divisor, Number) else 0, TEXT.write(tree)

    def _computed(self, expression: Any) -> Tree:
        """Return an expression with integer coefficients as it came out of the walk over the layers."""
        if expression.is_Integer:
            return Number(int(expression))
        if expression.is_Pow:
            return Power(self._computed(expression.base), int(expression.exp))
        if expression.is_Add:
            terms = [self._computed(term) for term in expression.args]
            return added(sorted(terms, key=lambda term: (-term.degree, TEXT.write(term))))
        if expression.is_Mul:
            return multiplied(sorted((self._computed(factor) for factor in expression.args), key=self._rank))
        return self._atom(expression)

    def _rank(self, factor: Tree) -> tuple[int, int, str]:
        """Where a factor stands: symbols, floors, sums."""
        base = factor.base if isinstance(factor, Power) else factor
        if isinstance(base, Name):
            return 0, self._ranks.get(base.name, len(self._ranks)), base.name
        return 1 if isinstance(base, Floor) else 2, 0, TEXT.write(base)


def _forms(terms: Terms, atoms: Sequence[Tree]) -> list[Tree]:
    """Return the forms that cost nothing to find."""
    return [expanded(terms, atoms), *(collected(terms, atoms, integers=integers) for integers in (True, False))]


def _shortest(forms: Sequence[Tree]) -> Tree:
    """Return the form of the fewest operations, then of the fewest parentheses, then of the shortest text."""
    return min(forms, key=_cost)


def _cost(form: Tree) -> tuple[int, int, int]:
    text = TEXT.write(form)
    return form.operations, text.count("("), len(text)


def _factored(terms: Terms, atoms: Sequence[Tree]) -> Tree:
    """Return a product of polynomials that cannot be split further."""
    import sympy

    divisor, shared = content(terms)
    symbols = [sympy.Symbol(f"x{place}") for place in range(len(atoms))]
    rest = sympy.Poly.from_dict(dict(without(terms, divisor, shared)), *symbols)
    scale, factors = rest.factor_list()
    found = [({tuple(each): int(value) for each, value in factor.terms()}, times) for factor, times in factors]
    found.sort(key=lambda factor: (len(factor[0]), sorted(map(order, factor[0])), sorted(factor[0].values())))
    parts = [monomial(divisor * int(scale), shared, atoms)]
    for factor, times in found:
        forms = [expanded(factor, atoms), collected(factor, atoms, integers=False)]
        parts.append(_shortest(forms) if times == 1 else Power(_shortest(forms), times))
    return multiplied(parts)


def _divisions(known: Sequence[Any]) -> dict[Any, Any]:
    """Return the floors that known relations say to leave nothing, each with its quotient."""
    from convcalc.symbols import floor_divide

    divided = filter(None, map(division, known))
    return {floor_divide(dividend, divisor): dividend / divisor for dividend, divisor in divided}


def division(condition: Any) -> tuple[Any, Any] | None:
    """Return (a, d) of a relation that says a − d·⌊a/d⌋ = 0, which is that d divides a; nothing for any other."""
    import sympy

    from convcalc.symbols import FloorDiv

    if not isinstance(condition, sympy.Eq):
        return None
    difference = sympy.expand(condition.lhs - condition.rhs)
    for floor in sorted(difference.atoms(FloorDiv), key=str):
        dividend, divisor = floor.args
        remainder = sympy.expand(dividend - divisor * floor)
        scale = sympy.cancel(difference / remainder)
        if scale.is_Rational and scale != 0:
            return dividend, divisor
    return None
