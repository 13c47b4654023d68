"""The arguments of ops and their types: which values are allowed, and the one form that ops get them in.

A *slot* is the type of an argument. Its ``bind`` takes the value of an expression (int, Fraction, bool, word, tuple; or
an array or a symbol as a size) and the number of spatial axes, and returns the value that the op works with.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from convcalc.arith import is_plain, less_equal, plain, require

JsonSchema = dict[str, Any]
EXPRESSION: JsonSchema = {"type": ["number", "string"]}
LIST: JsonSchema = {"type": "array", "items": EXPRESSION}
NESTED: JsonSchema = {"type": "array", "items": {"anyOf": [EXPRESSION, LIST]}}


class BadValue(ValueError):
    """An invalid value; the text continues a sentence that begins with the argument's name."""


class Slot:
    """The type of an argument. With ``takes_list`` a bare list is one value and not several arguments."""

    takes_list: bool = False
    per_axis: ClassVar[bool] = False
    """Whether its tuples have one entry for each spatial axis."""
    schema: ClassVar[JsonSchema] = EXPRESSION

    def bind(self, value: Any, axes: int) -> Any:
        """Return the value in the form the op works with, or raise ``BadValue``."""
        raise NotImplementedError(type(self).__name__)


class Argument(NamedTuple):
    """One argument of an op: its key in a spec, its type, its default, and whether its key may be left out."""

    key: str
    slot: Slot
    default: Any = None
    required: bool = False
    positional: bool = False


def argument(key: str, slot: Slot, *, positional: bool = False, **default: Any) -> Any:
    """Declare a field of an op as an argument; without ``default=`` it is required.

    One with ``default=None`` may also be left out of the constructor of the class.
    """
    declared = Argument(key, slot, default.get("default"), not default, positional)
    absent: dict[str, Any] = {"default": None, "kw_only": True} if default == {"default": None} else {}
    return field(metadata={"argument": declared}, **absent)


def shown(value: Any) -> str:
    """Write a value as a person would: 3.33333 for 10/3, [1, 2] for a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return f"{float(value):.6g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    return str(value)


class Size(Slot):
    """An integer that is at least ``minimum`` (no bound where that is ``None``)."""

    def __init__(self, minimum: int | None = 1) -> None:
        self.minimum = minimum

    def bind(self, value: Any, axes: int) -> Any:
        if type(value) is int:
            if self.minimum is not None and value < self.minimum:
                raise BadValue(f"= {value} must be {'positive' if self.minimum == 1 else f'at least {self.minimum}'}")
            return value
        if isinstance(value, Fraction):
            raise BadValue(f"= {shown(value)} is not an integer; use //, round() or ceil()")
        if is_plain(value):
            raise BadValue(f"must be an integer, not {named(value)}")
        if self.minimum is not None:
            require(less_equal(self.minimum, value), "CC410", "a size of {} must be at least {}", value, self.minimum)
        return value


class Alike(tuple[Any, ...]):
    """One number for all axes, which some tools count otherwise than a list of equal numbers."""

    __slots__ = ()


class Sizes(Slot):
    """A size, a list of one size per spatial axis, or one of ``words``."""

    per_axis = True
    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, LIST]}

    def __init__(self, minimum: int = 1, words: tuple[str, ...] = ()) -> None:
        self.minimum = minimum
        self.words = words

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, str):
            if value in self.words:
                return str(value)
            raise BadValue(f"must be an integer or a list of them{also(self.words)}, not {named(value)}")
        return _for_each_axis(Size(self.minimum), value, axes)


class Count(Size):
    """A size that shapes the graph, such as a number of stacked layers: it is never swept."""

    def bind(self, value: Any, axes: int) -> Any:
        return super().bind(plain(value, "a count of layers"), axes)


class Padding(Slot):
    """n on both sides of every axis; a list of one entry per axis, each n or ``[before, after]``; or a word."""

    per_axis = True
    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, NESTED]}

    def __init__(
        self, words: tuple[str, ...] = ("valid", "half", "same"), minimum: int | None = 0, *, takes_list: bool = False
    ) -> None:
        self.words = words
        self.minimum = minimum
        self.takes_list = takes_list

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, str):
            if value not in self.words:
                raise BadValue(f"must be an integer, a list{also(self.words)}, not {named(value)}")
            return str(value) if value != "valid" else ((0, 0),) * axes
        per_axis = value if isinstance(value, tuple) else (value,) * axes
        _require_axes(per_axis, axes)
        return tuple(self._pair(entry) for entry in per_axis)

    def _pair(self, entry: Any) -> tuple[Any, Any]:
        pair = entry if isinstance(entry, tuple) else (entry, entry)
        if len(pair) != 2:
            raise BadValue(f"needs [before, after] for an axis, not {shown(pair)}")
        before, after = (Size(self.minimum).bind(side, 0) for side in pair)
        return before, after


class Choice(Slot):
    """One word of a closed list."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, str) and value in self.words:
            return str(value)
        raise BadValue(f"must be one of {', '.join(self.words)}, not {named(value)}")


class Flag(Slot):
    """true or false."""

    schema: ClassVar[JsonSchema] = {"anyOf": [{"type": "boolean"}, {"type": "string"}]}

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, bool):
            return value
        raise BadValue(f"must be true or false, not {named(value)}")


class Axes(Slot):
    """Axis numbers, which may count from the end: one, or with ``several`` a list too. They are never swept.

    With ``whole`` the list names all axes, and a lone number is a list of one.
    """

    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, LIST]}

    def __init__(self, *, several: bool = False, whole: bool = False) -> None:
        self.several = several or whole
        self.whole = whole
        self.takes_list = self.several

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, tuple):
            if not self.several or not value:
                raise BadValue(f"must be an axis number, not {named(value)}")
            return tuple(Axes().bind(axis, axes) for axis in value)
        axis = Size(None).bind(plain(value, "an axis"), axes)
        return (axis,) if self.whole else axis


class Dims(Slot):
    """A list of sizes; with ``wildcard`` one of them may be -1; with ``single`` a lone size is a list of one."""

    takes_list = True
    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, LIST]}

    def __init__(self, *, wildcard: bool = False) -> None:
        self.wildcard = wildcard

    def bind(self, value: Any, axes: int) -> Any:
        sizes = value if isinstance(value, tuple) else (value,)
        if not sizes:
            raise BadValue("must have at least one axis")
        free = [self.wildcard and type(size) is int and size == -1 for size in sizes]
        if free.count(True) > 1:
            raise BadValue("may have only one -1")
        return tuple(-1 if is_free else Size().bind(size, axes) for size, is_free in zip(sizes, free, strict=True))


class Real(Slot):
    """An exact number above ``above`` (or equal to it with ``inclusive``) and at most ``most``."""

    def __init__(self, above: int = 0, *, inclusive: bool = False, most: int | None = None) -> None:
        self.above = above
        self.inclusive = inclusive
        self.most = most

    def bind(self, value: Any, axes: int) -> Any:
        if not is_plain(value):
            return value
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            raise BadValue(f"must be a number, not {named(value)}")
        if value < self.above or (value == self.above and not self.inclusive):
            raise BadValue(f"= {shown(value)} must be {'at least' if self.inclusive else 'above'} {self.above}")
        if self.most is not None and value > self.most:
            raise BadValue(f"= {shown(value)} must be at most {self.most}")
        return value


class Scales(Slot):
    """An exact number above 0, or a list of one per spatial axis."""

    per_axis = True
    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, LIST]}

    def bind(self, value: Any, axes: int) -> Any:
        return _for_each_axis(Real(), value, axes)


def _for_each_axis(slot: Slot, value: Any, axes: int) -> tuple[Any, ...]:
    """Bind the values of a list, or one value for each axis."""
    made, values = (tuple, value) if isinstance(value, tuple) else (Alike, (value,) * axes)
    _require_axes(values, axes)
    return made(slot.bind(one, axes) for one in values)


def _require_axes(values: tuple[Any, ...], axes: int) -> None:
    if len(values) != axes:
        noun = "axis" if axes == 1 else "axes"
        raise BadValue(f"= {shown(values)} has {len(values)} entries, but the input has {axes} spatial {noun}")


def also(words: tuple[str, ...]) -> str:
    return f" or {', '.join(words)}" if words else ""


def named(value: Any) -> str:
    """Name a value with its kind, for the end of a sentence."""
    if isinstance(value, bool):
        return shown(value)
    if isinstance(value, tuple):
        return f"the list {shown(value)}"
    return f"the word '{value}'" if isinstance(value, str) else shown(value)
