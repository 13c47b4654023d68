"""``via``: how the model's source writes a layer, as a word or as an expression over the words.

The words mean themselves here alone, so that a variable may bear the name of one, and an expression then means it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from convcalc.errors import SpecError, did_you_mean, quoted
from convcalc.ops._via import VIA
from convcalc.spec.forms import is_empty
from convcalc.spec.frames import extended
from convcalc.spec.nodes import Node, Scalar
from convcalc.spec.value import Known, Value, compile_text

KEY = "via"


class Via(NamedTuple):
    """A word, or an expression whose value is one; and whether it stands at the layer or comes from ``defaults``."""

    word: str
    value: Value | None = None
    written: bool = True
    words: Mapping[str, str] = MappingProxyType({})
    """The words in the expression."""

    def evaluate(self, env: Mapping[str, Any], own: Mapping[str, Any]) -> str:
        """Return the word; ``defaults`` see the variables of their file alone (``own``).

        Raises:
            SpecError: CC410, where the value of the expression is none of the words.
        """
        if self.value is None:
            return self.word
        found = self.value.evaluate(extended(env if self.written else own, self.words))
        if not isinstance(found, str) or found not in VIA:
            raise SpecError("CC410", f"via is none of {', '.join(VIA)}", self.value.span)
        return found


def read_via(key: Scalar, node: Node, known: Known, *, written: bool = True) -> Via:
    """Read what stands under ``via``.

    Raises:
        SpecError: CC114 nothing, CC117 no single value, CC410 no such word, or a fault of the expression.
    """
    if is_empty(node):
        raise SpecError("CC114", "`via` is missing its value", key.span)
    if not isinstance(node, Scalar):
        raise SpecError("CC117", "`via` takes a single value", node.span)
    if node.text in VIA:
        return Via(node.text, written=written)
    if node.text.isidentifier() and node.text not in known.names:
        guess = did_you_mean(node.text, VIA)
        raise SpecError("CC410", f"via is {', '.join(VIA)}, not {quoted(node.text)}{guess}", node.span)
    value = compile_text(node.text, node, known.plus(VIA))
    return Via("", value, written, {word: word for word in VIA if word in value.names and word not in known.names})
