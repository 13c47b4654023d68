"""Words of frameworks and papers that are no kinds of layers here, and how the same is said.

They stand in ``foreign_names.yaml``: what is said for them, and the pages of those that take more than a word to say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache

from convcalc.errors import Source, closest_match, quoted
from convcalc.records import NamedTuple
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, YamlNode, parse_yaml

NAMES = os.path.join(os.path.dirname(__file__), "foreign_names.yaml")
MIN_SIMILARITY = 0.75
"""How alike a word must be to a kind to be taken for it misspelt."""


class Written(NamedTuple):
    """How something is written that has no word of its own: what it is, and a spec that shows it."""

    name: str
    said: str
    """A kind, or how it is put; nothing where it takes a page."""
    text: str
    spec: str


class Names(NamedTuple):
    """What is known of words, which are :func:`plain`."""

    said: dict[str, str]
    """What is said here for it: a kind, or how it is put."""
    pages: dict[str, Written]
    metrics: dict[str, str]
    """The key of the metric."""


@cache
def names() -> Names:
    """Read all words."""
    with open(NAMES, encoding="utf-8") as file:
        parts = _entries(parse_yaml(Source(NAMES, file.read())))
    said = {word: said for said, words in _entries(parts["said"]).items() for word in _words(words)}
    metrics = {word: key for key, words in _entries(parts["metrics"]).items() for word in _words(words)}
    pages: dict[str, Written] = {}
    for name, node in _entries(parts["pages"]).items():
        texts = {key: value.text for key, value in _entries(node).items() if isinstance(value, ScalarNode)}
        page = Written(name, texts.get("said", ""), texts["text"], texts["spec"])
        pages |= dict.fromkeys((plain(name), *texts["words"].split()), page)
    return Names(said, pages, metrics)


def _entries(node: YamlNode | None) -> dict[str, YamlNode]:
    assert isinstance(node, MapNode)
    return {key.text: value for key, value in node.pairs}


def _words(node: YamlNode) -> list[str]:
    assert isinstance(node, ScalarNode)
    return node.text.split()


def plain(word: str) -> str:
    """Return a word without capitals and signs."""
    return re.sub(r"[^a-z0-9]", "", word.lower())


def is_kind(said: str) -> bool:
    """Whether what is said for a word is a kind, perhaps with its type: ``norm: batch``."""
    return re.fullmatch(r"\w+(: \w+)?", said) is not None


def suggest(word: str, known: Iterable[str]) -> tuple[str, str]:
    """Return for a word that is not a kind what its writer may have meant, to be put behind a sentence; and a hint.

    A word of the field is never taken for a kind that is spelt like it: pixel shuffle is not a shuffle of channels.
    """
    for name in (plain(word), re.sub(r"[123]d$", "", plain(word))):
        page = names().pages.get(name)
        if said := page.said if page else names().said.get(name, ""):
            return (f"; did you mean {quoted(said)}?", "") if is_kind(said) else ("", said)
        if page:
            return "", f"it has no kind of its own; `convcalc explain {page.name}` shows how it is written"
    near = closest_match(word, known, MIN_SIMILARITY)
    return (f"; did you mean {quoted(near)}?" if near else ""), ""
