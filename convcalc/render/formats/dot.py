"""For Graphviz: boxes, clusters and edges, to be placed by ``dot``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from convcalc.errors import escape
from convcalc.render.pictures.graph.drawing import heading, is_pill, labels
from convcalc.render.pictures.graph.graph import GraphDiagram
from convcalc.render.pictures.graph.nodes import GraphBox
from convcalc.render.pictures.palette import DARK, LIGHT
from convcalc.render.tables.surface import Surface


def graph(graph: GraphDiagram, surface: Surface) -> str:
    """Return a graph in the language of Graphviz; ``auto`` is the light theme."""
    colors = DARK if graph.theme == "dark" else LIGHT
    numbers = {node: number for number, node in enumerate((*graph.inputs, *graph.top.walk()))}
    line, text, ground, panel = (_quoted(colors[name]) for name in ("line", "text", "ground", "panel"))
    way = "TB" if graph.view.direction == "down" else "LR"
    box = f'shape=box, style="rounded,filled", color={line}, fillcolor={panel}, fontcolor={text}'
    lines = [
        *([f"// {graph.note}"] if graph.note else []),
        f"digraph {_quoted(graph.report.name)} {{",
        f"  graph [rankdir={way}, style=rounded, color={line}, fontcolor={text}, bgcolor={ground}];",
        f"  graph [fontname=Arial, fontsize=11]; node [fontname=Arial, fontsize=10, height=0.3, {box}];",
        f"  edge [color={_quoted(colors['muted'])}, arrowsize=0.5];",
    ]
    lines += [f"  {_box(node, numbers[node], graph, colors)}" for node in graph.inputs]
    lines += _inside(graph, numbers, colors)
    lines += [f"  n{numbers[source]} -> n{numbers[reader]};" for source, reader in graph.edges]
    return "\n".join([*lines, "}", ""])


def _inside(graph: GraphDiagram, numbers: dict[GraphBox, int], colors: Mapping[str, str]) -> Iterator[str]:
    """Give the lines of all frames and boxes, with the ends of frames."""
    for node, begins in graph.top.inside():
        indent = "  " * node.depth
        if not begins:
            yield f"{indent}}}"
        elif node.is_frame:
            label = "  ".join(filter(None, heading(node, graph.top, graph.view.by)))
            yield f"{indent}subgraph cluster_{numbers[node]} {{"
            yield f"{indent}  label={_quoted(label)}; labeljust=l;"
        else:
            yield f"{indent}{_box(node, numbers[node], graph, colors)}"


def _box(node: GraphBox, number: int, graph: GraphDiagram, colors: Mapping[str, str]) -> str:
    text = "\\n".join(_text(line) for line in labels(node, graph.report.inputs) if line)
    fill = "" if node.input else graph.tint(node)
    more = ""
    if fill:
        more = f", fillcolor={_quoted(colors[fill])}, fontcolor={_quoted(colors[f'on_{fill}'])}"
    shape = ", height=0.2" if is_pill(node) else ""
    return f'n{number} [label="{text}"{shape}{more}];'


def _text(text: str) -> str:
    return escape(text).replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{_text(text)}"'
