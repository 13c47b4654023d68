"""Pictures as a page has them: without what its table, its style sheet and its script have already."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from convcalc.render.pictures.svg import Picture, number

BARS = {"macs": "m", "params": "p", "activations": "a"}
"""Classes of bars → those of the page's style sheet."""
ROUND = {"tint": "6", "frame": "8"}
"""Classes of boxes → the radius of their corners that the style sheet of the page has."""


def fixed(picture: Picture) -> Element:
    """Return a picture in its own size, for a box that scrolls."""
    picture.root.set("width", number(picture.width))
    picture.root.set("height", number(picture.height))
    return picture.root


def lean_cells(picture: Picture) -> Element:
    """Return a treemap or a skyline without the titles of single modules, which the script makes of their rows.

    Bars, all of one width, are lines. The script makes the grounds of columns, which a pointer can hit.
    """
    _lean_boxes(picture.root)
    for group in picture.root.iter("g"):
        title = group.find("title")
        first, _, rest = (title.text or "").partition("\n") if title is not None else ("", "", "")
        if title is not None and first == group.get("data-at") and rest and not rest.startswith("the "):
            group.remove(title)
        for bar in group.findall("rect"):
            name = bar.get("class", "")
            if name == "hit":
                group.remove(bar)
            elif name in BARS:
                x, y, width, height = (float(bar.get(key, "")) for key in ("x", "y", "width", "height"))
                picture.root.set("stroke-width", number(width))
                bar.tag, bar.attrib = "path", {
                    "class": BARS[name], "d": f"M{number(x + width / 2)},{number(y)}v{number(height)}",
                }  # fmt: skip
    return picture.root


def _lean_boxes(root: Element) -> None:
    """Drop the tints of nothing, which boxes have by themselves, and what the style sheet of the page gives boxes."""
    for group in root.iter("g"):
        for key in ("data-p", "data-m", "data-a"):
            if group.get(key) == "0":
                del group.attrib[key]
        for box in group.findall("rect"):
            name = box.get("class", "").rpartition(" ")[2]
            if name in ROUND:
                box.set("class", name)
            if name in ROUND and box.get("rx") == ROUND[name]:
                del box.attrib["rx"]


def lean_graph(picture: Picture) -> Element:
    """Return a graph in its own size, whose titles have what its labels lack; frames of a single module have none.

    All of its lines are one.
    """
    _lean_boxes(picture.root)
    for group in picture.root.iter("g"):
        title = group.find("title")
        if title is not None and group.get("class") == "module" and " … " not in (title.text or ""):
            group.remove(title)
        elif title is not None:
            path, *others = (title.text or "").split("\n")
            title.text = "\n".join([path, *(value for value in others[1:3] if not value.startswith("0 "))])
    lines = picture.root.findall("path[@class='edge']")
    for line in lines[:1]:
        line.attrib = {"class": "edge", "d": "".join(each.get("d", "") for each in lines)}
    for line in lines[1:]:
        picture.root.remove(line)
    return fixed(picture)
