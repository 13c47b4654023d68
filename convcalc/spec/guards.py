"""What is asked of numbers before arithmetic: that nothing overflows, and that nothing is divided by 0.

Arrays wrap in silence past 2⁶³ and divide by 0 in silence. Where any element might, the result is ``Undecided``: worked
out point by point, with plain numbers, each is either right or an error of its own.
"""

from __future__ import annotations

from typing import Any

from convcalc.errors import Undecided
from convcalc.spec.exact import LARGEST
from convcalc.spec.faults import ZERO_DIVISION, Fault
from convcalc.spec.kinds import is_exact


def is_array(value: Any) -> bool:
    return hasattr(value, "dtype")


def is_negative(value: Any) -> bool:
    """Whether a number, or any element of an array, is below 0; of a symbolic expression, whether it surely is."""
    if is_array(value):
        return bool(value.size and value.min() < 0)
    return bool(value < 0 if is_exact(value) else value.is_negative)


def reach(value: Any) -> int:
    """The largest size of any element; 0 for what cannot overflow, a symbolic expression."""
    if is_exact(value):
        return abs(int(value))
    if not is_array(value) or not value.size:
        return 0
    return max(abs(int(value.min())), abs(int(value.max())))


def require_room(size: int) -> None:
    """Demand that a result of at most this size stays within the limits of plain numbers."""
    if size > LARGEST:
        raise Undecided("a number that may pass 10^18")


def require_divisor(divisor: Any) -> None:
    """Demand that what divides is not 0, and of an array that one rule of signs holds for all of it.

    Symbols stand for sizes: a divisor made of them is taken to be positive unless it vanishes.
    """
    if is_array(divisor):
        if divisor.size and divisor.min() <= 0:
            raise Undecided("a divisor that may be 0 or negative")
    elif divisor == 0 or (not is_exact(divisor) and divisor.expand() == 0):
        raise Fault(ZERO_DIVISION, "division by zero")
