"""Layouts of random graphs: what must hold of every one, checked on its coordinates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.render.pictures.graph.columns import columns
from convcalc.render.pictures.graph.layers import Layered, Link, NodeBox, order
from convcalc.render.pictures.graph.nesting import DIRECTIONS, Bend, Direction, Places, place
from convcalc.render.pictures.graph.nodes import GraphBox, build, edges, untangle
from convcalc.render.pictures.modules import Module, alone

Box = tuple[float, float, float, float]
"""Across from and to, along from and to."""
STEPS = 8
"""Points that are tried on a curve."""


def tree(shape: Sequence[int], sources: Sequence[Sequence[int]], inputs: Sequence[bool]) -> Module:
    """A tree of modules: a number of ``shape`` opens so many levels at most before its layer, 0 closes all.

    ``sources`` are the places of earlier layers that a layer reads, each so far before it.
    """
    root = Module("", "", None, 0)
    holder, leaves = root, list[Module]()
    for number, (depth, read, reads_input) in enumerate(zip(shape, sources, inputs, strict=True)):
        while depth < _depth(holder):
            holder = holder.parent or root
        for _ in range(min(2, depth - _depth(holder))):
            name = f"m{number}_{_depth(holder)}"
            group = Module(name, f"{holder.path}.{name}".lstrip("."), holder, number)
            holder.children.append(group)
            holder = group
        leaf = Module(f"l{number}", f"{holder.path}.l{number}".lstrip("."), holder, number)
        leaf.op, leaf.shape, leaf.values = "conv", (1, 2), {"macs": number % 3, "params": number % 2}
        leaf.sources = [leaves[number - back] for back in sorted({*read}) if 1 <= back <= number]
        leaf.sources += ["input"] if reads_input or not number else []
        holder.children.append(leaf)
        leaves.append(leaf)
    return root


def _depth(module: Module) -> int:
    return 0 if module.parent is None else 1 + _depth(module.parent)


@st.composite
def trees(draw: st.DrawFn) -> Module:
    count = draw(st.integers(1, 25))
    shape = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    near = st.lists(st.one_of(st.just(1), st.integers(1, 4), st.integers(1, 25)), max_size=4)
    read = draw(st.lists(near, min_size=count, max_size=count))
    inputs = draw(st.lists(st.sampled_from([False, False, False, True]), min_size=count, max_size=count))
    return tree(shape, read, inputs)


def laid_out(
    root: Module, closed: int, direction: Direction
) -> tuple[GraphBox, Places, Mapping[tuple[GraphBox, GraphBox], None]]:
    """The places of a tree of which every module but some is open."""
    top = build(root, alone, lambda run, depth: (run.first.order + depth) % (closed + 2) != 1)
    inputs, found = edges(top, ["input"])

    def sizes(node: GraphBox) -> tuple[int, int]:
        number = node.first.order if node.modules else 0
        return (120 + 2 * (number % 7), 0) if node.is_frame else (40 + 10 * (number % 5) * 2, 20 + 20 * (number % 2))

    return top, place(top, inputs, found, sizes, direction), found


def box_of(places: Places, node: GraphBox, direction: Direction) -> Box:
    at = places.rectangles[node]
    across, along = ((at.x, at.width), (at.y, at.height)) if direction == "down" else (
        (at.y, at.height), (at.x, at.width))  # fmt: skip
    return across[0], across[0] + across[1], along[0], along[0] + along[1]


def points(part: Bend) -> Iterator[tuple[float, float]]:
    """Points of a part of a line: its two straight ends, and a cubic curve whose ends have the direction."""
    (start, end), (first, begins, ends, last) = part
    middle = (begins + ends) / 2
    for step in range(STEPS + 1):
        t = step / STEPS
        yield start, first + (begins - first) * t
        yield end, ends + (last - ends) * t
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        yield a * start + b * start + c * end + d * end, a * begins + b * middle + c * middle + d * ends


def inside(point: tuple[float, float], box: Box) -> bool:
    return box[0] + 0.01 < point[0] < box[1] - 0.01 and box[2] + 0.01 < point[1] < box[3] - 0.01


@given(trees(), st.integers(0, 2), st.sampled_from(DIRECTIONS))
def test_what_holds_of_every_layout(root: Module, closed: int, direction: Direction) -> None:
    top, places, found = laid_out(root, closed, direction)
    inputs = [node for node in places.rectangles if node.input]
    whole: Box = (0, places.width, 0, places.height) if direction == "down" else (0, places.height, 0, places.width)
    boxes = {node: box_of(places, node, direction) for node in places.rectangles} | {top: whole}
    for frame in [node for node in top.walk() if node.is_frame]:
        children = [*frame.children, *(inputs if frame is top else [])]
        outer = boxes[frame]
        for child in children:
            box = boxes[child]
            assert outer[0] <= box[0] < box[1] <= outer[1]
            assert outer[2] <= box[2] < box[3] <= outer[3]
        for one, other in combinations((boxes[child] for child in children), 2):
            assert one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
        for _, _, parts in [line for line in places.lines if line[0] is frame]:
            for part in parts:
                assert list(part.along) == sorted(part.along)
                for point in points(part):
                    assert outer[0] <= point[0] <= outer[1]
                    assert outer[2] <= point[1] <= outer[3]
                    assert not any(inside(point, boxes[child]) for child in children)
    for source, reader in found:
        assert reader_is_reached(boxes[source], boxes[reader], [parts for _, of, parts in places.lines if of is source])


def reader_is_reached(source: Box, reader: Box, lines: Sequence[Sequence[Bend]]) -> bool:
    """Whether parts of lines lead from the end of one box to the beginning of another."""
    parts = [part for line in lines for part in line]
    reached = {(part.across[0], part.along[0]) for part in parts if part.along[0] == source[3]
               and source[0] <= part.across[0] <= source[1]}  # fmt: skip
    for part in sorted(parts, key=lambda part: part.along[0]):
        if (part.across[0], part.along[0]) in reached:
            reached.add((part.across[1], part.along[3]))
    return any(reader[0] <= across <= reader[1] and along == reader[2] for across, along in reached)


@given(trees())
def test_every_layer_is_in_one_box_and_every_line_is_what_a_layer_reads(root: Module) -> None:
    top = build(root, alone, lambda _run, _depth: True)
    _, found = edges(top, ["input"])
    wanted = {
        (source if isinstance(source, str) else source.path, leaf.path)
        for leaf in root.leaves()
        for source in leaf.sources
    }
    assert {(source.path, reader.path) for source, reader in found} == wanted
    assert sorted(box.path for box in top.boxes()) == sorted(leaf.path for leaf in root.leaves())


# --- one level --------------------------------------------------------------------------------------------------------


def laid(widths: Sequence[int], pairs: Sequence[tuple[int, int]]) -> tuple[Layered, int, list[int]]:
    graph = Layered([NodeBox(width, 20) for width in widths], [Link(a, b, a) for a, b in pairs])
    return graph, order(graph), columns(graph, 10)


def crossings_of(graph: Layered) -> int:
    """Counted pair by pair: two lines from different nodes to different nodes whose ends are in another order."""
    places = {node: place for layer in graph.layers for place, node in enumerate(layer)}
    return sum(
        (places[one.tail] - places[other.tail]) * (places[one.head] - places[other.head]) < 0
        for one, other in combinations(graph.segments, 2)
        if graph.ranks[one.tail] == graph.ranks[other.tail]
    )


@given(st.integers(2, 14), st.data())
def test_crossings_are_those_that_one_counts(count: int, data: st.DataObject) -> None:
    pairs = data.draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
        lambda pair: pair[0] < pair[1]), max_size=24))  # fmt: skip
    graph, crossings, _ = laid([40] * count, sorted(pairs))
    assert crossings == crossings_of(graph)


def test_a_ladder_that_is_given_crossed_is_uncrossed() -> None:
    graph, crossings, _ = laid([40] * 8, [(0, 7), (1, 6), (2, 5), (3, 4)])
    assert crossings == crossings_of(graph) == 0


def test_a_chain_is_straight_and_its_shortcut_is_beside_it() -> None:
    """0 → 1 → 2 → 3 with 0 → 3: the middle of all four is one, and the line beside them has one bend at each end."""
    _, _, across = laid([40, 60, 80, 40], [(0, 1), (1, 2), (2, 3), (0, 3)])
    assert len({across[node] for node in range(4)}) == 1
    bends = [across[node] for node in range(4, len(across))]
    assert len(bends) == 2
    assert len({*bends}) == 1
    assert abs(bends[0] - across[2]) >= 40 + 10


@pytest.mark.parametrize("branches", [2, 3, 4, 5])
def test_a_join_is_in_the_middle_of_equal_branches(branches: int) -> None:
    """0 → b1 … bn → join: the first and the last branch are as far from the join, on both sides."""
    links = [(0, branch) for branch in range(1, branches + 1)]
    links += [(branch, branches + 1) for branch in range(1, branches + 1)]
    _, _, across = laid([40] * (branches + 2), links)
    middle = sum(across[1 : branches + 1]) / branches
    assert abs(across[0] - middle) <= 1
    assert abs(across[branches + 1] - middle) <= 1


def test_a_branch_that_is_shorter_than_others_runs_straight_down_to_the_join() -> None:
    """As in GoogLeNet: 1×1 beside 3×3 behind its reduction; its lane is below it, not beside it."""
    links = [(0, 1), (0, 2), (0, 4), (2, 3), (4, 5), (1, 6), (3, 6), (5, 6)]
    _, _, across = laid([40] * 7, links)
    (lane,) = across[7:]
    assert lane == across[1]
    assert (across[2], across[4]) == (across[3], across[5])


# --- modules that read each other -------------------------------------------------------------------------------------


def test_modules_that_read_each_other_are_parted() -> None:
    """a.x → b.y → a.z: a is drawn twice, above b and below it."""
    root = Module("", "", None, 0)
    a, b = Module("a", "a", root, 0), Module("b", "b", root, 1)
    x, y, z = (Module(name, f"{holder.path}.{name}", holder, place) for place, (name, holder) in
               enumerate((("x", a), ("y", b), ("z", a))))  # fmt: skip
    a.children, b.children, root.children = [x, z], [y], [a, b]
    x.values, z.values = {"macs": 3}, {"macs": 4}
    a.values = {"macs": 7}
    y.sources, z.sources = [x], [y]
    untangle(root)
    assert [(child.path, [leaf.path for leaf in child.leaves()]) for child in root.children] == [
        ("a", ["a.x"]), ("b", ["b.y"]), ("a", ["a.z"])]  # fmt: skip
    assert [child.value("macs") for child in root.children] == [3, 0, 4]
    assert {leaf.parent for leaf in root.leaves()} == {*root.children}


@given(trees(), st.data())
def test_whatever_the_names_lines_go_down(root: Module, data: st.DataObject) -> None:
    """Layers are given to modules at random, as the names of an imported graph may be."""
    leaves = list(root.leaves())
    groups = [Module(name, name, root, 0) for name in "abc"]
    for leaf in leaves:
        leaf.parent = data.draw(st.sampled_from(groups))
        leaf.parent.children.append(leaf)
    root.children = [group for group in groups if group.children]
    for group in root.children:
        group.order = group.children[0].order
    untangle(root)
    assert sorted(leaf.order for leaf in root.leaves()) == list(range(len(leaves)))
    _, places, _ = laid_out(root, 0, "down")
    assert all(list(part.along) == sorted(part.along) for _, _, parts in places.lines for part in parts)
