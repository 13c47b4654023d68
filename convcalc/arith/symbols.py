"""Symbols behind the door for numbers. The only module that imports SymPy; ``arith`` loads it when a symbol arrives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, TypeAlias

import sympy
from sympy.printing.precedence import PRECEDENCE

from convcalc.arith import MAX_EXTREMES
from convcalc.arith.turns import SplitTurnsError, Turns, known_relations, turns_in
from convcalc.errors import SpecError, quoted

INEQUALITIES = (sympy.Ge, sympy.Le, sympy.Gt, sympy.Lt)
EXTREMES = (sympy.Max, sympy.Min)
LeastValues: TypeAlias = frozenset[tuple[Any, Any]]
CACHE_SIZE = 4096
"""Expressions whose signs are kept: layers ask for the same again and again, and SymPy takes milliseconds for each."""


def symbol(name: str) -> Any:
    """Return a symbol for a size: a positive integer."""
    return sympy.Symbol(name, integer=True, positive=True)


class TurnSymbol(sympy.Dummy):  # type: ignore[misc]
    """The number of a turn that is not the first of all: a positive integer, unlike any other of that name."""

    def _sympystr(self, printer: Any) -> str:
        return str(self.name)


def turn_symbol(name: str) -> Any:
    return TurnSymbol(name, integer=True, positive=True)


class FloorDiv(sympy.Function):  # type: ignore[misc]
    """⌊n / d⌋ in one canonical, flat form.

    SymPy's own ``floor`` nests: five stride-2 layers give five floors. Here ⌊(⌊n/a⌋ + c)/b⌋ becomes ⌊(n + a·c)/(a·b)⌋,
    what the divisor divides leaves the floor, the constant that stays is in [0, d), and ⌊(g·n + c)/(g·d)⌋ becomes
    ⌊(n + ⌊c/g⌋)/d⌋: the five layers give ⌊(n + 31)/32⌋.
    """

    nargs = (2,)
    is_integer = True
    is_real = True
    precedence = PRECEDENCE["Add"]  # in text: n*(n//2) and -(n//2), which a minus sign would enter, but n//2 + 1

    @classmethod
    def eval(cls, dividend: Any, divisor: Any) -> Any:
        n, d, whole = sympy.expand(dividend), sympy.expand(divisor), sympy.Integer(0)
        if d == 1:
            return n
        if d.is_Integer and d.is_negative:
            n, d = -n, -d
        if not d.is_Integer:
            if (quotient := exact_quotient(n, d)) is not None:
                return quotient
        elif _is_integral(n):
            whole, n = _split(n, d)
            if n.is_Integer:
                return whole + n // d
            n, d = _flattened(*_cancelled(n, d))
        return None if (n, d) == (dividend, divisor) else whole + FloorDiv(n, d)

    def _eval_is_nonnegative(self) -> bool | None:
        dividend, divisor = self.args
        return True if dividend.is_nonnegative and divisor.is_positive else None

    def _eval_is_positive(self) -> bool | None:
        dividend, divisor = self.args
        return True if divisor.is_positive and (dividend - divisor).is_nonnegative else None

    def _sympystr(self, printer: Any) -> str:
        dividend, divisor = (printer.parenthesize(argument, 60) for argument in self.args)
        return f"{dividend}//{divisor}"

    def _latex(self, printer: Any, exp: str = "") -> str:
        dividend, divisor = map(printer.doprint, self.args)
        floor = rf"\left\lfloor\frac{{{dividend}}}{{{divisor}}}\right\rfloor"
        return f"{floor}^{{{exp}}}" if exp else floor


def _is_integral(expression: Any) -> bool:
    """Whether an expression is a sum of integer multiples of integers."""
    terms = [term.as_coeff_Mul() for term in sympy.Add.make_args(expression)]
    return all(coefficient.is_Integer and factor.is_integer for coefficient, factor in terms)


def _split(dividend: Any, divisor: Any) -> tuple[Any, Any]:
    """Return (w, r) with dividend = w·divisor + r, where r keeps only what the divisor does not divide."""
    whole, rest = sympy.Integer(0), sympy.Integer(0)
    for term in sympy.Add.make_args(dividend):
        coefficient, factor = term.as_coeff_Mul()
        if factor == 1:
            whole, rest = whole + coefficient // divisor, rest + coefficient % divisor
        elif coefficient % divisor == 0:
            whole += coefficient // divisor * factor
        else:
            rest += term
    return whole, rest


def _cancelled(dividend: Any, divisor: Any) -> tuple[Any, Any]:
    """⌊(g·n + c)/(g·d)⌋ = ⌊(n + ⌊c/g⌋)/d⌋: return the smaller dividend and divisor."""
    constant, rest = dividend.as_coeff_Add()
    terms = [term.as_coeff_Mul() for term in sympy.Add.make_args(rest)]
    common = sympy.igcd(divisor, *(coefficient for coefficient, _ in terms))
    scaled = [coefficient // common * factor for coefficient, factor in terms]
    return sympy.Add(*scaled, constant // common), divisor // common


def _flattened(dividend: Any, divisor: Any) -> tuple[Any, Any]:
    """⌊(⌊n/a⌋ + c)/b⌋ = ⌊(n + a·c)/(a·b)⌋: return the dividend and divisor without the inner floor."""
    constant, term = dividend.as_coeff_Add()
    if not isinstance(term, FloorDiv):
        return dividend, divisor
    numerator, denominator = term.args
    return numerator + constant * denominator, denominator * divisor


def exact_quotient(dividend: Any, divisor: Any) -> Any:
    """Return the quotient where it is a polynomial with integer coefficients, else nothing (the floor stays)."""
    quotient = sympy.cancel(dividend / divisor)
    return quotient if sympy.fraction(sympy.together(quotient))[1] == 1 else None


def maximum(left: Any, right: Any) -> Any:
    if less_equal(left, right) is True:
        return right
    return left if less_equal(right, left) is True else _limited(sympy.Max(left, right))


def largest(values: Iterable[Any]) -> Any:
    """Return the maximum of many values as it stands: comparing each with each would take minutes."""
    distinct = [sympy.sympify(value) for value in dict.fromkeys(values)]
    return sympy.Max(*distinct, evaluate=False) if len(distinct) > 1 else distinct[0]


def minimum(left: Any, right: Any) -> Any:
    if less_equal(left, right) is True:
        return left
    return right if less_equal(right, left) is True else _limited(sympy.Min(left, right))


def _limited(expression: Any) -> Any:
    """Return an expression unless it has too many max and min (CC510)."""
    if sum(map(expression.count, EXTREMES)) > MAX_EXTREMES:
        names = ", ".join(sorted(quoted(free.name) for free in expression.free_symbols))
        hint = "let the numbers that it is compared with depend on the symbol too, or leave a symbol out"
        raise SpecError("CC510", f"a size of {names} has more than {MAX_EXTREMES} max and min, the limit", hint=hint)
    return expression


def piecewise(condition: Any, then: Any, otherwise: Any) -> Any:
    return sympy.Piecewise((then, condition), (otherwise, True))


# --- relations --------------------------------------------------------------------------------------------------------


def equality(left: Any, right: Any) -> Any:
    """left = right: a relation, or a bool where all positive integers decide it alike."""
    if turns := turns_in(sympy.sympify(left - right)):
        return _is_turn(turns, sympy.expand(left - right), sympy.Eq(left, right))
    difference = _shift_to_naturals(left - right, _bounds(known_relations()))
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


def is_implied(relation: Any, known: Sequence[Any]) -> bool:
    """Whether a relation holds wherever one of the known relations, or all the bounds n ≥ b among them, do."""
    if relation in known:
        return True
    if not isinstance(relation, INEQUALITIES):
        return False
    bounds = _bounds(known)
    spares = [0, *(_slack(other) for other in known if isinstance(other, INEQUALITIES))]
    return any(_is_provably_nonnegative(_slack(relation) - spare, bounds) for spare in spares)


def simplify_extremes(expression: Any, known: Sequence[Any]) -> Any:
    """Return an expression or a relation without the max and min that the bounds n ≥ b among known relations decide."""
    extremes, bounds = expression.atoms(*EXTREMES), _bounds(known)
    return expression.xreplace({extreme: _drop_dominated(extreme, bounds) for extreme in extremes})


@lru_cache(CACHE_SIZE)
def _drop_dominated(extreme: Any, bounds: LeastValues) -> Any:
    """Return a max without what is never above another of its items; a min without what is never below."""
    sign = 1 if isinstance(extreme, sympy.Max) else -1
    kept = list(sympy.ordered(extreme.args))
    for item in tuple(kept):
        if any(_is_provably_nonnegative(sign * (other - item), bounds) for other in kept if other is not item):
            kept.remove(item)
    return extreme.func(*kept)


def _bounds(known: Sequence[Any]) -> LeastValues:
    """Return the least value of every symbol that a known relation bounds."""
    inequalities = [other for other in known if isinstance(other, INEQUALITIES)]
    least = {other.gts: other.lts for other in inequalities if other.gts.is_Symbol and other.lts.is_Integer}
    return frozenset(least.items())


def _slack(relation: Any) -> Any:
    """What an inequality says is at least 0."""
    return relation.gts - relation.lts - (1 if relation.rel_op in ("<", ">") else 0)


def _decided(spare: Any, relation: Any) -> Any:
    if turns := turns_in(sympy.sympify(spare)):
        return _decided_for_turns(turns, sympy.expand(spare), relation)
    bounds = _bounds(known_relations())
    if _is_provably_nonnegative(spare, bounds):
        return True
    return False if _is_provably_nonnegative(-spare - 1, bounds) else _isolate_bound(sympy.expand(spare), relation)


def _decided_for_turns(turns: Turns, spare: Any, relation: Any) -> Any:
    """Decide a·i + b ≥ 0 for all turns at their ends, or split them where it begins, or ends, to hold."""
    slope, rest = spare.coeff(turns.index), spare.subs(turns.index, 0)
    if not slope.is_Integer or sympy.expand(slope * turns.index + rest - spare) != 0:
        return relation
    ends = [rest + slope * end for end in (turns.first, turns.end - 1)]
    least, most = ends if slope > 0 else ends[::-1]
    if _is_provably_nonnegative(least):
        return True
    if _is_provably_nonnegative(-most - 1):
        return False
    raise SplitTurnsError(turns, FloorDiv(slope - 1 - rest, slope) if slope > 0 else FloorDiv(rest, -slope) + 1)


def _is_turn(turns: Turns, difference: Any, relation: Any) -> Any:
    """Decide i = c for all turns, or split off the turn c."""
    slope, rest = difference.coeff(turns.index), difference.subs(turns.index, 0)
    if abs(slope) != 1 or sympy.expand(slope * turns.index + rest - difference) != 0:
        return relation
    turn = sympy.expand(-rest * slope)
    if _is_provably_nonnegative(turns.first - turn - 1) or _is_provably_nonnegative(turn - turns.end):
        return False
    raise SplitTurnsError(turns, turn + 1 if turn == turns.first else turn)


def _is_provably_nonnegative(expression: Any, bounds: LeastValues = frozenset()) -> bool:
    """Whether an expression is seen to be at least 0 for all positive integers (within their lower bounds)."""
    natural = _shift_to_naturals(expression, bounds)
    return bool(natural.is_nonnegative) or any(map(_is_provably_nonnegative, _floor_lower_bounds(natural)))


@lru_cache(CACHE_SIZE)
def _shift_to_naturals(expression: Any, bounds: LeastValues) -> Any:
    """Put n + b in place of every n ≥ b, for n from 0: then the sign of n·m − 1 shows in its terms."""
    least = dict(bounds)
    positive = [n for n in expression.free_symbols if n.is_positive]
    naturals = {n: sympy.Symbol(n.name, integer=True, nonnegative=True) + least.get(n, 1) for n in positive}
    return sympy.expand(expression.xreplace(naturals))


def _floor_lower_bounds(expression: Any) -> Iterator[Any]:
    """Give what is never above an expression with two floors less, by ⌊a/d⌋ − ⌊b/d⌋ ≥ ⌊(a − b)/d⌋."""
    terms = sympy.Add.make_args(expression)
    added = [term for term in terms if isinstance(term, FloorDiv)]
    taken = [-term for term in terms if isinstance(-term, FloorDiv)]
    for (a, divisor), (b, other) in product(*([floor.args for floor in floors] for floors in (added, taken))):
        if divisor == other:
            yield expression - FloorDiv(a, divisor) + FloorDiv(b, divisor) + FloorDiv(a - b, divisor)


def _isolate_bound(spare: Any, relation: Any) -> Any:
    """Turn k·x + c ≥ 0 into x ≥ ⌈−c/k⌉, and that into a ≥ d·⌈−c/k⌉ where x is ⌊a/d⌋; leave other relations."""
    constant, rest = spare.as_coeff_Add()
    if rest == 0:  # a and d·⌈−c/k⌉ differ by a number: ⌊(16 − n)/n⌋ ≥ −1 is 16 ≥ 0
        return bool(constant >= 0)
    factor, term = rest.as_coeff_Mul()
    if term.is_Add or factor.is_negative:
        return relation
    least = -(constant // factor)
    if not isinstance(term, FloorDiv):
        return term >= least
    dividend, divisor = term.args
    spare = sympy.expand(dividend - least * divisor)
    return _isolate_bound(spare, spare >= 0) if divisor.is_positive else relation
