"""Parameters of a block: columns that are equal share one, others are multiples of it or of what enters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from operator import ne
from typing import Any

from convcalc.records import NamedTuple
from convcalc.recovery.items import ExpressionText, SpecItem, Value
from convcalc.recovery.structure.unify import ABSENT, Column, map_values
from convcalc.spec.expressions.messages import reserved_reason


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


def write_conditions(items: Sequence[SpecItem], parameters: ParameterFinder, *, at_entry: bool = True) -> None:
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


def _word(item: SpecItem, neighbour: SpecItem) -> str:
    """Return a name for whether an item is there: what it has that the one behind it has not, or its own."""
    for one, other, word in ((item, neighbour, "with"), (neighbour, item, "without")):
        if own := sorted(key for key in one.args.keys() - other.args.keys() if key.isidentifier()):
            return f"{word}_{own[0]}"
    name = item.path.rpartition(".")[2]
    is_word = name.isidentifier() and not name[-1:].isdigit() and name != item.kind
    return name if is_word else f"with_{item.kind.lower()}"


def _condition(word: str, present: tuple[bool, ...], parameters: ParameterFinder, channels: str) -> str:
    for test in _tests(parameters, channels):
        text = {present: test.holds, tuple(not each for each in present): test.fails}.get(test.truth, "")
        if text:
            if test.reads_entry and channels == "c":
                parameters.derived["c"] = "cin"
            return text
    return parameters.add(word, present)


def _tests(parameters: ParameterFinder, channels: str) -> Iterator[Test]:
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
        Test(f"{channels} != {text}", f"{channels} == {text}", tuple(map(ne, entering, values)), reads_entry=True)
        for text, values in {**columns, **parameters.widths}.items()
        if "cin" not in text and "din" not in text
    ]
    yield from (*steps, *widths)
    yield from (step.either(width) for step in steps for width in widths)


MAX_PARAMETERS = 6
LARGEST_FACTOR = 64
LOCAL = {"~cin": "cin", "~din": "din"}
"""Keys, among the arguments of an item, of the sizes of what it reads → the words that a spec has for them."""
INNER = {"norm.type": "norm", "act.type": "act", "shape": "size", "": "n"}
"""Argument → the name of a parameter for it, where it cannot be the argument's own."""
SIZES = ("out", "width", "shape", "size", "heads", "hidden", "params", "reads", "groups", "n", "start", "stop")
"""Arguments that may be multiples of each other: strides and kernels are not."""
SIZE = "size"


class TooManyError(Exception):
    """The members of a block differ in more than parameters can say."""


class ParameterFinder:
    """Finds expressions for the columns of a block's members."""

    def __init__(self, entering: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        self.columns: dict[str, tuple[Any, ...]] = {}
        """Name → its values, one for each member."""
        self._natures: dict[str, str] = {}
        """Name → what kind of argument it is for: a size and a stride that are equal by chance are two."""
        self.derived: dict[str, str] = {}
        """Names of what enters the block → the word for it."""
        self.entering = {"cin": entering[0], "din": entering[1]}
        self._names = {"cin": "c", "din": "dim"}
        self.widths: dict[str, tuple[Any, ...]] = {}
        """Expressions for output channels, which conditions compare with what enters."""
        self._with_free_size: set[int] = set()
        """Reshapes one of whose sizes is worked out."""
        self._products: list[tuple[str, tuple[int, ...]]] = []
        """Parameters times what enters the block, with their values."""

    def write(self, items: Sequence[SpecItem]) -> None:
        """Replace the columns of all items by expressions, and where only some members have an item say when.

        Raises:
            TooManyError: where there would be too many parameters.
        """
        map_values(items, self._written)
        self.columns = {name: _filled(values) for name, values in self.columns.items()}
        write_conditions(items, self)
        if len(self.columns) > MAX_PARAMETERS:
            raise TooManyError

    def _written(self, item: SpecItem, key: str, value: Value) -> Value:
        if key in LOCAL:
            return value
        if not isinstance(value, Column):
            if key == "out" and type(value) is int:
                self.widths[str(value)] = (value,) * len(self.entering["cin"])
            return value
        text = self._expression(item, key, value.values)
        if key == "out" and ABSENT not in value.values:
            self.widths[text] = value.values
        return ExpressionText(text)

    def _expression(self, item: SpecItem, key: str, values: tuple[Any, ...]) -> str:
        for name, known in self.columns.items():
            if self._natures[name] == _nature(key) and _equal(known, values):
                self.columns[name] = tuple(b if a is ABSENT else a for a, b in zip(known, values, strict=True))
                return name
        if key not in SIZES or not all(each is ABSENT or type(each) is int for each in values):
            return self._new(key, values)
        local = [(word, self._local(item, mark)) for mark, word in LOCAL.items()]
        for word, sizes in local:
            if sizes is not None and _equal(sizes, values):
                return word
        named = [(self._names[word], sizes) for word, sizes in self.entering.items()]
        known_sizes = [(word, sizes) for word, sizes in self.columns.items() if self._natures[word] == SIZE]
        for word, sizes in (*known_sizes, *((word, sizes) for word, sizes in local if sizes is not None)):
            if text := multiple(word, sizes, values):
                return text
        for (word, sizes), source in zip(named, self.entering, strict=True):
            text = word if _equal(sizes, values) else multiple(word, sizes, values)
            if text:
                self.derived[word] = source
                return text
        return self._product(item, values) or self._worked_out(item) or self._new(key, values)

    def _worked_out(self, item: SpecItem) -> str:
        """Return -1 for one size of a reshape that nothing else gives."""
        if item.kind != "reshape" or id(item) in self._with_free_size:
            return ""
        self._with_free_size.add(id(item))
        return "-1"

    def _product(self, item: SpecItem, values: tuple[Any, ...]) -> str:
        """Return values as a parameter times what enters the block, if it has far fewer values than they."""
        entering = self.entering["cin"]
        text = next((text for text, known in self._products if _equal(known, values)), "")
        if (
            not text
            and ABSENT not in values
            and all(v > 0 and v % n == 0 for v, n in zip(values, entering, strict=True))
        ):
            factors = tuple(v // n for v, n in zip(values, entering, strict=True))
            if 2 * len(set(factors)) <= len(set(values)) and 2 < max(factors) <= LARGEST_FACTOR:
                text = f"{self.add('expand', factors, 'factor')}*{{}}"
                self._products.append((text, values))
        if not text:
            return ""
        if self._local(item, "~cin") == entering:
            return text.format("cin")
        self.derived["c"] = "cin"
        return text.format("c")

    def _local(self, item: SpecItem, mark: str) -> tuple[int, ...] | None:
        value = item.args.get(mark)
        if isinstance(value, Column):
            return value.values
        return None if value is None else (value,) * len(self.entering["cin"])

    def _new(self, key: str, values: tuple[Any, ...]) -> str:
        return self.add(INNER.get(key, key.rpartition(".")[2]), values, _nature(key))

    def add(self, base: str, values: tuple[Any, ...], nature: str = "") -> str:
        """Add a parameter and return its name, which begins as ``base``.

        Raises:
            TooManyError: where there are far too many.
        """
        name = free_name(base, self.columns)
        self.columns[name], self._natures[name] = values, nature
        if len(self.columns) > 2 * MAX_PARAMETERS:
            raise TooManyError
        return name


def _nature(key: str) -> str:
    return SIZE if key in SIZES else key


def free_name(base: str, taken: Iterable[str]) -> str:
    """Return a name of a variable that is not taken."""
    name, number, known = base, 1, set(taken)
    while name in known or reserved_reason(name) or name in {"i", "first", "last", "c", "dim"}:
        number += 1
        name = f"{base}{number}"
    return name


def _filled(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return values in which those that no layer reads are the usual one."""
    known = [each for each in values if each is not ABSENT]
    usual = Counter(map(repr, known)).most_common(1)[0][0]
    fill = next(each for each in known if repr(each) == usual)
    return tuple(fill if each is ABSENT else each for each in values)


def _equal(known: tuple[Any, ...], values: tuple[Any, ...]) -> bool:
    pairs = zip(known, values, strict=True)
    return all(ABSENT in {one, value} or (type(value) is type(one) and value == one) for one, value in pairs)


def multiple(word: str, known: tuple[Any, ...], values: tuple[Any, ...]) -> str:
    """Return values as a multiple of others, or as a part of them, or an empty text."""
    pairs = [(one, value) for one, value in zip(known, values, strict=True) if value is not ABSENT]
    if any(type(one) is not int or one <= 0 or value <= 0 for one, value in pairs):
        return ""
    up = {value // one if value % one == 0 else 0 for one, value in pairs}
    if len(up) == 1 and 1 < (factor := up.pop()) <= LARGEST_FACTOR:
        return f"{factor}*{word}"
    down = {one // value if one % value == 0 else 0 for one, value in pairs}
    if len(down) == 1 and 1 < (factor := down.pop()) <= LARGEST_FACTOR:
        return f"{word}//{factor}"
    quotients = {Fraction(value, one) for one, value in pairs}
    is_shown = len({one for one, _ in pairs}) > 2  # two sizes may have one by chance
    if len(quotients) == 1 and is_shown and (quotient := quotients.pop()).denominator <= LARGEST_FACTOR:
        return f"{quotient.numerator}*{word}//{quotient.denominator}"
    return ""
