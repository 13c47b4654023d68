"""Specs whose texts are known: read again in any process, whatever became of their files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from convcalc.designs.sources import NO_INPUTS, Inputs, SpecFile, open_spec, read_spec
from convcalc.errors import Source
from convcalc.spec.document.loader import DocumentLoader, FileSystem


class _Carried(FileSystem):
    """Files whose texts are known."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources

    def read(self, path: str) -> Source:
        return self.sources[path]

    def resolve(self, path: str) -> str:
        return path if path in self.sources else os.path.realpath(path)

    def is_file(self, path: str) -> bool:
        return path in self.sources

    def display_name(self, path: str) -> str:
        return self.sources[path].name if path in self.sources else path


def carried(
    file: str,
    path: str,
    texts: Sequence[tuple[str, str, str]],
    libraries: Sequence[str] = (),
    inputs: Inputs = NO_INPUTS,
) -> SpecFile:
    """Read a spec again from its texts, in any process; what it is read from may have changed or gone.

    A model has no texts: it is read again from its file.
    """
    if not texts:
        return open_spec(file, libraries=libraries, inputs=inputs)
    files = _Carried({path: Source(name, text) for path, name, text in texts})
    loader = DocumentLoader(read=files.read, libraries=libraries, file_system=files)
    return read_spec(files.read(path), file, path, loader, inputs)
