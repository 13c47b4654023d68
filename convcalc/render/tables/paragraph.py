"""Sentences and headings between the tables: whole in a pipe, wrapped between words at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from convcalc.render.tables.characters import cells, take_width
from convcalc.render.tables.table import StyledText, Table


class Paragraph(NamedTuple):
    """One paragraph of styled spans. Lines after the first are indented."""

    spans: Sequence[StyledText] = ()
    width: int | None = None
    indent: int = 2

    def plain(self) -> Iterator[str]:
        """Return the lines without their styles."""
        return ("".join(text for text, _ in line) for line in self.styled())

    def styled(self) -> Iterator[Sequence[StyledText]]:
        """Return the lines as spans."""
        if self.width is None or sum(cells(text) for text, _ in self.spans) <= self.width:
            yield list(self.spans)
            return
        line: list[StyledText] = []
        used = 0
        for word, style in self._words():
            if line and used + cells(word.rstrip()) > self.width:
                yield _trimmed(line)
                line, used = [(" " * self.indent, "")], self.indent
            line.append((word, style))
            used += cells(word)
        yield _trimmed(line)

    def _words(self) -> Iterator[StyledText]:
        """Return the words with the blanks behind them; a word wider than a line is broken."""
        room = max(1, (self.width or 1) - self.indent)
        for text, style in self.spans:
            for word in text.replace(" ", " \0").split("\0"):
                rest = word
                while cells(rest.rstrip()) > room:
                    head = take_width(rest, room) or rest[0]
                    yield head, style
                    rest = rest[len(head) :]
                if rest:
                    yield rest, style


def either(words: Sequence[str]) -> str:
    """Return ``a``, ``a or b``, or ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def left_out(what: str, width: int | None, whole: int | None = None) -> Paragraph:
    """Return the line below a table that lost something to a narrow terminal; ``whole`` is the width that shows all."""
    wider = f"--width {whole}" if whole else "a wider terminal"
    return Paragraph([(f"Not shown in {width} columns: {what}; {wider} or a pipe shows all.", "dim")], width)


def _trimmed(line: list[StyledText]) -> list[StyledText]:
    """Return a line without blanks at its end."""
    while line and not line[-1][0].strip():
        line = line[:-1]
    return [*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else []


Block = Paragraph | Table
