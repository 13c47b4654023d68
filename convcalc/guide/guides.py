"""Guides: the Markdown pages of this folder, and the reference of the spec language, for ``convcalc guide``."""

from __future__ import annotations

import os

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = os.path.dirname(_FOLDER)


def guides() -> dict[str, str]:
    """Return the path of every guide by its name; ``language`` is the reference of the spec language."""
    names = sorted(name.removesuffix(".md") for name in os.listdir(_FOLDER) if name.endswith(".md"))
    return {**{name: os.path.join(_FOLDER, f"{name}.md") for name in names}, "language": _language()}


def guide(name: str) -> str:
    """Return the Markdown of a guide."""
    with open(guides()[name], encoding="utf-8") as file:
        return file.read()


def contents() -> str:
    """Return the names of all guides, each with its title."""
    return "".join(f"{name:17}{guide(name).splitlines()[0].removeprefix('# ')}\n" for name in guides())


def _language() -> str:
    """Return the path of the language reference: beside the modules once installed, else in the checkout."""
    installed = os.path.join(_PACKAGE, "specs", "README.md")
    return installed if os.path.exists(installed) else os.path.join(os.path.dirname(_PACKAGE), "specs", "README.md")
