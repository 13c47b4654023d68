"""``zoo``: the list of shipped networks, which is the credential of the program."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import jsonschema
import pytest

from convcalc import schemas
from convcalc.designs import names as designs
from convcalc.designs import zoo as catalogue
from convcalc.designs.sources import SpecFile, open_spec
from tests.conftest import Command
from tests.zoo.layerwise import language_models, models


@pytest.fixture(scope="module")
def listed() -> dict[str, dict[str, object]]:
    from convcalc.designs.zoo import row, search_zoo

    return {one.design: row(one) for one in search_zoo()}


def test_a_hundred_designs_and_most_of_them_measured(listed: dict[str, dict[str, object]]) -> None:
    distinct = {(row["params"], row["macs"], row["input"]) for row in listed.values()}
    assert len(distinct) >= 100
    assert len({row["equals"] for row in listed.values()} - {None}) >= 80


def test_counts_are_those_of_the_module_that_is_named(listed: dict[str, dict[str, object]]) -> None:
    named = [row for row in listed.values() if row["equals"]]
    for row in named:
        module = {**models(), **language_models()}[str(row["equals"])]
        assert (row["params"], row["macs"]) == (module["params"], module["macs"]), row["design"]
    assert {row["reference"] for row in named} <= {row["equals"] for row in named} | {None}


def test_json_is_what_its_schema_says(cli: Command) -> None:
    document = json.loads(cli("zoo", "resnet50", "--json").stdout)
    jsonschema.validate(document, json.loads(schemas.schema("zoo")))
    rows = {row["design"]: row for row in document["designs"]}
    assert {"zoo:resnet50", "zoo:resnet50@101", "zoo:resnet50@152"} <= set(rows)
    deeper = rows["zoo:resnet50@101"]
    assert (deeper["reference"], deeper["params"], deeper["macs"]) == ("torchvision/resnet101", 44549160, 7801405440)
    assert (deeper["name"], deeper["input"]) == ("ResNet-101", [3, 224, 224])


def test_every_word_must_be_there_in_any_case(cli: Command) -> None:
    found = json.loads(cli("zoo", "TIMM", "mixer", "--json").stdout)["designs"]
    assert found
    assert all(row["reference"].startswith("timm/mixer") for row in found)


def test_a_variant_that_overrides_nothing_is_the_file_itself(cli: Command) -> None:
    rows = {
        row["design"]: row
        for row in json.loads(cli("zoo", "efficientnet@b0", "efficientnet", "--json").stdout)["designs"]
    }
    assert rows["zoo:efficientnet@b0"]["reference"] == "torchvision/efficientnet_b0"


def test_text_and_tables(cli: Command) -> None:
    text = cli("zoo", "lenet5").stdout
    assert "zoo:lenet" in text
    assert "61,706" in text
    assert text.endswith("\n1 design\n")
    rows = list(csv.DictReader(io.StringIO(cli("zoo", "lenet5", "-f", "csv").stdout)))
    assert [(row["design"], row["params"], row["input"]) for row in rows] == [("zoo:lenet", "61706", "1x28x28")]
    assert "| :-- |" in cli("zoo", "lenet5", "-f", "markdown").stdout


def test_a_narrow_terminal_has_fewer_columns_and_says_so(cli: Command) -> None:
    wide, narrow = cli("zoo", "vgg").stdout, cli("zoo", "vgg", "--width", "60").stdout
    assert "Source" in wide.splitlines()[0]
    assert "Source" not in narrow.splitlines()[0]
    assert re.search(r"Not shown in \d+ columns: Name, Source", narrow)
    assert max(map(len, narrow.splitlines())) <= 60
    assert "138,357,544" in narrow


def test_nothing_found(cli: Command) -> None:
    result = cli("zoo", "nonesuch")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no bundled network matches 'nonesuch'" in result.stderr


def test_names_are_completed() -> None:
    assert {"efficientnet", "mobilenet_v2", "mobilenet_v3", "resnet50"} <= set(designs.zoo_paths())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet18", "did you mean zoo:resnet18?"),
        ("resnet18.yaml", "did you mean zoo:resnet18?"),
        ("zoo:resnet34", "in the zoo: zoo:resnet18@34, "),
        ("MobileNet-V2", "in the zoo: zoo:mobilenet_v2, "),
        ("zoo:mobilenetv2", "in the zoo: zoo:mobilenet_v2, "),
    ],
)
def test_a_missing_file_may_be_in_the_zoo(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("report", name)
    assert result.exit_code == 2
    assert f"hint: {hint}" in result.stderr


@pytest.mark.parametrize("name", ["nothing_like_it", "a/b/resnet", "(", ".*"])
def test_no_hint_where_the_zoo_has_none(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "hint" not in cli("report", name).stderr


def test_thousands_of_missing_files_read_the_zoo_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    original = open_spec

    def counted(file: str) -> SpecFile:
        opened.append(file)
        return original(file)

    monkeypatch.setattr(catalogue, "open_spec", counted)
    catalogue._search_texts.cache_clear()
    assert [catalogue.similar_designs(f"missing{number}.yaml") for number in range(100)] == [""] * 100
    assert sorted(opened) == sorted(f"zoo:{name}" for name in designs.zoo_paths())
