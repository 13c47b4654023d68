"""What a function of expressions is: how it is written, what it takes, and the rule that works it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from convcalc.spec.faults import CALL, Fault
from convcalc.spec.kinds import Value, all_exact, is_exact, kind, named
from convcalc.spec.unknowns import is_whole

Rule: TypeAlias = Callable[..., Value]


@dataclass(frozen=True, slots=True)
class Argument:
    """What an argument must be, in words and as a test."""

    needed: str
    fits: Callable[[Value], bool]


def _is_number(value: Value) -> bool:
    return kind(value) == "number"


def _is_integer(value: Value) -> bool:
    return type(value) is int or (_is_number(value) and not is_exact(value) and is_whole(value))


# What is not known yet, an array or a symbolic expression, is taken to have the sign that is asked for: sizes have it.
NUMBER = Argument("a number", _is_number)
NOT_NEGATIVE = Argument("a number >= 0", lambda value: _is_number(value) and (not is_exact(value) or value >= 0))
ABOVE_ZERO = Argument("a number > 0", lambda value: _is_number(value) and (not is_exact(value) or value > 0))
INTEGER = Argument("an integer", _is_integer)
POSITIVE = Argument("an integer > 0", lambda value: _is_integer(value) and (not is_exact(value) or value > 0))
LISTED = Argument("a list", lambda value: isinstance(value, tuple))


@dataclass(frozen=True, slots=True)
class Function:
    """A function. ``most`` is ``None`` where any number of arguments will do: then the rule looks at them itself."""

    name: str
    signature: str
    rule: Rule
    arguments: tuple[Argument, ...]
    least: int
    most: int | None

    @property
    def summary(self) -> str:
        """What it computes, in one line."""
        return (self.rule.__doc__ or "").partition("\n")[0]

    def require_count(self, count: int) -> None:
        """Demand that the function takes so many arguments."""
        if count < self.least or (self.most is not None and count > self.most):
            raise Fault(CALL, f"{self.signature} takes {self._counts()}, not {count}")

    def _counts(self) -> str:
        if self.most is None:
            return f"at least {self.least} argument"
        if self.least < self.most:
            return f"{self.least} to {self.most} arguments"
        return "1 argument" if self.least == 1 else f"{self.least} arguments"

    def __call__(self, *values: Value) -> Value:
        """Return the function's value, once every argument is what it must be."""
        for operand, (value, argument) in enumerate(zip(values, self.arguments, strict=False), 1):
            if not argument.fits(value):
                raise Fault(CALL, f"{self.signature} needs {argument.needed}, not {named(value)}", operand)
        return self.rule(*values)


def numbers(signature: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the numbers that a function of ``f(x, y, …)`` or ``f(list)`` is given."""
    listed = len(values) == 1 and isinstance(values[0], tuple)
    if len(values) == 1 and not listed:
        raise Fault(CALL, f"{signature} needs a list or more arguments than {named(values[0])}", 1)
    found: tuple[Value, ...] = values[0] if listed else values
    if not all_exact(found):
        for operand, value in enumerate(found, 1):
            if not _is_number(value):
                raise Fault(CALL, f"{signature} needs numbers, not {named(value)}", 1 if listed else operand)
    return found
