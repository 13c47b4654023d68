"""Paragraphs and tables as lines of text, and what becomes of those that are wider than the terminal.

A table has columns padded to their widest cell, rules and headings; nothing in it is wrapped or cut. It is made for
many rows: a line is one ``%``, which pads every cell, and colour costs a few spans a line. In a pipe all is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

from convcalc.records import NamedTuple, cached_property, dataclass
from convcalc.render.tables.characters import Characters, cells, is_narrow, take_width

StyledText = tuple[str, str]
"""A piece of a line and the name of its style (``""`` is plain)."""
Line = str | Sequence[StyledText]
Cells = tuple[str, Sequence[str]]
"""A column as it is written: the form of a cell, as ``%`` takes it, and a text for every row."""


class TableColumn(NamedTuple):
    """One column: its heading and a text for every row."""

    heading: str
    texts: Sequence[str]
    right: bool = False
    style: str = ""
    styles: Sequence[str] | None = None
    """A style a row, where one for the whole column will not do."""
    gap: int = 2
    """Blank cells between the column before and this one."""

    @property
    def width(self) -> int:
        return max(cells(self.heading), widest(self.texts))


@dataclass(frozen=True)
class Table:
    """Columns of equal length. ``row_styles`` has a style for every row (``group``, ``zero``, ``total``; ``""``: by
    column), or none for any.

    The last ``footer_rows`` stand beneath a rule; ``group_headings`` are over several columns: first, last, text.
    """

    columns: Sequence[TableColumn]
    row_styles: Sequence[str] = ()
    rule: str = "─"
    footer_rows: int = 0
    group_headings: Sequence[tuple[int, int, str]] = ()
    indent: int = 0

    def plain(self) -> Iterable[str]:
        """Return the lines without their styles."""
        widths = self._widths
        body = map(str.rstrip, _rows(self._cells(widths)))
        return [
            line if isinstance(line, str) else "".join([text for text, _ in line]).rstrip()
            for line in self._framed(widths, body)
        ]

    def styled(self) -> Iterable[Sequence[StyledText]]:
        """Return the lines as spans."""
        widths = self._widths
        return [[(line, "")] if isinstance(line, str) else line for line in self._framed(widths, self._spans(widths))]

    def _framed(self, widths: Sequence[int], body: Iterable[Line]) -> list[Line]:
        """Put headings and rules around the lines of the body."""
        rule = [(" " * self.indent + self.rule * self.width, "rule")]
        heading = [("".join(self._heading(widths)).rstrip(), "head")]
        lines: list[Line] = [self._spanning(widths)] if self.group_headings else []
        lines += [heading, rule] if any(column.heading for column in self.columns) else []
        lines += body
        if 0 < self.footer_rows <= len(self.kinds):
            lines.insert(-self.footer_rows, rule)
        return lines

    @cached_property
    def _widths(self) -> list[int]:
        return [column.width for column in self.columns]

    @property
    def width(self) -> int:
        return sum(self._widths) + sum([column.gap for column in self.columns[1:]])

    @property
    def kinds(self) -> Sequence[str]:
        """The style of every row."""
        return self.row_styles or [""] * len(self.columns[0].texts)

    def _gap(self, place: int) -> str:
        return " " * (self.columns[place].gap if place else self.indent)

    def _heading(self, widths: Sequence[int]) -> Iterator[str]:
        for place, (column, width) in enumerate(zip(self.columns, widths, strict=True)):
            yield self._gap(place) + _padded(column.heading, width, right=column.right)

    def _spanning(self, widths: Sequence[int]) -> list[StyledText]:
        """Headings over several columns: a word, then a rule to the edge of what it covers."""
        starts, edge = [], 0
        for place, width in enumerate(widths):
            edge += len(self._gap(place))
            starts.append(edge)
            edge += width
        line: list[StyledText] = []
        at = 0
        for first, last, text in self.group_headings:
            length = starts[last] + widths[last] - starts[first]
            line += [(" " * (starts[first] - at), ""), (text, "head")]
            line.append((f" {self.rule * (length - cells(text) - 1)}", "rule"))
            at = starts[first] + max(length, cells(text) + 1)
        return line

    def _cells(self, widths: Sequence[int]) -> list[Cells]:
        """Return the form and the texts of every column: as wide as the column, with the gap in front."""
        columns = enumerate(zip(self.columns, widths, strict=True))
        return [_fit(column, width, self._gap(place)) for place, (column, width) in columns]

    def _spans(self, widths: Sequence[int]) -> Iterator[Sequence[StyledText]]:
        """Return the body's lines: one span for a row with a style of its own, else one a run of like columns."""
        cells = self._cells(widths)
        form, texts = cells[-1]
        cells[-1] = "%s", [(form % text).rstrip() for text in texts]
        runs: list[tuple[list[Cells], Iterable[str]]] = []
        last = None
        for column, each in zip(self.columns, cells, strict=True):
            if column.styles is None and column.style == last:
                runs[-1][0].append(each)
                continue
            runs.append(([each], column.styles or repeat(column.style)))
            last = column.style if column.styles is None else None
        pieces = zip(*[zip(_rows(run), styles, strict=False) for run, styles in runs], strict=True)
        for kind, spans in zip(self.kinds, pieces, strict=True):
            yield (("".join([text for text, _ in spans]).rstrip(), kind),) if kind else spans


def widest(texts: Iterable[str]) -> int:
    """Return the width of the widest text."""
    texts = set(texts)
    return max(map(len if is_narrow(texts) else cells, texts), default=0)


def _fit(column: TableColumn, width: int, gap: str) -> Cells:
    """Return how a cell is written, for ``%``, and the texts, with their blanks where a character is no cell wide."""
    if is_narrow(column.texts):
        return f"{gap}%{'' if column.right else '-'}{width}s", column.texts
    return f"{gap}%s", [_padded(text, width, right=column.right) for text in column.texts]


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def _rows(columns: Sequence[Cells]) -> Iterator[str]:
    """Return the lines of cells side by side: a form for all, and one call a line."""
    form = "".join([form for form, _ in columns])
    return map(form.__mod__, zip(*[texts for _, texts in columns], strict=True))


# --- paragraphs -------------------------------------------------------------------------------------------------------


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


def _trimmed(line: list[StyledText]) -> list[StyledText]:
    """Return a line without blanks at its end."""
    while line and not line[-1][0].strip():
        line = line[:-1]
    return [*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else []


Block = Paragraph | Table


# --- narrow terminals -------------------------------------------------------------------------------------------------


def either(words: Sequence[str]) -> str:
    """Return ``a``, ``a or b``, or ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def left_out(what: str, width: int | None, whole: int | None = None) -> Paragraph:
    """Return the line below a table that lost something to a narrow terminal; ``whole`` is the width that shows all."""
    wider = f"--width {whole}" if whole else "a wider terminal"
    return Paragraph([(f"Not shown in {width} columns: {what}; {wider} or a pipe shows all.", "dim")], width)


def fitted(block: Block, width: int | None) -> Iterator[Block]:
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
