"""What a number of a block is in terms of others: a polynomial with integer coefficients, in one form for equal ones.

Bounds alone forget that both sides of ``cin != 4*width`` are the same variable: of width in 1…512 they overlap. Their
difference is −3·width, which is nowhere 0. What is not a polynomial of axes (a floor, the larger of two, a choice) is
a variable of its own, the same one wherever the same is done to equal numbers. So a number is bounded over a part of
the block too, without working it out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from math import prod
from operator import attrgetter
from typing import Any, TypeAlias

from convcalc.records import NamedTuple
from convcalc.sweep.bounds.rules import (
    ADD,
    FLOOR_DIVIDE,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    SUBTRACT,
    BoundRule,
    Bounds,
    decide,
)

MAX_TERMS = 24
"""A sum of more terms is a variable of its own: long ones tell little."""
MAX_DEGREE = 6
_numbers = count()


class Atom:
    """A number that is taken as a variable: an axis, or what no polynomial says; between two bounds."""

    __slots__ = ("bounds", "definition", "number")

    def __init__(self, bounds: Bounds, definition: Definition | None = None) -> None:
        self.bounds = bounds
        self.definition = definition
        """How it is worked out; nothing for an axis."""
        self.number = next(_numbers)
        """Larger than those of all atoms that its definition uses."""


Monomial: TypeAlias = tuple[Atom, ...]
Terms: TypeAlias = dict[Monomial, int]
"""Product of variables, in the order of their numbers → its coefficient, never 0."""
AtomTable: TypeAlias = dict[Any, Atom]
"""What is done to which numbers → the variable that stands for it."""
AtomBounds: TypeAlias = Callable[[Atom], Bounds]


class Definition(NamedTuple):
    """What an atom is made of: polynomials, and the bounds of the atom from theirs."""

    operands: tuple[Terms, ...]
    bounds: Callable[..., Bounds]
    is_exact: bool
    """Whether the atom is known where its operands are."""


def constant(value: int) -> Terms:
    return {(): value} if value else {}


def key(terms: Terms) -> frozenset[tuple[Monomial, int]]:
    """Return what equal polynomials share."""
    return frozenset(terms.items())


def add(one: Terms, other: Terms, factor: int = 1) -> Terms:
    """Return one + factor·other."""
    result = dict(one)
    for monomial, coefficient in other.items():
        value = result.get(monomial, 0) + factor * coefficient
        if value:
            result[monomial] = value
        else:
            del result[monomial]
    return result


def multiply(one: Terms, other: Terms) -> Terms | None:
    """Return the product; nothing where it would have too many terms."""
    if len(one) * len(other) > MAX_TERMS:
        return None
    result: Terms = {}
    for left, some in one.items():
        for right, more in other.items():
            monomial = left + right
            if len(monomial) > MAX_DEGREE:
                return None
            if left and right:
                monomial = tuple(sorted(monomial, key=lambda atom: atom.number))
            result[monomial] = result.get(monomial, 0) + some * more
    return {monomial: coefficient for monomial, coefficient in result.items() if coefficient}


def apply(rule: BoundRule, one: Terms, other: Terms, bounds: Bounds, known: AtomTable) -> Terms:
    """Return what an operation makes of two polynomials; ``bounds`` are those of its result."""
    found: Terms | None
    if rule is ADD or rule is SUBTRACT:
        found = add(one, other, 1 if rule is ADD else -1)
    elif rule is MULTIPLY:
        found = multiply(one, other)
    elif rule is FLOOR_DIVIDE:
        found = _floor_divide(one, other, known)
    else:
        found = _extreme(one, other, larger=rule is MAXIMUM)
    if found is not None and len(found) <= MAX_TERMS:
        return found
    definition = Definition((one, other), rule.bounds, is_exact=rule not in (MAXIMUM, MINIMUM))
    return atom_for((rule.name, key(one), key(other)), bounds, known, definition)


def atom_for(what: Any, bounds: Bounds, known: AtomTable, definition: Definition) -> Terms:
    """Return the variable that stands for something, the same for the same."""
    atom = known.get(what)
    if atom is None:
        atom = known[what] = Atom(bounds, definition)
    return {(atom,): 1}


def _floor_divide(one: Terms, other: Terms, known: AtomTable) -> Terms | None:
    """⌊(d·a + r)/d⌋ = a + ⌊r/d⌋ for a positive integer d; nothing where d leaves no term whole."""
    divisor = other.get((), 0)
    if len(other) != 1 or divisor < 1:
        return None
    whole = {monomial: n // divisor for monomial, n in one.items() if n % divisor == 0}
    rest = {monomial: n for monomial, n in one.items() if n % divisor}
    if rest.keys() <= {()}:
        return add(whole, constant(rest.get((), 0) // divisor))
    if not whole:
        return None
    definition = Definition((rest, other), FLOOR_DIVIDE.bounds, is_exact=True)
    bounds = FLOOR_DIVIDE.bounds(bounds_of_terms(rest), (divisor, divisor))
    return add(whole, atom_for((FLOOR_DIVIDE.name, key(rest), key(other)), bounds, known, definition))


def _extreme(one: Terms, other: Terms, *, larger: bool) -> Terms | None:
    """Return the larger or smaller of two, where one of them is that at every point."""
    low, high = bounds_of_terms(add(one, other, -1))
    if low >= 0:
        return one if larger else other
    if high <= 0:
        return other if larger else one
    return None


def bounds_of_terms(terms: Terms, bounds_of: AtomBounds = attrgetter("bounds")) -> Bounds:
    """Return bounds of a polynomial, of variables between the bounds given: the best of three ways to write it.

    Term by term, n² − n of n in 5…9 is in 16…76. Written in n − 5 = m it is 20 + 9m + m², every term of which grows:
    20…72. So is it written from the upper end, in 9 − n.
    """
    bounds = {atom: bounds_of(atom) for monomial in terms for atom in monomial}
    low, high = _termwise_bounds(terms, bounds)
    if low < 0 < high or min(terms.values(), default=0) < 0 < max(terms.values(), default=0):
        for end in (0, 1):
            least, most = _termwise_bounds(*_shift_to_bound(terms, bounds, end))
            low, high = max(low, least), min(high, most)
    return low, high


def _termwise_bounds(terms: Terms, bounds: dict[Atom, Bounds]) -> Bounds:
    """Return the sum of the bounds of all terms."""
    low = high = 0
    for monomial, coefficient in terms.items():
        least = most = 1
        for atom in monomial:
            corners = [a * b for a in (least, most) for b in bounds[atom]]
            least, most = min(corners), max(corners)
        low += coefficient * (least if coefficient > 0 else most)
        high += coefficient * (most if coefficient > 0 else least)
    return low, high


def _shift_to_bound(terms: Terms, bounds: dict[Atom, Bounds], end: int) -> tuple[Terms, dict[Atom, Bounds]]:
    """Write every variable as one of its bounds and a distance from there; return that, and the distances' bounds."""
    result: Terms = {}
    for monomial, coefficient in terms.items():
        for part, factor in _expand(monomial, bounds, end):
            result[part] = result.get(part, 0) + coefficient * factor
    distances = {atom: (each[0] - each[end], each[1] - each[end]) for atom, each in bounds.items()}
    return {monomial: coefficient for monomial, coefficient in result.items() if coefficient}, distances


def _expand(monomial: Monomial, bounds: dict[Atom, Bounds], end: int) -> Iterator[tuple[Monomial, int]]:
    """Multiply out ∏(bound + distance): give each product of distances and the product of the bounds beside it."""
    for chosen in range(2 ** len(monomial)):
        distances = tuple(atom for place, atom in enumerate(monomial) if chosen >> place & 1)
        yield distances, prod(bounds[atom][end] for place, atom in enumerate(monomial) if not chosen >> place & 1)


# --- parts of a block -------------------------------------------------------------------------------------------------


def atoms_of(numbers: Iterable[Terms]) -> list[Atom]:
    """Return all atoms that numbers are made of, each after those that it is defined by."""
    found: set[Atom] = set()
    waiting = [atom for terms in numbers for monomial in terms for atom in monomial]
    while waiting:
        atom = waiting.pop()
        if atom not in found:
            found.add(atom)
            operands = atom.definition.operands if atom.definition else ()
            waiting += [each for terms in operands for monomial in terms for each in monomial]
    return sorted(found, key=lambda atom: atom.number)


class Narrowing:
    """The bounds of all atoms where those of the axes are narrower than they were."""

    __slots__ = ("bounds",)

    def __init__(self, atoms: Sequence[Atom], axes: Mapping[Atom, Bounds]) -> None:
        self.bounds = dict(axes)
        for atom in atoms:
            if atom not in self.bounds:
                self.bounds[atom] = self._of(atom)

    def _of(self, atom: Atom) -> Bounds:
        if atom.definition is None:
            return atom.bounds
        low, high = atom.definition.bounds(*map(self.of_terms, atom.definition.operands))
        return max(low, atom.bounds[0]), min(high, atom.bounds[1])

    def of_terms(self, terms: Terms) -> Bounds:
        """Return the bounds of a polynomial of the atoms."""
        return bounds_of_terms(terms, self.bounds.__getitem__)

    def decide(self, what: Any) -> bool | None:
        """Return whether a condition of ``UnknownBoolean.what`` is true or false everywhere, if that is known."""
        match what:
            case ("not", one):
                answer = self.decide(one)
                return None if answer is None else not answer
            case ("or" | "and" as word, one, other):
                answers = {self.decide(one), self.decide(other)}
                settling = word == "or"
                return settling if settling in answers else None if None in answers else not settling
            case (str() as name, frozenset() as difference):
                return decide(name, self.of_terms(dict(difference)), (0, 0), same=False)
        return None


def differences_in(what: Any) -> list[Terms]:
    """Return the polynomials that a condition of ``UnknownBoolean.what`` compares with 0."""
    if isinstance(what, frozenset):
        return [dict(what)]
    return [each for part in what[1:] for each in differences_in(part)] if isinstance(what, tuple) else []
