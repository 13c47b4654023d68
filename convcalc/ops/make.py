"""Ops from arguments, as a spec gives them: defaults, conversions and errors, without the places that a spec adds.

>>> make("linear", out=10)
Linear(out_features=10, bias=True, axis=None)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import isfinite
from typing import Any, TypeVar

from convcalc.errors import SpecError, Undecided, did_you_mean, quoted
from convcalc.ops.arguments import Argument, ArgumentType, InvalidArgument, SizeType
from convcalc.ops.op import Op, arguments_of
from convcalc.ops.registry import activation_names, find_op, kinds
from convcalc.records import dataclass
from convcalc.shapes import MAX_AXES

OpType = TypeVar("OpType", bound=Op)


@dataclass(slots=True, eq=False)
class ArgumentError(SpecError):
    """An invalid value of an argument; ``indices`` lead to the invalid element of a list."""

    argument: str = ""
    indices: tuple[int, ...] = ()


def make(kind: str, *, axes: Any = None, **arguments: Any) -> Op:
    """Build an op as a spec would.

    Args:
        kind: the word of a layer in a spec, such as ``conv``; the name of an activation alone is one.
        axes: how many spatial axes its input has, 2 by default: an integer for ``kernel`` and the like holds for each.
            Of an op that has an argument of this name, such as ``permute``, it is that argument.
        arguments: by the words of a spec. Numbers may be integers, fractions, or floats, which mean the decimals that
            they print as; ``None`` is an argument that is left out.

    Raises:
        SpecError: CC202 to CC204 and CC410, as of a spec, but without a place.

    >>> make("conv", axes=1, out=8, kernel=3, padding="half").padding
    'half'
    >>> make("relu").type
    'relu'
    >>> make("conv", out=8, kernel=3, stide=2)
    Traceback (most recent call last):
    convcalc.ops.make.ArgumentError: error CC203: conv has no attribute 'stide'; did you mean 'stride'?
    """
    if isinstance(kind, str) and kind in activation_names():
        arguments, kind = {"type": kind, **arguments}, "act"
    return build(get(kind), arguments, axes)


def get(kind: str) -> type[Op]:
    """Return the op of a kind.

    Raises:
        SpecError: CC204, where there is none.

    >>> get("conv").__name__
    'Conv'
    """
    op = find_op(kind) if isinstance(kind, str) else None
    if op is None:
        known = (*kinds(), *activation_names())
        text = f"no layer type {quoted(str(kind))}{did_you_mean(str(kind), known)}"
        raise SpecError("CC204", text, hint="convcalc.ops.names() returns all kinds")
    return op


def build(op: type[OpType], arguments: Mapping[str, Any], axes: Any = None) -> OpType:
    """Build an op of a class; see :func:`make`."""
    if axes is not None and "axes" in arguments_of(op):
        arguments, axes = {**arguments, "axes": axes}, None
    values = {key: _normalized(value) for key, value in arguments.items() if value is not None}
    for key in values:
        if key not in arguments_of(op):
            raise _misplaced_argument_error(op, key) or unknown_argument_error(op, key, arguments_of(op))
    if error := missing_arguments_error(op, values):
        raise error
    for key in sorted(op.unused_arguments(values)):
        raise unused_argument_error(op, values, key)
    try:
        return bind_arguments(op, values, SizeType(0).bind(2 if axes is None else _normalized(axes), 0))
    except InvalidArgument as error:
        raise ArgumentError("CC410", f"axes {error}", argument="axes") from None
    except Undecided as undecided:
        raise SpecError("CC411", f"{op.kind}: {undecided.argument}: {undecided}") from None


def _misplaced_argument_error(op: type[Op], key: str) -> ArgumentError | None:
    """Return the error for a key that a spec has among the arguments of a layer, and a graph elsewhere."""
    where = "is an input of the layer: give its handle to add()" if key in op.layer_arguments else ""
    if op.accepts_norm_act and find_op(key) and key in {"norm", "act"}:
        where = "is a layer of its own: add it behind this one"
    return ArgumentError("CC203", f"{op.kind}: '{key}' {where}", argument=key) if where else None


def _normalized(value: Any) -> Any:
    """Return a value as expressions give it: an exact number, a word, or a tuple; arrays and symbols as they are."""
    if isinstance(value, list | tuple | range):
        return tuple(map(_normalized, value))
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):  # a number of NumPy or PyTorch
        return _normalized(value.item())
    if isinstance(value, float) and isfinite(value):
        value = Fraction(str(value))
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


# --- what a spec needs of it ------------------------------------------------------------------------------------------


def bind_arguments(op: type[OpType], values: Mapping[str, Any], axes: int) -> OpType:
    """Bind values to the arguments of an op, for an input with so many spatial axes; the others have their defaults.

    Raises:
        ArgumentError: CC410 for a value that its argument does not take, CC508 for a list that is too long.
        Undecided: for an array or a symbol where a plain value is needed; ``argument`` names where.
    """
    axes = op.spatial_axes(values, axes)
    bound = _bound_defaults(op, axes).copy()
    for name, argument in _fields_of(op):  # in their order, which is that of errors
        if argument.key in values:
            bound[name] = _bind(argument, values[argument.key], axes)
    return op(**bound)


def _fields_of(op: type[Op]) -> list[tuple[str, Argument]]:
    """Return the fields of an op, each with the argument that it is."""
    known = _FIELDS.get(op)
    if known is None:
        fields = op.__dataclass_fields__.items()
        known = _FIELDS[op] = [(name, field.metadata["argument"]) for name, field in fields]
    return known


def _bound_defaults(op: type[Op], axes: int) -> dict[str, Any]:
    """Return the values of the fields of an op where no argument is given."""
    known = _DEFAULTS.get((op, axes))
    if known is None:
        given = [(name, argument.type, argument.default) for name, argument in _fields_of(op)]
        known = {name: None if default is None else slot.bind(default, axes) for name, slot, default in given}
        _DEFAULTS[op, axes] = known
    return known


_FIELDS: dict[type[Op], list[tuple[str, Argument]]] = {}
_DEFAULTS: dict[tuple[type[Op], int], dict[str, Any]] = {}


def _bind(argument: Argument, value: Any, axes: int) -> Any:
    key, slot = argument.key, argument.type
    if type(value) is tuple and len(value) > MAX_AXES:
        text = f"{key} has {len(value)} entries; the limit is {MAX_AXES} axes"
        raise ArgumentError("CC508", text, argument=key)
    try:
        return slot.bind(value, axes)
    except InvalidArgument as error:
        place = tuple(_failing_element(slot, value, str(error)))
        raise ArgumentError("CC410", f"{key} {error}", argument=key, indices=place) from None
    except Undecided as undecided:
        undecided.argument = key
        raise


def _failing_element(slot: ArgumentType, value: Any, text: str) -> Iterable[int]:
    """Give the indices of the element of a list that alone raises the same error."""
    for index, element in enumerate(value if type(value) is tuple else ()):
        try:
            slot.bind((element,), 1)
        except InvalidArgument as error:
            if str(error) == text:
                return (index, *_failing_element(slot, element, text))
        except Undecided:
            continue
    return ()


def unknown_argument_error(op: type[Op], word: str, words: Iterable[str]) -> ArgumentError:
    """Return the error for an unknown argument; ``words`` are the known ones."""
    every = tuple(words)
    text = f"{op.kind} has no attribute {quoted(word)}{did_you_mean(word, every)}"
    return ArgumentError("CC203", text, hint=f"it has {', '.join(every) or 'none'}", argument=word)


def missing_arguments_error(op: type[Op], given: Mapping[str, object]) -> SpecError | None:
    """Return the error for required arguments that are missing, if there are any."""
    absent = [argument for argument in arguments_of(op).values() if argument.required and argument.key not in given]
    if not absent:
        return None
    names = " and ".join(f"'{argument.key}'" for argument in absent)
    order = ", ".join(argument.key for argument in arguments_of(op).values() if argument.positional)
    return SpecError(
        "CC202", f"{op.kind} needs {names}", hint=f"its arguments in a list are [{order}]" if order else ""
    )


def unused_argument_error(op: type[Op], values: Mapping[str, Any], key: str) -> ArgumentError:
    """Return the error for an argument without effect."""
    what = f"{values.get('type', '')} {op.kind}".strip()
    return ArgumentError("CC203", f"{what} does not use '{key}'", argument=key)
