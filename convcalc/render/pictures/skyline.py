"""The skyline: what every layer costs along the depth; multiplies up, parameters down, activations at the foot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from convcalc.number_format import count_of, format_short
from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import NAMES, exact, short, uncounted
from convcalc.render.pictures.modules import Module, Run
from convcalc.render.pictures.svg import Picture, element, number, picture
from convcalc.render.pictures.text_width import fitted, text_width
from convcalc.report.report import Report

SIZE, SMALL = 12, 10.5
LEGEND = 22
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


class _Column(NamedTuple):
    """Neighbouring layers, mostly one alone."""

    layers: Sequence[Module]
    band: Module | None
    """The top module that the first is in; of many, layers that are in none are one band without a name."""
    activations: Mapping[str, int]
    """The output elements of layers, norms and activations by their paths."""

    def value(self, key: str) -> int:
        """Return the value of the largest layer; of activations, what it puts out."""
        if key == "output_elements":
            return max(self.activations.get(layer.path, layer.value(key)) for layer in self.layers)
        return max(layer.value(key) for layer in self.layers)

    def is_known(self, key: str) -> bool:
        """Whether its value of a metric is exact."""
        return all(layer.is_known(key) for layer in self.layers)


class _Scale(NamedTuple):
    """Where bars of a metric begin, how long the longest is, and its value."""

    key: str
    name: str
    base: float
    length: float
    largest: int
    known: bool
    upward: bool

    def bar(self, value: int, x: float, width: float) -> Element | None:
        """Return a bar; nothing for a value of 0."""
        if not value:
            return None
        height = max(self.length * (value / self.largest), 0.5)
        y = self.base - height if self.upward else self.base
        return element("rect", class_=self.name, x=x, y=y, width=width, height=height)


def skyline(
    root: Module, report: Report, width: float = 1180, height: float = 270, least: float = LEAST_COLUMN
) -> Picture:  # fmt: skip
    """Draw a column for every layer that has parameters or multiplies, or is not counted, in the network's order.

    Each metric has a linear scale of its own; its largest value is written beside it. Bands are top modules. The
    layer with the peak of activations is marked if the report has it. Columns narrower than ``least`` are put together.
    """
    limit = max(1, int(width / least))
    columns = _columns(root, report, limit)
    note = uncounted(root)
    drawn: list[Element] = []
    foot = height - (NAME if note else 0)
    scales = _scales(columns, foot)
    step = min(width / max(len(columns), 1), WIDEST_COLUMN)
    drawn += _bands(columns, step, scales, foot)
    for place, column in enumerate(columns):
        drawn.append(_column(column, place * step, step, scales, foot))
    drawn += _peak(report, columns, step, scales[2], width)
    drawn += _legend(scales, width) if columns else [element("text", "No layer has parameters or multiplies.",
                                                             class_="muted", x=4, y=16)]  # fmt: skip
    if note:
        drawn.append(element("text", fitted(note, width - 4, SIZE), class_="muted", x=2, y=height - 5))
    most = ", ".join(f"{short(scale.largest, known=scale.known)} {KEYS[scale.key]}" for scale in scales)
    layers = sum(len(column.layers) for column in columns)
    folded = (
        f" A column is up to {_step(layers, limit)} neighbours, the largest drawn." if layers > len(columns) else ""
    )
    said = f"{count_of(layers, 'layer')} in order. Linear scales, at most: {most}.{folded}"
    return picture("skyline", drawn, width, height, said)


def _step(layers: int, most: int) -> int:
    """Return how many layers are one column."""
    return max(1, -(-layers // most))


def shown_layers(root: Module) -> list[Module]:
    """Return the layers that have a column: those with parameters or multiplies, and those that are not counted."""
    return [leaf for leaf in root.leaves() if leaf.value("params") or leaf.value("macs") or not leaf.known]


def activations_of(report: Report) -> dict[str, int]:
    """Return the output elements of every layer, its norm and its activation apart."""
    return {row.path: row.values.get("output_elements", 0) for row in report.rows}


def _columns(root: Module, report: Report, most: int) -> list[_Column]:
    counted, activations = shown_layers(root), activations_of(report)
    top = root
    while len(top.children) == 1 and not top.children[0].is_layer:
        top = top.children[0]
    crowded = len(top.children) > MOST_BANDS
    step, columns = _step(len(counted), most), []
    for start in range(0, len(counted), step):
        layers = counted[start : start + step]
        band = layers[0].within(top)
        columns.append(_Column(layers, None if crowded and band is layers[0] else band, activations))
    return columns


def _scales(columns: Sequence[_Column], foot: float) -> list[_Scale]:
    """Return the scales: multiplies above the line, parameters below it, activations at the foot."""
    room = foot - LEGEND - NAME - MARK
    up, down, low = room * 0.44, room * 0.38, room * 0.18
    line = LEGEND + up
    places = (
        ("macs", "macs", line, up, True), ("params", "params", line, down, False),
        ("output_elements", "activations", foot, low, True),
    )  # fmt: skip
    return [
        _Scale(key, name, base, length, max((column.value(key) for column in columns), default=0),
               all(column.is_known(key) for column in columns), upward)
        for key, name, base, length, upward in places
    ]  # fmt: skip


def _bands(columns: Sequence[_Column], step: float, scales: Sequence[_Scale], foot: float) -> Iterator[Element]:
    """Give the grounds of every other top module, their names, and the line that columns are on."""
    start, free = 0, 0.0
    y = scales[1].base + scales[1].length + 13
    for place, (band, group) in enumerate(groupby(columns, key=lambda column: column.band)):
        size = sum(1 for _ in group)
        x, wide = start * step, size * step
        if place % 2:
            yield element("rect", class_="band", x=x, y=LEGEND, width=wide, height=foot - LEGEND)
        name = Run([band]).label if band is not None else ""
        over = (text_width(name, SMALL) - wide) / 2
        if name and over <= OVERHANG and free <= x - over and x + wide + over <= len(columns) * step:
            free = x + wide + over + APART
            yield element("text", name, class_="small muted middle", x=x + wide / 2, y=y)
        start += size
    line = scales[0].base
    yield element("path", class_="axis", d=f"M0,{number(line)}H{number(start * step)}")


def _column(column: _Column, x: float, step: float, scales: Sequence[_Scale], foot: float) -> Element:
    gap = 2 if step > 8 else 0.8 if step > 3 else 0.2
    first, last = column.layers[0], column.layers[-1]
    paths = first.path if first is last else f"{first.path} … {last.path}, the largest of {len(column.layers):,}"
    facts = (exact(column.value(key), key, known=column.is_known(key)) for key in ("macs", "params", "output_elements"))
    group = element("g", element("title", "\n".join([paths, *facts])), data_at=first.path)
    group.append(element("rect", class_="hit", x=x, y=LEGEND, width=step, height=foot - LEGEND))
    for scale in scales:
        bar = scale.bar(column.value(scale.key), x + gap / 2, step - gap)
        if bar is not None:
            group.append(bar)
        if not column.is_known(scale.key):
            y = scale.base - scale.length if scale.upward else scale.base
            ground = {"y": y, "height": scale.length}
            group.append(element("rect", class_="unknown", x=x + gap / 2, width=step - gap, **ground))
            if step >= SIZE:
                y = scale.base - 4 if scale.upward else scale.base + SIZE
                group.append(element("text", "≥", class_="strong middle", x=x + step / 2, y=y))
    return group


def _peak(report: Report, columns: Sequence[_Column], step: float, scale: _Scale, width: float) -> Iterator[Element]:
    """Give the mark of the layer at which most activations are in memory, over the last column up to it."""
    if report.peak is None or not columns:
        return
    at = next(place for place, row in enumerate(report.rows) if row.path == report.peak.layer)
    place = max((place for place, column in enumerate(columns) if column.layers[0].order <= at), default=0)
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
    largest = [short(scale.largest, known=scale.known) for scale in scales]
    named = [f"{value} {NAMES[scale.key][1]}" for scale, value in zip(scales, largest, strict=True)]
    forms = ([f"up to {text}" for text in named], named, largest)
    texts = next((form for form in forms if sum(text_width(text, SMALL) + 29 for text in form) <= width + 16), largest)
    x = 0.0
    for scale, text in zip(scales, texts, strict=True):
        yield element("rect", class_=scale.name, x=x, y=3, width=9, height=9, rx=2)
        yield element("text", text, class_="muted small", x=x + 13, y=11)
        x += 13 + text_width(text, SMALL) + 16
