"""What a block declares before its items: parameters with their defaults, and the names of further inputs."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.spec.forms import elements, entries, is_empty, require_text
from convcalc.spec.items import Block
from convcalc.spec.names import checked_name, checked_variable
from convcalc.spec.nodes import Node, Scalar, Sequence
from convcalc.spec.value import Known, Value, compile_value, gathering

KEYS = ("params", "inputs", "layers", "note")


def signature(block: Block, node: Node, outside: Known, errors: list[SpecError]) -> tuple[Node, Known]:
    """Read what is declared of a block; return its body and the variables that the body sees.

    Args:
        block: takes the parameters and the names of inputs.
        node: a list of items, or a mapping with ``layers``.
        outside: the variables of the file.
        errors: takes what is wrong beside what is raised.
    """
    if isinstance(node, Sequence):
        return node, outside
    pairs = entries(node, f"the block {quoted(block.name)}", "{params: …, layers: …}, or just a list of items")
    parts = {key.text: value for key, value in pairs}
    for key, _ in pairs:
        if key.text not in KEYS:
            text = f"a block has no key {quoted(key.text)}{did_you_mean(key.text, KEYS)}"
            errors.append(SpecError("CC116", text, key.span))
    if "note" in parts:
        require_text("note", parts["note"])
    known = _parameters(block, parts.get("params"), outside, errors)
    block.inputs = tuple(_input_names(parts.get("inputs")))
    if "layers" not in parts:
        raise SpecError("CC114", f"the block {quoted(block.name)} has no `layers`", block.span)
    return parts["layers"], known


def _parameters(block: Block, node: Node | None, outside: Known, errors: list[SpecError]) -> Known:
    """Read the parameters in order; a default sees those before it, and what enters the block."""
    names = set(outside.names)
    known = Known(names, outside.used)
    params: dict[str, Value | None] = {}
    block.params = params
    for key, value in entries(node, f"params of {quoted(block.name)}", "{name: default}"):
        with gathering(errors):
            name = checked_variable(key, "parameter")
            params[name] = None
            try:
                if not is_empty(value):
                    params[name] = Value(key.span, None)  # unless the default can be read
                    params[name] = compile_value(value, known, quoted(name))
            finally:
                names.add(name)
    return known


def _input_names(node: Node | None) -> Iterator[str]:
    seen: dict[str, Span] = {}
    for item in elements(node, "`inputs` of a block"):
        if not isinstance(item, Scalar):
            raise SpecError("CC117", "`inputs` of a block is a list of names", item.span)
        name = checked_name(item.text, item.span)
        if name in seen:
            text = f"the input {quoted(name)} is named twice, first on line {seen[name].line}"
            raise SpecError("CC105", text, item.span)
        seen[name] = item.span
        yield name
