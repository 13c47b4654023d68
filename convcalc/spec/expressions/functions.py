"""Functions of expressions: signature, parameter types and implementation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import TypeAlias

from convcalc import arith
from convcalc.records import NamedTuple, dataclass
from convcalc.spec.expressions import symbolic_arithmetic as unknowns
from convcalc.spec.expressions import values as exact
from convcalc.spec.expressions.errors import E_CALL, E_LIMIT, OperandError
from convcalc.spec.expressions.operators import add, divide, floor_divide, multiply
from convcalc.spec.expressions.symbolic_arithmetic import is_integer_valued
from convcalc.spec.expressions.values import (
    Value,
    all_exact,
    all_integers,
    describe_value,
    is_exact,
    require_plain,
    type_name,
)
from convcalc.spec.limits import LIST, count_elements

Rule: TypeAlias = Callable[..., Value]


class ParameterType(NamedTuple):
    """The type of a parameter, in words and as a test."""

    description: str
    accepts: Callable[[Value], bool]


def _is_number(value: Value) -> bool:
    return type_name(value) == "number"


def _is_integer(value: Value) -> bool:
    return type(value) is int or (_is_number(value) and not is_exact(value) and is_integer_valued(value))


# Arrays and symbols pass every sign check: they represent sizes, which are positive.
NUMBER = ParameterType("a number", _is_number)
NOT_NEGATIVE = ParameterType("a number >= 0", lambda value: _is_number(value) and (not is_exact(value) or value >= 0))
ABOVE_ZERO = ParameterType("a number > 0", lambda value: _is_number(value) and (not is_exact(value) or value > 0))
INTEGER = ParameterType("an integer", _is_integer)
POSITIVE = ParameterType("an integer > 0", lambda value: _is_integer(value) and (not is_exact(value) or value > 0))
LIST_PARAM = ParameterType("a list", lambda value: isinstance(value, tuple))


@dataclass(frozen=True, slots=True)
class Function:
    """A function. ``max_arguments`` is ``None`` where there is no limit: then the rule checks them itself."""

    name: str
    signature: str
    rule: Rule
    parameters: tuple[ParameterType, ...]
    min_arguments: int
    max_arguments: int | None

    @property
    def summary(self) -> str:
        """What it computes, in one line."""
        return (self.rule.__doc__ or "").partition("\n")[0]

    def require_count(self, count: int) -> None:
        """Demand that the function takes so many arguments."""
        fewest, most = self.min_arguments, self.max_arguments
        if count < fewest or (most is not None and count > most):
            plural = "" if fewest == 1 and most in (1, None) else "s"
            numbers = f"at least {fewest}" if most is None else f"{fewest} to {most}" if fewest < most else str(fewest)
            raise OperandError(E_CALL, f"{self.signature} takes {numbers} argument{plural}, not {count}")

    def __call__(self, *values: Value) -> Value:
        """Check the arguments and return the function's value."""
        for operand, (value, argument) in enumerate(zip(values, self.parameters, strict=False), 1):
            if not argument.accepts(value):
                raise OperandError(
                    E_CALL, f"{self.signature} needs {argument.description}, not {describe_value(value)}", operand
                )
        return self.rule(*values)


def number_arguments(signature: str, values: tuple[Value, ...], *, least: int = 0) -> tuple[Value, ...]:
    """Return the numbers, at least so many, that a function of ``f(x, y, …)`` or ``f(list)`` is given."""
    listed = len(values) == 1 and isinstance(values[0], tuple)
    if len(values) == 1 and not listed:
        raise OperandError(E_CALL, f"{signature} needs a list or more arguments than {describe_value(values[0])}", 1)
    found: tuple[Value, ...] = values[0] if listed else values
    count_elements(len(found))
    for operand, value in enumerate(found, 1) if not all_exact(found) else ():
        if not _is_number(value):
            text = f"{signature} needs numbers, not {describe_value(value)}"
            raise OperandError(E_CALL, text, 1 if listed else operand)
    if len(found) < least:
        raise OperandError(E_CALL, f"{signature} of an empty list has no value", 1)
    return found


_functions: dict[str, Function] = {}

FUNCTIONS: Mapping[str, Function] = MappingProxyType(_functions)
"""Name → function."""
MIN, MAX, SUM = "min(x, y, …)", "max(x, y, …)", "sum(x, y, …)"


def register(signature: str, *arguments: ParameterType, optional: int = 0) -> Callable[[Rule], Rule]:
    """Make a rule the function of this signature. The last ``optional`` arguments may be left out; none named: any."""

    def register(rule: Rule) -> Rule:
        name = signature.partition("(")[0]
        least, most = (len(arguments) - optional, len(arguments)) if arguments else (1, None)
        _functions[name] = Function(name, signature, rule, arguments, least, most)
        return rule

    return register


ceil = register("ceil(x)", NUMBER)(unknowns.ceil)
floor = register("floor(x)", NUMBER)(unknowns.floor)


@register("round(x)", NUMBER)
def round_half_even(x: Value) -> Value:
    """The nearest integer; of two, the even one, as in Python."""
    return round(x) if is_exact(x) else unknowns.round_half_even(x)


@register("int(x)", NUMBER)
def integer_part(x: Value) -> Value:
    """x without its decimals, towards 0."""
    return math.trunc(x) if is_exact(x) else unknowns.truncate(x)


@register("abs(x)", NUMBER)
def magnitude(x: Value) -> Value:
    """x without its sign."""
    return abs(x) if is_exact(x) else arith.absolute(unknowns.require_integer(x))


@register("sqrt(x)", NOT_NEGATIVE)
def square_root(x: Value) -> Value:
    """√x: exact where it is rational, else rounded to 30 decimals."""
    return exact.square_root(require_plain(x, "a square root"))


@register("log2(x)", ABOVE_ZERO)
def binary_logarithm(x: Value) -> Value:
    """log₂ x: exact for powers of two, else rounded to 30 decimals."""
    return exact.binary_logarithm(require_plain(x, "a logarithm"))


@register("len(list)", LIST_PARAM)
def length(values: tuple[Value, ...]) -> int:
    """How many elements a list has."""
    return len(values)


@register(MIN)
def smallest(*values: Value) -> Value:
    """The smallest of several numbers, or of a list."""
    found = number_arguments(MIN, values, least=1)
    return min(found) if all_exact(found) else reduce(unknowns.at_most, found)


@register(MAX)
def largest(*values: Value) -> Value:
    """The largest of several numbers, or of a list."""
    found = number_arguments(MAX, values, least=1)
    return max(found) if all_exact(found) else reduce(unknowns.at_least, found)


@register(SUM)
def total(*values: Value) -> Value:
    """The sum of several numbers, or of a list; 0 for an empty one."""
    found = number_arguments(SUM, values)
    return exact.normalize(sum(found)) if all_integers(found) else reduce(add, found, 0)


@register("range(n) or range(start, stop, step=1)", INTEGER, INTEGER, INTEGER, optional=2)
def count(*values: Value) -> tuple[Value, ...]:
    """The list of integers from start (0) to before stop, step by step, as in Python."""
    bounds = [require_plain(value, "a range") for value in values]
    if bounds[2:] == [0]:
        raise OperandError(E_CALL, "the step of range(start, stop, step) must not be 0", 3)
    counted = range(*bounds)
    if counted[LIST:]:
        raise OperandError(E_LIMIT, f"the list is longer than {LIST} elements, the limit of lists")
    count_elements(len(counted))
    return tuple(counted)


@register("make_divisible(x, d=8, min=d)", NUMBER, POSITIVE, INTEGER, optional=2)
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
        too_small = unknowns.less_as_int(unknowns.multiply(10, multiple), unknowns.multiply(9, x))
    return add(multiple, multiply(too_small, divisor))


@register("round_up(x, m=8)", NUMBER, POSITIVE, optional=1)
def round_up(x: Value, multiple: Value = 8) -> Value:
    """The smallest multiple of m that is at least x. (ultralytics calls this make_divisible.)"""
    return multiply(ceil(divide(x, multiple)), multiple)
