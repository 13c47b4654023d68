"""From a layer of the spec and the tensor that enters it to an op: arguments evaluated, bound and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.errors import Span, SpecError, Undecided
from convcalc.ops import Op
from convcalc.ops._arguments import Argument, BadValue, Slot
from convcalc.shapes import Shape
from convcalc.spec.frames import extended
from convcalc.spec.items import Given, Layer
from convcalc.spec.limits import AXES
from convcalc.spec.value import Value, structural

NONE = "none"
Variables = Mapping[str, Any]


def with_entering(env: Variables, entering: Shape) -> Variables:
    """Return an environment that also describes the tensor that enters an item."""
    return extended(env, {"cin": entering[0], "din": entering[-1], "shape": tuple(entering)})


class Builder:
    """Builds ops. The same layer with the same values gives the same op, so that its facts are worked out once."""

    def __init__(self) -> None:
        self._ops: dict[tuple[object, ...], Op] = {}
        self._constants: dict[int, dict[str, Any]] = {}

    def values(self, layer: Layer, env: Variables, own: Variables, entering: Shape) -> dict[str, Any]:
        """Evaluate what is given; defaults see the variables of their file alone (``own``)."""
        known = self._constants.get(id(layer))
        if known is not None:
            return known
        values = {
            key: _evaluated(given, env if given.written else own, entering) for key, given in layer.arguments.items()
        }
        for key in layer.op.ignored(values):
            if layer.arguments[key].written:
                what = f"{values.get('type', '')} {layer.op.kind}".strip()
                raise SpecError("CC203", f"{what} does not use '{key}'", layer.arguments[key].key)
            del values[key]
        if all(given.value.constant for given in layer.arguments.values()):
            self._constants[id(layer)] = values
        return values

    def op(self, layer: Layer, values: Mapping[str, Any], entering: Shape) -> Op:
        """Bind the values to the arguments of the op, for an input of this rank.

        Raises:
            SpecError: CC410 at the value that its argument does not take.
        """
        axes = entering.rank - 1
        try:
            key = (id(layer), axes, *values.items())
            known = self._ops.get(key)
        except TypeError:  # arrays cannot be looked up
            return self._bound(layer, values, axes)
        if known is None:
            known = self._ops[key] = self._bound(layer, values, axes)
        return known

    def _bound(self, layer: Layer, values: Mapping[str, Any], axes: int) -> Op:
        fields = layer.op.__dataclass_fields__
        bound = {name: _bind(layer, declared.metadata["argument"], values, axes) for name, declared in fields.items()}
        return layer.op(**bound)


def is_none(values: Mapping[str, Any]) -> bool:
    """Whether a norm or an activation is switched off."""
    return isinstance(values.get("type"), str) and values["type"] == NONE


def _evaluated(given: Given, env: Variables, entering: Shape) -> Any:
    return given.value.evaluate(with_entering(env, entering) if given.value.entering else env)


def _culprit(slot: Slot, written: Value, value: Any, text: str) -> Span:
    """Return the place of the element of a list that is to blame: the one that is refused alike on its own."""
    for item, element in zip(written.items, value, strict=True) if written.items else ():
        try:
            slot.bind((element,), 1)
        except BadValue as error:
            if str(error) == text:
                return _culprit(slot, item, element, text) if item.items else item.span
        except Undecided:
            continue
    return written.span


def _bind(layer: Layer, argument: Argument, values: Mapping[str, Any], axes: int) -> Any:
    if argument.key not in values:
        return None if argument.default is None else argument.slot.bind(argument.default, axes)
    value = values[argument.key]
    if type(value) is tuple and len(value) > AXES:
        text = f"{argument.key} has {len(value)} entries; the limit is {AXES} axes"
        raise SpecError("CC508", text, layer.arguments[argument.key].value.span)
    try:
        return argument.slot.bind(value, axes)
    except BadValue as error:
        text, given = f"{argument.key} {error}", layer.arguments[argument.key]
        span = _culprit(argument.slot, given.value, value, str(error))
        notes = ((layer.span, "it holds for this layer"),) if layer.span and not given.written else ()
        raise SpecError("CC410", text, span, notes=notes) from None
    except Undecided as undecided:
        raise structural(undecided, layer.arguments[argument.key].value) from None
