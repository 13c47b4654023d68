"""How large a spec may be. All limits are inclusive; exceeding one is an error that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from convcalc import arith, shapes
from convcalc.errors import SpecError

FILE_BYTES = 1 << 20
IMPORTS = 32
YAML_DEPTH = 64
REPEAT = 10_000
LAYERS = 100_000
ITEMS = 1_000_000
LIST = 10_000
LIST_ELEMENTS = 100_000_000
"""Of all lists together that are made or read while a spec is expanded: a million items may have one each."""
ENTRIES = 10_000
NAME = 200
CALLS = 64
PATHS = 32_000_000
"""Characters of the paths of all layers together."""
AXES = shapes.MAX_AXES
AXIS = shapes.MAX_AXIS_SIZE
EXTREMES = arith.MAX_EXTREMES
LONGEST_TEXT = 500
DEEPEST_NESTING = 64
LARGEST = 10**18
LARGEST_EXPONENT = 64
DECIMALS = 30


class TooLargeError(SpecError):
    """A limit was passed: the expansion stops here."""


_elements: ContextVar[list[int] | None] = ContextVar("elements", default=None)
"""How many elements of lists have been made or read."""


@contextmanager
def limit_list_elements() -> Iterator[None]:
    """Count the elements of all lists that expressions make or read."""
    token = _elements.set([0])
    try:
        yield
    finally:
        _elements.reset(token)


def count_elements(count: int) -> None:
    """Note that a list of so many elements is made or read.

    Raises:
        TooLargeError: CC501 beyond the limit, without a place.
    """
    counted = _elements.get()
    if counted is not None:
        counted[0] += count
        if counted[0] > LIST_ELEMENTS:
            text = f"the lists that expressions make or read exceed the limit of {LIST_ELEMENTS} elements together"
            raise TooLargeError("CC501", text)
