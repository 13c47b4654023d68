"""``NamedTuple`` and ``dataclass`` as in the standard library, without code that is compiled for every class.

``cached_property`` is that of the standard library without the lock that it has in Python 3.11.

The standard library writes the text of several methods for every class, and compiles it: the classes of a report took
longer than the report. Here constructors of as many fields share one compiled code, which gets the names of a class
put in, and the other methods are functions that all classes share. Type checkers see the standard library, of which
this has what the package uses. ``dataclasses.fields``, ``replace`` and subclasses work as with its own classes.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, replace
from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any

__all__ = ["NamedTuple", "cached_property", "dataclass", "field", "replace"]

_set, _new = object.__setattr__, tuple.__new__


if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class cached_property:  # noqa: N801 - as it is called there
        """A value that is worked out when it is first asked for, and is an attribute from then on."""

        def __init__(self, function: Callable[[Any], Any]) -> None:
            self.function, self.__doc__ = function, function.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self.name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:
                return self
            value = instance.__dict__[self.name] = self.function(instance)
            return value


class _Factory:
    """The default of a parameter whose value is made for each object."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __repr__(self) -> str:
        return "<factory>"


# --- constructors -----------------------------------------------------------------------------------------------------


@cache
def _compiled(text: str) -> CodeType:
    """Return the code of the one function in a text."""
    return next(part for part in compile(text, __file__, "exec").co_consts if isinstance(part, CodeType))


def _function(class_: str, text: str, names: list[str], defaults: Mapping[str, Any]) -> FunctionType:
    """Return the function in a text, with the names of fields in the places of ``_0``, ``_1`` …."""
    code, named = _compiled(text), {f"_{place}": name for place, name in enumerate(names)}
    code = code.replace(
        co_qualname=f"{class_}.{code.co_name}",
        co_varnames=tuple([named.get(each, each) for each in code.co_varnames]),
        co_names=tuple([named.get(each, each) for each in code.co_names]),
        co_consts=tuple([named.get(each, each) if type(each) is str else each for each in code.co_consts]),
    )
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    made = FunctionType(code, globals(), argdefs=tuple([defaults[each] for each in defaults if each not in keywords]))
    made.__kwdefaults__ = {name: defaults[name] for name in keywords if name in defaults}
    return made


def _init(class_: type, fields: Mapping[str, Field[Any]], *, frozen: bool) -> FunctionType:
    names = [name for name, field in fields.items() if field.init]
    parameters, keywords, lines = ["self"], list[str](), list[str]()
    for place, name in enumerate(names):
        (keywords if fields[name].kw_only else parameters).append(f"_{place}")
        value = f"_{place}"
        if fields[name].default_factory is not MISSING:
            value = f"_{place}.make() if type(_{place}) is _Factory else _{place}"
        lines.append(f"_set(self, '_{place}', {value})" if frozen else f"self._{place} = {value}")
    if hasattr(class_, "__post_init__"):
        lines.append("self.__post_init__()")
    if keywords:
        parameters += ["*", *keywords]
    defaults = {name: default for name in names for default in [_default(fields[name])] if default is not MISSING}
    text = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"])
    made = _function(class_.__qualname__, text, names, defaults)
    made.__annotations__ = {**{name: fields[name].type for name in names}, "return": None}
    return made


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else _Factory(field.default_factory)


# --- dataclasses ------------------------------------------------------------------------------------------------------


def _dataclass(
    class_: type | None = None, /, *, frozen: bool = False, slots: bool = False, eq: bool = True,
    weakref_slot: bool = False,
) -> Any:  # fmt: skip
    """Make a class with annotated fields a dataclass."""
    if class_ is None:
        return lambda class_: _dataclass(class_, frozen=frozen, slots=slots, eq=eq, weakref_slot=weakref_slot)
    written = vars(class_)
    fields: dict[str, Field[Any]] = dict(getattr(class_, "__dataclass_fields__", {}))
    annotations = written.get("__annotations__", {})
    own = [name for name in annotations if not annotations[name].startswith("ClassVar")]
    new = [name for name in own if name not in fields]
    for name in own:
        value = written.get(name, MISSING)
        fields[name] = _named(value if type(value) is Field else field(default=value), name, annotations[name])
    methods = _methods(class_, fields, frozen=frozen, eq=eq)
    added = {name: value for name, value in methods.items() if name not in written}
    if slots:  # which only a new class can get
        kept = {name: value for name, value in written.items() if name not in {*own, "__dict__", "__weakref__"}}
        kept |= {**added, "__slots__": (*new, "__weakref__") if weakref_slot else tuple(new)}
        return type(class_)(class_.__name__, class_.__bases__, kept | {"__qualname__": class_.__qualname__})
    for name in own:
        if fields[name].default is not MISSING:
            setattr(class_, name, fields[name].default)
        elif name in written:
            delattr(class_, name)
    for name, value in added.items():
        setattr(class_, name, value)
    return class_


def _named(made: Any, name: str, type_: str) -> Field[Any]:
    """Complete a field, as the decorator of the standard library does."""
    made.name, made.type, made._field_type = name, type_, _FIELD  # noqa: SLF001
    made.kw_only = made.kw_only is True
    return made  # type: ignore[no-any-return]


def _methods(class_: type, fields: dict[str, Field[Any]], *, frozen: bool, eq: bool) -> dict[str, Any]:
    """Return what a dataclass has beside what is written in it."""
    methods: dict[str, Any] = {
        "__dataclass_fields__": fields,
        "__dataclass_params__": SimpleNamespace(frozen=frozen, eq=eq),
        "__match_args__": tuple([name for name, field in fields.items() if field.init and not field.kw_only]),
        "__init__": _init(class_, fields, frozen=frozen),
        "__repr__": _repr,
    }
    if eq:
        compared = [name for name, field in fields.items() if field.compare]
        methods |= {"__record_values__": attrgetter("__class__", *compared), "__eq__": _equal}
        methods["__hash__"] = _hash if frozen else None
    if frozen:
        methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
        methods |= {"__getstate__": _state, "__setstate__": _set_state}
    return methods


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, field in self.__dataclass_fields__.items() if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _equal(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self.__record_values__(self) == self.__record_values__(other)


def _hash(self: Any) -> int:
    return hash(self.__record_values__(self))


def _refuse_to_set(self: Any, name: str, value: object) -> None:  # noqa: ARG001 - a method
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:  # noqa: ARG001 - a method
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__dataclass_fields__]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__dataclass_fields__, state, strict=True):
        _set(self, name, value)


# --- named tuples -----------------------------------------------------------------------------------------------------


class _Tuple(tuple[Any, ...]):
    """What named tuples have in common."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    _make: Any = classmethod(_new)

    def _replace(self, /, **changes: Any) -> Any:
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({', '.join(shown)})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


class _TupleType(type):
    """Makes a class with annotated fields a named tuple."""

    def __new__(cls, name: str, bases: tuple[type, ...], written: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(cls, name, bases, written)
        names = list(written.get("__annotations__", {}))
        defaults = {each: written[each] for each in names if each in written}
        places = ", ".join([f"_{place}" for place in range(len(names))])
        text = f"def __new__(_cls, {places}):\n return _new(_cls, ({places},))"
        for place, each in enumerate(names):
            written[each] = _item(place, f"Alias for field number {place}")
        written |= {
            "__slots__": (), "_fields": tuple(names), "_field_defaults": defaults, "__match_args__": tuple(names),
            "__new__": _function(written["__qualname__"], text, names, defaults),
        }  # fmt: skip
        return type(name, (_Tuple,), written)


if TYPE_CHECKING:
    from dataclasses import dataclass
    from typing import NamedTuple

    _FIELD: Any
    _item: Callable[[int, str], Any]
else:
    from collections import _tuplegetter as _item
    from dataclasses import _FIELD

    dataclass, NamedTuple = _dataclass, _TupleType("NamedTuple", (), {})
