"""The forms that sections of a spec have: a mapping, a list, a text. Anything else is refused where it stands."""

from __future__ import annotations

from convcalc.errors import SpecError
from convcalc.spec.limits import ENTRIES
from convcalc.spec.yaml.nodes import Mapping, Node, Scalar, Sequence

BAD_STRUCTURE = "CC117"


def is_empty(node: Node | None) -> bool:
    """Whether nothing is written, or ``null``."""
    return node is None or (isinstance(node, Scalar) and node.empty)


def holds_nothing(node: Node) -> bool:
    """Whether no arguments are written: nothing, ``{}`` or ``[]``."""
    if isinstance(node, Scalar):
        return node.empty
    return not (node.pairs if isinstance(node, Mapping) else node.items)


def entries(node: Node | None, what: str, form: str, code: str = BAD_STRUCTURE) -> list[tuple[Scalar, Node]]:
    """Return the pairs of a mapping of limited length; none where nothing is written.

    Raises:
        SpecError: ``code`` for another form, CC507 for too many.
    """
    if node is None or is_empty(node):
        return []
    if not isinstance(node, Mapping):
        raise SpecError(code, f"{what} is a mapping: {form}", node.span)
    if len(node.pairs) > ENTRIES:
        raise SpecError("CC507", f"{what} has {len(node.pairs)} entries; the limit is {ENTRIES}", node.span)
    return node.pairs


def elements(node: Node | None, what: str) -> list[Node]:
    """Return the elements of a list; none where nothing is written.

    Raises:
        SpecError: CC117 for another form.
    """
    if node is None or is_empty(node):
        return []
    if not isinstance(node, Sequence):
        raise SpecError(BAD_STRUCTURE, f"{what} is a list", node.span)
    return node.items


def require_text(what: str, node: Node) -> None:
    """Demand a text, or nothing.

    Raises:
        SpecError: CC117 for a list or a mapping.
    """
    if not isinstance(node, Scalar):
        raise SpecError(BAD_STRUCTURE, f"{what} takes a text", node.span)
