"""Calls of blocks: a scope with an edge, and the parameters of the block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from operator import is_
from typing import Any

from convcalc.errors import Span, SpecError
from convcalc.records import NamedTuple
from convcalc.shapes import Shape
from convcalc.spec.document.syntax_tree import BlockCall
from convcalc.spec.document.value_nodes import ValueNode, Variables, with_variables
from convcalc.spec.expansion.frames import Frame
from convcalc.spec.expansion.scopes import Binding
from convcalc.spec.limits import CALLS

Evaluate = Callable[[ValueNode, Frame], Any]
"""Works a value out with the variables of a frame, for what enters the block."""
SCALARS = frozenset((int, bool, str, Fraction, type(None)))
"""Types of values that neither are arrays or symbols nor hold any."""


def frame_of_block(
    call: BlockCall, span: Span, entering: Sequence[int], caller: tuple[Frame, str], own: Variables
) -> Frame:
    """Return the frame of a block without its parameters, from the frame and the name of its call.

    Raises:
        SpecError: CC506, where blocks are nested too deep.
    """
    frame, segment = caller
    if len(frame.calls) >= CALLS:
        raise SpecError("CC506", f"block calls are nested deeper than the limit of {CALLS}", span)
    scope = frame.scope.child(segment, is_block=True)
    for name, index in zip(call.block.inputs, entering[1:], strict=False):
        scope.add(name, Binding(index, span))
    return Frame(own, own, scope, entering[0], calls=((scope, span), *frame.calls))


class LastCall(NamedTuple):
    """What a call read, and the variables that its block saw."""

    names: tuple[str, ...]
    values: tuple[Any, ...]
    entering: Shape | None
    """Nothing, where the values are not those of scalars, and are worked out each time."""
    variables: Variables


class ParameterEvaluator:
    """Works out the parameters of blocks, once where a call reads what it read the last time: many turns do."""

    def __init__(self) -> None:
        self._last: dict[int, LastCall] = {}

    def put(self, call: BlockCall, frame: Frame, inner: Frame, entering: Shape, evaluate: Evaluate) -> None:
        """Put the parameters of a block into its frame, over the variables of its file."""
        last = self._last.get(id(call))
        if last and last.entering is entering and all(map(is_, last.values, map(frame.env.get, last.names))):
            inner.env = last.variables  # which nobody changes
            return
        inner.env = _worked_out(call, frame, inner, evaluate)
        names = last.names if last else tuple({name for value in call.arguments.values() for name in value.names})
        values = tuple(map(frame.env.get, names))
        are_scalars = SCALARS.issuperset(map(type, values))
        self._last[id(call)] = LastCall(names, values, entering if are_scalars else None, inner.env)


def _worked_out(call: BlockCall, frame: Frame, inner: Frame, evaluate: Evaluate) -> Variables:
    """Return the variables of a block: parameters from the caller's values, then from its defaults, in order."""
    inner.env = env = with_variables(inner.file_variables, {})
    given = {name: evaluate(value, frame) for name, value in call.arguments.items()}
    for name, default in call.block.params.items():
        if name in given:
            env[name] = given[name]
        elif default is not None:
            try:
                env[name] = evaluate(default, inner)
            except SpecError as error:  # it is written in the block: name the call
                error.call_stack = inner.trail
                raise
    return env
