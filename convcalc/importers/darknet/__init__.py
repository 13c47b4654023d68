"""Networks of Darknet: ``.cfg`` files, with a section in square brackets for each layer."""

from __future__ import annotations

import re

from convcalc.errors import Source
from convcalc.importers.model import Importer, Model

_FIRST = re.compile(r"\s*(?:[#;][^\n]*\n\s*)*\[[ \t]*(?:net|network)[ \t]*\]\s*(?:\n|$)")


def recognizes(text: str) -> bool:
    """Whether a text begins with the section of a Darknet network."""
    return _FIRST.match(text) is not None


def read(source: Source, data: bytes | None) -> Model:
    """Read a network; see :class:`convcalc.importers.darknet.model.DarknetModel`."""
    from convcalc.importers.darknet.model import read_model  # only these files need it

    return read_model(source, data)


IMPORTER = Importer("Darknet", read, suffixes=(".cfg",), recognizes=recognizes)
