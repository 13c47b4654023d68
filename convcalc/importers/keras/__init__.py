"""Keras: ``.keras`` files, and the JSON of ``model.to_json()``. Only the configuration is read; no code runs."""

from __future__ import annotations

import re

from convcalc.errors import Source
from convcalc.importers.model import Importer, Model

_CLASS, _CONFIG = (re.compile(rf'"{key}"\s*:') for key in ("class_name", "config"))


def _read(source: Source, data: bytes | None) -> Model:
    from convcalc.importers.keras.archive import read_config  # registries list importers without reading
    from convcalc.importers.keras.model import open_config

    return open_config(source, read_config(source, data))


def _recognizes(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith("{") and all(key.search(text) for key in (_CLASS, _CONFIG))


IMPORTER = Importer("Keras", _read, suffixes=(".keras",), recognizes=_recognizes)
