"""YAML text → nodes that know their place: mappings, lists and scalars, and nothing else of YAML.

Built from the parser's events, so that aliases, anchors, tags, merge keys, second documents and too deep nesting are
refused where they stand and before anything is built. Scalars keep their source text: typing is the expressions' work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import yaml

from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.spec.limits import YAML_DEPTH

LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
"""libyaml's parser where PyYAML was built with it (about 13 times faster), else the one in Python."""


class Scalar(NamedTuple):
    """A scalar's text. ``plain`` when it stands unquoted on one line, so that columns inside it can be told."""

    text: str
    span: Span
    plain: bool = True
    quoted: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is written, or ``null``."""
        return not self.quoted and self.text in ("", "null")


class Sequence(NamedTuple):
    """A list."""

    items: list[Node]
    span: Span


class Mapping(NamedTuple):
    """A mapping in the order of the text; keys are scalars, each once."""

    pairs: list[tuple[Scalar, Node]]
    span: Span

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.pairs if name.text == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


def compose(source: Source, loader: Any = None) -> Node | None:
    """Return the document of a source, or nothing for an empty one.

    Raises:
        SpecError: CC101 broken YAML, CC102 alias or anchor, CC103 tag, CC104 merge key, CC105 duplicate key,
            CC106 key that is no scalar, CC107 second document, CC108 nested too deep.
    """
    builder = _Builder(source)
    try:
        for event in yaml.parse(source.text, Loader=loader or LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _broken(source, error) from None
    return builder.root


class _Builder:
    """Takes events and builds nodes without recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: Node | None = None
        self.documents = 0
        self.open: list[tuple[Any, list[Any]]] = []
        """Collections that are not complete: their opening event and what they hold so far."""

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_extras(event)
            self._place(self._scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._refuse_extras(event)
            if len(self.open) >= YAML_DEPTH:
                raise SpecError("CC108", f"nested deeper than the limit of {YAML_DEPTH}", self._span(event))
            self.open.append((event, []))
        elif isinstance(event, yaml.CollectionEndEvent):
            start, held = self.open.pop()
            self._place(self._mapping(start, held) if isinstance(start, yaml.MappingStartEvent) else Sequence(held, self._span(start)))
        elif isinstance(event, yaml.AliasEvent):
            hint = f"an expression cannot begin with '*': write 4*{event.anchor}; to reuse layers write a block"
            raise SpecError("CC102", f"YAML alias {quoted('*' + event.anchor)} not allowed ({hint})", self._span(event))
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise SpecError("CC107", "a second document begins here; a spec is one document", self._span(event))

    def _place(self, node: Node) -> None:
        if self.open:
            self.open[-1][1].append(node)
        else:
            self.root = node

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        extent = end.column - start.column if end.line == start.line else 1
        return Span(self.source, start.line + 1, start.column + 1, max(1, extent))

    def _scalar(self, event: Any) -> Scalar:
        start, end = event.start_mark, event.end_mark
        one_line = start.line == end.line
        span = Span(self.source, start.line + 1, start.column + 1, max(1, end.column - start.column) if one_line else 1)
        return Scalar(event.value, span, one_line and not event.style, bool(event.style))

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor is not None:
            text = f"YAML anchor {quoted('&' + event.anchor)} not allowed; to reuse layers write a block"
            raise SpecError("CC102", text, self._span(event))
        if event.tag is not None:
            raise SpecError("CC103", f"YAML tag {quoted(event.tag)} not allowed", self._span(event))

    def _mapping(self, start: Any, held: list[Node]) -> Mapping:
        span = self._span(start)
        seen: dict[str, Scalar] = {}
        pairs: list[tuple[Scalar, Node]] = []
        for key, value in _paired(held):
            if not isinstance(key, Scalar):
                raise SpecError("CC106", "a key must be a word, not a list or a mapping", key.span)
            if key.text == "<<" and not key.quoted:
                raise SpecError("CC104", "YAML merge key '<<' not allowed; to reuse layers write a block", key.span)
            if key.text in seen:
                first = seen[key.text].span
                raise SpecError("CC105", f"duplicate key {quoted(key.text)}, first on line {first.line}", key.span, notes=((first, "first here"),))
            seen[key.text] = key
            pairs.append((key, value))
        return Mapping(pairs, span)


def _paired(held: list[Node]) -> Iterator[tuple[Node, Node]]:
    return zip(held[::2], held[1::2], strict=True)


def _broken(source: Source, error: yaml.YAMLError) -> SpecError:
    """Word the parser's error as ours, with the two traps of flow style explained."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return SpecError("CC101", f"not YAML: {error}", Span(source, 1, 1))
    span = Span(source, mark.line + 1, mark.column + 1)
    here = source.line(span.line)[mark.column : mark.column + 1]
    problem = str(getattr(error, "problem", "") or "not YAML")
    if here == "[" and "expected ','" in problem:
        return SpecError("CC101", "a '[' cannot follow here: quote the expression, or write shape(0) for shape[0]", span)
    if here == "\t":
        return SpecError("CC101", "a tab cannot indent; use spaces", span)
    if here == "*" or "alias" in problem:
        text = "YAML alias not allowed (an expression cannot begin with '*': write 4*w; to reuse layers write a block)"
        return SpecError("CC102", text, span)
    return SpecError("CC101", f"not YAML: {problem}{_context(error)}", span)


def _context(error: yaml.YAMLError) -> str:
    context, mark = getattr(error, "context", None), getattr(error, "context_mark", None)
    return f" ({context}, begun on line {mark.line + 1})" if context and mark else ""
