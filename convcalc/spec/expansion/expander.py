"""Expansion: items become layers, with shapes known at every step, because expressions may ask for them.

The order for one item is ``repeat`` → ``from`` → ``when``/``else`` → arguments → body → ``tie``. Counted loops, blocks
that cannot recurse and the limits make every expansion end; time and memory are linear in items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from convcalc.arith import is_plain
from convcalc.errors import Span, SpecError
from convcalc.records import replace
from convcalc.spec.document.blocks import min_items_per_turn
from convcalc.spec.document.names import Template, numbered_name
from convcalc.spec.document.syntax_tree import BlockCall, Item, JoinItem, LayerItem, Repeat, SequenceItem
from convcalc.spec.document.value_nodes import ValueNode
from convcalc.spec.expansion.blocks import ParameterEvaluator, frame_of_block
from convcalc.spec.expansion.frames import (
    OMITTED,
    Branch,
    Frame,
    InputFailedError,
    Loop,
    iterations,
    number_of,
    segment_of,
    truth,
)
from convcalc.spec.expansion.layer_arguments import with_input
from convcalc.spec.expansion.layers import LayerEmitter
from convcalc.spec.expansion.references import References
from convcalc.spec.expansion.repeated_blocks import Expansions, expand_block
from convcalc.spec.expansion.scopes import FAILED, PARTS, Binding, require_one
from convcalc.spec.expansion.symbolic_turns import TurnParts, expand_turns, first_turn
from convcalc.spec.limits import ITEMS, TooLargeError

Variables = Mapping[str, Any]


class Expander:
    """Expands the items of documents into the layers of a graph, and gathers errors."""

    def __init__(
        self, variables: Mapping[int, Variables], parts: TurnParts | None = None, known: Expansions | None = None
    ) -> None:
        self._parts = parts or TurnParts()
        self.expansions = known or Expansions()
        self.layers = LayerEmitter()
        self.builder = self.layers.builder
        self.errors: list[SpecError] = []
        self._variables = variables
        """The variables of each document, by its identity."""
        self.items = 0
        self._references = References()
        self._parameters = ParameterEvaluator()
        self._reported: set[tuple[object, ...]] = set()
        """Code and place of the errors so far: every turn of a repeat may make the same."""

    def expand_items(self, items: list[Item], tensor: int, frame: Frame) -> int:
        """Expand items in order and return the output of the last."""
        for item in items:
            result = self.expand_item(item, tensor, frame)
            tensor = tensor if result == OMITTED else result
        return tensor

    def _expand_sequence(self, body: SequenceItem, tensor: int, frame: Frame) -> int:
        if not body.apart:
            return self.expand_items(body.items, tensor, frame)
        made = [self.expand_item(item, tensor, frame) for item in body.items]
        return FAILED if FAILED in made else PARTS

    def expand_item(self, item: Item, tensor: int, frame: Frame) -> int:
        """Expand an item, once or as often as it is repeated in series."""
        if item.repeat is None:
            self._count(item.span)
            return self._expand_or_record(item, tensor, frame, item.default_name)
        result = OMITTED
        for turn, segment in self._iterations(item, item.repeat, tensor, frame):
            given = self._expand_turn(item, tensor, turn, segment) if turn else FAILED
            if given != OMITTED:
                result = given
                tensor = tensor if given == FAILED and turn and turn.turns else given  # later ones may split the turns
        return result

    def _expand_turn(self, item: Item, tensor: int, frame: Frame, segment: str) -> int:
        """Expand a turn of a series, or all turns that are as one."""
        if frame.turns is None:
            return self._expand_or_record(item, tensor, frame, segment)
        expand = partial(self._expand_or_record, item, tensor, frame, segment)
        try:
            given = expand_turns(frame.turns, self.builder, tensor, expand)
            if not frame.turns.is_one:
                name = segment_of(item, frame, segment)
                frame.scope.names.pop(name, None)  # nobody can read one of them by its number
            return given
        except SpecError as error:
            self._record_failure(item, frame, segment, error)
            return FAILED

    def _expand_branches(self, branches: Sequence[Item], tensor: int, frame: Frame) -> list[int]:
        """Expand the branches of a join and return the outputs of those that are there."""
        ends: list[int] = []
        for item in branches:
            if item.each and item.repeat is not None:
                ends += self._expand_each(item, item.repeat, tensor, frame)
            else:
                ends.append(require_one(self.expand_item(item, tensor, frame), item.span))
        return [end for end in ends if end != OMITTED]

    def _expand_each(self, item: Item, repeat: Repeat, tensor: int, frame: Frame) -> list[int]:
        """Expand the branches, side by side, that an item with ``each`` is: no generator, which nests in C."""
        ends, made = list[int](), list[Branch]()
        for turn, segment in self._iterations(item, repeat, tensor, frame):
            start = len(self.builder.nodes)
            given = self._expand_or_record(item, tensor, turn, segment) if turn else FAILED
            made.append((turn or frame, self.builder.nodes[start:], given))
            ends.append(require_one(given, item.span))
        if item.of is not None and all(output != FAILED for *_, output in made):
            ends += self._add_idle(item, tensor, frame, made)
        return ends

    def _add_idle(self, item: Item, tensor: int, frame: Frame, branches: Sequence[Branch]) -> Iterator[int]:
        """Add the row of the experts that do not run; give a failed branch where that cannot be."""
        from convcalc.spec.expansion.idle import idle_experts  # few specs have any

        try:
            op = idle_experts(item, branches, lambda value: self._evaluate(value, frame, tensor))
            if op is not None:
                last, _, output = branches[-1]
                self.layers.add_idle(op, frame.scope, item, self._inputs_of(item, tensor, last)[0], output)
        except (SpecError, InputFailedError) as error:
            self._record_failure(item, frame, item.default_name, error)
            yield FAILED

    def _iterations(self, item: Item, repeat: Repeat, tensor: int, frame: Frame) -> Iterator[tuple[Frame | None, str]]:
        """Give the frame and the default segment of every turn; no frame where the repeat itself has failed."""
        self._count(item.span)
        try:
            evaluate = partial(self._evaluate, tensor=tensor, frame=frame)
            columns, count = iterations(repeat, evaluate, may_be_symbol=not item.each)
        except (SpecError, InputFailedError) as error:
            self._record_failure(item, frame, item.default_name, error)
            yield None, ""
            return
        if not is_plain(count):
            parts = self._parts.frames((id(item), frame.scope.path), count, frame)
            yield from ((part, number_of(part, item.default_name)) for part in parts)
            return
        if count:
            self._require_room(count * (1 + min_items_per_turn(item)), item.span)
        else:
            frame.scope.delete(next(item.name_prefixes(), item.default_name))
        loop, last = Loop(), count - 1
        for i in range(count):
            self._count(item.span)
            turn = {"i": i, "first": i == 0, "last": i == last}
            turn |= {name: column[i] for name, column in columns.items()}
            yield frame.for_iteration(turn, loop), numbered_name(item.default_name, i + 1)

    def _expand_or_record(self, item: Item, tensor: int, frame: Frame, segment: str) -> int:
        """Expand one turn of an item; where it fails, the error is recorded and its name stands for a failed layer."""
        try:
            segment = segment_of(item, frame, segment)
            return self._expand_once(item, tensor, frame, segment)
        except (SpecError, InputFailedError) as error:
            self._record_failure(item, frame, segment, error)
            return FAILED

    def _record_failure(self, item: Item, frame: Frame, segment: str, error: SpecError | InputFailedError) -> None:
        """Record an error, and let later references to the names that the item would have given pass in silence."""
        if isinstance(error, SpecError):
            error.span = error.span or item.span
            error.call_stack = error.call_stack or frame.trail
            if isinstance(error, TooLargeError):
                raise error
            if (error.code, *error.sort_key) not in self._reported:
                self._reported.add((error.code, *error.sort_key))
                self.errors.append(error)
        if segment:
            frame.scope.names.setdefault(segment, Binding(FAILED, item.span))
        frame.scope.mark_failed(item.name_prefixes())

    def _expand_once(self, item: Item, tensor: int, frame: Frame, segment: str) -> int:
        """``from`` → ``when``/``else`` → body → ``tie``, ``checkpoint``."""
        when = item.when
        entering = self._inputs_of(item, tensor, frame) if when is None or when.uses_input else (tensor,)
        if when is not None:
            if not self._condition_holds(when, entering[0], frame):
                return self._expand_else(item, tensor, frame, segment)
            if not when.uses_input:
                entering = self._inputs_of(item, tensor, frame)
        start = len(self.builder.nodes)
        result = self._expand_body(item, entering[0], entering[1:], frame, segment)
        if item.tie:
            self._tie(item, (start, len(self.builder.nodes)), frame)
        if item.checkpoint and self._condition_holds(item.checkpoint, entering[0], frame, "checkpoint"):
            self.builder.checkpoint(start)
        return result

    def _inputs_of(self, item: Item, tensor: int, frame: Frame) -> tuple[int, ...]:
        """Return the tensors that enter an item: the current one, or what ``from`` names."""
        found = tuple([self._references.look_up(each, tensor, frame) for each in item.inputs or ()]) or (tensor,)
        if FAILED in found:
            raise InputFailedError
        return found

    def _expand_else(self, item: Item, tensor: int, frame: Frame, segment: str) -> int:
        """Expand what stands in an item's place; its ``repeat``, ``from`` and ``name`` hold for that too."""
        other = item.otherwise
        if other is None:
            frame.scope.delete(segment)
            return OMITTED
        if other.inputs is None and item.inputs is not None:
            other = replace(other, inputs=item.inputs)
        if other.repeat is not None or other.name is not None:
            return self.expand_item(other, tensor, frame)
        self._count(other.span)
        if not item.opens_scope:
            return self._expand_or_record(other, tensor, frame, other.default_name)
        return self._expand_once(replace(other, name=item.name, repeat=item.repeat), tensor, frame, segment)

    def _condition_holds(self, when: ValueNode, tensor: int, frame: Frame, word: str = "when") -> bool:
        return truth(self._evaluate(when, frame, tensor), when, word)

    def _evaluate(self, value: ValueNode, frame: Frame, tensor: int) -> Any:
        if not value.uses_input:
            return value.evaluate(frame.env)
        if tensor == FAILED:
            raise InputFailedError
        require_one(tensor, value.span)
        return value.evaluate(with_input(frame.env, self.builder.shape(tensor)))

    def _expand_body(self, item: Item, tensor: int, extra: tuple[int, ...], frame: Frame, segment: str) -> int:
        body = item.body
        if isinstance(body, LayerItem):
            require_one(tensor, item.span)
            return self.layers.add(body, item, tensor, frame, segment, self._references.look_up)
        if isinstance(body, SequenceItem) and not item.opens_scope:
            return self._expand_sequence(body, tensor, frame)
        start = len(self.builder.nodes)
        inner = frame
        if isinstance(body, BlockCall):
            require_one(tensor, item.span)
            inner = self._enter_block(body, item.span, (tensor, *extra), frame, segment)
        elif item.opens_scope:
            inner = frame.nested(segment)
        below = inner.scope if inner is not frame else None
        entry = Binding(None, item.name.span if item.name else item.span, (start, start), below)
        frame.scope.add(segment, entry)
        if isinstance(body, JoinItem):
            ends = self._expand_branches(body.branches, tensor, inner)
            entry.output = FAILED  # unless the join succeeds
            try:
                entry.output = self.layers.join(body.layer, ends, inner, frame.scope.path_of(segment), item.span)
            except SpecError as error:
                from convcalc.spec.expansion.entering import blame_entering  # only what is wrong needs it

                blame_entering(error, body, [self.builder.shape(end) for end in ends if end != FAILED])
                raise
        elif isinstance(body, BlockCall):
            entry.output = expand_block(self, body.block, (tensor, *extra), inner)
        else:
            entry.output = self._expand_sequence(body, tensor, inner)
        entry.nodes = (start, len(self.builder.nodes))
        return entry.output

    def _enter_block(self, call: BlockCall, span: Span, entering: tuple[int, ...], frame: Frame, segment: str) -> Frame:
        """Open a block: its items are counted before its parameters are worked out."""
        inner = frame_of_block(call, span, entering, (frame, segment), self._variables[id(call.block.document)])
        self._require_room(call.block.min_items, span)
        evaluate = partial(self._evaluate, tensor=entering[0])
        self._parameters.put(call, frame, inner, self.builder.shape(entering[0]), evaluate)
        return inner

    def _tie(self, item: Item, made: tuple[int, int], frame: Frame) -> None:
        """Let an item use the weights of the layer that is named, or of its first turn."""
        if isinstance(item.tie, Template):
            entry = self._references.entry(item.tie, frame)
            if entry.output == FAILED:
                raise InputFailedError
            owners = entry.nodes
        else:
            owners = first_turn(item, made, frame)
        if owners != made:
            self.layers.tie(made, owners, item.span)

    def _count(self, span: Span) -> None:
        """Count an item."""
        self.items += 1
        if self.items > ITEMS:
            self._require_room(0, span)

    def _require_room(self, more: int, span: Span) -> None:
        """Refuse at once what a repeat or a block would make too many items."""
        if self.items + more > ITEMS:
            raise TooLargeError("CC504", f"the spec expands to more items than the limit of {ITEMS}", span)
