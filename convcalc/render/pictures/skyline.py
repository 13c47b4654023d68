"""The skyline: what every layer costs along the depth; multiplies up, parameters down, activations at the foot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from convcalc.number_format import count_of, format_short
from convcalc.records import NamedTuple, dataclass
from convcalc.render.pictures.labels import NAMES, exact, short, uncounted
from convcalc.render.pictures.modules import Module, ModuleRun, Modules, has_costs
from convcalc.render.pictures.svg import SIZE, SMALL, Picture, element, footnote, number, picture, text_width
from convcalc.report.report import Report

HEIGHT, LEGEND = 270, 22
NAME = 18
"""Height of the names of bands."""
MARK = 14
"""Height of the mark of the peak."""
LEAST_COLUMN = 2
"""With narrower columns, one stands for several neighbours: the largest of them."""
WIDEST_COLUMN = 90
MOST_BANDS = 40
APART, OVERHANG = 6, 4
"""Between the names of bands, and what a name may be wider than its band on each side."""
KEYS = {"macs": "multiplies up", "params": "parameters down", "output_elements": "activations at the foot"}


@dataclass(eq=False, slots=True)
class _Column(Modules):
    """Neighbouring layers, mostly one alone."""

    band: Module | None
    """The top module that the first is in."""
    activations: Mapping[str, int]
    """The output elements of layers, norms and activations by their paths."""

    def value(self, key: str) -> int:
        """Return the value of the largest layer; of activations, what it puts out."""
        if key == "output_elements":
            return max(self.activations.get(layer.path, layer.value(key)) for layer in self.modules)
        return max(layer.value(key) for layer in self.modules)


class _Scale(NamedTuple):
    """Where bars of a metric begin, how long the longest is, and its value."""

    key: str
    name: str
    base: float
    length: float
    largest: int
    most: str
    """The largest value in short; ``≥`` where not all are known."""
    upward: bool

    def bar(self, height: float, x: float, width: float, kind: str = "") -> Element:
        """Return a bar so high."""
        y = self.base - height if self.upward else self.base
        return element("rect", class_=kind or self.name, x=x, y=y, width=width, height=height)


def skyline(root: Module, report: Report, width: float = 1180, least: float = LEAST_COLUMN) -> Picture:
    """Draw a column for every layer that has parameters or multiplies, or is not counted, in the network's order.

    Each metric has a linear scale of its own; its largest value is written beside it. Bands are top modules. The
    layer with the peak of activations is marked if the report has it. Columns narrower than ``least`` are put together.
    """
    layers, note = shown_layers(root), uncounted(root)
    together = max(1, -(-len(layers) // max(1, int(width / least))))  # so many layers are one column
    columns = _columns(root, report, layers, together)
    foot = HEIGHT - (NAME if note else 0)
    scales = _scales(columns, foot)
    step = min(width / max(len(columns), 1), WIDEST_COLUMN)
    drawn = [*_bands(columns, step, scales, foot)]
    drawn += [_column(column, place * step, step, scales, foot) for place, column in enumerate(columns)]
    drawn += _peak(report, columns, step, scales[2], width)
    drawn += _legend(scales, width) if columns else [element("text", "No layer has parameters or multiplies.",
                                                             class_="muted", x=4, y=16)]  # fmt: skip
    most = ", ".join(f"{scale.most} {KEYS[scale.key]}" for scale in scales)
    folded = f" A column is up to {together} neighbours, the largest drawn." if len(layers) > len(columns) else ""
    said = f"{count_of(len(layers), 'layer')} in order. Linear scales, at most: {most}.{folded}"
    return picture("skyline", [*drawn, *footnote(note, width, HEIGHT - 5)], width, HEIGHT, said)


def shown_layers(root: Module) -> list[Module]:
    """Return the layers that have a column: those with parameters or multiplies, and those that are not counted."""
    return [leaf for leaf in root.leaves() if has_costs(leaf) or not leaf.known]


def activations_of(report: Report) -> dict[str, int]:
    """Return the output elements of every layer, its norm and its activation apart."""
    return {row.path: row.values.get("output_elements", 0) for row in report.rows}


def _columns(root: Module, report: Report, layers: Sequence[Module], together: int) -> list[_Column]:
    activations, top = activations_of(report), root.opened
    few = len(top.children) <= MOST_BANDS  # of many, layers that are in no scope are one band without a name
    bands = {leaf: child for child in top.children if few or not child.is_layer for leaf in child.leaves()}
    starts = range(0, len(layers), together)
    return [_Column(layers[at : at + together], bands.get(layers[at]), activations) for at in starts]


def _scales(columns: Sequence[_Column], foot: float) -> list[_Scale]:
    """Return the scales: multiplies above the line, parameters below it, activations at the foot."""
    room = foot - LEGEND - NAME - MARK
    up, down, low = room * 0.44, room * 0.38, room * 0.18
    line = LEGEND + up
    places = (
        ("macs", "macs", line, up, True), ("params", "params", line, down, False),
        ("output_elements", "activations", foot, low, True),
    )  # fmt: skip
    found = []
    for key, name, base, length, upward in places:
        largest = max((column.value(key) for column in columns), default=0)
        most = short(largest, known=all(column.is_known(key) for column in columns))
        found.append(_Scale(key, name, base, length, largest, most, upward))
    return found


def _bands(columns: Sequence[_Column], step: float, scales: Sequence[_Scale], foot: float) -> Iterator[Element]:
    """Give the grounds of every other top module, their names, and the line that columns are on."""
    start, free = 0, 0.0
    y = scales[1].base + scales[1].length + 13
    for place, (band, group) in enumerate(groupby(columns, key=lambda column: column.band)):
        size = sum(1 for _ in group)
        x, wide = start * step, size * step
        if place % 2:
            yield element("rect", class_="band", x=x, y=LEGEND, width=wide, height=foot - LEGEND)
        name = ModuleRun([band]).label if band is not None else ""
        over = (text_width(name, SMALL) - wide) / 2
        if name and over <= OVERHANG and free <= x - over and x + wide + over <= len(columns) * step:
            free = x + wide + over + APART
            yield element("text", name, class_="small muted middle", x=x + wide / 2, y=y)
        start += size
    line = scales[0].base
    yield element("path", class_="axis", d=f"M0,{number(line)}H{number(start * step)}")


def _column(column: _Column, x: float, step: float, scales: Sequence[_Scale], foot: float) -> Element:
    gap = 2 if step > 8 else 0.8 if step > 3 else 0.2
    largest = f", the largest of {len(column.modules):,}" if len(column.modules) > 1 else ""
    said = [f"{column.paths}{largest}", *(exact(column, key) for key in KEYS)]
    group = element("g", element("title", "\n".join(said)), data_at=column.first.path)
    group.append(element("rect", class_="hit", x=x, y=LEGEND, width=step, height=foot - LEGEND))
    for scale in scales:
        value = column.value(scale.key)
        if value:
            height = max(scale.length * (value / scale.largest), 0.5)
            group.append(scale.bar(height, x + gap / 2, step - gap))
        if not column.is_known(scale.key):
            group.append(scale.bar(scale.length, x + gap / 2, step - gap, "unknown"))
            if step >= SIZE:
                y = scale.base - 4 if scale.upward else scale.base + SIZE
                group.append(element("text", "≥", class_="strong middle", x=x + step / 2, y=y))
    return group


def _peak(report: Report, columns: Sequence[_Column], step: float, scale: _Scale, width: float) -> Iterator[Element]:
    """Give the mark of the layer at which most activations are in memory, over the last column up to it."""
    if report.peak is None or not columns:
        return
    at = next(place for place, row in enumerate(report.rows) if row.path == report.peak.layer)
    place = max((place for place, column in enumerate(columns) if column.first.order <= at), default=0)
    text = f"peak {format_short(report.peak.bytes, 'bytes')}"
    x, y = (place + 0.5) * step, scale.base - scale.length - 3
    is_left = x + text_width(text, SMALL) + 7 > width
    mark = f"M{number(x - 4)},{number(y - 6)}h8l-4,6z"
    group = element("g", element("title", f"{text} at {report.peak.layer}"), data_at=report.peak.layer)
    group.append(element("path", class_="activations", d=mark))
    side = "end" if is_left else None
    group.append(element("text", text, class_=f"small {side}" if side else "small", x=x - 7 if side else x + 7, y=y))
    yield group


def _legend(scales: Sequence[_Scale], width: float) -> Iterator[Element]:
    """Give the keys of the colours, with the largest values."""
    largest = [scale.most for scale in scales]
    named = [f"{scale.most} {NAMES[scale.key][1]}" for scale in scales]
    forms = ([f"up to {text}" for text in named], named, largest)
    texts = next((form for form in forms if sum(text_width(text, SMALL) + 29 for text in form) <= width + 16), largest)
    x = 0.0
    for scale, text in zip(scales, texts, strict=True):
        yield element("rect", class_=scale.name, x=x, y=3, width=9, height=9, rx=2)
        yield element("text", text, class_="muted small", x=x + 13, y=11)
        x += 13 + text_width(text, SMALL) + 16
