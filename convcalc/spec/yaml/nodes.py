"""Nodes of YAML text with their spans: mappings, lists and scalars, and nothing else of YAML.

Built from the parser's events, so that aliases, anchors, tags, merge keys, second documents and too deep nesting are
refused at their places, before anything is built. Scalars keep their source text: expressions give them types.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, TypeAlias

import yaml
from yaml import ScalarEvent

from convcalc.errors import MAX_WORD_LENGTH, Source, Span, SpecError, SpecErrors, quoted
from convcalc.records import NamedTuple
from convcalc.spec.limits import YAML_DEPTH

LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
"""libyaml's parser where PyYAML was built with it (about 13 times faster), else the one in Python."""


class ScalarNode(NamedTuple):
    """A scalar's text. ``is_plain`` if it is unquoted and on one line, so that columns inside it are known."""

    text: str
    span: Span
    is_plain: bool = True
    is_quoted: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is no value, or ``null``."""
        return not self.is_quoted and self.text in ("", "null")

    def span_of(self, start: int, end: int) -> Span:
        """Return the span of a part of the text; that of the whole, where it is quoted or on several lines."""
        return self.span.subspan(start, end) if self.is_plain else self.span


class ListNode(NamedTuple):
    """A list."""

    items: list[YamlNode]
    span: Span


class MapNode(NamedTuple):
    """A mapping in the order of the text; keys are scalars, each once."""

    pairs: list[tuple[ScalarNode, YamlNode]]
    span: Span

    def get(self, key: str) -> YamlNode | None:
        return next((value for name, value in self.pairs if name.text == key), None)


YamlNode: TypeAlias = ScalarNode | ListNode | MapNode


def parse_yaml(source: Source, loader: Any = None) -> YamlNode | None:
    """Return the document of a source, or nothing for an empty one.

    Raises:
        SpecErrors: CC101 broken YAML, CC102 alias or anchor, CC103 tag, CC104 merge key, CC105 duplicate key,
            CC106 key that is not a scalar, CC107 second document, CC108 nested too deep, CC109 directive.
    """
    builder = _Builder(source)
    failure = builder.feed_all(source.text, loader or LOADER)
    if failure is not None:
        from convcalc.spec.yaml.syntax_errors import yaml_error  # only what is wrong needs it

        too_deep = _too_deep_before(source, failure, loader or LOADER)
        builder.errors.append(too_deep or yaml_error(source, failure, builder.bracket))
    if builder.errors:
        raise SpecErrors(builder.errors)
    return builder.root


def _too_deep_before(source: Source, failure: Exception, loader: Any) -> SpecError | None:
    """Return CC108 where the text is nested too deep before the place that the parser gave up at.

    The parser reads ahead of its events, the faster of them 1,024 characters, and since libyaml 0.2.6 it gives up by
    itself at 1,000 brackets.
    """
    mark = getattr(failure, "problem_mark", None)
    ahead = _Builder(source)
    if mark is not None:
        ahead.feed_all(source.text[: mark.index], loader)
    return next((error for error in ahead.errors if error.code == "CC108"), None)


class _Builder:
    """Builds nodes from events, without recursion. Errors are gathered in ``errors``, and their nodes left out."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.nodes: list[YamlNode] = []
        """The nodes so far of the innermost collection that is not complete, and without one, of the text."""
        self.documents = 0
        self.errors: list[SpecError] = []
        self.open: list[tuple[Any, list[YamlNode]]] = []
        """Collections that are not complete: their opening events, and the nodes so far of what they are in."""

    @property
    def root(self) -> YamlNode | None:
        """The document, once the text is complete."""
        return self.nodes[-1] if self.nodes else None

    def feed_all(self, text: str, loader: Any) -> Exception | None:
        """Take the events of a text; return what the parser gave up with."""
        try:
            parser = loader(text)
            try:
                while (event := parser.get_event()) is not None:
                    if type(event) is ScalarEvent:  # three of four are
                        self.nodes.append(self._scalar(event))
                    else:
                        self._feed_other(event)
            finally:
                parser.dispose()
        except (yaml.YAMLError, ValueError) as error:  # PyYAML lets chr() fail on \\U00110000
            return error
        except SpecError as error:
            self.errors.append(error)
        return None

    def _feed_other(self, event: Any) -> None:
        """Take an event that is no scalar; CC107, CC108 and CC109 end the reading."""
        if isinstance(event, yaml.CollectionStartEvent):
            if event.anchor is not None or event.tag is not None:
                self._refuse_extras(event)
            if len(self.open) >= YAML_DEPTH:
                raise SpecError("CC108", f"nested deeper than the limit of {YAML_DEPTH}", self._span(event))
            self.open.append((event, self.nodes))
            self.nodes = []
        elif isinstance(event, yaml.CollectionEndEvent):
            nodes = self.nodes
            start, self.nodes = self.open.pop()
            is_mapping = isinstance(start, yaml.MappingStartEvent)
            self.nodes.append(self._mapping(start, nodes) if is_mapping else ListNode(nodes, self._span(start)))
        elif isinstance(event, yaml.AliasEvent):
            self._refuse_alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise SpecError("CC107", "a second document begins here; a spec is one document", self._span(event))
            if event.version or event.tags:
                text = "YAML directives are not allowed; leave the line with '%' out"
                raise SpecError("CC109", text, self._span(event))

    @property
    def bracket(self) -> Span | None:
        """The span of the last bracket that is open."""
        for event, _ in reversed(self.open):
            span = self._span(event)
            if event.flow_style and self.source.line(span.line)[span.column - 1] in "[{":  # a pair in a list has none
                return span
        return None

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        line, column = start.line, start.column
        extent = end.column - column if end.line == line else 1
        return Span._make((self.source, line + 1, column + 1, extent if extent > 0 else 1, ""))

    def _scalar(self, event: Any) -> ScalarNode:
        text, style, start, end = event.value, event.style, event.start_mark, event.end_mark
        line, column = start.line, start.column
        one_line = end.line == line
        extent = (end.column - column or 1) if one_line else 1
        span = Span._make((self.source, line + 1, column + 1, extent, ""))
        if event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)
        if not style:
            return ScalarNode._make((text, span, one_line, False))
        if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):  # libyaml refuses them
            self.errors.append(SpecError("CC101", "the escape of half a character is not allowed", span))
        return ScalarNode._make((text, span, False, True))

    def _refuse_alias(self, event: Any) -> None:
        variable = event.anchor if len(event.anchor) <= MAX_WORD_LENGTH else "w"
        hint = f"an expression cannot begin with '*': write 4*{variable}; to reuse layers write a block"
        text = f"YAML alias {quoted('*' + event.anchor)} not allowed ({hint})"
        self.errors.append(SpecError("CC102", text, self._span(event)))
        self.nodes.append(ScalarNode("", self._span(event)))

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor is not None:
            text = f"YAML anchor {quoted('&' + event.anchor)} not allowed; to reuse layers write a block"
            self.errors.append(SpecError("CC102", text, self._span(event)))
        elif event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.errors.append(SpecError("CC103", f"YAML tag {quoted(tag)} not allowed", self._span(event)))

    def _mapping(self, start: Any, nodes: list[YamlNode]) -> MapNode:
        seen: dict[str, ScalarNode] = {}
        pairs: list[tuple[ScalarNode, YamlNode]] = []
        rest = iter(nodes)
        for written, value in zip(rest, rest, strict=True):
            if type(written) is not ScalarNode:
                self.errors.append(SpecError("CC106", "a key must be a word, not a list or a mapping", written.span))
                continue
            text, key = written.text, written
            if not text.isascii():
                text = unicodedata.normalize("NFC", text)
                key = key._replace(text=text)
            if (text in seen or text == "<<") and (error := _key_error(key, seen)):
                self.errors.append(error)
            else:
                seen[text] = key
                pairs.append((key, value))
        return MapNode(pairs, self._span(start))


def _key_error(key: ScalarNode, seen: Mapping[str, ScalarNode]) -> SpecError | None:
    """Return the error about a merge key, or about a key that is in a mapping already."""
    if key.text == "<<" and not key.is_quoted:
        text = "YAML merge key '<<' not allowed; to reuse layers write a block"
        return SpecError("CC104", text, key.span)
    if key.text not in seen or _is_cut(key):
        return None
    first = seen[key.text].span
    text = f"duplicate key {quoted(key.text)}, first on line {first.line}"
    return SpecError("CC105", text, key.span, notes=((first, "first here"),))


def _is_cut(key: ScalarNode) -> bool:
    """Whether a key is the end of a call that its comma has cut, so that another of its name is not a second key."""
    return key.is_plain and key.text.count(")") > key.text.count("(")
