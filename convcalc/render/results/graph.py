"""A graph as people read it in a terminal, and as programs do: boxes in frames, and what reads what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from convcalc.number_format import count_of
from convcalc.render.pictures.graph.drawing import heading
from convcalc.render.pictures.graph.graph import GraphDiagram
from convcalc.render.pictures.graph.nesting import Bend
from convcalc.render.pictures.graph.nodes import GraphBox
from convcalc.render.pictures.labels import NAMES, operation_label, short
from convcalc.render.tables.blocks import Paragraph
from convcalc.render.tables.characters import Characters, cells
from convcalc.render.tables.surface import Surface

INDENT = 2
WIDEST_NAME = 40
"""Names are padded to that many columns at most."""


def graph_blocks(graph: GraphDiagram, surface: Surface) -> Iterator[Paragraph]:
    """The design, then a line for every box: its name, its operation, its shape, and what it reads unless that is the
    box above it alone."""
    glyphs, width = surface.glyphs, surface.width
    report, boxes = graph.report, graph.top.boxes()
    yield surface.line(report.name, "title")
    counts = (count_of(graph.top.layers, "layer"), count_of(len(boxes), "box", "boxes"), f"depth {graph.depth}")
    yield surface.line(" · ".join(counts), "dim")
    yield Paragraph()
    nodes = _nodes(graph)
    rows = [_row(node, graph, glyphs) for node in nodes]
    room = min(WIDEST_NAME, max((cells(name) for name, _, _ in rows), default=0))
    what = max((cells(text) for _, text, _ in rows), default=0)
    reads = _reads(graph, glyphs)
    for node, (name, text, shape) in zip(nodes, rows, strict=True):
        style = "group" if node.is_frame else ""
        padded = f"{name}{' ' * max(0, room - cells(name))}  "
        after = f"  {reads[node]}" if node in reads else ""
        middle = f"{text}{' ' * (what - cells(text))}  {shape}".rstrip()
        yield Paragraph([(padded, style), (middle, ""), (after, "dim")], width, INDENT * (node.depth - 1) + 4)
    if graph.note:
        yield Paragraph()
        yield surface.line(graph.note, "dim")


def _nodes(graph: GraphDiagram) -> list[GraphBox]:
    """Return what has a line: all but the frame around everything."""
    return [*graph.inputs, *(node for node in graph.top.walk() if node is not graph.top)]


def _row(node: GraphBox, graph: GraphDiagram, glyphs: Characters) -> tuple[str, str, str]:
    """Return the name of a box with its indent, its operation and its shape; of a frame, its share."""
    by = graph.view.by
    name, share = heading(node, graph.top, by)
    name = " " * (INDENT * (node.depth - 1)) + glyphs.text(name)
    if node.input:
        return name, "input", glyphs.shape(graph.report.inputs.get(node.input, ()))
    if node.is_frame:
        number = f"{short(node.value(by), known=node.is_known(by))} {NAMES[by][1]}, " if by in NAMES else ""
        return name, glyphs.text(f"{number}{share}".strip()), ""
    what = operation_label(node.first) if node.is_run else count_of(node.layers, "layer")
    mark = "" if node.known else " ≥"
    return name, glyphs.text(f"{what}{mark}"), glyphs.shape(node.shape)


def _reads(graph: GraphDiagram, glyphs: Characters) -> Mapping[GraphBox, str]:
    """Return what boxes read, where that is not the box above them alone."""
    sources: dict[GraphBox, list[GraphBox]] = {}
    for source, reader in graph.edges:
        sources.setdefault(reader, []).append(source)
    found: dict[GraphBox, str] = {}
    beside: dict[GraphBox | None, set[str]] = {graph.top: set()}  # their names are their paths
    for node in graph.top.walk():
        beside.setdefault(node, {child.name for child in node.children})
    above = graph.inputs[-1] if graph.inputs else None
    for node in graph.top.boxes():
        read = sources.get(node, [])
        if read != [above]:
            names = [each.name if each.parent is node.parent else each.path for each in read]
            if len({*names}) < len(names) or any(each.path in beside[node.parent] for each in read):
                names = [each.path for each in read]
            found[node] = glyphs.text(f"← {', '.join(names) or 'nothing'}")
        above = node
    return found


# --- for programs -----------------------------------------------------------------------------------------------------


def graph_facts(graph: GraphDiagram) -> dict[str, object]:
    """Return the boxes, frames and edges with their places in pixels; ids are numbers, outer frames first."""
    places, view = graph.places, graph.view
    shown = _nodes(graph)
    ids = {node: number for number, node in enumerate(shown)}

    def node_facts(node: GraphBox) -> dict[str, object]:
        at = places.rectangles[node]
        facts: dict[str, object] = {
            "id": ids[node],
            "kind": "input" if node.input else "frame" if node.is_frame else "box",
            "parent": ids.get(node.parent) if node.parent else None,
            "path": node.path,
            "name": node.name,
        }
        if not node.input:
            only = node.first.only if node.is_run else None
            facts |= {
                "paths": [module.path for module in node.modules],
                "times": node.times,
                "op": only.op if only else None,
                "label": operation_label(node.first) if node.is_run else count_of(node.layers, "layer"),
                "layers": node.layers,
                "known": node.known,
                **{key: node.value(key) for key in NAMES},
            }
        shape = graph.report.inputs.get(node.input, ()) if node.input else node.shape
        return {**facts, "output_shape": shape, "x": at.x, "y": at.y, "width": at.width, "height": at.height}

    return {
        "view": {"depth": graph.depth, "by": view.by, "direction": view.direction, "repeats": view.repeats},
        "note": graph.note,
        "width": places.width,
        "height": places.height,
        "nodes": map(node_facts, shown),
        "edges": ({"from": ids[source], "to": ids[reader]} for source, reader in graph.edges),
        "lines": (
            {"from": ids[source], "frame": ids.get(frame), "points": [_points(part, graph) for part in parts]}
            for frame, source, parts in places.lines
        ),
    }  # fmt: skip


def _points(part: Bend, graph: GraphDiagram) -> Sequence[Sequence[int]]:
    """Return the four points of a part of a line: where it begins, where its curve does and ends, where it ends."""
    (start, end), (first, begins, ends, last) = part
    points = ((start, first), (start, begins), (end, ends), (end, last))
    return points if graph.view.direction == "down" else tuple((along, across) for across, along in points)
