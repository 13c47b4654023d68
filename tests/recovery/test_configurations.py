"""Published configurations of transformers are recovered: equal, short, and a fixed point."""

from __future__ import annotations

import json

import pytest

from convcalc.designs.sources import open_source
from convcalc.errors import Source
from convcalc.recovery import recover
from tests.conftest import ROOT
from tests.recovery.recovered import lines, of_text, require_same

PUBLISHED = json.loads((ROOT / "tests" / "reference" / "hf_published.json").read_text(encoding="utf-8"))
MOST_LINES = 45


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations(name: str) -> None:
    text = require_same(open_source(Source("config.json", json.dumps(PUBLISHED[name]))))
    assert lines(text) <= MOST_LINES
    assert recover(of_text(text)) == text


@pytest.mark.parametrize(("name", "test"), [("command-r7b", "i % 4 != 3"), ("gpt-oss-20b", "i % 2 == 0")])
def test_windows_in_some_layers_are_a_test_of_the_number(name: str, test: str) -> None:
    text = recover(open_source(Source("config.json", json.dumps(PUBLISHED[name]))).graph)
    assert test in text
    assert text.count(", window: ") == 1
