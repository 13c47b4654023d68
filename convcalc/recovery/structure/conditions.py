"""Conditions of layers that only some members of a block have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcalc.records import NamedTuple
from convcalc.recovery.items import Item

if TYPE_CHECKING:
    from convcalc.recovery.structure.parameters import Parameters


class Test(NamedTuple):
    """A condition, its opposite, and for each member whether it holds."""

    holds: str
    fails: str
    truth: tuple[bool, ...]
    reads_entry: bool = False
    """Whether it compares with the channels that enter the block."""

    def either(self, other: Test) -> Test:
        """Return the condition that this or the other holds."""
        truth = tuple(a or b for a, b in zip(self.truth, other.truth, strict=True))
        return Test(f"{self.holds} or {other.holds}", f"{self.fails} and {other.fails}", truth, other.reads_entry)


def write_conditions(items: Sequence[Item], parameters: Parameters, *, at_entry: bool = True) -> None:
    """Write ``when`` for every item that not all members have; a new parameter where no other tells them apart."""
    for place, item in enumerate(items):
        is_first = at_entry and place == 0
        if item.present is not None:
            neighbour = next((each for each in items[place + 1 : place + 2] if each.kind == item.kind), item)
            word = _word(item, neighbour)
            item.modifiers["when"] = _condition(word, item.present, parameters, "cin" if is_first else "c")
            item.present = None
        for branch in item.branches or ():
            write_conditions(branch, parameters, at_entry=is_first)


def _word(item: Item, neighbour: Item) -> str:
    """Return a name for whether an item is there: what it has that the one behind it has not, or its own."""
    for one, other, word in ((item, neighbour, "with"), (neighbour, item, "without")):
        if own := sorted(key for key in one.args.keys() - other.args.keys() if key.isidentifier()):
            return f"{word}_{own[0]}"
    name = item.path.rpartition(".")[2]
    is_word = name.isidentifier() and not name[-1:].isdigit() and name != item.kind
    return name if is_word else f"with_{item.kind.lower()}"


def _condition(word: str, present: tuple[bool, ...], parameters: Parameters, channels: str) -> str:
    for test in _tests(parameters, channels):
        text = {present: test.holds, tuple(not each for each in present): test.fails}.get(test.truth, "")
        if text:
            if test.reads_entry and channels == "c":
                parameters.derived["c"] = "cin"
            return text
    return parameters.add(word, present)


def _tests(parameters: Parameters, channels: str) -> Iterator[Test]:
    """Yield conditions, the simplest first."""
    columns, entering = parameters.columns, parameters.entering["cin"]
    for name, values in columns.items():
        if {type(each) for each in values} == {bool}:
            yield Test(name, f"not {name}", values)
    steps = [
        Test(f"{name} != 1", f"{name} == 1", tuple(each != 1 for each in values))
        for name, values in columns.items()
        if all(type(each) in {int, Fraction} for each in values)
    ]
    widths = [
        Test(f"{channels} != {text}", f"{channels} == {text}", _differ(entering, values), reads_entry=True)
        for text, values in {**columns, **parameters.widths}.items()
        if "cin" not in text and "din" not in text
    ]
    yield from (*steps, *widths)
    yield from (step.either(width) for step in steps for width in widths)


def _differ(one: Sequence[Any], other: Sequence[Any]) -> tuple[bool, ...]:
    return tuple(a != b for a, b in zip(one, other, strict=True))
