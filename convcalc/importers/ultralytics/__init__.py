"""Model files of Ultralytics, YOLOv5 and YOLOv3: YAML with layers as rows of ``backbone`` and ``head``.

Written from the description of the format and the structure of the modules that it names; no code of the package.
"""

from __future__ import annotations

import re

from convcalc.errors import Source
from convcalc.importers.model import Importer, Model

_KEYS = [re.compile(rf"""^["']?{key}["']?[ \\t]*:""", re.MULTILINE) for key in ("backbone", "(?:head|nc)")]


def recognizes(text: str) -> bool:
    """Whether a YAML text has a backbone at the top, and a head or a number of classes."""
    return all(key.search(text) for key in _KEYS)


def read(source: Source, data: bytes | None) -> Model:
    """Read a model file; see :class:`convcalc.importers.ultralytics.model.UltralyticsModel`."""
    from convcalc.importers.ultralytics.model import read_model  # only these files need it

    return read_model(source, data)


IMPORTER = Importer("Ultralytics YAML", read, recognizes=recognizes)
