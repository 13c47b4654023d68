"""``--input``: shapes that replace those of a spec, as expressions of the same language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

from convcalc.errors import Source, Span, SpecError, SpecErrors, did_you_mean, quoted
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.document.value_nodes import NameScope, ValueNode, list_node, parse_value
from convcalc.spec.yaml.nodes import ListNode, parse_yaml
from convcalc.spec.yaml.text import reject_control_characters

OPTION = "--input"


def read_inputs(document: Document, inputs: Mapping[str, str]) -> dict[str, ValueNode]:
    """Read shapes that replace those of a spec; the name ``""`` is that of its only input.

    Raises:
        SpecErrors: CC709, where no input is meant; what is wrong with the text of a shape.
    """
    if document.layers is None:  # a file of blocks has no inputs, and is not a design
        return {}
    try:
        return dict(_read_inputs(document, inputs))
    except SpecError as error:
        raise SpecErrors([error]) from None


def _read_inputs(document: Document, inputs: Mapping[str, str]) -> Iterator[tuple[str, ValueNode]]:
    known = list(document.inputs) or ["input"]
    for name, text in ((unicodedata.normalize("NFC", name), text) for name, text in inputs.items()):
        if not name and len(known) > 1:
            wrong = f"the spec has {len(known)} inputs, and {quoted(text)} names none of them"
            raise _error(text, wrong, f"write {OPTION} {known[0]}={text}; inputs are {', '.join(known)}")
        if name and name not in known:
            wrong = f"no input {quoted(name)}{did_you_mean(name, known)}"
            raise _error(f"{name}={text}", wrong, f"inputs of this spec: {', '.join(known)}")
        yield name or known[0], _shape(document, text)


def _error(written: str, text: str, hint: str) -> SpecError:
    return SpecError("CC709", text, Span(Source(OPTION, written), 1, 1, max(1, len(written))), hint=hint)


def _shape(document: Document, text: str) -> ValueNode:
    source = Source(OPTION, text if text.startswith("[") else f"[{text}]")
    reject_control_characters(source)
    node = parse_yaml(source)
    known = NameScope(frozenset(document.vars), has_input=False)
    if not isinstance(node, ListNode) or not text.strip():
        raise _error(text, f"{quoted(text)} is not a shape", f"write its axes, channels first: {OPTION} 3,224,224")
    return list_node(node.span, [parse_value(item, known, "an axis of the input") for item in node.items])
