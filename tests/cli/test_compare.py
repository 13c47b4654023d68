"""``compare``: what is compared with what. How it looks is tested with the formats."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Command


def test_designs_are_compared_with_the_first(cli: Command, folder: Path) -> None:
    result = cli("compare", "tiny.yaml", "tiny.yaml@wide", "pair.yaml#direct", "--json")
    compared = json.loads(result.stdout)
    assert [design["design"] for design in compared["designs"]] == ["tiny.yaml", "tiny.yaml@wide", "pair.yaml#direct"]
    assert [design["totals"]["params"] for design in compared["designs"]] == [202, 458, 584]


def test_a_file_with_several_outputs_is_several_designs(cli: Command, folder: Path) -> None:
    alone = json.loads(cli("compare", "pair.yaml", "--json").stdout)
    named = json.loads(cli("compare", "pair.yaml#direct", "pair.yaml#reduced", "--json").stdout)
    assert [design["totals"] for design in alone["designs"]] == [design["totals"] for design in named["designs"]]
    assert [design["totals"]["params"] for design in alone["designs"]] == [584, 170]


def test_one_output_is_nothing_to_compare(cli: Command, folder: Path) -> None:
    for design in ("tiny.yaml", "pair.yaml#direct"):
        result = cli("compare", design)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"Error: '{design}' has one output; name a second design to compare it with\n"


def test_a_design_with_itself(cli: Command, folder: Path) -> None:
    assert cli("compare", "tiny.yaml", "tiny.yaml").exit_code == 0


def test_one_broken_design_and_nothing_is_printed(cli: Command, folder: Path) -> None:
    result = cli("compare", "tiny.yaml", "broken.yaml", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "CC203" in result.stderr
