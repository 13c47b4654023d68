"""Blocks: their parameters, the calls among them, and how many items a call makes at least."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.spec.document.names import validate_name, validate_variable
from convcalc.spec.document.syntax_tree import BlockCall, BlockDefinition, Item, LayerItem, Repeat, SequenceItem
from convcalc.spec.document.value_nodes import NameScope, ValueNode, collect_errors, parse_value
from convcalc.spec.limits import ITEMS
from convcalc.spec.yaml.fields import is_empty, list_items, mapping_entries, require_text
from convcalc.spec.yaml.nodes import ListNode, ScalarNode, YamlNode

MAX_SHOWN_BLOCKS = 8


def find_cycles(blocks: Iterable[BlockDefinition]) -> Iterator[SpecError]:
    """Yield an error (CC206) for every call that closes a cycle of blocks, whether anything calls them or not.

    Also sets ``min_items`` of each block; without cycles, callees are complete before their callers.
    """
    done: set[int] = set()
    for start in blocks:
        trail, places, calls = [start], {id(start): 0}, [iter(start.calls)]
        while calls:
            block, span = next(calls[-1], (None, None))
            if block is None:
                calls.pop()
                last = trail.pop()
                del places[id(last)]
                done.add(id(last))
                last.min_items = min_items(last.items)
            elif id(block) in places:
                cycle = [block.name for block in trail[places[id(block)] :]]
                more = ["…"] if len(cycle) > MAX_SHOWN_BLOCKS else []
                names = " calls ".join((*cycle[:MAX_SHOWN_BLOCKS], *more, cycle[0]))
                yield SpecError("CC206", f"block calling itself: {names}", span)
            elif id(block) not in done:
                places[id(block)] = len(trail)
                trail.append(block)
                calls.append(iter(block.calls))


def min_items(items: Iterable[Item]) -> int:
    """Return how many items these expand to at least, up to just above the limit."""
    total = 0
    for item in items:
        inside = min_items_per_turn(item)
        total += 1 + (_min_turns(item.repeat) * (1 + inside) if item.repeat else inside)
    return min(total, ITEMS + 1)


def min_items_per_turn(item: Item) -> int:
    """Return how many items one iteration of an item expands to at least, without itself."""
    body = item.body
    if item.when is not None or isinstance(body, LayerItem):
        return 0
    if isinstance(body, BlockCall):
        return body.block.min_items
    return min_items(body.items if isinstance(body, SequenceItem) else body.branches)


def _min_turns(repeat: Repeat) -> int:
    """Return how often a repeat runs, if that is a constant; else 0."""
    if repeat.count is None:
        return min(len(column.items) for column in repeat.columns.values())
    if repeat.count.names:
        return 0
    with suppress(SpecError):
        count = repeat.count.evaluate({})
        return count if type(count) is int and count > 0 else 0
    return 0


BLOCK_KEYS = ("params", "inputs", "layers", "note")


def read_signature(
    block: BlockDefinition, node: YamlNode, outside: NameScope, errors: list[SpecError]
) -> tuple[YamlNode, NameScope]:
    """Read the signature of a block; return its body and the variables that the body sees.

    Args:
        block: takes the parameters and the names of inputs.
        node: a list of items, or a mapping with ``layers``.
        outside: the variables of the file.
        errors: takes what is wrong beside what is raised.
    """
    if isinstance(node, ListNode):
        return node, outside
    pairs = mapping_entries(node, f"the block {quoted(block.name)}", "{params: …, layers: …}, or just a list of items")
    parts = {key.text: value for key, value in pairs}
    for key, _ in pairs:
        if key.text not in BLOCK_KEYS:
            text = f"a block has no key {quoted(key.text)}{did_you_mean(key.text, BLOCK_KEYS)}"
            errors.append(SpecError("CC116", text, key.span))
    if "note" in parts:
        require_text("note", parts["note"])
    known = _read_parameters(block, parts.get("params"), outside, errors)
    block.inputs = tuple(_read_input_names(parts.get("inputs")))
    if "layers" not in parts:
        raise SpecError("CC114", f"the block {quoted(block.name)} has no `layers`", block.span)
    return parts["layers"], known


def _read_parameters(
    block: BlockDefinition, node: YamlNode | None, outside: NameScope, errors: list[SpecError]
) -> NameScope:
    """Read the parameters in order; a default sees those before it, and what enters the block."""
    names = set(outside.names)
    known = NameScope(names, outside.used, warnings=outside.warnings)
    params: dict[str, ValueNode | None] = {}
    block.params = params
    for key, value in mapping_entries(node, f"params of {quoted(block.name)}", "{name: default}"):
        with collect_errors(errors):
            name = validate_variable(key, "parameter")
            params[name] = None
            try:
                if not is_empty(value):
                    params[name] = ValueNode(key.span, None)  # unless the default can be read
                    params[name] = parse_value(value, known, quoted(name))
            finally:
                names.add(name)
    return known


def _read_input_names(node: YamlNode | None) -> Iterator[str]:
    seen: dict[str, Span] = {}
    for item in list_items(node, "`inputs` of a block"):
        if not isinstance(item, ScalarNode):
            raise SpecError("CC117", "`inputs` of a block is a list of names", item.span)
        name = validate_name(item.text, item.span)
        if name in seen:
            text = f"the input {quoted(name)} is named twice, first on line {seen[name].line}"
            raise SpecError("CC105", text, item.span)
        seen[name] = item.span
        yield name
