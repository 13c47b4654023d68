"""The expressions of specs: every argument is one, over its source text.

>>> parse("make_divisible(32*alpha)").evaluate({"alpha": 2})
64

The grammar is at the head of ``parser``, the error codes are at the head of ``errors``. Numbers are exact and at most
10¹⁸; a text has at most 500 characters; there are no loops: an expression always ends, and soon.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from functools import lru_cache

from convcalc.errors import Undecided
from convcalc.records import dataclass
from convcalc.spec.expressions.closures import Evaluator, Name, Variables
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.messages import uncalled
from convcalc.spec.expressions.parser import Parser
from convcalc.spec.expressions.values import Value, is_quotient, is_symbolic, require_no_quotient
from convcalc.spec.expressions.vocabulary import INPUT_VARIABLES, is_choice

CACHE_SIZE = 512
"""Texts whose expressions are kept: specs repeat ``3``, ``relu`` and their variables a great deal."""
NO_WORDS: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, ready to be evaluated; it never changes.

    ``names`` holds the variables it reads, each time with where they stand in ``text``; ``words`` the words.
    ``values`` are those names that may be its value: alone, or on a side of ``if``/``else``.
    """

    text: str
    names: tuple[Name, ...]
    words: tuple[Name, ...]
    values: tuple[Name, ...]
    _run: Evaluator
    variables: frozenset[str] = frozenset()
    """Each of its names once."""

    def evaluate(self, scope: Variables) -> Value:
        """Return the value, given those of variables.

        Raises:
            ExpressionError: what went wrong, and where in the text.
            Undecided: a plain value is needed where a variable holds an array or a symbolic expression.
        """
        try:
            return require_no_quotient(self._run(scope))
        except Undecided as undecided:
            raise Undecided(undecided.requirement, undecided.names or self._symbolic_names(scope)) from None

    def _symbolic_names(self, scope: Variables) -> tuple[str, ...]:
        """Return the variables whose values are not known yet, or the axes of a sweep that they span."""
        found: dict[str, None] = {}
        for name, _, _ in self.names:
            value = scope.get(name)
            for each in value if isinstance(value, tuple) else (value,):
                if is_symbolic(each) or is_quotient(each):
                    found |= dict.fromkeys(getattr(each, "swept", ()) or (name,))
        return tuple(found)


def parse(
    text: str, known: Container[str] = (), choices: Collection[str] = (), *, suffixed: bool = False
) -> Expression:
    """Read an expression and tell its words from its variables.

    One of ``choices`` is a word where it may be the value of the expression, and so is the choice of any argument where
    no variable has its name; the name of a function is one nowhere else.

    Args:
        text: what is written.
        known: the variables in scope.
        choices: the words that the argument takes that it is written for.
        suffixed: whether numbers may have suffixes, as outside of specs: 5M, 2MiB.
    """
    expression = _compile(text, NO_WORDS, suffixed)
    if not expression.names:
        return expression
    words = {name.start for name in expression.values if name.text in choices} if choices else set[int]()
    for name in expression.names:
        if name.start in words or name.text in known or name.text in INPUT_VARIABLES:
            continue
        if name.text in FUNCTIONS and name not in expression.values:
            raise uncalled(*name)
        if is_choice(name.text):
            words.add(name.start)
        elif name.text in FUNCTIONS:
            raise uncalled(*name)
    return _compile(text, frozenset(words), suffixed) if words else expression


@lru_cache(CACHE_SIZE)
def _compile(text: str, words: frozenset[int], suffixed: bool) -> Expression:
    """Compile an expression in which the names that begin at these places are words."""
    parser = Parser(text, words, suffixed=suffixed)
    part = parser.parse()
    variables = tuple(name for name in parser.names if name.start not in words)
    meant = tuple(name for name in parser.names if name.start in words)
    values = tuple(name for depth, name in part.values if not depth)
    return Expression(text, variables, meant, values, part.run, frozenset([name.text for name in variables]))
