"""The configuration of a model: the entry ``config.json`` of a zip, or a JSON text. Nothing else is opened."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from convcalc.errors import Source, SpecError
from convcalc.importers.keras.network import damaged

CONFIG = "config.json"
MAX_CONFIG_SIZE = 64 * 2**20
MAX_RATIO = 200
MAX_ENTRIES = 10_000
_CHUNK = 2**16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How Keras packs entries; other methods have decoders, and errors, of their own."""
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, OSError)
"""What ``zipfile`` raises for such entries where bytes are missing or wrong."""
_HDF5 = b"\x89HDF"


def read_config(source: Source, data: bytes | None) -> Mapping[str, Any]:
    """Return the configuration of a model.

    Args:
        source: the name of the file.
        data: a JSON text, if it has been read; else the file is a zip.

    Raises:
        SpecError: CC001 for what cannot be a name, CC760 for what is damaged, CC761 for other formats.
    """
    if data is None:
        try:
            with open(source.name, "rb") as file:
                data = _unzip(file)
        except ValueError as error:
            raise SpecError("CC001", f"cannot be read: {error}") from None
    try:
        config = json.loads(data)
    except RecursionError:
        raise damaged("the configuration is nested too deeply") from None
    except ValueError as error:
        raise damaged(f"the configuration is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise damaged("the configuration is not an object")
    return config


def _unzip(file: BinaryIO) -> bytes:
    """Return the content of the one entry that is read, while it is within the limits."""
    start = file.read(4)
    if start == _HDF5:
        hint = "save it in Keras 3's own format: keras.saving.load_model(file).save('model.keras')"
        raise SpecError("CC761", "is an HDF5 file, whose models are not read", hint=hint)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename == CONFIG]
            if len(archive.infolist()) > MAX_ENTRIES or len(entries) != 1:
                raise damaged(f"the zip has {len(entries) or 'no'} entries {CONFIG}, in place of one")
            if entries[0].flag_bits & 1:
                raise damaged(f"{CONFIG} is encrypted")
            if entries[0].compress_type not in _METHODS:
                raise damaged(f"{CONFIG} is packed by a method that Keras does not use")
            with archive.open(entries[0]) as stream:
                return _inflate(stream, entries[0].compress_size)
    except _DAMAGES as error:
        raise damaged(f"the zip is damaged: {error}") from None


def _inflate(stream: Any, packed: int) -> bytes:
    limit, chunks, size = min(MAX_CONFIG_SIZE, max(packed, 1) * MAX_RATIO), [], 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            bound = f"{MAX_CONFIG_SIZE:,} bytes" if limit == MAX_CONFIG_SIZE else f"{MAX_RATIO} times its packed size"
            raise damaged(f"{CONFIG} unpacks to more than {bound}")
        chunks.append(chunk)
    return b"".join(chunks)
