"""Which importer reads a file: they are found by listing this folder, and loaded for files that are not specs."""

from __future__ import annotations

import os
import pkgutil
from functools import cache
from importlib import import_module

from convcalc.importers.model import Importer

_NOT_IMPORTERS = ("builder", "model", "registry")


@cache
def importers() -> tuple[Importer, ...]:
    """Return all importers, sorted by the names of their modules."""
    names = sorted(module.name for module in pkgutil.iter_modules([os.path.dirname(__file__)]))
    found = [name for name in names if name not in _NOT_IMPORTERS and not name.startswith("_")]
    return tuple([import_module(f"convcalc.importers.{name}").IMPORTER for name in found])


def importer_of(file: str) -> Importer | None:
    """Return the importer that reads files of such a name, if there is one."""
    for importer in importers():
        if importer.prefix and file.startswith(importer.prefix):
            return importer
        if importer.suffixes and file.lower().endswith(importer.suffixes):
            return importer
        if importer.owns and importer.owns(file):
            return importer
    return None


def importer_of_text(text: str) -> Importer | None:
    """Return the importer that recognizes a YAML or JSON text, if there is one."""
    return next((each for each in importers() if each.recognizes and each.recognizes(text)), None)
