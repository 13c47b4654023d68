"""Every shipped network that names a framework's module as its source equals it, layer by layer."""

from __future__ import annotations

from pathlib import Path

import pytest

import convcalc
from convcalc.designs.sources import open_spec
from tests.zoo.layerwise import SPECS, assert_equals_module, models

ZOO = sorted((SPECS / "zoo").glob("*.yaml"))


def named(path: Path) -> list[tuple[str, str]]:
    """Designs of a file and the measured modules that their claims name."""
    claims = open_spec(str(path)).document.claims
    return [
        (f"{path}@{variant}" if (variant := claim.texts.get("variant")) else str(path), claim.texts["source"])
        for claim in claims
        if claim.texts["source"].partition("/")[0] in SOURCES and " " not in claim.texts["source"]
    ]


SOURCES = {name.partition("/")[0] for name in models()}
NAMED = [pair for path in ZOO for pair in named(path)]


@pytest.mark.parametrize(("design", "module"), NAMED, ids=[module for _, module in NAMED])
def test_equals_the_module(design: str, module: str) -> None:
    assert_equals_module(convcalc.load(design).report(), module)
