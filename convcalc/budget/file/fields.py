"""The forms that parts of a budget file have: a mapping of known keys, a list, a word. Anything else is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from convcalc.errors import SpecError, did_you_mean, quoted
from convcalc.spec.document.value_nodes import collect_errors
from convcalc.spec.limits import ENTRIES
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import ListNode, ScalarNode, YamlNode
from convcalc.spec.yaml.nodes import MapNode as MappingNode

BAD_STRUCTURE, UNKNOWN_WORD = "CC631", "CC632"
Value = TypeVar("Value")
Fields = Mapping[str, tuple[ScalarNode, YamlNode]]
"""What stands behind each key, with the key itself."""


def read_mapping(node: YamlNode, what: str, keys: Iterable[str], errors: list[SpecError]) -> Fields:
    """Return the keys of a mapping that have something behind them; unknown ones are gathered as errors.

    Raises:
        SpecError: CC631, where it is not a mapping.
    """
    known = tuple(keys)
    if not isinstance(node, MappingNode):
        raise SpecError(BAD_STRUCTURE, f"{what} is a mapping with the keys {', '.join(known)}", node.span)
    found = {}
    for key, value in node.pairs:
        if key.text not in known:
            text = f"{what} has no key {quoted(key.text)}{did_you_mean(key.text, known)}"
            errors.append(SpecError(UNKNOWN_WORD, text, key.span, hint=f"known: {', '.join(known)}"))
        elif not is_empty(value):
            found[key.text] = key, value
    return found


def read_list(node: YamlNode, what: str) -> list[YamlNode]:
    """Return the items of a list of limited length; something that stands alone is a list of one.

    Raises:
        SpecError: CC507 for too many.
    """
    items: list[YamlNode] = node.items if isinstance(node, ListNode) else [node]
    if len(items) > ENTRIES:
        raise SpecError("CC507", f"{what} has {len(items)} entries; the limit is {ENTRIES}", node.span)
    return items


def read_scalar(node: YamlNode, what: str) -> ScalarNode:
    """Return a text that says something.

    Raises:
        SpecError: CC631 for a list, a mapping or nothing.
    """
    if not isinstance(node, ScalarNode):
        kind = "mapping" if isinstance(node, MappingNode) else "list"
        raise SpecError(BAD_STRUCTURE, f"{what} takes one value, not a {kind}", node.span)
    if node.is_empty or not node.text.strip():
        raise SpecError(BAD_STRUCTURE, f"{what} is empty", node.span)
    return node


def read_choice(node: YamlNode, what: str, words: Iterable[str], hint: str = "") -> str:
    """Return one of some words.

    Raises:
        SpecError: CC631 for what is not a word, CC632 for another.
    """
    known = tuple(words)
    given = read_scalar(node, what)
    if given.text not in known:
        text = f"{what} does not know {quoted(given.text)}{did_you_mean(given.text, known)}"
        raise SpecError(UNKNOWN_WORD, text, given.span, hint=hint or f"one of {', '.join(known)}")
    return given.text


def read_optional(
    given: Fields, key: str, read: Callable[[ScalarNode], Value], default: Value, errors: list[SpecError]
) -> Value:
    """Return what the one value behind a key is read as, or else the default; a fault is gathered."""
    with collect_errors(errors):
        if key in given:
            return read(read_scalar(given[key][1], key))
    return default


def read_optional_choice(given: Fields, key: str, words: Iterable[str], default: str, errors: list[SpecError]) -> str:
    """Return the word behind a key, or else the default; another word is gathered as an error."""
    return read_optional(given, key, lambda word: read_choice(word, key, words), default, errors)
