"""The text of a spec, with a place to go to for every line."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from convcalc.errors import Source
from convcalc.number_format import count_of
from convcalc.render.pictures.modules import Module
from convcalc.render.pictures.svg import element
from convcalc.render.web_page.parts import section
from convcalc.render.web_page.shell import WHY
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
        is_shown = span.line and span.source in self.shown
        line = self._name(self.shown.index(span.source), span.line) if is_shown else None
        return line, f"node {span.node}" if module.is_layer and span.node else None

    def _name(self, file: int, line: int) -> str:
        return f"{self.prefix}L{f'{file}-' if file else ''}{line}"

    def sections(self, level: int = 2) -> Iterator[Element]:
        """Give a section for each file."""
        for file in self.files:
            name = file.name.replace("\\", "/").rpartition("/")[2] or file.name
            title, lines = f"Source: {name}", file.text.rstrip("\n").split("\n")
            if file in self.shown:
                place = self.shown.index(file)
                listed = [element("span", text or " ", id=self._name(place, at)) for at, text in enumerate(lines, 1)]
                about = "A layer that is chosen has its line marked here."
                yield section(title, about, element("pre", *listed), "scroll source", level=level)
            elif file.text:
                yield section(title, f"Left out: {count_of(len(lines), 'line')}, and {WHY}.", level=level)
