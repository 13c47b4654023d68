"""Calls of blocks: a scope with an edge, and the parameters of the block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.errors import Span, SpecError
from convcalc.spec.document.syntax_tree import BlockCall
from convcalc.spec.document.value_nodes import ValueNode, Variables, with_variables
from convcalc.spec.expansion.frames import Frame
from convcalc.spec.expansion.scopes import Binding
from convcalc.spec.limits import CALLS


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
    return Frame(with_variables(own, {}), own, scope, entering[0], calls=((scope, span), *frame.calls))


def set_parameters(
    call: BlockCall, tensor: int, frame: Frame, inner: Frame, evaluate: Callable[[ValueNode, int, Frame], Any]
) -> None:
    """Work out the parameters of a block: from the caller's values, then from its defaults, in order."""
    env = inner.env
    assert isinstance(env, dict)
    given = {name: evaluate(value, tensor, frame) for name, value in call.arguments.items()}
    for name, default in call.block.params.items():
        if name in given:
            env[name] = given[name]
        elif default is not None:
            try:
                env[name] = evaluate(default, tensor, inner)
            except SpecError as error:  # it is written in the block: name the call
                error.call_stack = inner.trail
                raise
