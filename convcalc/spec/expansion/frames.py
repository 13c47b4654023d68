"""State of an expansion (variables, scope, loop, call stack) and the exceptions that end it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from convcalc.arith import collapse_uniform, free_names, is_plain
from convcalc.arith.turns import Turns
from convcalc.errors import Span, SpecError, Undecided, quoted
from convcalc.graph.graph import Node
from convcalc.ops.value_text import describe_value
from convcalc.records import dataclass
from convcalc.spec.document.names import numbered_name, validate_name
from convcalc.spec.document.syntax_tree import Item, Repeat
from convcalc.spec.document.value_nodes import ValueNode, Variables, structural_error, with_variables
from convcalc.spec.expansion.scopes import LayerScope
from convcalc.spec.limits import REPEAT

OMITTED = -2
"""Result of an item omitted by `when` or by a repeat of 0."""

MAX_PYTHON_FRAMES = 50_000
"""Room for 64 block calls, each with a body nested as deep as YAML may be."""


Loop: TypeAlias = dict[int, tuple[int, int]]
"""The nodes that each tied item, by its identity, made in the first iteration of a repeat."""


@dataclass(slots=True, eq=False)
class Frame:
    """What an item sees: all variables, those of its file, scope, input of its block or file, repeat, block calls."""

    env: Variables
    file_variables: Variables
    scope: LayerScope
    block_input: int
    loop: Loop | None = None
    turns: Turns | None = None
    """Which turns of a repeat these are, where its count is a symbol."""
    calls: tuple[tuple[LayerScope, Span], ...] = ()
    """The scopes of the blocks around it, with the spans of their calls, innermost first."""

    def for_iteration(self, variables: Variables, loop: Loop, turns: Turns | None = None) -> Frame:
        """Return the frame of one turn of a repeat, or of turns that are as one."""
        env = with_variables(self.env, variables)
        return Frame(env, self.file_variables, self.scope, self.block_input, loop, turns, self.calls)

    def nested(self, segment: str) -> Frame:
        """Return the frame of a scope in this one."""
        scope = self.scope.child(segment)
        return Frame(self.env, self.file_variables, scope, self.block_input, self.loop, self.turns, self.calls)

    @property
    def trail(self) -> tuple[tuple[str, Span], ...]:
        """The block calls that led here, as errors show them."""
        return tuple((scope.path, span) for scope, span in self.calls)


Branch: TypeAlias = tuple[Frame, Sequence[Node], int]
"""One turn of an ``each``: its frame, the nodes that it made, and its output."""


class InputFailedError(Exception):
    """What enters an item has failed: the item is skipped without an error of its own."""


@contextmanager
def deep_calls() -> Iterator[None]:
    """Allow the nesting that the limits allow. Calls between Python functions take no C stack, so this is safe."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, MAX_PYTHON_FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def iterations(
    repeat: Repeat, evaluate: Callable[[ValueNode], Any], *, may_be_symbol: bool = False
) -> tuple[dict[str, tuple[Any, ...]], int]:
    """Return the columns of a repeat, and how often it runs: a count in series may be a symbol.

    Raises:
        SpecError: CC414 where it is not a count and no columns, CC502 where it is too long, CC411 where it is swept.
    """

    def plain(value: ValueNode, needed: str) -> Any:
        found = evaluate(value)
        if is_plain(found):
            return found
        raise structural_error(Undecided(needed, free_names(found)), value)

    columns: dict[str, tuple[Any, ...]] = {}
    for name, value in repeat.columns.items():
        columns[name] = column = plain(value, "a column of a repeat")
        if not isinstance(column, tuple):
            text = f"the column {quoted(name)} of a repeat must be a list, not {describe_value(column)}"
            raise SpecError("CC414", text, value.span)
    if repeat.count is not None and may_be_symbol and hasattr(count := evaluate(repeat.count), "free_symbols"):
        return {}, count
    counted = "a repeat count" if may_be_symbol else "a number of branches"
    count = len(next(iter(columns.values()))) if repeat.count is None else plain(repeat.count, counted)
    if repeat.count is not None and (type(count) is not int or count < 0):
        text = f"a repeat count must be an integer of at least 0, not {describe_value(count)}"
        raise SpecError("CC414", text, repeat.count.span)
    other = next((name for name, column in columns.items() if len(column) != count), None)
    if other is not None:
        lengths = ", ".join(f"{name} has {len(column)}" for name, column in columns.items())
        raise SpecError("CC414", f"the columns of a repeat differ in length: {lengths}", repeat.columns[other].span)
    if count > REPEAT:
        raise SpecError("CC502", f"a repeat of {count} exceeds the limit of {REPEAT}", repeat.span)
    return columns, count


def segment_of(item: Item, frame: Frame, default: str) -> str:
    """Return the item's path segment: its name, numbered where it is repeated, or the default one."""
    if item.name is None:
        return default
    name = item.name.parts[0]
    if not item.name.is_constant or not isinstance(name, str):
        return validate_name(item.name.render(frame.env), item.name.span)
    if item.repeat is None:
        return name
    return number_of(frame, name) if frame.turns else numbered_name(name, frame.env["i"] + 1)


def number_of(part: Frame, base: str) -> str:
    """Return the name of a part: that of its first turn, ``layer2``, or ``layer(dense + 1)``."""
    assert part.turns
    first = part.turns.first + 1
    return numbered_name(base, first) if isinstance(first, int) or first.is_Integer else f"{base}({first})"


def truth(value: Any, when: ValueNode, word: str) -> bool:
    """Return the value of a condition.

    Raises:
        SpecError: CC413 where it is no boolean, CC411 where it is swept.
    """
    value = collapse_uniform(value)
    if not is_plain(value):
        raise structural_error(Undecided("a condition", free_names(value)), when)
    if not isinstance(value, bool):
        raise SpecError("CC413", f"`{word}` must be true or false, not {describe_value(value)}", when.span)
    return value
