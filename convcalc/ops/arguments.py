"""The arguments of ops and their types: which values are allowed, and the one form that ops get them in.

A *slot* is the type of an argument. Its ``bind`` takes the value of an expression (int, Fraction, bool, word, tuple; or
an array or a symbol as a size) and the number of spatial axes, and returns the value that the op works with.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, ClassVar

from convcalc.arith import is_plain, less_equal, require, require_plain
from convcalc.ops.value_text import describe_value, format_value
from convcalc.records import NamedTuple, field

JsonSchema = dict[str, Any]
EXPRESSION: JsonSchema = {"type": ["number", "string"]}
LIST: JsonSchema = {"type": "array", "items": EXPRESSION}
NESTED: JsonSchema = {"type": "array", "items": {"anyOf": [EXPRESSION, LIST]}}


class InvalidArgument(ValueError):
    """An invalid value; the text continues a sentence that begins with the argument's name."""


class ArgumentType:
    """The type of an argument. With ``takes_list`` a bare list is one value and not several arguments."""

    takes_list: bool = False
    words: tuple[str, ...] = ()
    """The words that it takes: a spec knows them from here alone."""
    parts: tuple[str, ...] = ()
    """The words that a list for it takes."""
    per_axis: bool = False
    """Whether its tuples have one entry for each spatial axis."""
    schema: ClassVar[JsonSchema] = EXPRESSION

    def bind(self, value: Any, axes: int) -> Any:
        """Return the value in the form the op works with, or raise ``InvalidArgument``."""
        raise NotImplementedError(type(self).__name__)


class Argument(NamedTuple):
    """One argument of an op: its key in a spec, its type, its default, and whether its key may be left out."""

    key: str
    type: ArgumentType
    default: Any = None
    required: bool = False
    positional: bool = False


def argument(key: str, slot: ArgumentType, *, positional: bool = False, **default: Any) -> Any:
    """Declare a field of an op as an argument; without ``default=`` it is required.

    One with ``default=None`` may also be left out of the constructor of the class.
    """
    declared = Argument(key, slot, default.get("default"), not default, positional)
    absent: dict[str, Any] = {"default": None, "kw_only": True} if default == {"default": None} else {}
    return field(metadata={"argument": declared}, **absent)


class SizeType(ArgumentType):
    """An integer that is at least ``minimum`` (no bound where that is ``None``)."""

    def __init__(self, minimum: int | None = 1) -> None:
        self.minimum = minimum

    def bind(self, value: Any, axes: int) -> Any:
        if type(value) is int:
            if self.minimum is not None and value < self.minimum:
                raise InvalidArgument(
                    f"= {value} must be {'positive' if self.minimum == 1 else f'at least {self.minimum}'}"
                )
            return value
        if isinstance(value, Fraction):
            raise InvalidArgument(f"= {format_value(value)} is not an integer; use //, round() or ceil()")
        if is_plain(value):
            raise InvalidArgument(f"must be an integer, not {describe_value(value)}")
        if self.minimum is not None:
            require(less_equal(self.minimum, value), "CC410", "a size of {} must be at least {}", value, self.minimum)
        return value


class SameOnAllAxes(tuple[Any, ...]):
    """One number for all axes, which some tools count otherwise than a list of equal numbers."""

    __slots__ = ()


class SizesType(ArgumentType):
    """A size, a list of one size per spatial axis, or one of ``words``."""

    per_axis = True
    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, LIST]}

    def __init__(self, minimum: int = 1, words: tuple[str, ...] = ()) -> None:
        self.size = SizeType(minimum)
        self.words = words

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, str):
            if value in self.words:
                return str(value)
            raise InvalidArgument(
                f"must be an integer or a list of them{or_words(self.words)}, not {describe_value(value)}"
            )
        return _for_each_axis(self.size, value, axes)


class CountType(SizeType):
    """A size that shapes the graph, such as a number of stacked layers: it is never swept."""

    def bind(self, value: Any, axes: int) -> Any:
        return super().bind(require_plain(value, "a count of layers"), axes)


class PaddingType(ArgumentType):
    """n on both sides of every axis; a list of one entry per axis, each n or ``[before, after]``; or a word.

    With ``free`` the list is for the axes that another argument names.
    """

    per_axis = True
    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, NESTED]}

    def __init__(
        self, words: tuple[str, ...] = ("valid", "half", "same"), minimum: int | None = 0, *, free: bool = False
    ) -> None:
        self.words = words
        self.size = SizeType(minimum)
        self.takes_list = free
        self.per_axis = not free

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, str):
            if value not in self.words:
                raise InvalidArgument(f"must be an integer, a list{or_words(self.words)}, not {describe_value(value)}")
            return str(value) if value != "valid" else ((0, 0),) * axes
        if not isinstance(value, tuple):
            count = axes if self.per_axis else max(axes, 1)
            return SameOnAllAxes((self._pair(value),) * count if count else ())
        if self.per_axis:
            _require_axes(value, axes)
        return tuple([self._pair(entry) for entry in value])

    def _pair(self, entry: Any) -> tuple[Any, Any]:
        pair = entry if isinstance(entry, tuple) else (entry, entry)
        if len(pair) != 2:
            raise InvalidArgument(f"needs [before, after] for an axis, not {format_value(pair)}")
        return self.size.bind(pair[0], 0), self.size.bind(pair[1], 0)


class ChoiceType(ArgumentType):
    """One word of a closed list."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, str) and value in self.words:
            return str(value)
        raise InvalidArgument(f"must be one of {', '.join(self.words)}, not {describe_value(value)}")


class TextType(ArgumentType):
    """A text, which a spec holds as it is and not as an expression."""

    schema: ClassVar[JsonSchema] = {"type": "string"}

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, str):
            return str(value)
        raise InvalidArgument(f"must be a text, not {describe_value(value)}")


class FlagType(ArgumentType):
    """true or false."""

    schema: ClassVar[JsonSchema] = {"anyOf": [{"type": "boolean"}, {"type": "string"}]}

    def bind(self, value: Any, axes: int) -> Any:
        if isinstance(value, bool):
            return value
        raise InvalidArgument(f"must be true or false, not {describe_value(value)}")


class FlagsType(FlagType):
    """true or false for all of several parts, or for each in a list; or names of some, for which words may stand."""

    schema: ClassVar[JsonSchema] = {"anyOf": [*FlagType.schema["anyOf"], {"type": "array", "items": FlagType.schema}]}

    def __init__(self, parts: tuple[str, ...], words: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> None:
        self.parts, self.words, self.named = parts, tuple(words), words

    def bind(self, value: Any, axes: int) -> Any:
        given = value if isinstance(value, tuple) else self.named.get(value) if isinstance(value, str) else None
        if given is None:
            return super().bind(value, axes)
        if given and all(isinstance(one, str) and given.count(one) == 1 for one in given) and {*given} <= {*self.parts}:
            given = tuple(part in given for part in self.parts)
        if len(given) != len(self.parts):
            names = f"not {len(self.parts)}, and names no parts once each: {', '.join(self.parts)}"
            raise InvalidArgument(f"= {format_value(given)} has {len(given)} entries, {names}")
        flags = tuple(super(FlagsType, self).bind(one, axes) for one in given)
        return flags[0] if len(set(flags)) == 1 else flags


class AxesType(ArgumentType):
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
                raise InvalidArgument(f"must be an axis number, not {describe_value(value)}")
            return tuple(AxesType().bind(axis, axes) for axis in value)
        axis = SizeType(None).bind(require_plain(value, "an axis"), axes)
        return (axis,) if self.whole else axis


class DimsType(ArgumentType):
    """A list of sizes, or a lone one; with ``wildcard`` one of them may be -1. ``minimum`` is as of a size."""

    takes_list = True
    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, LIST]}

    def __init__(self, *, wildcard: bool = False, minimum: int | None = 1) -> None:
        self.wildcard = wildcard
        self.size = SizeType(minimum)

    def bind(self, value: Any, axes: int) -> Any:
        sizes = value if isinstance(value, tuple) else (value,)
        if not sizes:
            raise InvalidArgument("must have at least one axis")
        free = [self.wildcard and type(size) is int and size == -1 for size in sizes]
        if free.count(True) > 1:
            raise InvalidArgument("may have only one -1")
        return tuple(-1 if is_free else self.size.bind(size, axes) for size, is_free in zip(sizes, free, strict=True))


class RealType(ArgumentType):
    """An exact number above ``above`` (or equal to it with ``inclusive``) and at most ``most``."""

    def __init__(self, above: int = 0, *, inclusive: bool = False, most: int | None = None) -> None:
        self.above = above
        self.inclusive = inclusive
        self.most = most

    def bind(self, value: Any, axes: int) -> Any:
        if not is_plain(value):
            return value
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            raise InvalidArgument(f"must be a number, not {describe_value(value)}")
        if value < self.above or (value == self.above and not self.inclusive):
            raise InvalidArgument(
                f"= {format_value(value)} must be {'at least' if self.inclusive else 'above'} {self.above}"
            )
        if self.most is not None and value > self.most:
            raise InvalidArgument(f"= {format_value(value)} must be at most {self.most}")
        return value


class ScalesType(ArgumentType):
    """An exact number above 0, or a list of one per spatial axis."""

    per_axis = True
    schema: ClassVar[JsonSchema] = {"anyOf": [EXPRESSION, LIST]}

    def bind(self, value: Any, axes: int) -> Any:
        return _for_each_axis(RealType(), value, axes)


def _for_each_axis(slot: ArgumentType, value: Any, axes: int) -> tuple[Any, ...]:
    """Bind the values of a list, or one value for each axis."""
    if not isinstance(value, tuple):
        return SameOnAllAxes((slot.bind(value, axes),) * axes if axes else ())
    _require_axes(value, axes)
    return tuple([slot.bind(one, axes) for one in value])


def _require_axes(values: tuple[Any, ...], axes: int) -> None:
    if len(values) != axes:
        there = "is 1 spatial axis" if axes == 1 else f"are {axes} spatial axes"
        raise InvalidArgument(f"= {format_value(values)} has {len(values)} entries, but there {there}")


def or_words(words: tuple[str, ...]) -> str:
    return f" or {', '.join(words)}" if words else ""
