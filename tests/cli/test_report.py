"""``report``: which rows and columns are shown."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from convcalc.cli.commands.report import METRICS
from convcalc.metrics.registry import report_metrics
from tests.conftest import Command


def rows(cli: Command, *arguments: str) -> list[dict[str, str]]:
    result = cli("report", *arguments, "-f", "csv")
    assert (result.exit_code, result.stderr) == (0, "")
    return list(csv.DictReader(io.StringIO(result.stdout)))


def paths(text: str) -> list[str]:
    """The first words of the lines between the two rules of a table."""
    table = text.split("─\n")[1]
    return [line.split()[0] for line in table.splitlines() if line.strip() and not line.startswith("─")]


def test_layers_in_order(cli: Command, folder: Path) -> None:
    assert [row["path"] for row in rows(cli, "tiny.yaml")][:3] == ["stem", "stage1.conv1", "stage1.conv1.act"]


@pytest.mark.parametrize("option", ["--depth 1", "--by op", "--by block", "--sort params", "--sort path", "--top 2"])
def test_each_view_keeps_the_total(cli: Command, folder: Path, option: str) -> None:
    whole = cli("report", "tiny.yaml").stdout
    shown = cli("report", "tiny.yaml", *option.split())
    assert shown.exit_code == 0
    assert shown.stdout != whole
    assert total(shown.stdout) == total(whole)


def total(text: str) -> tuple[str, ...]:
    (line,) = (line for line in text.splitlines() if line.startswith("Total"))
    return tuple(word for word in line.split() if word[0].isdigit())[-2:]


def test_folding(cli: Command, folder: Path) -> None:
    assert paths(cli("report", "tiny.yaml", "--depth", "1").stdout)[:3] == ["stem", "stage1", "stage2"]
    assert set(paths(cli("report", "tiny.yaml", "--by", "op").stdout)) == {
        "conv",
        "act",
        "avgpool",
        "flatten",
        "linear",
    }


def test_sorting_and_cutting(cli: Command, folder: Path) -> None:
    assert paths(cli("report", "tiny.yaml", "--sort", "params").stdout)[:2] == ["stem", "linear1"]
    assert paths(cli("report", "tiny.yaml", "--sort", "path").stdout)[0] == "avgpool1"
    assert paths(cli("report", "tiny.yaml", "--top", "1").stdout)[0] == "stem"
    assert paths(cli("report", "tiny.yaml", "--sort", "params:asc").stdout)[-2:] == ["linear1", "stem"]
    assert paths(cli("report", "tiny.yaml", "--sort", "path:desc").stdout)[0] == "stem"


def test_columns(cli: Command, folder: Path) -> None:
    heading = cli("report", "tiny.yaml", "--columns", "flops, activations").stdout.splitlines()[3]
    assert "FLOPs" in heading
    assert "Activations" in heading
    assert "Params" not in heading


@pytest.mark.parametrize(("word", "key"), [("mfu", "train_flops"), ("vram", "inference_bytes"), ("numel", "params")])
def test_other_names_of_metrics_are_answered_with_ours(cli: Command, folder: Path, word: str, key: str) -> None:
    for options in (("--columns", word), ("--columns", f"+{word}"), ("--columns", word.upper())):
        result = cli("report", "tiny.yaml", *options)
        assert result.exit_code == 2
        assert f"is no metric; did you mean '{key}'?" in result.stderr


def test_columns_can_be_added_and_tools_are_columns(cli: Command, folder: Path) -> None:
    def titles(*arguments: str) -> list[str]:
        return cli("report", "tiny.yaml", *arguments, "-f", "csv").stdout.splitlines()[0].split(",")[5:-1]

    usual = titles()
    assert titles("--columns", "+fvcore") == titles("--profile", "fvcore") == [*usual, "fvcore"]
    assert titles("--columns", "macs", "--profile", "thop") == ["macs", "thop"]
    assert titles("--columns", "macs,fvcore", "--sort", "fvcore") == ["macs", "fvcore"]
    heading = cli("report", "tiny.yaml", "--columns", "+flops").stdout.splitlines()[3]
    assert [title for title in ("Params", "Multiplies", "FLOPs") if title not in heading] == []
    assert "did you mean 'params'?" in cli("report", "tiny.yaml", "--columns", "+parms").stderr


def test_verbose_shows_every_metric(cli: Command, folder: Path) -> None:
    titles = [measure.title for measure in report_metrics() if measure.key in METRICS]
    for line in ("-v report tiny.yaml", "report tiny.yaml --verbose"):
        heading = cli(*line.split()).stdout.splitlines()[3]
        assert [title for title in titles if title not in heading] == []
    assert "FLOPs" not in cli("report", "tiny.yaml", "-v", "--columns", "params").stdout.splitlines()[3]


def test_a_network_without_layers(cli: Command) -> None:
    result = cli("report", "-", input="input: [3, 4]\nlayers: []\n")
    assert (result.exit_code, result.stderr) == (0, "")


def test_general_options_stand_anywhere(cli: Command, folder: Path) -> None:
    expected = cli("report", "tiny.yaml", "--width", "60", "--color", "always", "-q", "--no-progress").stdout
    assert cli("--width", "60", "--color", "always", "-q", "--no-progress", "report", "tiny.yaml").stdout == expected
    assert cli("--width", "30", "-q", "report", "--color", "always", "tiny.yaml", "--width", "60").stdout == expected


def test_what_is_sorted_by_is_shown(cli: Command) -> None:
    result = cli("report", "zoo:lenet", "--sort", "weight_bytes", "--top", "1")
    assert "Weight bytes" in result.stdout.splitlines()[3]
    shown = cli("report", "zoo:lenet", "--columns", "params", "--sort", "macs", "--top", "1").stdout
    assert shown.splitlines()[3].split() == ["Layer", "Operation", "Output", "Params", "%", "Multiplies", "%"]


def test_what_options_change_is_said(cli: Command) -> None:
    line = ("zoo:resnet18", "--variant", "34", "--set", "classes=10")
    shown = cli("report", *line).stdout.splitlines()
    assert shown[0] == "ResNet-34  zoo:resnet18@34"
    assert shown[1].endswith(" · classes = 10")
    found = json.loads(cli("report", *line, "--json").stdout)
    assert (found["design"], found["overrides"]) == ("zoo:resnet18@34", {"classes": "10"})
    listed = json.loads(cli("batch", *line, "--json").stdout)
    assert (listed["designs"][0]["design"], listed["overrides"]) == ("zoo:resnet18@34", {"classes": "10"})
    assert "overrides" not in json.loads(cli("report", "zoo:resnet18", "--json").stdout)


DECODER = "input: [9, 8]\nlayers: [{attention: {heads: 2, past: PAST, mask: causal}, name: a}, linear: 3]\n"


def test_totals_of_masks_and_caches_are_shown_where_they_are_of_interest(cli: Command) -> None:
    shown = {line.split("  ")[0] for line in cli("report", "-", input=DECODER.replace("PAST", "10")).stdout.split("\n")}
    assert {"Seen multiplies", "Cache bytes"} <= shown
    for text in ("input: [9, 8]\nlayers: [attention: 2]\n", "input: [9, 8]\nlayers: [linear: 2]\n"):
        result = cli("report", "-", input=text).stdout
        assert "Seen multiplies" not in result
        assert "Cache bytes" not in result
    assert "Cache bytes" in cli("report", "-", "--columns", "+cache_bytes", input=text).stdout
    lone = cli("report", "-", input="input: [1, 8]\nlayers: [attention: {heads: 2, past: 3, mask: causal}]\n").stdout
    assert ("Seen multiplies" in lone, "Cache bytes" in lone) == (False, True)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "latex"])
def test_the_convention_names_all_pairs_where_attention_is(cli: Command, tmp_path: Path, form: str) -> None:
    layers = {"plain": "linear: 3", "attention": "attention: 2", "sdpa": "sdpa: [identity, identity, identity]"}
    names = {}
    for name, layer in layers.items():
        names[name] = str(tmp_path / f"{name}.yaml")
        Path(names[name]).write_text(f"input: [9, 8]\nlayers: [{layer}]\n")
        words = " ".join(cli("report", names[name], "-f", form).stdout.split())
        assert ("all pairs of queries and keys" in words) == (name != "plain"), name
    together = " ".join(cli("compare", names["plain"], names["sdpa"], "-f", form).stdout.split())
    assert "all pairs of queries and keys" in together
