"""The treemap: every layer at once, as a rectangle whose area is its share of a metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from convcalc.records import NamedTuple, dataclass
from convcalc.render.pictures.labels import LETTERS, NAMES, exact, facts, rounded, uncounted
from convcalc.render.pictures.modules import Module, Modules
from convcalc.render.pictures.palette import tint
from convcalc.render.pictures.svg import SIZE, SMALL, Picture, element, fitted, footnote, picture, text_width

HEAD = 15
"""Height of the heading of a group."""
LEAST_HEAD = (56, 40)
LEAST_LETTERS = 5
"""A name that must be cut to so few is left out."""
LEAST_GROUP = (26, 22)
"""A smaller group is one cell."""
LEAST_AREA = 20
"""Smaller cells of a group are one."""
MOST_CELLS = 1200
FOOT = 18


class Box(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height

    def holds(self, least: tuple[float, float]) -> bool:
        """Whether it is at least so wide and so high."""
        return self.width >= least[0] and self.height >= least[1]


def squarify(values: Sequence[int], box: Box) -> list[Box]:
    """Divide a rectangle into ones whose areas are in the ratio of positive values, as near to squares as they can be.

    Args:
        values: the largest first, but for the last one.
        box: what is divided.

    Source:
        Bruls, Huizing, van Wijk (2000), Squarified treemaps.
    """
    found: list[Box] = []
    left, start = sum(values), 0
    x, y, width, height = box
    while start < len(values):
        wide = width >= height
        side, along = (height, width) if wide else (width, height)
        end, row = _row(values, start, left, (side, along))
        depth = along * (row / left)
        taken = 0
        for value in values[start:end]:
            at, length = side * (taken / row), side * (value / row)
            found.append(Box(x, y + at, depth, length) if wide else Box(x + at, y, length, depth))
            taken += value
        if wide:
            x, width = x + depth, width - depth
        else:
            y, height = y + depth, height - depth
        left, start = left - row, end
    return found


def _row(values: Sequence[int], start: int, left: int, room: tuple[float, float]) -> tuple[int, int]:
    """Return where the next row ends and its sum: it grows while its least square cell gets no worse."""
    side, along = room
    row, end, worst = 0, start, float("inf")
    while end < len(values):
        longer = row + values[end]
        depth = along * (longer / left)
        lengths = (side * (values[start] / longer), side * (values[end] / longer))
        ratio = max((depth / length if depth > length else length / depth) if depth and length else float("inf")
                    for length in lengths)  # fmt: skip
        if end > start and ratio > worst:
            break
        row, end, worst = longer, end + 1, ratio
    return end, row


@dataclass(eq=False, slots=True)
class Cell(Modules):
    """What is drawn: a layer, a group that is too small to be divided, or the smallest modules of one together."""

    box: Box
    is_group: bool = False
    """Whether cells are inside it."""

    @property
    def path(self) -> str:
        """The path of its module, or of what holds several."""
        holder = self.first if len(self.modules) == 1 else self.first.parent
        return (holder or self.first).path


def cells(
    root: Module, area: str, box: Box, *, heads: bool = True, least: tuple[float, float] = LEAST_GROUP,
    most: int = MOST_CELLS,
) -> Iterator[Cell]:  # fmt: skip
    """Give the cells of a tree of modules, groups before what they hold.

    What a module holds divides its rectangle in the ratio of ``area``, the largest first. With ``heads`` groups have
    room for their names; without, the areas of all layers are in one ratio. Groups smaller than ``least`` are one cell.
    """
    smallest = max(LEAST_AREA, box.area / most)
    stack = [(root, box)]
    while stack:
        module, outer = stack.pop()
        inner = outer
        if heads and module is not root:
            head = HEAD if outer.holds(LEAST_HEAD) else 1.5
            inner = Box(outer.x + 1.5, outer.y + head, outer.width - 3, outer.height - head - 1.5)
        ranked = sorted((child for child in module.children if child.value(area)), key=lambda each: -each.value(area))
        total = sum(child.value(area) for child in ranked)
        if not total:
            continue
        if module is not root:
            yield Cell([module], outer, is_group=True)
        shown = [child for child in ranked if inner.area * (child.value(area) / total) >= smallest]
        groups = [[child] for child in shown or ranked[:1]]
        rest = ranked[len(groups) :]
        if rest:
            groups.append(rest)
        sums = [sum(child.value(area) for child in group) for group in groups]
        for group, inside in zip(groups, squarify(sums, inner), strict=True):
            if len(group) == 1 and not group[0].is_layer and inside.holds(least):
                stack.append((group[0], inside))
            else:
                yield Cell(group, inside)


def treemap(
    root: Module, area: str = "params", width: float = 560, height: float = 380, most: int = MOST_CELLS
) -> Picture:
    """Draw every layer as a rectangle, tinted by multiplies at first; groups have their names above.

    Args:
        root: the modules of a design.
        area: the metric that areas are in the ratio of, among what a group holds.
        width: in pixels.
        height: in pixels.
        most: cells, about; smaller ones of a group are one.
    """
    note = uncounted(root)
    box = Box(0, 0, width, height - (FOOT if note else 0))
    maxima = {key: max((leaf.value(key) for leaf in root.leaves()), default=0) for key in LETTERS}
    content = [_drawn(cell, root, area, maxima) for cell in cells(root, area, box, most=most)]
    if not content:
        none = f"No {'' if root.is_known(area) else 'counted '}layer has {NAMES[area][1]}."
        content.append(element("text", none, class_="muted", x=4, y=16))
    content += footnote(note, width, height - 4)
    said = f"Every layer: area is its share of {exact(root, area)}, tint its {NAMES['macs'][1]}."
    return picture(f"treemap by-{LETTERS['macs']}", content, width, height, said)


def _drawn(cell: Cell, root: Module, area: str, maxima: Mapping[str, int]) -> Element:
    if not cell.is_group:
        return tinted(cell, root, area, maxima, [cell.first.name])
    box = cell.box
    group = element("g", element("rect", class_="frame", **box._asdict()), data_at=cell.path)
    if box.holds(LEAST_HEAD):
        name = fitted(cell.first.name, box.width - 8, SMALL, bold=True)
        group.append(element("text", name, class_="small strong", x=box.x + 4, y=box.y + 11))
    return group


def tinted(cell: Cell, root: Module, area: str, maxima: Mapping[str, int], names: Sequence[str]) -> Element:
    """Return a cell with its tints, one of its names and its value where there is room, and its title."""
    box, number = cell.box, rounded(cell, area)
    several = len(cell.modules) > 1
    # the tint is that of the only module, which may be a group with more than any layer, or of the largest
    values = {key: max(module.value(key) for module in cell.modules) for key in LETTERS}
    tints = {f"data_{letter}": str(tint(min(values[key], maxima[key]), maxima[key])) for key, letter in LETTERS.items()}
    said = [cell.path, *([f"the {len(cell.modules):,} smallest"] if several else [])]
    said += facts(cell, root, dict.fromkeys((area, "params", "macs")))
    group = element("g", element("title", "\n".join(said)), data_at=cell.path, **tints)
    group.append(element("rect", class_="cell tint", **box._asdict()))
    lines = [_label([f"{len(cell.modules):,} others"] if several else names, box)]
    lines += [(number, SMALL)] if text_width(number, SMALL) <= box.width - 7 else []
    for place, (text, size) in enumerate([line for line in lines if line[0]][: max(0, int((box.height - 4) // HEAD))]):
        y = box.y + 14 + 14 * place
        group.append(element("text", text, class_="small" if size == SMALL else None, x=box.x + 4, y=y))
    return group


def _label(names: Sequence[str], box: Box) -> tuple[str, float]:
    """Return the first name that fits a cell, or as much of the last; nothing where it would be little."""
    room = box.width - 7
    for name in names:
        for size in (SIZE, SMALL):
            if text_width(name, size) <= room:
                return name, size
    name = names[-1]  # what tells names with numbers apart is their end
    cut = fitted(name[::-1], room, SMALL)[::-1] if name[-1:].isdigit() else fitted(name, room, SMALL)
    return (cut if len(cut) > LEAST_LETTERS else "", SMALL)
