"""The expressions of specs: every argument is one, over its source text.

>>> parse("make_divisible(32*alpha)").evaluate({"alpha": 2})
64

The grammar is at the head of ``parser``, the error codes are at the head of ``errors``. Numbers are exact and at most
10¹⁸; a text has at most 500 characters; there are no loops: an expression always ends, and soon.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from convcalc.errors import Undecided
from convcalc.spec.expressions.closures import Evaluator, Variables
from convcalc.spec.expressions.parser import Parser
from convcalc.spec.expressions.values import Value, is_quotient, is_symbolic, require_no_quotient

CACHE_SIZE = 512
"""Texts whose expressions are kept: specs repeat ``3``, ``relu`` and their variables a great deal."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, ready to be evaluated; it never changes.

    ``names`` holds the variables it reads, each time with where they stand in ``text``.
    """

    text: str
    names: tuple[tuple[str, int, int], ...]
    _run: Evaluator

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


@lru_cache(CACHE_SIZE)
def parse(text: str, *, suffixed: bool = False) -> Expression:
    """Read an expression; outside of specs its numbers may be ``suffixed``: 5M, 2MiB."""
    parser = Parser(text, suffixed=suffixed)
    part = parser.parse()
    return Expression(text, tuple(parser.names), part.run)
