"""Scopes of layer names during expansion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from weakref import ReferenceType, ref

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.records import dataclass, field

FAILED = -1
"""The handle of the output of a layer that could not be: what reads it is skipped."""
PARTS = -3
"""Result of an item that gives several tensors, which are read by their names alone."""
NOTHING = -4
"""Result of layers that give no tensor, such as experts that do not run."""
MAX_SHOWN_NAMES = 8
MAX_FAILED_PREFIXES = 1000


@dataclass(slots=True, eq=False)
class Binding:
    """A bound name: its output node, the nodes it created, its inner scope.

    ``output`` is ``None`` while the scope is still being expanded. ``nodes`` is a half-open range of indices.
    """

    output: int | None
    span: Span
    nodes: tuple[int, int] = (0, 0)
    scope: LayerScope | tuple[str, ...] | None = None
    """Or the names of the norm and the activation that are fused to a layer: the nodes behind its first."""

    @property
    def inside(self) -> LayerScope | None:
        """The inner scope; that of fused parts is made when somebody looks for one."""
        if isinstance(self.scope, tuple):
            parts, self.scope = self.scope, LayerScope()
            for at, name in enumerate(parts, self.nodes[0] + 1):
                self.scope.names[name] = Binding(at, self.span, (at, at + 1))
        return self.scope


@dataclass(slots=True, eq=False, weakref_slot=True)
class LayerScope:
    """A namespace: names in it must be unique.

    There may be a million: what most do not need is made when it is needed, and none holds the one around it, so that
    all are freed at once.
    """

    segment: str = ""
    """Its name in the scope around it."""
    _outer: ReferenceType[LayerScope] | None = None
    is_block: bool = False
    """Whether names inside see nothing outside."""
    names: dict[str, Binding] = field(default_factory=dict)
    deleted: set[str] | None = None
    _failed: set[str] | None = None
    """Name prefixes of layers that failed; references to them raise no second error."""
    cached_path: str | None = None
    _copied: tuple[LayerScope, Callable[[int], int]] | None = None

    def child(self, segment: str, *, is_block: bool = False) -> LayerScope:
        """Return a new scope that stands in this one as ``segment``."""
        return LayerScope(segment, ref(self), is_block)

    @property
    def outer(self) -> LayerScope | None:
        """The scope around it."""
        return self._outer() if self._outer else None

    @property
    def path(self) -> str:
        """The segments from the outermost scope to this one."""
        if self.cached_path is None:
            segments, scope = [self.segment], self.outer
            while scope is not None and scope.cached_path is None:
                segments.append(scope.segment)
                scope = scope.outer
            if scope is not None and scope.cached_path:
                segments.append(scope.cached_path)
            self.cached_path = ".".join(filter(None, reversed(segments)))
        return self.cached_path

    def path_of(self, segment: str) -> str:
        """Return the path of a name in this scope."""
        path = self.path
        return f"{path}.{segment}" if path else segment

    def add(self, segment: str, entry: Binding) -> None:
        """Add a name; CC212, where another layer of the scope has it."""
        first = self.names.get(segment)
        if first is not None:
            text = f"the name {quoted(segment)} is taken by the layer on line {first.span.line}"
            raise SpecError("CC212", text, entry.span, notes=((first.span, "the first one"),))
        self.names[segment] = entry

    def delete(self, segment: str) -> None:
        """Note the name of a layer that was deleted."""
        if self.deleted is None:
            self.deleted = set()
        self.deleted.add(segment)

    def has_deleted(self, segment: str) -> bool:
        """Whether a name was deleted: as it is, or as a turn of a repeat that has none."""
        deleted = self.deleted or ()
        return segment in deleted or segment.rstrip("0123456789").rstrip("_") in deleted

    def copy_from(self, other: LayerScope, index: Callable[[int], int]) -> None:
        """Have the names of a scope whose layers have been added once more; ``index`` gives their indices here."""
        self._copied = other, index

    @property
    def entries(self) -> dict[str, Binding]:
        """The names, those among them that are copied only when somebody looks for one."""
        if self._copied is not None:
            (other, index), self._copied = self._copied, None
            self.deleted = other.deleted
            for name, entry in other.entries.items():
                if name not in self.names:  # an input of a block
                    self.names[name] = self._copy(entry, index)
        return self.names

    def _copy(self, entry: Binding, index: Callable[[int], int]) -> Binding:
        assert entry.output is not None
        (first, end), below = entry.nodes, entry.scope
        if isinstance(entry.scope, LayerScope):
            below = self.child(entry.scope.segment, is_block=entry.scope.is_block)
            below.copy_from(entry.scope, index)
        nodes = (index(first), index(first) + end - first) if end else (0, 0)
        return Binding(index(entry.output), entry.span, nodes, below)

    def mark_failed(self, beginnings: Iterable[str]) -> None:
        """Note beginnings of names that layers would have had."""
        if self._failed is None:
            self._failed = set()
        self._failed.update(beginnings)

    def may_have_failed(self, segment: str) -> bool:
        """Whether a layer of this name may have failed; where very many have, any."""
        failed = self._failed or ()
        return len(failed) > MAX_FAILED_PREFIXES or segment.startswith(tuple(failed))

    def enclosing(self) -> Iterator[LayerScope]:
        scope: LayerScope | None = self
        while scope is not None:
            yield scope
            scope = None if scope.is_block else scope.outer

    def find(self, segments: Sequence[str], span: Span) -> Binding | None:
        """Look a path up, innermost scope outwards. CC210 for no such layer; ``None`` for one that was deleted."""
        first, *rest = segments
        for scope in self.enclosing():
            if first in scope.names:
                return _descend(scope.names[first], rest, segments, span)
        if any(scope.has_deleted(first) for scope in self.enclosing()):
            return None
        if any(scope.may_have_failed(first) for scope in self.enclosing()):
            return Binding(FAILED, span)
        guess = did_you_mean(first, (name for scope in self.enclosing() for name in scope.names))
        text = f"no layer {quoted('.'.join(segments))} precedes this{guess}"
        raise SpecError("CC210", text, span, hint=_last_names_hint(self.names))


def _descend(entry: Binding, rest: Sequence[str], segments: Sequence[str], span: Span) -> Binding | None:
    for segment in rest:
        if entry.output == FAILED:
            return entry
        below = entry.inside
        if below is not None and segment in below.entries:
            entry = below.entries[segment]
        elif below is not None and below.has_deleted(segment):
            return None
        else:
            names = below.names if below else {}
            text = f"no layer {quoted(segment)} in {quoted('.'.join(segments))}{did_you_mean(segment, names)}"
            raise SpecError("CC210", text, span, hint=_last_names_hint(names))
    if entry.output is None:
        text = f"{quoted('.'.join(segments))} is not complete here: it surrounds the layer that reads it"
        raise SpecError("CC210", text, span)
    return entry


def _last_names_hint(names: dict[str, Binding]) -> str:
    """Name the layers that were entered last."""
    last = list(islice(reversed(names), MAX_SHOWN_NAMES))
    return f"layers before this: {', '.join(reversed(last))}" if last else ""


def require_one(tensor: int, span: Span) -> int:
    """Refuse to read several tensors, or none, as one: CC213."""
    if tensor == NOTHING:
        raise SpecError("CC213", "experts that do not run give no tensor", span)
    if tensor == PARTS:
        text = "a split gives several tensors, and here one is read"
        raise SpecError("CC213", text, span, hint="read a part by its name: `from: NAME`")
    return tensor
