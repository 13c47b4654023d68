"""ONNX models, read without the onnx package."""

from __future__ import annotations

from convcalc.errors import Source
from convcalc.importers.model import Importer, Model


def _read(source: Source, _data: bytes | None) -> Model:
    from convcalc.importers.onnx.importer import read_model

    return read_model(source)


IMPORTER = Importer("ONNX", _read, suffixes=(".onnx",))
