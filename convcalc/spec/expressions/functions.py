"""What a function of expressions is: how it is written, what it takes, and the rule that works it out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import TypeAlias

from convcalc import arith
from convcalc.spec.expressions import symbolic_arithmetic as unknowns
from convcalc.spec.expressions import values as exact
from convcalc.spec.expressions.errors import CALL, LIMIT, Fault
from convcalc.spec.expressions.operators import add, divide, floor_divide, multiply
from convcalc.spec.expressions.symbolic_arithmetic import is_whole
from convcalc.spec.expressions.values import Value, all_exact, all_integers, is_exact, kind, known, named
from convcalc.spec.limits import LIST

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


_functions: dict[str, Function] = {}

FUNCTIONS: Mapping[str, Function] = MappingProxyType(_functions)
"""Name → function."""

MIN = "min(x, y, …)"

MAX = "max(x, y, …)"

SUM = "sum(x, y, …)"


def function(signature: str, *arguments: Argument, optional: int = 0) -> Callable[[Rule], Rule]:
    """Make a rule the function of this signature. The last ``optional`` arguments may be left out; none named: any."""

    def register(rule: Rule) -> Rule:
        name = signature.partition("(")[0]
        least, most = (len(arguments) - optional, len(arguments)) if arguments else (1, None)
        _functions[name] = Function(name, signature, rule, arguments, least, most)
        return rule

    return register


@function("ceil(x)", NUMBER)
def ceil(x: Value) -> Value:
    """The smallest integer that is at least x."""
    return math.ceil(x) if is_exact(x) else unknowns.ceil(x)


@function("floor(x)", NUMBER)
def floor(x: Value) -> Value:
    """The largest integer that is at most x."""
    return math.floor(x) if is_exact(x) else unknowns.floor(x)


@function("round(x)", NUMBER)
def nearest(x: Value) -> Value:
    """The nearest integer; of two, the even one, as in Python."""
    return round(x) if is_exact(x) else unknowns.nearest(x)


@function("int(x)", NUMBER)
def integer_part(x: Value) -> Value:
    """x without its decimals, towards 0."""
    return math.trunc(x) if is_exact(x) else unknowns.truncate(x)


@function("abs(x)", NUMBER)
def magnitude(x: Value) -> Value:
    """x without its sign."""
    return abs(x) if is_exact(x) else arith.absolute(unknowns.whole(x))


@function("sqrt(x)", NOT_NEGATIVE)
def square_root(x: Value) -> Value:
    """√x: exact where it is rational, else rounded to 30 decimals."""
    return exact.square_root(known(x, "a square root"))


@function("log2(x)", ABOVE_ZERO)
def binary_logarithm(x: Value) -> Value:
    """log₂ x: exact for powers of two, else rounded to 30 decimals."""
    return exact.binary_logarithm(known(x, "a logarithm"))


@function("len(list)", LISTED)
def length(values: tuple[Value, ...]) -> int:
    """How many elements a list has."""
    return len(values)


@function(MIN)
def smallest(*values: Value) -> Value:
    """The smallest of several numbers, or of a list."""
    found = some(MIN, numbers(MIN, values))
    return min(found) if all_exact(found) else reduce(unknowns.at_most, found)


@function(MAX)
def largest(*values: Value) -> Value:
    """The largest of several numbers, or of a list."""
    found = some(MAX, numbers(MAX, values))
    return max(found) if all_exact(found) else reduce(unknowns.at_least, found)


@function(SUM)
def total(*values: Value) -> Value:
    """The sum of several numbers, or of a list; 0 for an empty one."""
    found = numbers(SUM, values)
    return exact.settle(sum(found)) if all_integers(found) else reduce(add, found, 0)


@function("range(n) or range(start, stop, step=1)", INTEGER, INTEGER, INTEGER, optional=2)
def count(*values: Value) -> tuple[Value, ...]:
    """The list of integers from start (0) to before stop, step by step, as in Python."""
    bounds = [known(value, "a range") for value in values]
    if bounds[2:] == [0]:
        raise Fault(CALL, "the step of range(start, stop, step) must not be 0", 3)
    counted = range(*bounds)
    if counted[LIST:]:
        raise Fault(LIMIT, f"the list is longer than {LIST} elements, the limit of lists")
    return tuple(counted)


@function("make_divisible(x, d=8, min=d)", NUMBER, POSITIVE, INTEGER, optional=2)
def make_divisible(x: Value, divisor: Value = 8, least: Value = None) -> Value:
    """The multiple of d nearest to x, at least min, and never more than a tenth below x.

    Source: MobileNet's ``_make_divisible``, which torchvision and timm share:
    n = max(min, ⌊x + d/2⌋ // d · d), and n + d where n < 0.9·x.
    """
    halfway = integer_part(add(x, divide(divisor, 2)))
    rounded = multiply(floor_divide(halfway, divisor), divisor)
    multiple = largest(divisor if least is None else least, rounded)
    if is_exact(x) and is_exact(multiple):
        too_small = int(10 * multiple < 9 * x)
    else:
        too_small = unknowns.is_less(unknowns.multiply(10, multiple), unknowns.multiply(9, x))
    return add(multiple, multiply(too_small, divisor))


@function("round_up(x, m=8)", NUMBER, POSITIVE, optional=1)
def round_up(x: Value, multiple: Value = 8) -> Value:
    """The smallest multiple of m that is at least x. (ultralytics calls this make_divisible.)"""
    return multiply(ceil(divide(x, multiple)), multiple)


def some(signature: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Demand a list that is not empty."""
    if not values:
        raise Fault(CALL, f"{signature} of an empty list has no value", 1)
    return values
