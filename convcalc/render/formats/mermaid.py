"""For Mermaid, which GitHub and many wikis draw: a flowchart with subgraphs, within Mermaid's usual limits."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.errors import escape
from convcalc.render.pictures.graph.drawing import heading, is_pill, labels
from convcalc.render.pictures.graph.graph import GraphDiagram
from convcalc.render.pictures.graph.nodes import GraphBox
from convcalc.render.pictures.palette import DARK, LIGHT
from convcalc.render.tables.surface import Surface

MOST_EDGES = 499
MOST_CHARACTERS = 49_999
"""Mermaid 11 has ``maxEdges`` 500 and ``maxTextSize`` 50,000, and draws nothing beyond."""
WHY = "More than Mermaid draws"
_ENTITIES = {ord(mark): f"#{ord(mark)};" for mark in '"#<>&`;\\'}
"""Characters with a meaning, in Mermaid or in HTML, and how Mermaid writes them."""


def graph(graph: GraphDiagram, surface: Surface) -> str:
    """Return a graph as a flowchart; what would be beyond Mermaid's limits is folded, which a comment says."""
    boxes = len(graph.top.boxes())
    text = _flowchart(graph)
    while (len(graph.edges) > MOST_EDGES or len(text) > MOST_CHARACTERS) and boxes > 1:
        boxes = boxes * 3 // 4
        graph = graph.within(boxes, WHY)
        text = _flowchart(graph)
    return text


def _flowchart(graph: GraphDiagram) -> str:
    numbers = {node: number for number, node in enumerate((*graph.inputs, *graph.top.walk()))}
    lines = [f"flowchart {'TD' if graph.view.direction == 'down' else 'LR'}"]
    lines += [f"  %% {graph.note}"] if graph.note else []
    lines += [f"  {_box(node, numbers[node], graph)}" for node in graph.inputs]
    lines += _inside(graph, numbers)
    lines += [f"  n{numbers[source]} --> n{numbers[reader]}" for source, reader in graph.edges]
    return "\n".join([*lines, *_classes(graph, numbers), ""])


def _inside(graph: GraphDiagram, numbers: dict[GraphBox, int]) -> Iterator[str]:
    """Give the lines of all frames and boxes, with the ends of frames."""
    for node, begins in graph.top.inside():
        indent = "  " * node.depth
        if not begins:
            yield f"{indent}end"
        elif node.is_frame:
            label = " · ".join(filter(None, heading(node, graph.top, graph.view.by)))
            yield f"{indent}subgraph f{numbers[node]}[{_quoted(label)}]"
        else:
            yield f"{indent}{_box(node, numbers[node], graph)}"


def _box(node: GraphBox, number: int, graph: GraphDiagram) -> str:
    label = _quoted(" · ".join(filter(None, labels(node, graph.report.inputs))))
    return f"n{number}([{label}])" if is_pill(node) else f"n{number}[{label}]"


def _classes(graph: GraphDiagram, numbers: dict[GraphBox, int]) -> Iterator[str]:
    """Give the colours, and what has which."""
    colors = DARK if graph.theme == "dark" else LIGHT
    members: dict[str, list[str]] = {}
    for node in graph.top.boxes():
        name = graph.tint(node)
        if name:
            members.setdefault(name, []).append(f"n{numbers[node]}")
    for name in sorted(members):
        yield f"  classDef {name} fill:{colors[name]},color:{colors[f'on_{name}']},stroke:{colors['line']}"
        yield f"  class {','.join(members[name])} {name}"


def _quoted(text: str) -> str:
    return f'"{escape(text).translate(_ENTITIES)}"'
