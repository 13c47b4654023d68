"""``convcalc import``: what it prints, where it writes, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

import convcalc
from convcalc.recovery import recover
from tests.conftest import Command

SPEC = """\
convcalc: 1
name: Small
input: [3, 16, 16]

layers:
  - {conv: {out: 8, kernel: 3, padding: half, norm: batch, act: relu}, name: stem}
  - {avgpool: global, via: method}
  - flatten
  - linear: 10
"""


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(
        "name: Small\ninput: [3, size, size]\nvars: {size: 16, n: 10}\nvariants: {large: {size: 32}}\n"
        "defaults: {conv: {padding: half, norm: batch, act: relu}, avgpool: {via: method}}\n"
        "blocks: {Head: {params: {n}, layers: [avgpool: global, flatten, linear: n]}}\n"
        "layers: [{conv: [8, 3], name: stem}, Head: n]\n"
    )
    return path


def test_what_is_printed_is_a_spec(cli: Command) -> None:
    assert cli("import", "small.yaml") == cli("import", "small.yaml", "-o", "-")
    result = cli("import", "small.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == SPEC


def test_it_is_plain_on_every_surface(cli: Command) -> None:
    for env in ({"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"COLUMNS": "20"}):
        assert cli("import", "small.yaml", env=env).stdout == SPEC


def test_options_of_reading(cli: Command) -> None:
    assert "input: [3, 32, 32]" in cli("import", "small.yaml@large").stdout
    assert "input: [3, 32, 32]" in cli("import", "small.yaml", "--variant", "large").stdout
    assert "linear: 7" in cli("import", "small.yaml", "--set", "n=7").stdout
    assert "input: [3, 8, 8]" in cli("import", "small.yaml", "--input", "3,8,8").stdout
    assert "input: [8, 16, 16]" in cli("import", "small.yaml#head1").stdout
    assert cli("import", "-", input=Path("small.yaml").read_text()).stdout == SPEC


def test_to_a_file(cli: Command, tmp_path: Path) -> None:
    result = cli("import", "zoo:resnet50", "-o", "resnet.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    text = (tmp_path / "resnet.yaml").read_text(encoding="utf-8")
    assert text == recover(convcalc.load("zoo:resnet50").graph)
    assert cli("import", "resnet.yaml").stdout == text


def test_no_output_replaces_what_is_read(cli: Command, small: Path) -> None:
    before = small.read_text()
    result = cli("import", "small.yaml", "-o", "small.yaml")
    assert result.exit_code == 2
    assert "it is read, and would be lost" in result.stderr
    assert small.read_text() == before


def test_a_spec_is_written_as_yaml(cli: Command, tmp_path: Path) -> None:
    result = cli("import", "small.yaml", "-o", "small.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "name the file with .yaml or .yml" in result.stderr
    assert not (tmp_path / "small.json").exists()


def test_check_prints_nothing(cli: Command) -> None:
    for options in ([], ["--flat"]):
        result = cli("import", "small.yaml", "--check", *options)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    result = cli("import", "small.yaml", "--check", "-o", "new.yaml")
    assert result.exit_code == 2
    assert "leave out -o" in result.stderr


@pytest.mark.parametrize("options", [[], ["--check"], ["--flat"], ["-o", "new.yaml"]])
def test_what_cannot_be_verified_is_not_printed(
    cli: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str]
) -> None:
    monkeypatch.setattr("convcalc.recovery.difference", lambda *_: "stem: its kind")
    result = cli("import", "small.yaml", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "CC775" in result.stderr
    assert "stem: its kind" in result.stderr
    assert not (tmp_path / "new.yaml").exists()


@pytest.mark.parametrize(
    ("source", "code"), [("missing.yaml", "CC001"), ("zoo:resnet5", "CC703"), ("small.yaml@x", "CC701")]
)
def test_a_source_that_cannot_be_read(cli: Command, source: str, code: str) -> None:
    result = cli("import", source)
    assert (result.exit_code, result.stdout) == (2, "")
    assert code in result.stderr


def test_flat_names_every_layer_after_its_path(cli: Command) -> None:
    text = cli("import", "small.yaml", "--flat").stdout
    assert "{conv: {out: 8, kernel: 3, padding: half, bias: false}, name: stem}" in text
    assert "{norm: batch, name: stem_norm}" in text
    assert "{linear: 10, name: head1_linear1}" in text


def test_warnings_of_the_source_are_shown(cli: Command) -> None:
    Path("warns.yaml").write_text("input: [3, 8, 8]\nvars: {unused: 1}\nlayers: [relu]\n")
    assert "CC801" in cli("import", "warns.yaml").stderr
    assert cli("import", "warns.yaml", "-q").stderr == ""
