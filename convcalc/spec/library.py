"""The blocks that a file can call: its own by their names, those of its imports as ``alias.Name``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.spec.items import Block

if TYPE_CHECKING:
    from convcalc.spec.document import Document


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
    """Give an error (CC206) for every call that closes a ring of blocks, whether anything calls them or not."""
    done: set[int] = set()
    for start in blocks:
        trail: dict[int, Block] = {id(start): start}
        stack = [iter(start.calls)]
        while stack:
            block, span = next(stack[-1], (None, None))
            if block is None:
                done.add(trail.popitem()[0])
                stack.pop()
            elif id(block) in trail:
                yield SpecError("CC206", f"block calling itself: {_ring(list(trail.values()), block)}", span)
            elif id(block) not in done:
                trail[id(block)] = block
                stack.append(iter(block.calls))


def _ring(trail: list[Block], block: Block) -> str:
    start = next(place for place, other in enumerate(trail) if other is block)
    return " calls ".join(other.name for other in (*trail[start:], block))
