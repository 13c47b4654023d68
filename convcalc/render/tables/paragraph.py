"""Sentences, and what becomes of a table or a message that is wider than the terminal; in a pipe all is whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from convcalc.records import NamedTuple
from convcalc.render.tables.characters import Characters, cells, take_width
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


def fitted(block: Paragraph | Table, width: int | None) -> Iterator[Paragraph | Table]:
    """Give a block, or for a table that is too wide a paragraph for every row: ``Metric Params, Value 12, 5.5 %``."""
    if width is None or isinstance(block, Paragraph) or block.indent + block.width <= width:
        yield block
    else:
        yield from (Paragraph(list(_in_words(block, row)), width) for row in range(len(block.kinds)))


def _in_words(table: Table, row: int) -> Iterator[StyledText]:
    """Give the cells of a row, each with its heading."""
    gap = ""
    for column in table.columns:
        text, named = column.texts[row].strip(), column.heading not in ("", "%")
        if text:
            yield f"{gap if named else gap and ' '}{column.heading + ' ' if named else ''}", "dim"
            yield text + " %" * (column.heading == "%"), table.kinds[row] or column.style
            gap = ", "


CARETS = re.compile(r"    ( *)(\^+)")
"""The line below a quoted line of a source: see ``convcalc.errors.excerpt``."""


def fit_message(text: str, width: int | None, glyphs: Characters) -> str:
    """Wrap the lines of a message between words; a quoted line of a source is cut around what is marked in it."""
    return text if width is None else "\n".join(_fitting_lines(text.split("\n"), width, glyphs))


def _fitting_lines(lines: Sequence[str], width: int, glyphs: Characters) -> Iterator[str]:
    carets = None
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if carets is not None:  # they are shown with the line above
            carets = None
            continue
        carets = CARETS.fullmatch(below) if line.startswith("    ") else None
        if carets is not None:
            yield from _around(line[4:], len(carets[1]), len(carets[2]), width - 4, glyphs)
        else:
            yield from Paragraph([(line, "")], width, min(len(line) - len(line.lstrip(" ")) + 2, width // 2)).plain()


def _around(line: str, start: int, extent: int, room: int, glyphs: Characters) -> Iterator[str]:
    """Give a line cut around its marked cells, and the marks below them."""
    before = take_width(line, start)
    behind = line[len(before) :]
    kept = max(room // 3, room - cells(behind))
    if cells(line) > room and cells(before) > kept:
        before = glyphs.ellipsis + take_width(reversed(before), kept - len(glyphs.ellipsis))[::-1]
    behind = glyphs.truncate(behind, room - cells(before))
    yield f"    {before}{behind}"
    yield f"    {' ' * cells(before)}{'^' * max(1, min(extent, cells(behind)))}"


def _trimmed(line: list[StyledText]) -> list[StyledText]:
    """Return a line without blanks at its end."""
    while line and not line[-1][0].strip():
        line = line[:-1]
    return [*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else []


Block = Paragraph | Table
