"""``report --device``: bounds of time, by devices that are shipped and by files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.conftest import Command

NET = "input: [3, 8, 8]\nlayers:\n  - {conv: {out: 4, kernel: 3, bias: false}, name: c}\n  - {relu: , name: r}\n"
BOARD = "name: Board\nsource: https://example.org/board\nbandwidth: 2.5G\noperations: {float32: 1T, int8: 4T}\n"
OPERATIONS = 2 * 4 * 27 * 36


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(NET, "utf-8")
    (tmp_path / "board.yaml").write_text(BOARD, "utf-8")
    return tmp_path


def test_json_has_the_bound_of_every_layer(cli: Command) -> None:
    document = json.loads(cli("report", "net.yaml", "--device", "board.yaml", "--batch", "100", "--json").stdout)
    moved = [4 * (100 * (192 + 144) + 108), 4 * 100 * (144 + 144)]
    exact = {"numerator": 2 * moved[0], "denominator": 5, "decimal": moved[0] / 2.5}
    assert [one["least_time"] for one in document["layers"]] == [exact, moved[1] * 2 // 5]
    assert [one["bound"] for one in document["layers"]] == ["memory", "memory"]
    assert document["totals"]["least_time"]["numerator"] == 2 * sum(moved)
    assert (document["device"]["name"], document["device"]["source"]) == ("Board", "https://example.org/board")


def test_what_computes_long_is_bound_by_that(cli: Command) -> None:
    slow = BOARD.replace("1T", "1G")
    Path("slow.yaml").write_text(slow, "utf-8")
    rows = list(csv.DictReader(io.StringIO(cli("report", "net.yaml", "--device", "slow.yaml", "-f", "csv").stdout)))
    assert [row["bound"] for row in rows] == ["compute", "memory"]
    assert float(rows[0]["least_time"]) == OPERATIONS


@pytest.mark.parametrize("name", ["text", "markdown", "html", "latex"])
def test_every_page_says_that_it_is_a_bound(cli: Command, name: str) -> None:
    text = cli("report", "net.yaml", "--device", "board.yaml", "-f", name).stdout
    assert "lower bounds" in text
    assert "not measurements" in text
    assert "example.org/board" in text


def test_the_program_knows_some(cli: Command) -> None:
    text = cli("report", "net.yaml", "--device", "a100-sxm-80gb", "--dtype", "float16").stdout
    assert "NVIDIA A100" in text


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--device", "h101-sxm"], "CC731"),
        (["--device", "nowhere.yaml"], "CC001"),
        (["--device", "."], "CC002"),
        (["--device", "net.yaml"], "CC732"),
        (["--device", "board.yaml", "--dtype", "fp8"], "CC733"),
    ],
)
def test_what_is_no_device(cli: Command, words: list[str], code: str) -> None:
    result = cli("report", "net.yaml", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert code in result.stderr


@pytest.mark.parametrize(
    ("note", "dtype", "shown"),
    [
        ("Measured hot.", "float32", ["Board: Measured hot."]),
        ("{int8: On the vector unit.}", "float32", []),
        ("{int8: On the vector unit.}", "int8", ["Board: int8: On the vector unit."]),
        ("{int8: Slow., float32: Fast.}", "r=int8", ["Board: float32: Fast.", "Board: int8: Slow."]),
    ],
)
def test_a_note_on_a_number_format_is_shown_where_it_is_used(
    cli: Command, note: str, dtype: str, shown: list[str]
) -> None:
    Path("noted.yaml").write_text(f"{BOARD}note: {note}\n", "utf-8")
    text = cli("report", "net.yaml", "--device", "noted.yaml", "--dtype", dtype).stdout
    assert [line for line in text.splitlines() if line.startswith("Board")] == shown


@pytest.mark.parametrize("column", ["least_time", "bound"])
def test_times_are_those_of_a_device(cli: Command, column: str) -> None:
    result = cli("report", "net.yaml", "--columns", column)
    assert result.exit_code == 2
    assert "add --device NAME" in result.stderr


def test_verbose_shows_the_bounds_too(cli: Command) -> None:
    heading = cli("report", "net.yaml", "--device", "board.yaml", "-v").stdout.splitlines()[3]
    assert "Time bound (ns)" in heading
    assert "Traffic bytes" in heading


def test_what_binds_several_layers(cli: Command) -> None:
    Path("slow.yaml").write_text(BOARD.replace("1T", "1G"), "utf-8")
    for device, word in (("board.yaml", "memory"), ("slow.yaml", "mixed")):
        text = cli("report", "net.yaml", "--device", device, "--by", "block", "-f", "csv").stdout
        assert [row["bound"] for row in csv.DictReader(io.StringIO(text))] == [word]
