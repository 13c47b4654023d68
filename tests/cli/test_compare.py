"""``compare``: what is compared with what. How it looks is tested with the formats."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command


def table(text: str, heading: str = "Layer") -> dict[str, list[str]]:
    """The rows of the table under a heading: a name, and its numbers and words."""
    lines = iter(text.splitlines())
    next(line for line in lines if line.startswith(heading) and (heading == "Layer" or "difference" in line))
    rows = {}
    for line in lines:
        if not line.strip() or " not shown" in line or " more totals" in line:
            break
        if line.startswith("─"):
            continue
        name, _, rest = line.strip().partition("  ")
        rows[name] = re.findall(r"[-+]?\d[\d,.]*|\bequal|\bnew|\bremoved", rest)
    return rows


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("width", [None, 200, 40])
def test_the_count_of_a_tool_has_words(cli: Command, folder: Path, width: int | None) -> None:
    wide = [] if width is None else ["--width", str(width)]
    text = " ".join(cli("compare", "tiny.yaml", "tiny.yaml@wide", "--columns", "+fvcore", *wide).stdout.split())
    assert "without parameters, multiplies or MACs counted by fvcore" in text
    assert re.search(r"tiny@wide has [\d.]+× as many MACs counted by fvcore as tiny \([\d,]+ vs\. [\d,]+\)\.", text)


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
        words = f"Error: '{design}' has one output; name a second design to compare it with"
        assert result.stderr.removesuffix("\n").removesuffix(", or give --variants all") == words


def test_a_design_with_itself(cli: Command, folder: Path) -> None:
    assert cli("compare", "tiny.yaml", "tiny.yaml").exit_code == 0


def test_one_broken_design_and_nothing_is_printed(cli: Command, folder: Path) -> None:
    result = cli("compare", "tiny.yaml", "broken.yaml", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "CC203" in result.stderr


def documents(cli: Command, *designs: str) -> list[dict[str, Any]]:
    return [json.loads(cli("report", design, "--json").stdout) for design in designs]


DESIGNS = ("zoo:resnet18", "zoo:mobilenet_v2")


@pytest.mark.parametrize("key", ["params", "activations"])
def test_by_kind_each_row_is_the_sum_of_its_layers(cli: Command, key: str) -> None:
    rows = table(cli("compare", *DESIGNS, "--by", "op", "--columns", key).stdout)
    for place, document in enumerate(documents(cli, *DESIGNS)):
        sums: dict[str, int] = {}
        for layer in document["layers"]:
            sums[layer["op"]] = sums.get(layer["op"], 0) + layer[key]
        own = {op: count for op, count in sums.items() if count}
        for op, count in own.items():
            assert f"{count:,}" in rows[op], (place, op)
        assert f"{sum(own.values()):,}" in rows["Total"]
        assert [name for name in rows if " / " in name] == []


def test_a_depth_folds_both_sides(cli: Command) -> None:
    rows = table(cli("compare", *DESIGNS, "--depth", "1").stdout)
    for document in documents(cli, *DESIGNS):
        sums: dict[str, int] = {}
        for layer in document["layers"]:
            top = layer["name"].split(".")[0]
            sums[top] = sums.get(top, 0) + layer["params"]
        cells = [text for row in rows.values() for text in row]
        assert [name for name, count in sums.items() if count and f"{count:,}" not in cells] == []
    assert [name for name in rows if "." in name] == []


def test_the_places_that_differ_most(cli: Command) -> None:
    """By the program's JSON the lowest places that both have; the ones that are left out are summed."""
    designs = ("zoo:resnet50", "zoo:resnet50@paper")
    first, second = documents(cli, *designs)
    apart = {}
    for one, other in zip(first["layers"], second["layers"], strict=True):
        assert one["name"] == other["name"]
        apart[one["name"]] = abs(one["macs"] - other["macs"])
    most = sorted(apart.values(), reverse=True)[:3]
    rows = table(cli("compare", *designs, "--columns", "macs", "--top", "3").stdout)
    assert list(rows)[3:] == ["Others", "Total"]
    assert [apart[name] for name in list(rows)[:3]] == most
    for side in (0, 1):
        shown = [number(row[side]) for row in rows.values()]
        assert sum(shown[:-1]) == shown[-1] == (first, second)[side]["totals"]["macs"]
    assert "Others" not in cli("compare", *designs, "--top", "9999").stdout


def test_every_variant(cli: Command, folder: Path) -> None:
    compared = json.loads(cli("compare", "tiny.yaml", "pair.yaml#direct", "--variants", "all", "--json").stdout)
    assert [design["design"] for design in compared["designs"]] == ["tiny.yaml", "tiny.yaml@wide", "pair.yaml#direct"]
    assert cli("compare", "tiny.yaml", "--variants", "all").exit_code == 0
    both = cli("compare", "tiny.yaml", "--variants", "all", "--variant", "wide")
    assert (both.exit_code, both.stdout) == (2, "")


def test_the_totals_that_people_ask_for_come_alone(cli: Command, folder: Path) -> None:
    usual = ["Params", "Weight bytes", "Multiplies", "Depth", "Peak activation bytes"]
    arguments = ("compare", "tiny.yaml", "tiny.yaml@wide")
    assert list(table(cli(*arguments).stdout, "Total  "))[:5] == usual
    assert "8 more totals" in cli(*arguments).stdout
    assert "Nonlinearities" in table(cli(*arguments, "--columns", "+nonlinearities").stdout, "Total  ")
    every = cli(*arguments, "-v").stdout
    assert len(table(every, "Total  ")) == 13
    assert "more totals" not in every
    report = cli("report", "tiny.yaml").stdout
    assert [word for word in ("Training bytes", "Nonlinearities") if word in report] == []
    assert "8 more totals" in report
    assert "Nonlinearities" in cli("report", "tiny.yaml", "--columns", "nonlinearities").stdout
    assert "Training bytes" in cli("report", "tiny.yaml", "-v").stdout


def test_it_ends_in_the_sentences_that_matter(cli: Command, folder: Path) -> None:
    text = cli("compare", "pair.yaml").stdout
    told = [line for line in text.splitlines() if line.startswith("Reduced ")]
    # 8·8·9 + 8 = 584 vs. 8·2 + 2 + 2·8·9 + 8 = 170; one more convolution, and no activation in either
    assert told[0] == "Reduced has 3.44× fewer parameters than direct (170 vs. 584; ratio 0.291)."
    assert told[2:] == ["Reduced is one layer deeper than direct (2 vs. 1)."]
    assert len(told) == 3


def test_the_note_of_the_one_spec(cli: Command, folder: Path) -> None:
    text = (folder / "pair.yaml").read_text()
    note = "note: |\n  Fewer channels\n  in between.\n\n  See *there*.\n"
    (folder / "noted.yaml").write_text(note + text)
    told = cli("compare", "noted.yaml").stdout
    assert "\nFewer channels in between.\nSee *there*.\n" in told
    assert "Fewer channels" not in cli("compare", "noted.yaml#direct", "tiny.yaml").stdout
    assert r"- See \*there\*." in cli("compare", "noted.yaml", "-f", "markdown").stdout
