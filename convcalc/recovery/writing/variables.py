"""A width that recurs in layers of several kinds, as a variable of the spec: that of a transformer's tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from convcalc.errors import Source, SpecErrors
from convcalc.recovery.items import Expression, Item, Value
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.load import expand, parse_spec

NAMES = ("dim", "width", "features", "channels")
WIDTHS = ("out", "shape", "dim")
"""Arguments that hold widths."""
LEAST_WIDTH, LEAST_TIMES = 16, 3
MULTIPLES = (1, 2, 3, 4)
"""How many times the width a linear layer may be wide, as those of a transformer are."""

OTHER = (2, 3)
"""Times the value of a variable that it must be possible to set."""


def named_width(items: Sequence[Item], taken: Collection[str]) -> dict[str, int]:
    """Write the name of the width that recurs most in place of it and of its multiples.

    Args:
        items: of the file and all of its blocks.
        taken: names of parameters and columns.

    Returns:
        The variable with its value, or nothing where no width recurs.
    """
    kinds: dict[int, list[str]] = {}
    for item, value in _widths(items):
        for factor in MULTIPLES if item.kind == "linear" else (1,):
            if value % factor == 0:
                kinds.setdefault(value // factor, []).append(item.kind)
    written = {value for _, value in _widths(items)}
    found = [
        value
        for value, each in kinds.items()
        if value >= LEAST_WIDTH
        and len(each) >= LEAST_TIMES
        and len({*each}) > 1
        and "linear" in each
        and value in written
    ]
    name = next((each for each in NAMES if each not in taken), None)
    if not found or name is None:
        return {}
    width = max(found, key=lambda value: (len(kinds[value]), value))
    for item in _layers(items):
        for key in item.args.keys() & WIDTHS:
            item.args[key] = _written(item.args[key], width, name)
    return {name: width}


def can_be_set(text: str, variables: Mapping[str, int]) -> bool:
    """Whether a spec has a network for other values of its variables: sizes may be equal by chance."""
    files = DocumentLoader()
    document = parse_spec(Source("recovered.yaml", text), files)
    try:
        for factor in OTHER:
            expand(document, files, overrides={name: factor * value for name, value in variables.items()})
    except SpecErrors:
        return False
    return True


def _layers(items: Iterable[Item]) -> Iterator[Item]:
    return (each for item in items for each in item.below())


def _widths(items: Iterable[Item]) -> Iterator[tuple[Item, int]]:
    for item in _layers(items):
        for key in item.args.keys() & WIDTHS:
            value = item.args[key]
            for each in value if type(value) is tuple else (value,):
                if type(each) is int:
                    yield item, each


def _written(value: Value, width: int, name: str) -> Value:
    if type(value) is tuple:
        return tuple(_written(each, width, name) for each in value)
    for factor in MULTIPLES:
        if type(value) is int and value == factor * width:
            return Expression(name if factor == 1 else f"{factor}*{name}")
    return value
