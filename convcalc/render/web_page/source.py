"""The text of a spec, with a place to go to for every line."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from convcalc.errors import Source, Span
from convcalc.number_format import count_of
from convcalc.render.pictures.modules import Module
from convcalc.render.pictures.svg import element
from convcalc.render.web_page.detail import WHY
from convcalc.render.web_page.parts import scroll, section
from convcalc.report.report import Report

LINE = 35
"""Bytes that a page needs for a line besides its text."""


class SourceLines:
    """Where layers come from: lines of files, or nodes of an imported model.

    ``prefix`` makes the names of lines unlike those of another design in the page. Files whose listing has more than
    about ``most`` bytes are not shown.
    """

    def __init__(self, report: Report, prefix: str, most: int) -> None:
        self.prefix = prefix
        self.spans = {row.path: row.source for row in report.rows if row.source is not None}
        self.files: list[Source] = []
        for span in self.spans.values():
            if span.line and span.source not in self.files:
                self.files.append(span.source)
        self.shown = [
            file for file in self.files if file.text and len(file.text) + LINE * file.text.count("\n") <= most
        ]

    def of(self, module: Module) -> tuple[str | None, str | None]:
        """Return the anchor of a module's line, or the node of the model that it is; of a scope, its first layer's."""
        first = module
        while first.children:
            first = first.children[0]
        span = self.spans.get(first.path)
        if span is None:
            return None, None
        return self._anchor(span), f"node {span.node}" if module.is_layer and span.node else None

    def _anchor(self, span: Span) -> str | None:
        if not span.line or span.source not in self.shown:
            return None
        return self._name(self.shown.index(span.source), span.line)

    def _name(self, file: int, line: int) -> str:
        return f"{self.prefix}L{f'{file}-' if file else ''}{line}"

    def sections(self, level: int = 2) -> Iterator[Element]:
        """Give a section for each file."""
        for file in self.files:
            title = f"Source: {_short(file.name)}"
            if not file.text:
                continue
            if file not in self.shown:
                yield section(title, f"Left out: {_lines(file)}, and {WHY}.", level=level)
                continue
            place = self.shown.index(file)
            lines = enumerate(file.text.rstrip("\n").split("\n"), 1)
            listing = element(
                "pre", *(element("span", text or " ", id=self._name(place, line)) for line, text in lines)
            )
            yield section(title, "A layer that is chosen has its line marked here.",
                          scroll(listing, title, "scroll source"), level=level)  # fmt: skip


def _lines(file: Source) -> str:
    return count_of(file.text.rstrip("\n").count("\n") + 1, "line")


def _short(name: str) -> str:
    """Return the name of a file without its folders."""
    return name.replace("\\", "/").rpartition("/")[2] or name
