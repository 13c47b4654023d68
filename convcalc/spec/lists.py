"""Elements of lists."""

from __future__ import annotations

from convcalc.spec.faults import INDEX, Fault
from convcalc.spec.kinds import Value, known, named


def element(values: Value, index: Value) -> Value:
    """The element of a list at an index from 0; negative ones count from the end."""
    if not isinstance(values, tuple):
        raise Fault(INDEX, f"only a list has elements, not {named(values)}", 1, "to multiply, write *")
    index = known(index, "an index")
    if type(index) is not int:
        raise Fault(INDEX, f"an index must be an integer, not {named(index)}", 2)
    if not -len(values) <= index < len(values):
        raise Fault(INDEX, f"index {index} is outside a list of {len(values)}{_bounds(len(values))}", 2)
    return values[index]


def _bounds(length: int) -> str:
    return f": 0 to {length - 1}, or -{length} to -1" if length else ""
