"""``check`` of a bundled spec that somebody copied and changed: its claims are still about the original."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from convcalc.designs.names import zoo_paths
from convcalc.render import VERDICTS
from tests.conftest import Command

ORIGINAL = "the claim describes the original network, zoo:lenet"
HINT = "this spec differs from zoo:lenet, and the claim is about the network of custom/lenet5; remove"
LENET = Path(zoo_paths()["lenet"])
TUTORIAL = LENET.parent.parent / "tutorials" / "depthwise.yaml"


def copied(source: Path, target: Path, changes: Mapping[str, str]) -> None:
    """Copy a spec with some of its text replaced; what is replaced must be there."""
    text = source.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    target.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("format_", VERDICTS.names)
def test_every_format_says_whose_claims_they_are(cli: Command, folder: Path, format_: str) -> None:
    copied(LENET, folder / "mine.yaml", {"out: 6, padding: 2": "out: 8, padding: 2"})
    result = cli("check", "mine.yaml", "-f", format_)
    assert result.exit_code == 1
    assert ORIGINAL in result.stdout
    assert (HINT in result.stdout) == (format_ != "concise")


def test_a_copy_that_counts_the_same_keeps_its_claims(cli: Command, folder: Path) -> None:
    copied(LENET, folder / "mine.yaml", {"name: LeNet-5": "name: Mine  # as it was", "C5": "fifth"})
    result = cli("check", "mine.yaml")
    assert (result.exit_code, "original" in result.stdout) == (0, False)


def test_a_tutorial_and_a_file_of_another_name(cli: Command, folder: Path) -> None:
    copied(TUTORIAL, folder / "a.yaml", {"conv: [out, 3]": "conv: [out, 5]"})
    result = cli("check", "a.yaml", "-f", "concise")
    assert result.stdout == (
        "a.yaml:22:26: error CC604 [claim:ordinary:macs] macs of a.yaml#ordinary is 642,252,800, not 231211008 "
        "(2.778 of it); the claim describes the original network, specs/tutorials/depthwise.yaml\n"
    )  # 25·64·128·56², 25/9 of it


def test_an_edit_of_what_a_spec_imports(cli: Command, folder: Path) -> None:
    shutil.copytree(LENET.parent, folder / "zoo")
    blocks = folder / "zoo" / "blocks" / "dilated_resnet.yaml"
    copied(blocks, blocks, {"norm: batch": "norm: none"})
    result = cli("check", "zoo/fcn.yaml", "zoo/lenet.yaml", "-f", "concise")
    assert result.exit_code == 1
    assert all("the original network, zoo:fcn" in line for line in result.stdout.splitlines())


def test_a_claim_about_a_part_that_was_removed(cli: Command, folder: Path) -> None:
    copied(LENET, folder / "mine.yaml", {"name: C5": "name: fifth"})
    result = cli("check", "mine.yaml")
    assert result.exit_code == 2
    assert "  hint: the claim describes zoo:lenet: remove or change it" in result.stdout.splitlines()


def test_a_number_that_is_expected_to_disagree_and_agrees(cli: Command, folder: Path) -> None:
    """GoogLeNet's paper prints 34M, which its first layer disagrees with; 3·9·100·112² = 33,868,800 rounds to it."""
    claim = '{at: conv1, variant: paper, macs: 34M, source: "arXiv:1409.4842, Table 1", expect: disagrees, reason: x}'
    layer = "{conv: {out: 100, kernel: 3, stride: 2, padding: 1}, name: conv1}"
    text = f"input: [3, 224, 224]\nvariants: {{paper: {{}}}}\nlayers: [{layer}]\nclaims: [{claim}]\n"
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    result = cli("check", "own.yaml", "-f", "concise")
    assert "CC605" in result.stdout
    assert result.stdout.endswith("though it is not to; the claim describes the original network, zoo:googlenet\n")


@pytest.mark.parametrize(
    "claim",
    [
        "{params: 61707, source: custom/lenet5}",  # a number of one's own
        "{params: 61706, source: my own notes}",
        "{params: 416520, source: custom/lenet5}",  # that of another metric
        "{params: 61706, at: conv1, source: custom/lenet5}",
        "{params: 61706, excluding: bias, source: custom/lenet5}",
    ],
)
def test_claims_of_ones_own_are_not_called_a_copy(cli: Command, folder: Path, claim: str) -> None:
    (folder / "own.yaml").write_text(f"input: [1, 8, 8]\nlayers: [conv: [2, 3]]\nclaims: [{claim}]\n", encoding="utf-8")
    result = cli("check", "own.yaml")
    assert result.exit_code == 1
    assert "original" not in result.stdout
    assert "lenet" not in result.stdout.replace("custom/lenet5", "")


def test_an_edit_in_place_is_not_taken_for_granted(cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied(LENET, folder / "lenet.yaml", {"out: 6, padding: 2": "out: 8, padding: 2"})
    monkeypatch.setattr("convcalc.designs.claims._bundled_paths", lambda: {"zoo:lenet": str(folder / "lenet.yaml")})
    result = cli("check", "lenet.yaml")
    assert ORIGINAL not in result.stdout
    said = "the source is custom/lenet5; if this bundled spec was edited, its claims still describe the original"
    assert said in result.stdout
