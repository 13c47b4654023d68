"""``--input``: shapes that replace those of a spec, as expressions of the same language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from convcalc.errors import Source, Span, SpecError, SpecErrors, did_you_mean, quoted
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.document.value_nodes import NameScope, ValueNode, list_node, parse_value
from convcalc.spec.yaml.nodes import ListNode, parse_yaml
from convcalc.spec.yaml.text import reject_control_characters

OPTION = "--input"
_AXIS = r"(?:([A-Za-z]\w*)\s*[=:]\s*)?([0-9]+)"
_SIZES = re.compile(rf"{_AXIS}(?:(?:\s*[xX×,;]\s*|\s+){_AXIS})*")
"""Sizes with any separators, each perhaps after the name of its axis."""
BESIDE = ":"
"""Behind the name of an input of another model."""
_TYPED = re.compile(r"^(.*?)(?::[a-z]\w*)?:?$", re.DOTALL)
"""A name of an input with the data type that it has in code."""


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
    written = {
        unicodedata.normalize("NFC", name): "1" if BESIDE in name and not text.strip() else text  # a number in code
        for name, text in inputs.items()
    }
    for name, text in zip(_without_types(list(written), known), written.values(), strict=True):
        if not name and len(known) > 1:
            wrong = f"the design has {len(known)} inputs, and {quoted(text)} names none of them"
            shape = _intended_shape(text) or text
            raise _error(text, wrong, f"write {OPTION} {known[0]}={shape}; inputs are {', '.join(known)}")
        if "=" in name:
            _reject_other_forms(f"{name}={text}", f"{known[0]}=" if len(known) > 1 else "")
        if name and name not in known:
            wrong = f"no input {quoted(name)}{did_you_mean(name, known)}"
            raise _error(f"{name}={text}", wrong, f"inputs: {', '.join(known)}")
        _reject_other_forms(text, f"{name}=" if name else "")
        yield name or known[0], _shape(document, text)


def _without_types(names: list[str], known: list[str]) -> list[str]:
    """Return names without data types, such as ``ids:int64``, which only models that are code have.

    Names with a colon behind them are those of a model beside which the design is read: where it has none of them, it
    has others in the same order.
    """
    plain = [name if name in known else _TYPED.sub(r"\1", name) for name in names]
    is_beside = all(name.endswith(BESIDE) for name in names)
    return known[: len(names)] if is_beside and len(names) <= len(known) and set(plain).isdisjoint(known) else plain


def _error(written: str, text: str, hint: str) -> SpecError:
    return SpecError("CC709", text, Span(Source(OPTION, written), 1, 1, max(1, len(written))), hint=hint)


def _reject_other_forms(text: str, name: str) -> None:
    """Raise CC709 for sizes that are written in another form than with commas: ``3x32x32``, ``c=3,h=32,w=32``."""
    if shape := _intended_shape(text):
        raise _error(text, f"{quoted(text)} is not a shape", f"write {OPTION} {name}{shape}")


def _intended_shape(text: str) -> str:
    """Return sizes in another form as they are to be written, those of channels first; else an empty text."""
    plain = text.strip().removeprefix("[").removesuffix("]")
    inner = text.strip(" []()")
    if not _SIZES.fullmatch(inner):
        return ""
    axes = sorted(re.findall(_AXIS, inner), key=lambda axis: not axis[0].lower().startswith("c"))
    shape = ",".join(size for _, size in axes)
    return shape if shape != re.sub(r"\s*(,|^|$)\s*", r"\1", plain) else ""


def _shape(document: Document, text: str) -> ValueNode:
    source = Source(OPTION, text if text.startswith("[") else f"[{text}]")
    reject_control_characters(source)
    node = parse_yaml(source)
    known = NameScope(frozenset(document.vars), has_input=False)
    if not isinstance(node, ListNode) or not text.strip():
        raise _error(text, f"{quoted(text)} is not a shape", f"write its axes, channels first: {OPTION} 3,224,224")
    return list_node(node.span, [parse_value(item, known, "an axis of the input") for item in node.items])
