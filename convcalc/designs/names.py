"""Names of designs: ``FILE``, ``FILE@VARIANT``, ``FILE#PATH``, ``zoo:NAME``; where the bundled specs are."""

from __future__ import annotations

import os
import re
from functools import lru_cache

from convcalc.errors import Source, Span, SpecError, SpecErrors, did_you_mean, quoted
from convcalc.records import NamedTuple

ZOO = "zoo:"
CODE = "torch:"
"""Before the name of a model that is code."""
NOT_FILES = (ZOO, CODE)
"""What names that are no paths begin with: those of bundled specs, and of models in code."""
BUDGET_FILE = "convcalc-budget.yaml"
"""The one YAML file of this program that is not a spec: folders and globs pass it over."""

SPEC_SUFFIXES = (".yaml", ".yml")
"""Of the files that folders and globs stand for."""

BINARY_MODELS = (".onnx", ".keras")
MODEL_SUFFIXES = (*BINARY_MODELS, ".cfg")
"""Of the files that are models of other formats."""

_SUFFIX = re.compile(r"\.(?:ya?ml|onnx|keras|cfg)(?=[@#]|$)")


class DesignName(NamedTuple):
    """A file (``-`` is standard input, ``zoo:NAME`` a bundled spec) or a glob, perhaps a variant of it and a part."""

    text: str
    file: str
    variant: str | None = None
    part: str | None = None

    @property
    def is_whole_file(self) -> bool:
        """Whether neither a variant nor a part is named."""
        return self.variant is None and self.part is None

    def title(self, name: str) -> str:
        """Return a network's own name with the part in the text; the text alone for a network without a name."""
        return f"{name} · {self.text.rpartition('#')[2]}" if name and self.part else name or self.text


def chosen_variant(design: DesignName, chosen: str | None, option: str = "--variant") -> str | None:
    """Return the variant of a design: the one in its name, or else the one that an option chooses.

    Raises:
        SpecErrors: CC710, where these are two.
    """
    if chosen is None or design.variant in {None, chosen}:
        return chosen if design.variant is None else design.variant
    text = f"{quoted(design.text)} names the variant {quoted(design.variant or '')}, and {option} {quoted(chosen)}"
    hint = f"leave out {option} or @{design.variant}"
    raise SpecErrors([SpecError("CC710", text, Span(Source(design.text)), hint=hint)])


def parse_design(text: str) -> DesignName:
    """Take a design apart.

    The file is the longest beginning that is an existing file, or else what stands before the first ``@`` or ``#``.
    Variants and paths have no ``/``, so that only the last part of a path is looked at.
    """
    marks = _marks(text, text.rfind("/") + 2)
    whole = len(text)
    return _split(text, next((end for end in (whole, *reversed(marks)) if _exists(text[:end])), min((whole, *marks))))


@lru_cache(maxsize=4096)
def parse_pattern(text: str) -> DesignName:
    """Take a name or a pattern apart by its text alone.

    The file ends before the ``@`` or ``#`` behind ``.yaml`` (``.yml``, ``.onnx`` …), or else before the first one; only
    what stands behind the last ``/`` is looked at.
    """
    last = text.rfind("/") + 1
    suffix = _SUFFIX.search(text, last)
    return _split(text, suffix.end() if suffix else min((len(text), *_marks(text, last))))


def _marks(text: str, start: int) -> list[int]:
    return [place for place in range(start, len(text)) if text[place] in "@#"]


def _split(text: str, end: int) -> DesignName:
    variant, hash_, part = text[end:].partition("#")
    return DesignName(text, text[:end], variant[1:] if variant else None, part if hash_ else None)


def _exists(file: str) -> bool:
    try:
        return os.path.isfile(file)
    except ValueError:
        return False


def is_named_as_spec(file: str) -> bool:
    """Whether a file can only be a spec by its name, or none at all: a bundled one, standard input, a YAML file."""
    return file.startswith(ZOO) or file == "-" or file.endswith(SPEC_SUFFIXES)


def is_spec_name(name: str) -> bool:
    """Whether a file in a folder is a spec by its name."""
    return name.endswith(SPEC_SUFFIXES) and name != BUDGET_FILE


def spec_path(file: str) -> str:
    """Return the path of a design's file; a bundled spec is looked up in the package."""
    if not file.startswith(ZOO):
        return file
    name, folder = file.removeprefix(ZOO), _zoo_folder()
    if f"{name}.yaml" not in (os.listdir(folder) if folder else ()):  # the system may take capitals for small letters
        meant = did_you_mean(name, zoo_paths())
        raise SpecError("CC703", f"no bundled spec {quoted(name)}{meant}", Span(Source(file)))
    return os.path.realpath(f"{folder}/{name}.yaml")  # some installers link every file of a package to their store


def zoo_paths() -> dict[str, str]:
    """Return the path of every bundled network by its name."""
    folder = _zoo_folder()
    names = sorted(name for name in os.listdir(folder) if name.endswith(".yaml")) if folder else ()
    return {name.removesuffix(".yaml"): os.path.join(folder, name) for name in names}


def _zoo_folder() -> str:
    """Return where the bundled networks are: beside the modules once installed, else in the checkout; or nothing."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = (os.path.join(here, "specs", "zoo"), os.path.join(os.path.dirname(here), "specs", "zoo"))
    return next(filter(os.path.isdir, folders), "")
