"""The forms that parts of a budget file have: a mapping of known keys, a list, a word. Anything else is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.spec.limits import ENTRIES
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import Mapping as MappingNode
from convcalc.spec.yaml.nodes import Node, Scalar, Sequence

FORM, WORD = "CC631", "CC632"

Fields = Mapping[str, tuple[Scalar, Node]]
"""What stands behind each key, with the key itself."""


def fields(node: Node, what: str, keys: Iterable[str], errors: list[SpecError]) -> Fields:
    """Return the keys of a mapping that have something behind them; unknown ones are gathered as errors.

    Raises:
        SpecError: CC631, where it is no mapping.
    """
    known = tuple(keys)
    if not isinstance(node, MappingNode):
        raise SpecError(FORM, f"{what} is a mapping with the keys {', '.join(known)}", node.span)
    found = {}
    for key, value in node.pairs:
        if key.text not in known:
            text = f"{what} has no key {quoted(key.text)}{did_you_mean(key.text, known)}"
            errors.append(SpecError(WORD, text, key.span, hint=f"known: {', '.join(known)}"))
        elif not is_empty(value):
            found[key.text] = key, value
    return found


def listed(node: Node, what: str) -> list[Node]:
    """Return the items of a list of limited length; something that stands alone is a list of one.

    Raises:
        SpecError: CC507 for too many.
    """
    items: list[Node] = node.items if isinstance(node, Sequence) else [node]
    if len(items) > ENTRIES:
        raise SpecError("CC507", f"{what} has {len(items)} entries; the limit is {ENTRIES}", node.span)
    return items


def mappings(node: Node, what: str, form: str) -> list[Node]:
    """Return the items of a list that may not stand alone.

    Raises:
        SpecError: CC631, where it is no list; CC507 for too many.
    """
    if not isinstance(node, Sequence):
        raise SpecError(FORM, f"{what} is a list: {form}", node.span)
    return listed(node, what)


def word(node: Node, what: str) -> Scalar:
    """Return a text that says something.

    Raises:
        SpecError: CC631 for a list, a mapping or nothing.
    """
    if not isinstance(node, Scalar):
        raise SpecError(FORM, f"{what} takes one value, not a {_name(node)}", node.span)
    if node.empty or not node.text.strip():
        raise SpecError(FORM, f"{what} is empty", node.span)
    return node


def choice(node: Node, what: str, words: Iterable[str], hint: str = "") -> str:
    """Return one of some words.

    Raises:
        SpecError: CC631 for what is no word, CC632 for another.
    """
    known = tuple(words)
    given = word(node, what)
    if given.text not in known:
        text = f"{what} does not know {quoted(given.text)}{did_you_mean(given.text, known)}"
        raise SpecError(WORD, text, given.span, hint=hint or f"one of {', '.join(known)}")
    return given.text


def missing(what: str, key: str, span: Span, hint: str) -> SpecError:
    """Return the error of a key that must be there; ``span`` is the place of what lacks it."""
    return SpecError(FORM, f"{what} needs `{key}`", span, hint=hint)


def _name(node: Node) -> str:
    return "mapping" if isinstance(node, MappingNode) else "list"
