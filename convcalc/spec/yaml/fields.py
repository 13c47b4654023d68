"""Readers of the parts of a spec: a mapping, a list, a text. Other forms are errors."""

from __future__ import annotations

from convcalc.errors import SpecError
from convcalc.spec.limits import ENTRIES
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode

BAD_STRUCTURE = "CC117"


def is_empty(node: YamlNode | None) -> bool:
    """Whether there is no value, or ``null``."""
    return node is None or (isinstance(node, ScalarNode) and node.is_empty)


def has_no_arguments(node: YamlNode) -> bool:
    """Whether there are no arguments: no value, ``{}`` or ``[]``."""
    if isinstance(node, ScalarNode):
        return node.is_empty
    return not (node.pairs if isinstance(node, MapNode) else node.items)


def mapping_entries(
    node: YamlNode | None, what: str, form: str, code: str = BAD_STRUCTURE
) -> list[tuple[ScalarNode, YamlNode]]:
    """Return the pairs of a mapping, or none without a value; ``code`` for another form, CC507 for too many."""
    if node is None or is_empty(node):
        return []
    if not isinstance(node, MapNode):
        raise SpecError(code, f"{what} is a mapping: {form}", node.span)
    if len(node.pairs) > ENTRIES:
        raise SpecError("CC507", f"{what} has {len(node.pairs)} entries; the limit is {ENTRIES}", node.span)
    return node.pairs


def list_items(node: YamlNode | None, what: str) -> list[YamlNode]:
    """Return the items of a list, or none without a value; CC117 for another form."""
    if node is None or is_empty(node):
        return []
    if not isinstance(node, ListNode):
        raise SpecError(BAD_STRUCTURE, f"{what} is a list", node.span)
    return node.items


def require_scalar(key: ScalarNode, node: YamlNode) -> ScalarNode:
    """Return the single value of a key; CC114 for none, CC117 for a list or a mapping."""
    if is_empty(node):
        raise SpecError("CC114", f"`{key.text}` is missing its value", key.span)
    if not isinstance(node, ScalarNode):
        raise SpecError(BAD_STRUCTURE, f"`{key.text}` takes a single value", node.span)
    return node


def items_or_self(node: YamlNode) -> list[YamlNode]:
    """Return the items of a list; a node of another form is a list of one."""
    return node.items if isinstance(node, ListNode) else [node]


def require_text(what: str, node: YamlNode) -> ScalarNode:
    """Return a node that is a text or has no value; CC117 for a list or a mapping."""
    if not isinstance(node, ScalarNode):
        raise SpecError(BAD_STRUCTURE, f"{what} takes a text", node.span)
    return node
