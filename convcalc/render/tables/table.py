"""A table as lines of text: columns padded to their widest cell, rules and headings, no wrapping and no cutting.

Made for many rows: a cell is padded by ``str.ljust``, a line is one join, and colour costs a few spans a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

from convcalc.records import NamedTuple
from convcalc.render.tables.characters import cells, is_narrow

StyledText = tuple[str, str]
"""A piece of a line and the name of its style (``""`` is plain)."""
Line = str | Sequence[StyledText]


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


class Table(NamedTuple):
    """Columns of equal length. ``row_styles`` styles whole rows (``group``, ``zero``, ``total``; ``""``: by column).

    The last ``footer_rows`` stand beneath a rule; ``group_headings`` are over several columns: first, last, text.
    """

    columns: Sequence[TableColumn]
    row_styles: Sequence[str]
    rule: str = "─"
    footer_rows: int = 0
    group_headings: Sequence[tuple[int, int, str]] = ()
    indent: int = 0

    def plain(self) -> Iterator[str]:
        """Return the lines without their styles."""
        widths = [column.width for column in self.columns]
        body = ("".join(texts).rstrip() for texts in zip(*self._padded(widths), strict=True))
        for line in self._framed(widths, body):
            yield line if isinstance(line, str) else "".join(text for text, _ in line).rstrip()

    def styled(self) -> Iterator[Sequence[StyledText]]:
        """Return the lines as spans."""
        widths = [column.width for column in self.columns]
        for line in self._framed(widths, self._spans(widths)):
            yield [(line, "")] if isinstance(line, str) else line

    def _framed(self, widths: Sequence[int], body: Iterable[Line]) -> Iterator[Line]:
        """Put headings and rules around the lines of the body."""
        rule: list[StyledText] = [(" " * self.indent + self.rule * self.width, "rule")]
        if self.group_headings:
            yield self._spanning(widths)
        if any(column.heading for column in self.columns):
            yield [("".join(self._heading(widths)).rstrip(), "head")]
            yield rule
        for number, line in enumerate(body, self.footer_rows - len(self.row_styles)):
            if number == 0 and self.footer_rows:
                yield rule
            yield line

    @property
    def width(self) -> int:
        return sum(column.width for column in self.columns) + sum(column.gap for column in self.columns[1:])

    def _gap(self, place: int) -> str:
        return " " * (self.columns[place].gap if place else self.indent)

    def _heading(self, widths: Sequence[int]) -> Iterator[str]:
        for place, (column, width) in enumerate(zip(self.columns, widths, strict=True)):
            yield self._gap(place) + _padded([column.heading], width, right=column.right)[0]

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

    def _padded(self, widths: Sequence[int]) -> list[list[str]]:
        """Return the texts of every column, each as wide as the column and with the gap in front."""
        padded = [
            _padded(column.texts, width, right=column.right, lead=self._gap(place))
            for place, (column, width) in enumerate(zip(self.columns, widths, strict=True))
        ]
        return [*padded[:-1], [text.rstrip() for text in padded[-1]]]

    def _spans(self, widths: Sequence[int]) -> Iterator[Sequence[StyledText]]:
        """Return the body's lines: one span for a row with a style of its own, else one a run of like columns."""
        runs: list[tuple[list[str], Iterable[str]]] = []
        last = None
        for column, texts in zip(self.columns, self._padded(widths), strict=True):
            if column.styles is None and column.style == last:
                runs[-1] = (list(map("".join, zip(runs[-1][0], texts, strict=True))), runs[-1][1])
                continue
            runs.append((texts, column.styles or repeat(column.style)))
            last = column.style if column.styles is None else None
        joined = map("".join, zip(*(texts for texts, _ in runs), strict=True))
        pieces = zip(*(zip(texts, styles, strict=False) for texts, styles in runs), strict=True)
        for kind, whole, spans in zip(self.row_styles, joined, pieces, strict=True):
            yield ((whole.rstrip(), kind),) if kind else spans


def widest(texts: Sequence[str]) -> int:
    """Return the width of the widest text."""
    return max(map(len if is_narrow(texts) else cells, texts), default=0)


def _padded(texts: Sequence[str], width: int, *, right: bool, lead: str = "") -> list[str]:
    if is_narrow(texts):
        return [lead + text.rjust(width) for text in texts] if right else [lead + text.ljust(width) for text in texts]
    blanks = [" " * (width - cells(text)) for text in texts]
    return [lead + (blank + text if right else text + blank) for text, blank in zip(texts, blanks, strict=True)]
