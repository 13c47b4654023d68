"""What the codes of findings and errors mean, for formats that carry it along."""

from __future__ import annotations

import os
from functools import cache

from convcalc.errors import Source
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, parse_yaml

FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "error_codes.yaml")


@cache
def pages() -> dict[str, tuple[str, str]]:
    """Return code → title and text, as ``convcalc explain CODE`` prints them."""
    with open(FILE, encoding="utf-8") as file:
        root = parse_yaml(Source(FILE, file.read()))
    assert isinstance(root, MapNode)
    return {code.text: _page(entry) for code, entry in root.pairs if isinstance(entry, MapNode)}


def _page(entry: MapNode) -> tuple[str, str]:
    texts = {key.text: value.text for key, value in entry.pairs if isinstance(value, ScalarNode)}
    return texts["title"], texts["text"].strip()
