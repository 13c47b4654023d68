"""Tables of one design: its modules and layers as a tree, its kinds of operations, and the text of its spec.

Every line of a spec is a place to go to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from convcalc.errors import Source
from convcalc.number_format import count_of
from convcalc.render.pictures.graph.drawing import shape_text
from convcalc.render.pictures.labels import LETTERS, operation_label
from convcalc.render.pictures.modules import COSTS, Module
from convcalc.render.pictures.svg import element, text_width
from convcalc.render.web_page.parts import chosen, cost, count, finder, head_row, row, section
from convcalc.render.web_page.shell import ELSEWHERE, WHY, Detail
from convcalc.report.fold import TableOptions, fold_report
from convcalc.report.report import Report

DEEPEST = 9
"""Rows further inside are indented no more."""
NAME, INDENT, SIZE = 22, 15, 12.5
"""Left of names, of each level, and the size of the font, as in page.css."""
LINE = 35
"""Bytes that a page needs for a line besides its text."""


def layer_table(root: Module, report: Report, lines: SourceLines, detail: Detail, *, level: int = 2) -> Element:
    """Return the section with a row for every module and layer; norms and activations are part of their layers.

    Of a larger design than the detail lets, modules are rows and their layers are not; of still more, the largest are.
    """
    rows = list(_rows(root))
    totals = {key: root.value(key) for key in COSTS}

    def size(row: tuple[Module, int]) -> tuple[bool, int]:
        module = row[0]
        return not module.known, module.value("params") * totals["macs"] + module.value("macs") * totals["params"]

    shown = chosen(rows, detail.rows, lambda row: row[1], size)
    largest = {key: max((leaf.value(key) for leaf in root.leaves()), default=0) for key in totals}
    body = element("tbody")
    before: str | None = None
    for module, depth in shown:
        line, node = lines.of(module)
        changed = None if line == before else line or ""  # without a mark, a row has the line of the row before
        body.append(_row(module, depth, totals, largest, data_line=changed, title=node))
        before = line
    total = element("tr", element("th", "Total", scope="row"), element("td", count_of(len(report.rows), "layer")),
                    element("td"))  # fmt: skip
    for key, value in totals.items():
        total.extend([element("td", count(value, known=root.is_known(key))), element("td"), element("td")])
    head = head_row("Layer", "Operation", "Output", "Params", "%", "", "Multiplies", "%", "")
    table = element("table", head, body, element("tfoot", total), class_="layers")
    about = "Norms and activations are counted in the layer they follow."
    if len(shown) < len(rows):
        left = f" {count_of(len(rows) - len(shown), 'more row')}: "
        about += left + ("in the JSON alone." if detail.layers else ELSEWHERE)
    return section("Layers", about, table, "scroll tall", level=level, tools=[finder("Filter layers")])


def names_width(root: Module) -> float:
    """Return how wide the column of names is, in pixels, about."""
    return max(NAME + INDENT * min(depth, DEEPEST) + text_width(module.name, SIZE) for module, depth in _rows(root))


def _rows(root: Module) -> Iterator[tuple[Module, int]]:
    """Give every module with its depth, in the network's order."""
    stack = [(child, 0) for child in reversed(root.children)]
    while stack:
        module, depth = stack.pop()
        yield module, depth
        stack += [(child, depth + 1) for child in reversed(module.children)]


def _row(
    module: Module, depth: int, totals: Mapping[str, int], largest: Mapping[str, int], **marks: str | None
) -> Element:
    """Return a row; its first cell is a heading of its row by its place, and its bars have the colours of columns."""
    cells: list[Element | str | None] = [operation_label(module), shape_text(module.shape)]
    for key in totals:
        most = largest[key] if module.is_layer else 0
        cells += cost(module.value(key), totals[key], most, known=module.is_known(key))
    kind = f"l{min(depth, DEEPEST)}" + ("" if module.is_layer else " g")
    return row(element("th", module.name), cells, class_=kind, data_at=module.path, **marks)


def operation_table(root: Module, report: Report, *, level: int = 2) -> Element | None:
    """Return the section with a row for each kind of operation; nothing for a single layer."""
    lines = fold_report(report, TableOptions(by="op")).lines
    if len(lines) < 2:
        return None
    totals = {key: root.value(key) for key in COSTS}
    largest = {key: max(line.values.get(key, 0) for line in lines) for key in COSTS}
    body = element("tbody")
    for line in sorted(lines, key=lambda line: (-line.values.get("macs", 0), -line.values.get("params", 0))):
        cells: list[Element | str | None] = [f"{line.layers:,}"]
        for key in COSTS:
            value, known = line.values.get(key, 0), key not in line.unknown
            cells += cost(value, totals[key], largest[key], LETTERS[key], known=known)
        body.append(row(element("th", line.op or line.path, scope="row"), cells))
    head = head_row("Operation", "Layers", "Params", "%", "", "Multiplies", "%", "")
    about = "All layers of one kind together, norms and activations by themselves."
    table = element("table", head, body, class_="numbers sorts")
    return section("By operation", about, table, "scroll", level=level)


# --- source -----------------------------------------------------------------------------------------------------------


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
