"""Bounds of numbers over a part of the block that they were worked out for, without working them out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convcalc.sweep.bounds.rules import Bounds, decide
from convcalc.sweep.bounds.symbolic_terms import Atom, Terms, bounds_of_terms


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
