"""The root spec and its imports, each read once, from disk or from a Git revision."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.records import dataclass, field
from convcalc.spec.document.document_reader import read_document
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.limits import IMPORTS
from convcalc.spec.yaml.text import read_text

LIBRARY_HINT = "name the folder of a library with --lib or CONVCALC_LIB"


class FileSystem:
    """File-system access, here to the disk: resolve a path, test it, name it in errors."""

    def resolve(self, path: str) -> str:
        """Return the absolute path, links resolved."""
        return os.path.realpath(path)

    def is_file(self, path: str) -> bool:
        """Tell whether it is a file or a link to one."""
        return os.path.isfile(path)

    def display_name(self, path: str) -> str:
        """Return the path from the current folder, or the absolute one where it is not below."""
        from convcalc.paths import path_from_cwd  # costs start-up time

        return path_from_cwd(path)


@dataclass(slots=True, eq=False)
class DocumentLoader:
    """Reads documents, each file once. ``read`` gives the text of a path: from the disk, unless told otherwise."""

    read: Callable[[str], Source] = read_text
    libraries: Sequence[str] = ()
    file_system: FileSystem = field(default_factory=FileSystem)
    documents: dict[str, Document] = field(default_factory=dict)
    """By real path: the root and everything imported."""
    _errors: dict[str, SpecErrors] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def load_root(self, source: Source, path: str | None = None) -> Document:
        """Read the root document; imports are looked up beside it (beside the current folder for standard input)."""
        real = self.file_system.resolve(source.name if path is None else path)
        there = path is not None or self.file_system.is_file(source.name)
        folder = os.path.dirname(real) if there else self.file_system.resolve(".")
        self._open.append(real)
        self.documents[real] = document = read_document(source, self._importer(folder, folder))
        return document

    def _importer(self, root: str, folder: str) -> Callable[[str, Span], Document]:
        return lambda text, span: self._load_import(root, folder, text, span)

    def _load_import(self, root: str, folder: str, text: str, span: Span) -> Document:
        path = self._resolve_import(root, folder, text, span)
        if path in self._open:
            raise SpecError("CC209", f"{quoted(text)} imports itself through its imports", span)
        if path in self._errors:
            raise self._errors[path]
        if path in self.documents:
            return self.documents[path]
        held = len(self.documents) + len(self._errors) + len(self._open)
        if held > IMPORTS:  # of those that are open, one is the root
            raise SpecError("CC505", f"more imported files than the limit of {IMPORTS}", span)
        shown = self.file_system.display_name(path)
        self._open.append(path)
        try:
            source = Source(shown, _read_import(self.read, path, shown, text, span).text)
            self.documents[path] = read_document(source, self._importer(root, os.path.dirname(path)))
        except SpecErrors as errors:
            for error in errors.errors:
                error.notes = (*error.notes, (span, "imported here"))
            self._errors[path] = errors
            raise
        finally:
            self._open.pop()
        return self.documents[path]

    def _resolve_import(self, root: str, folder: str, text: str, span: Span) -> str:
        """Return the real path of an import, inside the root file's folder or a library folder."""
        if "://" in text or os.path.isabs(text) or "\0" in text:
            raise SpecError("CC209", f"the import {quoted(text)} must be a relative path", span, hint=LIBRARY_HINT)
        trees = [root, *map(self.file_system.resolve, self.libraries)]
        paths = [self.file_system.resolve(os.path.join(start, text)) for start in (folder, *self.libraries)]
        inside = [path for path in paths if any(os.path.commonpath((tree, path)) == tree for tree in trees)]
        if not inside:
            text = f"the import {quoted(text)} leads out of the folder {root}"
            raise SpecError("CC209", text, span, hint=LIBRARY_HINT)
        return next((path for path in inside if self.file_system.is_file(path)), inside[0])


def _read_import(reader: Callable[[str], Source], path: str, shown: str, text: str, span: Span) -> Source:
    """Read an imported file. What is wrong in it stands there; that it cannot be read, at the import."""
    try:
        return reader(path)
    except SpecError as error:
        if error.span and error.span.line:
            error.span = error.span._replace(source=error.span.source._replace(name=shown))
            raise SpecErrors([error]) from None
        missing = error.code == "CC001" and error.text.startswith("no such file")
        hint = "; ".join(filter(None, (error.hint, LIBRARY_HINT if missing else "")))
        raise SpecError("CC209", f"cannot import {quoted(text)}: {error.text}", span, hint=hint) from None
