"""Expansion: items become layers, with shapes known at every step, because expressions may ask for them.

The order for one item is ``repeat`` → ``from`` → ``when``/``else`` → arguments → body → ``tie``. Counted loops, blocks
that cannot recurse and the limits make every expansion end; time and memory are linear in items.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from convcalc.arith import is_plain, names_of
from convcalc.errors import Span, SpecError, Undecided, quoted
from convcalc.infer import FAILED, Walk
from convcalc.ops import Op
from convcalc.ops._arguments import named, shown
from convcalc.shapes import Shape
from convcalc.spec.build import Builder, is_none, with_entering
from convcalc.spec.items import Call, Item, Join, Layer, Repeat, Series
from convcalc.spec.limits import CALLS, ITEMS, LAYERS, REPEAT
from convcalc.spec.names import Reference, checked_name
from convcalc.spec.scopes import Entry, Scope
from convcalc.spec.value import Value, structural

DELETED = -2
"""What an item gives that is as if it had not been written."""
_FRAMES = 50_000
"""Room for 64 block calls, each with a body nested as deep as YAML may be: these are calls in Python alone."""


@dataclass(slots=True)
class Loop:
    """One run of a repeat: the nodes that each tied item made in the first turn."""

    first: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Frame:
    """Where an item stands: variables, scope, input of the block or file, enclosing repeat, block calls around it."""

    env: Mapping[str, Any]
    own: Mapping[str, Any]
    scope: Scope
    entry: int
    loop: Loop | None = None
    calls: tuple[tuple[str, Span], ...] = ()


class TooLarge(SpecError):
    """A limit was passed: the expansion stops here."""


class Expander:
    """Expands the items of a document into a ``Walk``."""

    def __init__(self, variables: Mapping[int, Mapping[str, Any]]) -> None:
        self.walk = Walk()
        self.builder = Builder()
        self.variables = variables
        """The variables of each document, by its identity."""
        self.items = 0
        self.layers = 0

    def series(self, items: list[Item], tensor: int, frame: Frame) -> int:
        """Expand items in order and return the output of the last."""
        for item in items:
            result = self.item(item, tensor, frame)
            tensor = tensor if result == DELETED else result
        return tensor

    def item(self, item: Item, tensor: int, frame: Frame) -> int:
        """Expand an item, once or as often as it is repeated in series."""
        self._count(item.span)
        if item.repeat is None:
            return self._guarded(item, tensor, frame, item.segment)
        result = DELETED
        for turn, segment in self._turns(item, item.repeat, tensor, frame):
            given = self._guarded(item, tensor, turn, segment)
            if given != DELETED:
                result = tensor = given
        return result

    def branch(self, item: Item, tensor: int, frame: Frame) -> Iterator[int]:
        """Expand a branch of a join; ``each`` gives several, side by side."""
        if not item.each or item.repeat is None:
            yield self.item(item, tensor, frame)
            return
        for turn, segment in self._turns(item, item.repeat, tensor, frame):
            yield self._guarded(item, tensor, turn, segment)

    def _turns(self, item: Item, repeat: Repeat, tensor: int, frame: Frame) -> Iterator[tuple[Frame, str]]:
        """Give the frame and the default segment of every turn of a repeat."""
        try:
            columns, count = self._columns(repeat, tensor, frame)
        except SpecError as error:
            self._record(error, item, frame)
            yield replace(frame, entry=FAILED), item.segment  # its name stands for a layer that failed
            return
        loop, last = Loop(), count - 1
        for i in range(count):
            self._count(item.span)
            turn = {"i": i, "first": i == 0, "last": i == last} | {name: column[i] for name, column in columns.items()}
            yield replace(frame, env={**frame.env, **turn}, loop=loop), _numbered(item.segment, i + 1)

    def _columns(self, repeat: Repeat, tensor: int, frame: Frame) -> tuple[dict[str, tuple[Any, ...]], int]:
        if repeat.count is not None:
            count = self._evaluate(repeat.count, tensor, frame)
            if not is_plain(count):
                raise structural(Undecided("a repeat count", names_of(count)), repeat.count)
            if type(count) is not int or count < 0:
                raise SpecError("CC414", f"a repeat count must be an integer of at least 0, not {named(count)}", repeat.count.span)
            columns: dict[str, tuple[Any, ...]] = {}
        else:
            columns = {name: self._column(name, column, tensor, frame) for name, column in repeat.columns.items()}
            lengths = {name: len(column) for name, column in columns.items()}
            count = next(iter(lengths.values()))
            if len(set(lengths.values())) > 1:
                shown_lengths = ", ".join(f"{name} has {length}" for name, length in lengths.items())
                raise SpecError("CC414", f"the columns of a repeat differ in length: {shown_lengths}", repeat.span)
        if count > REPEAT:
            raise SpecError("CC502", f"a repeat of {count} exceeds the limit of {REPEAT}", repeat.span)
        return columns, count

    def _column(self, name: str, column: Value, tensor: int, frame: Frame) -> tuple[Any, ...]:
        values = self._evaluate(column, tensor, frame)
        if not isinstance(values, tuple):
            raise SpecError("CC414", f"the column {quoted(name)} of a repeat must be a list, not {named(values)}", column.span)
        return values

    def _guarded(self, item: Item, tensor: int, frame: Frame, segment: str) -> int:
        """Expand one turn of an item; an error is recorded and the item's name stands for a layer that failed."""
        start, path = len(self.walk.nodes), segment
        try:
            if frame.entry == FAILED:
                raise _Skip
            path = self._named(item, frame, segment)
            return self._turn(item, tensor, frame, path)
        except _Skip:
            pass
        except TooLarge as error:
            raise self._placed(error, item, frame) from None
        except SpecError as error:
            self._record(error, item, frame)
        frame.scope.names.setdefault(path, Entry(FAILED, item.span, (start, start)))
        return FAILED

    def _named(self, item: Item, frame: Frame, segment: str) -> str:
        """Return the item's path segment: its name, numbered where it is repeated, or the default one."""
        if item.name is None:
            return segment
        name = checked_name(item.name.fill(frame.env), item.name.span)
        return _numbered(name, frame.env["i"] + 1) if item.repeat is not None and item.name.fixed else name

    def _turn(self, item: Item, tensor: int, frame: Frame, segment: str) -> int:
        """``from`` → ``when``/``else`` → body → ``tie``."""
        extra: tuple[int, ...] = ()
        asks = item.when is None or item.when.entering
        if item.sources and asks:
            tensor, *extra = self._sources(item, tensor, frame)  # type: ignore[assignment]
        if tensor == FAILED and (item.when is None or item.when.entering):
            raise _Skip
        if item.when is not None and not self._holds(item.when, tensor, frame):
            return self._otherwise(item, tensor, frame, segment, looked_up=asks)
        if item.sources and not asks:
            tensor, *extra = self._sources(item, tensor, frame)  # type: ignore[assignment]
        if tensor == FAILED or FAILED in extra:
            raise _Skip
        start = len(self.walk.nodes)
        result = self._body(item, tensor, tuple(extra), frame, segment)
        if item.tie:
            self._tie(item, (start, len(self.walk.nodes)), frame)
        return result

    def _otherwise(self, item: Item, tensor: int, frame: Frame, segment: str, *, looked_up: bool) -> int:
        if item.other is None:
            frame.scope.deleted.add(segment)
            return DELETED
        other = item.other
        if item.sources and other.sources is None and not looked_up:
            tensor = self._sources(item, tensor, frame)[0]
        self._count(other.span)
        if other.repeat is not None or other.name is not None:
            return self.item(other, tensor, frame)
        if not item.scoped:
            return self._guarded(other, tensor, frame, other.segment)
        scoped = replace(other, name=item.name or other.name, repeat=item.repeat)
        return self._turn(scoped, tensor, frame, segment)

    def _holds(self, when: Value, tensor: int, frame: Frame) -> bool:
        value = self._evaluate(when, tensor, frame)
        if not is_plain(value):
            raise structural(Undecided("a condition", names_of(value)), when)
        if not isinstance(value, bool):
            raise SpecError("CC413", f"`when` must be true or false, not {named(value)}", when.span)
        return value

    def _evaluate(self, value: Value, tensor: int, frame: Frame) -> Any:
        if not value.entering:
            return value.evaluate(frame.env)
        if tensor == FAILED:
            raise _Skip
        return value.evaluate(with_entering(frame.env, self.walk.shape(tensor)))

    def _sources(self, item: Item, tensor: int, frame: Frame) -> tuple[int, ...]:
        return tuple(self._lookup(reference, tensor, frame) for reference in item.sources or ())

    def _lookup(self, reference: Reference, tensor: int, frame: Frame) -> int:
        segments = reference.segments(frame.env)
        if segments == (".",):
            return tensor
        if segments == ("input",):
            return frame.entry
        output = self._entry(reference, segments, frame).output
        assert output is not None
        return output

    def _entry(self, reference: Reference, segments: tuple[str, ...], frame: Frame) -> Entry:
        entry = frame.scope.find(segments, reference.span)
        if entry is None:
            text = f"{quoted('.'.join(segments))} was deleted by its `when` or `repeat`"
            raise SpecError("CC210", text, reference.span)
        return entry

    def _body(self, item: Item, tensor: int, extra: tuple[int, ...], frame: Frame, segment: str) -> int:
        body = item.body
        if isinstance(body, Layer):
            return self._layer(body, item, tensor, frame, segment)
        if isinstance(body, Series) and not item.scoped:
            return self.series(body.items, tensor, frame)
        start = len(self.walk.nodes)
        entry = Entry(None, item.name.span if item.name else item.span, (start, start))
        if isinstance(body, Call):
            inner = self._call(body, item, tensor, extra, frame, segment)
            entry.scope = inner.scope
            frame.scope.add(segment, entry)
            entry.output = self.series(body.block.items, tensor, inner)
        else:
            scope = Scope(frame.scope.at(segment), frame.scope) if item.scoped else frame.scope
            entry.scope = scope if item.scoped else None
            frame.scope.add(segment, entry)
            inner = replace(frame, scope=scope) if item.scoped else frame
            series = isinstance(body, Series)
            entry.output = self.series(body.items, tensor, inner) if series else self._join(body, item, tensor, inner, frame.scope.at(segment))  # type: ignore[union-attr, arg-type]
        entry.nodes = (start, len(self.walk.nodes))
        return entry.output

    def _join(self, join: Join, item: Item, tensor: int, frame: Frame, path: str) -> int:
        ends = [end for branch in join.branches for end in self.branch(branch, tensor, frame) if end != DELETED]
        if FAILED in ends:
            return FAILED
        fewest, most = join.layer.op.arity
        if not ends:
            raise SpecError("CC415", f"{join.layer.op.kind} has no branch left", item.span)
        if len(ends) < fewest or (most is not None and len(ends) > most):
            raise SpecError("CC415", f"{join.layer.op.kind} needs exactly {fewest} branches, not {len(ends)}", item.span)
        entering = self.walk.shape(ends[0])
        values = self.builder.values(join.layer, frame.env, frame.own, entering)
        return self._add(path, self.builder.op(join.layer, values, entering), ends, item.span)

    def _layer(self, layer: Layer, item: Item, tensor: int, frame: Frame, segment: str) -> int:
        """Add a layer and the norm and activation that are fused to it."""
        entering, start = self.walk.shape(tensor), len(self.walk.nodes)
        values = self.builder.values(layer, frame.env, frame.own, entering)
        if layer.op.passes or is_none(values):
            frame.scope.add(segment, Entry(tensor, item.span, (start, start)))
            return tensor
        parts = {key: self.builder.values(part, frame.env, frame.own, entering) for key, part in layer.fused.items()}
        parts = {key: given for key, given in parts.items() if not is_none(given)}
        if "norm" in parts and "bias" not in values:
            values = {**values, "bias": False}
        path, below = frame.scope.at(segment), Scope(frame.scope.at(segment))
        more = [self._lookup(reference, tensor, frame) for reference in layer.references.values()]
        if FAILED in more:
            raise _Skip
        output = self._add(path, self.builder.op(layer, values, entering), (tensor, *more), item.span)
        for key, given in parts.items():
            output = self._part(layer.fused[key], given, output, below.at(key), frame)
            below.names[key] = Entry(output, item.span, (len(self.walk.nodes) - 1, len(self.walk.nodes)))
        span = item.name.span if item.name else item.span
        frame.scope.add(segment, Entry(output, span, (start, len(self.walk.nodes)), below))
        return output

    def _part(self, part: Layer, values: Mapping[str, Any], tensor: int, path: str, frame: Frame) -> int:
        """Add a fused norm or activation."""
        entering = self.walk.shape(tensor)
        try:
            return self._add(path, self.builder.op(part, values, entering), (tensor,), part.span)
        except SpecError as error:
            error.span = error.span or part.span
            raise

    def _add(self, path: str, op: Op, inputs: Sequence[int], span: Span | None) -> int:
        self.layers += 1
        if self.layers > LAYERS:
            raise TooLarge("CC503", f"the network has more layers than the limit of {LAYERS}", span)
        return self.walk.add(path, op, inputs, span)

    def _call(self, call: Call, item: Item, tensor: int, extra: tuple[int, ...], frame: Frame, segment: str) -> Frame:
        """Open a block: its parameters from the caller's values, then its defaults; a scope with an edge."""
        if len(frame.calls) >= CALLS:
            raise SpecError("CC506", f"block calls are nested deeper than the limit of {CALLS}", item.span)
        block = call.block
        path = frame.scope.at(segment)
        scope = Scope(path)
        for name, index in zip(block.inputs, extra, strict=True):
            scope.add(name, Entry(index, item.span))
        own = self.variables[id(block.document)]
        inner = Frame(own, own, scope, tensor, None, ((path, item.span), *frame.calls))
        given = {name: self._evaluate(value, tensor, frame) for name, value in call.arguments.items()}
        env = dict(own)
        for name, default in block.params.items():
            inner.env = env
            env[name] = given[name] if name in given else self._evaluate(default, tensor, inner)  # type: ignore[arg-type]
        return inner

    def _tie(self, item: Item, made: tuple[int, int], frame: Frame) -> None:
        """Give the layers of an item the weights of others, one by one in order."""
        if isinstance(item.tie, Reference):
            owners = self._entry(item.tie, item.tie.segments(frame.env), frame).nodes
        elif frame.loop is None:
            raise SpecError("CC409", "`tie: true` needs a `repeat` or `each`; or name the layer to share weights with", item.span)
        else:
            owners = frame.loop.first.setdefault(id(item), made)
            if owners == made:
                return
        own, other = self._weighted(made), self._weighted(owners)
        if len(own) != len(other):
            text = f"tie: {len(own)} layers with weights cannot share those of {len(other)}"
            raise SpecError("CC407", text, item.span)
        for index, owner in zip(own, other, strict=True):
            self.walk.tie(index, owner)

    def _weighted(self, nodes: tuple[int, int]) -> list[int]:
        return [index for index in range(*nodes) if self.walk.nodes[index].facts.weights]

    def _count(self, span: Span) -> None:
        self.items += 1
        if self.items > ITEMS:
            raise TooLarge("CC504", f"the spec expands to more items than the limit of {ITEMS}", span)

    def _record(self, error: SpecError, item: Item, frame: Frame) -> None:
        if isinstance(error, TooLarge):
            raise self._placed(error, item, frame)
        self.walk.errors.append(self._placed(error, item, frame))

    def _placed(self, error: SpecError, item: Item, frame: Frame) -> SpecError:
        error.span = error.span or item.span
        error.trail = error.trail or frame.calls
        return error


class _Skip(Exception):
    """What enters an item has failed: the item is skipped without an error of its own."""


def _numbered(base: str, number: int) -> str:
    return f"{base}{'_' if base[-1:].isdigit() else ''}{number}"


@contextmanager
def deep_calls() -> Iterator[None]:
    """Allow the nesting that the limits allow. Calls between Python functions take no C stack, so this is safe."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def input_shape(value: Value, env: Mapping[str, Any]) -> Shape:
    """Evaluate the shape of an input: sizes of at least 1."""
    from convcalc.ops._arguments import BadValue, Size

    sizes = []
    for item in value.items or (value,):
        try:
            sizes.append(Size().bind(item.evaluate(env), 0))
        except BadValue as error:
            raise SpecError("CC410", f"an axis of the input {error}", item.span) from None
    if not sizes:
        raise SpecError("CC410", f"an input shape needs at least one axis, not {shown(())}", value.span)
    return Shape(sizes)
