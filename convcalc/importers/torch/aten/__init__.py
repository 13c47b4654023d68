"""What operations of ATen become: a table from their names to rules, which add layers to the graph."""

from __future__ import annotations

from convcalc.importers.torch.aten import elementwise, products, rearranging, recurrent, views  # noqa: F401 - rules
from convcalc.importers.torch.aten.rules import RULES
from convcalc.importers.torch.lowering import Rule
from convcalc.importers.torch.recording import TracedNode


def rule(node: TracedNode) -> Rule | None:
    """Return the rule of an operation; a special function without one of its own is one of elements."""
    return RULES.get(_name(node.op)) or (RULES["i0"] if node.op.startswith("special_") else None)


def is_known(name: str) -> bool:
    """Whether an operation has a rule, also in place."""
    return _name(name).removesuffix("_") in RULES or _name(name) in RULES or name.startswith("special_")


def _name(op: str) -> str:
    return op.removeprefix("special_").removeprefix("prims.")
