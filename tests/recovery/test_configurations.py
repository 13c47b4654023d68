"""Published configurations of transformers are recovered: equal, short, and a fixed point."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import convcalc
from convcalc.api import Design
from convcalc.recovery import recover
from tests.conftest import ROOT
from tests.recovery.recovered import lines, of_text, require_same

PUBLISHED = json.loads((ROOT / "tests" / "reference" / "hf_published.json").read_text(encoding="utf-8"))
MOST_LINES = 80


def published(name: str, folder: Path) -> Design:
    """A configuration as a design."""
    file = folder / "config.json"
    file.write_text(json.dumps(PUBLISHED[name]), encoding="utf-8")
    return convcalc.load(str(file))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations(name: str, tmp_path: Path) -> None:
    text = require_same(published(name, tmp_path))
    assert lines(text) <= MOST_LINES
    assert recover(of_text(text)) == text


@pytest.mark.parametrize(("name", "test"), [("command-r7b", "i % 4 != 3"), ("gpt-oss-20b", "i % 2 == 0")])
def test_windows_in_some_layers_are_a_test_of_the_number(name: str, test: str, tmp_path: Path) -> None:
    text = recover(published(name, tmp_path).graph)
    assert test in text
    assert text.count(", window: ") == 1
