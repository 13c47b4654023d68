"""The blocks that a file can call: its own by their names, those of its imports as ``alias.Name``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.spec.document.names import checked_name, checked_variable
from convcalc.spec.document.syntax_tree import Block, Call, Item, Layer, Repeat, Series
from convcalc.spec.document.value_nodes import Known, Value, compile_value, gathering
from convcalc.spec.limits import ITEMS
from convcalc.spec.yaml.fields import elements, entries, is_empty, require_text
from convcalc.spec.yaml.nodes import Node, Scalar, Sequence

if TYPE_CHECKING:
    from convcalc.spec.document.syntax_tree import Document


SHOWN_BLOCKS = 8


@dataclass(slots=True, eq=False)
class Library:
    """Finds blocks by the words that call them."""

    own: Mapping[str, Block]
    imports: Mapping[str, Document]

    def find(self, word: str, span: Span) -> Block | None:
        """Return the block of a word, noting that it is used; nothing for a word that is none.

        Raises:
            SpecError: CC204, where nothing is imported under the alias.
        """
        alias, dot, _ = word.partition(".")
        if dot and alias not in self.imports:
            raise SpecError("CC204", f"no import {quoted(alias)}{did_you_mean(alias, self.imports)}", span)
        block = self._block(word)
        if block:
            block.used = True
        return block

    def __contains__(self, word: str) -> bool:
        return self._block(word) is not None

    def words(self) -> Iterator[str]:
        """Give the words of all blocks."""
        yield from self.own
        for alias, document in self.imports.items():
            yield from (f"{alias}.{name}" for name in document.blocks)

    def _block(self, word: str) -> Block | None:
        alias, dot, name = unicodedata.normalize("NFC", word).partition(".")
        if not dot:
            return self.own.get(alias)
        return self.imports[alias].blocks.get(name) if alias in self.imports else None


def rings(blocks: Iterable[Block]) -> Iterator[SpecError]:
    """Give an error (CC206) for every call that closes a ring of blocks, whether anything calls them or not.

    On the way, every block learns how many items a call of it makes at least: without rings, those it calls know first.
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
                last.least = least(last.items)
            elif id(block) in places:
                text = f"block calling itself: {_ring(trail, places[id(block)])}"
                yield SpecError("CC206", text, span)
            elif id(block) not in done:
                places[id(block)] = len(trail)
                trail.append(block)
                calls.append(iter(block.calls))


def least(items: Iterable[Item]) -> int:
    """Return how many items these expand to at least; beyond the limit it is all the same."""
    total = 0
    for item in items:
        inside = least_inside(item)
        total += 1 + (_turns(item.repeat) * (1 + inside) if item.repeat else inside)
    return min(total, ITEMS + 1)


def least_inside(item: Item) -> int:
    """Return how many items one turn of an item expands to at least, beside itself."""
    body = item.body
    if item.when is not None or isinstance(body, Layer):
        return 0
    if isinstance(body, Call):
        return body.block.least
    return least(body.items if isinstance(body, Series) else body.branches)


def _turns(repeat: Repeat) -> int:
    """Return how often a repeat runs, where that is a plain number; else 0."""
    if repeat.count is None:
        return min(len(column.items) for column in repeat.columns.values())
    if not repeat.count.constant:
        return 0
    with suppress(SpecError):
        count = repeat.count.evaluate({})
        return count if type(count) is int and count > 0 else 0
    return 0


def _ring(trail: list[Block], start: int) -> str:
    names = [block.name for block in trail[start : start + SHOWN_BLOCKS]]
    more = ["…"] if len(trail) - start > SHOWN_BLOCKS else []
    return " calls ".join((*names, *more, trail[start].name))


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
