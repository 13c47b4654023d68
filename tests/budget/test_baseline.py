"""Baseline files: the same numbers give the same bytes, what is read is what was written, and what is malformed."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from convcalc import schemas
from convcalc.budget.baseline.file import (
    AcceptedValue,
    BaselineFile,
    DesignCounts,
    count_graph,
    read_baseline_file,
    to_text,
)
from convcalc.budget.baseline.sources import open_baseline
from convcalc.budget.file.types import BaselineLocation
from convcalc.designs.sources import open_design
from convcalc.errors import Source, Span, SpecError, SpecErrors

MISSING = SpecError("CC641", "missing")
GOOD = """\
{
 "schema_version": 1,
 "convention": "convcalc/1",
 "batch": 1,
 "dtype": "float32",
 "designs": {
  "a.yaml": {"totals": {"macs": 20, "params": 3}, "layers": {"b": {"params": 1}, "c": {"macs": 20, "params": 2}}},
  "z.yaml@w": {"totals": {"params": 0}, "layers": {}}
 },
 "accepted": [
  {"budget": "x", "design": "a.yaml", "metric": "params", "value": 4, "reason": "why"}
 ]
}
"""
RECORD = BaselineFile(
    {
        "z.yaml@w": DesignCounts({"params": 0}, {}),
        "a.yaml": DesignCounts({"params": 3, "macs": 20}, {"c": {"params": 2, "macs": 20}, "b": {"params": 1}}),
    },
    (AcceptedValue("x", "a.yaml", "params", 4, "why"),),
)


def refusal(folder: Path, text: str | bytes) -> SpecError:
    path = folder / "b.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecErrors) as raised:
        read_baseline_file(str(path), MISSING)
    (error,) = raised.value.errors
    return error


def test_the_file_is_sorted_with_a_design_a_line() -> None:
    assert to_text(RECORD) == GOOD


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(GOOD)
    assert read_baseline_file(str(tmp_path / "b.json"), MISSING) == RECORD


def test_nothing_is_a_valid_file(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(to_text(BaselineFile()))
    assert read_baseline_file(str(tmp_path / "b.json"), MISSING) == BaselineFile()


@pytest.mark.parametrize("record", [RECORD, BaselineFile()])
def test_it_is_what_its_schema_says(record: BaselineFile) -> None:
    jsonschema.validate(json.loads(to_text(record)), json.loads(schemas.schema("baseline")))


def test_hostile_names_survive(tmp_path: Path) -> None:
    name = 'a\n"\u202e\udcff<b>.yaml'
    record = BaselineFile({name: DesignCounts({"params": 10**40}, {name: {"params": 10**40}})})
    (tmp_path / "b.json").write_text(to_text(record), encoding="ascii")
    assert read_baseline_file(str(tmp_path / "b.json"), MISSING) == record


def test_counts_are_those_of_the_layers(tmp_path: Path) -> None:
    """A convolution of 3 to 4 channels, 3×3 with bias on 8×8 is 112 parameters and 27·4·36 multiplies; then 10·4+10."""
    (tmp_path / "n.yaml").write_text(
        "input: [3, 8, 8]\nlayers: [{conv: [4, 3], name: c, padding: 0}, avgpool: global, flatten, linear: 10]\n"
        .replace("{conv: [4, 3], name: c, padding: 0}", "{conv: {out: 4, kernel: 3, padding: 0}, name: c}")
    )  # fmt: skip
    past = count_graph(open_design(str(tmp_path / "n.yaml")).graph)
    assert (past.totals["params"], past.totals["macs"], past.totals["depth"]) == (162, 3888 + 40, 2)
    assert (past.layers["c"]["params"], past.layers["c"]["macs"], past.layers["linear1"]["params"]) == (112, 3888, 50)
    assert "flatten1" not in past.layers or "params" not in past.layers["flatten1"]


def test_opening_a_file(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(GOOD)
    baseline = open_baseline(BaselineLocation("file", "b.json", None), str(tmp_path))
    past = baseline.counts("a.yaml")
    assert past is not None
    assert past.totals == {"macs": 20, "params": 3}
    assert (baseline.counts("new.yaml"), baseline.label) == (None, "b.json")
    assert list(baseline.accepted) == [AcceptedValue("x", "a.yaml", "params", 4, "why")]


def test_a_missing_file_says_what_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file, hint in {
        str(tmp_path / "convcalc-budget.yaml"): "convcalc baseline write",
        "other.yaml": "convcalc baseline write --budget other.yaml",
        "my budget.yaml": "convcalc baseline write --budget 'my budget.yaml'",
    }.items():
        place = Span(Source(file), 2, 12)
        with pytest.raises(SpecErrors) as raised:
            open_baseline(BaselineLocation("file", "b.json", place), str(tmp_path))
        (error,) = raised.value.errors
        assert (error.code, error.span, error.hint) == ("CC641", place, hint)


def test_a_budget_file_names_no_baseline_outside_its_repository(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "b.json").write_text(GOOD)
    with pytest.raises(SpecErrors, match=r"CC641: the baseline '\.\./b\.json' lies outside"):
        open_baseline(BaselineLocation("file", "../b.json", Span(Source("x"))), str(tmp_path / "repo"))


@pytest.mark.parametrize(
    ("old", "new", "both", "place"),
    [
        ("convcalc/1", "convcalc/2", ["convcalc/2", "convcalc/1"], (3, 2, 12)),
        ('"batch": 1', '"batch": 8', ["8", "1"], (4, 2, 7)),
        ('"batch": 1', '"batch": true', ["True", "1"], (4, 2, 7)),
        ("float32", "float16", ["float16", "float32"], (5, 2, 7)),
    ],
)
def test_numbers_that_were_counted_otherwise(
    tmp_path: Path, old: str, new: str, both: list[str], place: tuple[int, int, int]
) -> None:
    error = refusal(tmp_path, GOOD.replace(old, new))
    assert error.code == "CC645"
    theirs, ours = error.text.split(", this run")
    assert (f"'{both[0]}'" in theirs, f"'{both[1]}'" in ours) == (True, True)
    assert error.span
    assert error.span[1:4] == place


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("", "ends too early", (1, 1)),
        ("{", "ends too early", (1, 2)),
        (GOOD[: GOOD.index('rams": 3')], "ends too early", (7, 37)),
        ("[]", "not a mapping", (1, 1)),
        ("[" * 100_000, "nested too deep", (1, 1)),
        (GOOD.replace('"macs": 20,', '"macs": 20 ', 1), "is not JSON", (7, 37)),
        (GOOD.replace('"macs": 20', '"macs": 20.5', 1), "'macs' is not a count", (7, 25)),
        (GOOD.replace('"macs": 20', '"macs": NaN', 1), "'macs' is not a count", (7, 25)),
        (GOOD.replace('"macs": 20', '"macs": -1', 1), "'macs' is not a count", (7, 25)),
        (GOOD.replace('"macs": 20', '"macs": true', 1), "'macs' is not a count", (7, 25)),
        (GOOD.replace('"macs": 20', f'"macs": {"9" * 5000}', 1), "more than 1000 digits", (7, 33)),
        (GOOD.replace('"b": {"params": 1}', '"b": {"params": "1"}'), "'params' is not a count", (7, 68)),
        (GOOD.replace('"z.yaml@w"', '"a.yaml"'), "'a.yaml' is a duplicate", (8, 3)),
        (GOOD.replace('"totals": {"params": 0}, ', ""), "'z.yaml@w' has no 'totals'", (8, 3)),
        (GOOD.replace('"value": 4', '"value": "4"'), "what is accepted has", (10, 2)),
        (GOOD.replace(' "batch": 1,\n', ""), "has no 'batch'", (1, 1)),
        (GOOD.replace('"schema_version": 1', '"schema_version": 2'), "version 1 of baselines, not '2'", (2, 2)),
        (GOOD.replace(' "designs"', '<<<<<<< HEAD\n "designs"'), "a conflict of a merge", (6, 1)),
    ],
)
def test_malformed(tmp_path: Path, text: str, said: str, place: tuple[int, int]) -> None:
    error = refusal(tmp_path, text)
    assert error.code == "CC646"
    assert said in error.text
    assert error.span
    assert error.span[1:3] == place


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"\xff\xfe\x00").code == "CC646"
    assert refusal(tmp_path, b"\x00").code == "CC646"


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    for length in range(0, len(GOOD) - 1, 7):
        error = refusal(tmp_path, GOOD[:length])
        assert (error.code, error.span is not None) == ("CC646", True)


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(SpecErrors, match="CC646: the baseline cannot be read: Is a directory"):
        read_baseline_file(str(tmp_path), MISSING)


def test_versions_merge_line_by_line() -> None:
    """Two branches that change designs on either side of a third touch no line in common."""
    names = ["a", "b", "c"]
    base, one, two = (
        to_text(
            BaselineFile({name: DesignCounts({"params": value}, {}) for name, value in zip(names, values, strict=True)})
        )
        for values in ((1, 1, 1), (2, 1, 1), (1, 1, 2))
    )
    changed = [
        {
            number
            for number, lines in enumerate(zip(base.split("\n"), text.split("\n"), strict=True))
            if len({*lines}) > 1
        }
        for text in (one, two)
    ]
    assert [len(lines) for lines in changed] == [1, 1]
    assert changed[0].isdisjoint(changed[1])
