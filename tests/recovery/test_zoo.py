"""Every bundled network is recovered from its flat graph: equal, short, and a fixed point."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

import convcalc
from convcalc.designs.sources import open_spec
from convcalc.recovery import recover
from tests.conftest import ROOT
from tests.recovery.recovered import lines, require_equal, require_fixed

ZOO = sorted((ROOT / "specs" / "zoo").glob("*.yaml"))
SHORT = (
    "resnet18", "resnet50", "resnet50@101", "mobilenet_v2", "mobilenet_v3", "efficientnet@b0", "densenet", "regnet",
    "vit", "convnext", "vgg", "googlenet", "inception_v3", "shufflenet_v2", "swin",
)  # fmt: skip
"""Networks whose recovered specs are at most as long as people's, or nearly."""
WIDTH = 120


def written_by_people(path: Path) -> int:
    """The lines of a bundled spec without its claims and variants."""
    kept, is_kept = 0, True
    for line in path.read_text(encoding="utf-8").splitlines():
        if line[:1].strip():
            is_kept = not line.startswith(("claims", "variants"))
        kept += is_kept and bool(line.strip())
    return kept


@pytest.mark.parametrize("path", ZOO, ids=[path.stem for path in ZOO])
def test_every_design_is_recovered(path: Path) -> None:
    spec = open_spec(str(path))
    seen = set()
    for variant in spec.variants:
        graph = spec.expand(variant).graph
        text = recover(graph)
        if text not in seen:
            seen.add(text)
            require_equal(text, graph)
            assert [line for line in text.splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize("path", ZOO, ids=[path.stem for path in ZOO])
def test_a_recovered_spec_is_recovered_as_it_is(path: Path) -> None:
    require_fixed(convcalc.load(str(path)).graph)


def test_specs_are_as_short_as_those_of_people() -> None:
    ratios = {}
    for name in SHORT:
        path = ROOT / "specs" / "zoo" / f"{name.partition('@')[0]}.yaml"
        ratios[name] = lines(recover(convcalc.load(f"zoo:{name}").graph)) / written_by_people(path)
    assert statistics.median(ratios.values()) <= 1.3
    assert {name: ratio for name, ratio in ratios.items() if ratio > 2} == {}


def test_names_of_layers_make_blocks() -> None:
    """Keras has one list of layers: block_1_expand, block_1_depthwise."""
    text = recover(convcalc.load(str(ROOT / "tests" / "reference" / "keras" / "MobileNetV2.keras")).graph)
    assert lines(text) <= 1.3 * written_by_people(ROOT / "specs" / "zoo" / "mobilenet_v2.yaml")
    assert "  Block:\n" in text
    assert recover(convcalc.load(text=text).graph) == text


def test_names_of_blocks_are_those_of_the_source() -> None:
    text = recover(convcalc.load("zoo:resnet50").graph)
    assert "  Bottleneck:\n" in text
    assert "repeat: {n: [3, 4, 6, 3], out: [64, 128, 256, 512], stride: [1, 2, 2, 2]}" in text
    assert "Bottleneck: [out, stride if first else 1]" in text


def test_names_of_targets_are_those_of_the_source() -> None:
    """A number in a name stays; another name has it only where layers without a name are counted by the same word."""
    text = recover(convcalc.load("zoo:yolov8").graph)
    assert "name: up4}" in text
    assert "name: conv2_}" in text
    assert recover(convcalc.load(text=text).graph) == text


@pytest.mark.parametrize("path", ZOO[::4], ids=[path.stem for path in ZOO[::4]])
def test_flat(path: Path) -> None:
    graph = convcalc.load(str(path)).graph
    text = recover(graph, flat=True)
    require_equal(text, graph)
    assert "blocks:" not in text
    assert "repeat" not in text
