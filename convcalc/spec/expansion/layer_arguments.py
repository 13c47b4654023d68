"""Arguments of the layers of a spec, evaluated and bound to ops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.errors import Undecided
from convcalc.ops.make import ArgumentError, bind_arguments, unused_argument_error
from convcalc.ops.op import Op
from convcalc.records import NamedTuple
from convcalc.shapes import Shape
from convcalc.spec.document.syntax_tree import ArgumentValue, LayerItem
from convcalc.spec.document.value_nodes import Variables, structural_error, with_variables
from convcalc.spec.expansion.frames import Frame


def with_input(env: Variables, entering: Shape) -> Variables:
    """Return an environment that also describes the tensor that enters an item."""
    return with_variables(env, {"cin": entering[0], "din": entering[-1], "shape": tuple(entering)})


class GivenArguments(NamedTuple):
    """The values that a layer is given, and the ops that were made of them."""

    layer: LayerItem
    values: dict[str, Any]
    is_none: bool
    """Whether it is a norm or an activation that is switched off."""
    ops: dict[tuple[int, bool], Op]
    """By the axes of the input, and whether a norm follows."""

    def op(self, entering: Shape, *, has_norm: bool = False) -> Op:
        """Return the op for an input of this rank, without a bias of its own where a norm follows and none is written.

        Raises:
            SpecError: CC410 at a value that does not fit.
        """
        form = len(entering), has_norm
        op = self.ops.get(form)
        if op is None:
            values = {"bias": False, **self.values} if has_norm else self.values
            op = self.ops[form] = _bound(self.layer, values, len(entering) - 1)
        return op


class Evaluated(NamedTuple):
    """A layer whose arguments have been evaluated."""

    values: dict[str, Any]
    changing: Sequence[tuple[str, ArgumentValue]]
    """The arguments with variables, which are evaluated each time."""
    known: dict[tuple[object, ...], GivenArguments]
    """By the values of these. The same values give the same op, so that its facts are worked out once."""


class LayerArguments:
    """Evaluates the arguments of layers."""

    def __init__(self) -> None:
        self._constant: dict[int, GivenArguments] = {}
        """By the identity of the layer in the spec, as the others."""
        self._evaluated: dict[int, Evaluated] = {}

    def given(self, layer: LayerItem, frame: Frame, entering: Shape) -> GivenArguments:
        """Evaluate the arguments of a layer; those from ``defaults`` see only the variables of their file."""
        constant = self._constant.get(id(layer))
        if constant is not None:
            return constant
        known = self._evaluated.get(id(layer))
        if known is None:
            arguments = layer.arguments.items()
            values = {key: _evaluate(given, frame, entering) for key, given in arguments}
            changing = [(key, given) for key, given in arguments if given.value.names]
            known = self._evaluated[id(layer)] = Evaluated(values, changing, {})
            changed = [values[name] for name, _ in changing]
        else:
            changed = [_evaluate(given, frame, entering) for _, given in known.changing]
        key = tuple(map(_key, changed))
        try:
            found = known.known.get(key)
        except TypeError:  # arrays cannot be looked up
            return _given(layer, known, changed)
        if found is None:
            found = known.known[key] = _given(layer, known, changed)
            if not known.changing:
                self._constant[id(layer)] = found
        return found


def _evaluate(given: ArgumentValue, frame: Frame, entering: Shape) -> Any:
    env = frame.env if given.explicit else frame.file_variables
    return given.value.evaluate(with_input(env, entering) if given.value.uses_input else env)


def _key(value: Any) -> Any:
    """Return what a value is looked up by: ``true`` and 1 are equal in Python, but not as arguments."""
    if isinstance(value, bool):
        return bool, value
    return tuple(map(_key, value)) if isinstance(value, tuple) else value


def _given(layer: LayerItem, evaluated: Evaluated, changed: Sequence[object]) -> GivenArguments:
    """Return what a layer is given; what has no effect is left out if from ``defaults``, and an error if written."""
    values = evaluated.values.copy()
    for (name, _), value in zip(evaluated.changing, changed, strict=True):
        values[name] = value
    for name in layer.op.unused_arguments(values):
        if layer.arguments[name].explicit:
            error = unused_argument_error(layer.op, values, name)
            error.span = layer.arguments[name].key
            raise error
        del values[name]
    type_ = values.get("type")
    return GivenArguments(layer, values, isinstance(type_, str) and type_ == "none", {})


def _bound(layer: LayerItem, values: Mapping[str, Any], axes: int) -> Op:
    """Bind the values, and give an error its place: that of the element of a list that is to blame."""
    try:
        return bind_arguments(layer.op, values, axes)
    except ArgumentError as error:
        given = layer.arguments[error.argument]
        written = given.value
        for index in error.indices:
            written = written.items[index] if written.items else written
        error.span = written.span
        error.notes = ((layer.span, "it holds for this layer"),) if layer.span and not given.explicit else ()
        raise
    except Undecided as undecided:
        raise structural_error(undecided, layer.arguments[undecided.argument].value) from None
