"""What a spec imported, so that one can see later whether it would import the same."""

from __future__ import annotations

import os
from hashlib import blake2b

from convcalc.errors import SpecError
from convcalc.records import NamedTuple
from convcalc.spec.document.loader import DocumentLoader, FileSystem
from convcalc.spec.yaml.text import read_text


class Imports(NamedTuple):
    """The files that a spec imported, and what led to them and to no others."""

    resolved: tuple[tuple[str, str], ...]
    """Paths, and the real ones that they led to."""
    files: tuple[tuple[str, bool], ...]
    """Real paths, and whether there was a file."""
    digests: tuple[tuple[str, str], ...]
    """Real paths of what was read, with digests of the texts."""

    @property
    def are_unchanged(self) -> bool:
        """Whether a spec that does not change would import the same texts."""
        return (
            all(os.path.realpath(path) == real for path, real in self.resolved)
            and all(os.path.isfile(path) == there for path, there in self.files)
            and all(_digest_of(path) == digest for path, digest in self.digests)
        )


def may_import(data: bytes) -> bool:
    """Whether the bytes of a spec may have the key ``import``: also as an escape in double quotes, "\\u0069mport"."""
    return b"import" in data or b"\\" in data


def imports_of(files: DocumentLoader, *, with_root: bool = False) -> Imports | None:
    """Return what the root spec of a loader imported, perhaps with itself; nothing where it is not from the disk."""
    record = files.file_system
    if type(record) is not FileSystem:
        return None
    imported = list(files.documents.items())[: None if with_root else -1]  # the root is complete last
    digests = tuple((path, _digest(document.source.text)) for path, document in imported)
    return Imports(tuple(record.resolved.items()), tuple(record.tested.items()), digests)


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _digest_of(path: str) -> str | None:
    try:
        return _digest(read_text(path).text)
    except SpecError:
        return None
