"""Designs for pictures, as specs: random ones for Hypothesis, and what is not usual."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from hypothesis import strategies as st

import convcalc
from convcalc.render.pictures.modules import Module, module_tree
from convcalc.report.report import Report

HOSTILE = "</title><script>alert(1)</script>\"'&<![CDATA[x]]>"
"""What a name of a file may be; names of layers are words."""


def report_of(text: str, name: str = "<text>") -> Report:
    return convcalc.load(text=text, name=name).report(detailed=["peak"])


def tree_of(text: str) -> Module:
    return module_tree(report_of(text))


def _scope(name: str, layers: list[str]) -> str:
    return f"  - {{name: {name}, seq: [{', '.join(layers)}]}}"


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Chains of convolutions in scopes, some without weights; costs differ by many powers of ten."""
    layer = st.one_of(
        st.sampled_from(["relu", "maxpool: 1"]),
        st.builds("conv: {{out: {}, kernel: {}, padding: same}}".format, st.sampled_from([1, 3, 50, 4000]),
                  st.sampled_from([1, 3])),
    )  # fmt: skip
    groups = draw(st.lists(st.lists(layer, min_size=1, max_size=5), min_size=1, max_size=6))
    return "input: [3, 9, 9]\nlayers:\n" + "\n".join(
        _scope(f"part{place}", [text if ":" not in text else f"{{{text}}}" for text in group])
        for place, group in enumerate(groups)
    )


def marked(root: Element, path: str) -> list[Element]:
    """The elements of a picture that stand for a module."""
    return [each for each in root.iter() if each.get("data-at") == path]


def rectangles(root: Element, name: str) -> list[tuple[float, float, float, float]]:
    """The rectangles of a class: left and upper edge, width and height."""
    return [
        (float(each.get("x", 0)), float(each.get("y", 0)), float(each.get("width", 0)), float(each.get("height", 0)))
        for each in root.iter("rect")
        if name in each.get("class", "").split()
    ]
