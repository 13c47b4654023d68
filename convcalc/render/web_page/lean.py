"""Pictures as a page has them: without what its table, its style sheet and its script have already."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from convcalc.render.pictures.svg import Picture, number

BARS = {"macs": "m", "params": "p", "activations": "a"}
"""Classes of bars → those of the page's style sheet."""


def fixed(picture: Picture) -> Element:
    """Return a picture in its own size, for a box that scrolls."""
    picture.root.set("width", number(picture.width))
    picture.root.set("height", number(picture.height))
    return picture.root


def lean_cells(picture: Picture) -> Element:
    """Return a treemap or a skyline without the titles of single modules, which the script makes of their rows.

    It makes the grounds of columns too, which a pointer can hit.
    """
    for group in picture.root.iter("g"):
        title = group.find("title")
        first, _, rest = (title.text or "").partition("\n") if title is not None else ("", "", "")
        if title is not None and first == group.get("data-at") and rest and not rest.startswith("the "):
            group.remove(title)
        for bar in group.findall("rect"):
            name = bar.get("class", "")
            if name == "hit":
                group.remove(bar)
            bar.set("class", BARS.get(name, name))
    return picture.root


def lean_graph(picture: Picture) -> Element:
    """Return a graph in its own size, whose titles have what its labels lack; frames of a single module have none.

    All of its lines are one.
    """
    for group in picture.root.iter("g"):
        title = group.find("title")
        if title is not None and group.get("class") == "module" and " … " not in (title.text or ""):
            group.remove(title)
        elif title is not None:
            path, *others = (title.text or "").split("\n")
            title.text = "\n".join([path, *others[1:3]])
    lines = picture.root.findall("path[@class='edge']")
    for line in lines[:1]:
        line.attrib = {"class": "edge", "d": "".join(each.get("d", "") for each in lines)}
    for line in lines[1:]:
        picture.root.remove(line)
    return fixed(picture)
