"""Dataclasses and named tuples of the package against those that the standard library makes of the same text."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pkgutil
import typing
import weakref
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

import convcalc
from convcalc import records

CLASSES = """
class Empty:
    "None."
class Point:
    "Two."
    x: int
    y: int = 2
class Part(Point):
    "More."
    place: ClassVar[int] = 7
    names: list = field(default_factory=list)
    size: int = field(default=None, kw_only=True)
    hidden: str = field(default="h", repr=False, compare=False)
class Made:
    "Of itself."
    x: int
    root: str = field(init=False)
    def __post_init__(self):
        object.__setattr__(self, "root", f"{self.x}!")
    def __repr__(self):
        return "made"
"""
TUPLES = '''
class Pair(NamedTuple):
    """Two."""

    first: int
    second: tuple[int, ...] = ()
    """The second."""

    @property
    def both(self) -> int:
        return self.first + sum(self.second)
'''


def made(text: str, **names: Any) -> dict[str, Any]:
    space: dict[str, Any] = {"ClassVar": ClassVar, "__name__": __name__, **names}
    exec(f"from __future__ import annotations\n{text}", space)  # noqa: S102 - one text for two makers of classes
    return space


def outcome(call: Any, *arguments: Any, **named: Any) -> Any:
    """The value of a call, or the type of its error."""
    try:
        return call(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - it is compared
        return type(error)


def refused(call: Any, *arguments: Any) -> bool:
    """Whether a call fails with an error of attributes; in 3.11 some are a TypeError of ``super``."""
    return outcome(call, *arguments) in {AttributeError, TypeError, dataclasses.FrozenInstanceError}


def observed(classes: dict[str, Any]) -> Iterator[object]:
    """What can be seen of the classes, and of objects of them."""
    for name in ("Empty", "Point", "Part", "Made"):
        class_ = classes[name]
        yield (
            str(inspect.signature(class_)),
            class_.__match_args__,
            class_.__doc__,
            class_.__name__,
            class_.__qualname__,
        )
        yield [(each.name, each.type, each.kw_only, each.init) for each in dataclasses.fields(class_)]
        for arguments, named in (((), {}), ((1,), {}), ((1, 3), {}), ((1,), {"y": 4}), ((1, 3, [5]), {"size": 6})):
            value, other = (outcome(class_, *arguments, **named) for _ in range(2))
            yield repr(value)
            if isinstance(value, class_):
                yield value == other, value != other, value == arguments
                yield outcome(hash, value) == outcome(hash, other)
                yield repr(outcome(dataclasses.replace, value, x=9)), repr(copy.deepcopy(value))
                yield hasattr(value, "__dict__"), dataclasses.asdict(value)
                yield [refused(setattr, value, name, 1) for name in ("x", "other")]
                yield refused(delattr, value, "x")


def difference(observations: Iterator[object], expected: Iterator[object]) -> list[tuple[object, object]]:
    return [(one, other) for one, other in zip(observations, expected, strict=True) if one != other]


@pytest.mark.parametrize("options", [
    {}, {"eq": False}, {"slots": True}, {"slots": True, "eq": False}, {"frozen": True}, {"frozen": True, "slots": True},
], ids=str)  # fmt: skip
def test_a_dataclass_is_as_the_standard_library_makes_it(options: dict[str, Any]) -> None:
    def classes(decorator: Any) -> dict[str, Any]:
        text = CLASSES.replace("class ", "@dataclass\nclass ")
        return made(text, dataclass=decorator(**options), field=dataclasses.field)

    assert difference(observed(classes(records.dataclass)), observed(classes(dataclasses.dataclass))) == []


def test_a_named_tuple_is_as_the_standard_library_makes_it() -> None:
    def seen(base: Any) -> Iterator[object]:
        class_ = made(TUPLES, NamedTuple=base)["Pair"]
        yield (
            {name: each.default for name, each in inspect.signature(class_).parameters.items()},
            class_._fields,
            class_._field_defaults,
            class_.__match_args__,
        )
        yield class_.__doc__, class_.__qualname__, type(class_), class_.__slots__, class_.first.__doc__
        for arguments, named in (((), {}), ((1,), {}), ((1, (2, 3)), {}), ((1,), {"second": (4,)}), ((1, 2, 3), {})):
            value = outcome(class_, *arguments, **named)
            yield repr(value)
            if isinstance(value, class_):
                first, second = value
                yield value == (first, second), hash(value) == hash((first, second)), value.both, value._asdict()
                yield value._replace(first=8), class_._make([1, 2])
                yield outcome(value._replace, third=8) in {TypeError, ValueError}  # the former since Python 3.13
                yield [refused(setattr, value, name, 1) for name in ("first", "other")]

    assert difference(seen(records.NamedTuple), seen(typing.NamedTuple)) == []


def records_of_the_package() -> list[type]:
    """Every dataclass and named tuple of convcalc."""
    found = set[type]()
    for module in pkgutil.walk_packages(convcalc.__path__, "convcalc."):
        if module.name != "convcalc.__main__":
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and value.__module__ == module.name:
                    found |= {value} if dataclasses.is_dataclass(value) or hasattr(value, "_fields") else set()
    return sorted(found, key=lambda each: (each.__module__, each.__qualname__))


def test_every_record_of_the_package_is_made_here() -> None:
    """Those of the standard library work as well, and take a part of the time to start."""
    every = records_of_the_package()
    assert len(every) > 300
    here = vars(records)
    assert [each for each in every if issubclass(each, tuple) and here["_Tuple"] not in each.__mro__] == []
    shared = here["_repr"]
    plain = [each for each in every if dataclasses.is_dataclass(each)]
    assert [each for each in plain if each.__repr__ is not shared and "__repr__" not in inspect.getsource(each)] == []


def test_a_weak_reference_needs_a_slot() -> None:
    text = "@dataclass(slots=True, weakref_slot=True)\nclass Held:\n    x: int"
    held = made(text, dataclass=records.dataclass)["Held"](1)
    assert weakref.ref(held)() is held
