"""Block calls that are alike: what is added once more equals what is expanded anew, in every field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.designs.sources import open_source, open_spec
from convcalc.errors import Source, SpecErrors
from convcalc.graph.graph import Graph
from convcalc.spec.expansion import expander, layers
from convcalc.spec.expansion.repeated_blocks import Expansion, Expansions
from tests.conftest import ROOT

ZOO = sorted((ROOT / "specs" / "zoo").glob("*.yaml"))


def described(graph: Graph) -> list[object]:
    """Everything of a graph; of a layer, where the shapes that enter it come from as well."""
    nodes = [
        (
            node.index, node.path, node.op, node.inputs, node.input_shapes, node.facts.output, node.facts.weights,
            node.facts.buffers, node.facts.products, node.source, node.weight_owner, node.source_form, node.times,
            node.checkpoint, node.beside, [graph.nodes[at].shape is node.input_shapes[0] for at in node.inputs[:1]],
        )
        for node in graph.nodes
    ]  # fmt: skip
    return [nodes, graph.outputs, graph.name, list(map(str, graph.warnings)), dict(graph.scopes)]


def expanded(text: str, **choices: Any) -> object:
    try:
        return described(open_source(Source("spec.yaml", text), **choices).graph)
    except SpecErrors as errors:
        return str(errors)


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the calls that were added once more."""
    found: list[str] = []
    replay = Expansion.replay

    def noting(made: Expansion, builder: Any, entering: Any, scope: Any) -> int:
        found.append(scope.path)
        return replay(made, builder, entering, scope)

    monkeypatch.setattr(Expansion, "replay", noting)
    return found


def both(text: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """What a spec is, which is the same where every call is expanded anew."""
    found = expanded(text)
    with monkeypatch.context() as without:
        without.setattr(Expansions, "get", lambda *_: None)
        assert expanded(text) == found
    return found


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_designs_of_the_zoo(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = open_spec(str(path))
    found = [described(spec.expand(variant).graph) for variant in spec.variants]
    monkeypatch.setattr(Expansions, "get", lambda *_: None)
    assert [described(spec.expand(variant).graph) for variant in spec.variants] == found


def test_the_blocks_of_a_resnet(replayed: list[str]) -> None:
    convcalc.load("zoo:resnet50")
    # of the stages of 3, 4, 6 and 3 blocks, the first and the second differ from all before them
    assert replayed == [
        f"stage{stage + 1}.block{block}" for stage, n in enumerate((3, 4, 6, 3)) for block in range(3, n + 1)
    ]


HEAD = "input: [4, 8, 8]\n"
SPECS = {
    "names_inside_are_found": (
        ("blocks: {B: [{conv: [4, 1], name: one}, {seq: [relu, {conv: [4, 1], name: two}], name: inner}]}\n"
        "layers: [{B: {}, repeat: 3, name: b}, {add: [{relu, from: b2.one}, {relu, from: b3.inner.two}]}]\n"), 2
    ),
    "parts_of_a_layer_are_found": (
        ("blocks: {B: [{conv: {out: 4, kernel: 1, norm: batch, act: relu}, name: one}]}\n"
        "layers: [{B: {}, repeat: 3, name: b}, {add: [{relu, from: b1.one.norm}, {relu, from: b3.one.norm}]},"
        " {relu, from: b3.one.act}]\n"), 2
    ),
    "names_that_were_left_out": (
        ("blocks: {B: [{conv: [4, 1], name: one, when: cin > 9}, relu]}\n"
        "layers: [{B: {}, repeat: 3, name: b}, {relu, from: b3.one}]\n"), 2
    ),
    "weights_shared_from_outside": (
        ("blocks: {B: [conv: [4, 1]]}\n"
        "layers: [{B: {}, name: a}, {B: {}, name: b, tie: a}, {B: {}, repeat: 2, tie: true}]\n"), 3
    ),
    "weights_shared_inside": ("blocks: {B: [{conv: [4, 1], repeat: 2, tie: true}]}\nlayers: [{B: {}, repeat: 3}]\n", 0),
    "checkpoints_outside": ("blocks: {B: [conv: [4, 1], relu]}\nlayers: [{B: {}, repeat: 3, checkpoint: true}]\n", 2),
    "checkpoints_inside": ("blocks: {B: [{conv: [4, 1], checkpoint: true}]}\nlayers: [{B: {}, repeat: 3}]\n", 0),
    "a_number_is_no_truth": (
        "blocks: {B: {params: {x}, layers: [{relu: {}, when: x}]}}\nlayers: [{B: true}, {B: true}, {B: 1}]\n", 1
    ),
    "nor_in_a_list": (
        ("blocks: {B: {params: {x}, layers: [{relu: {}, when: 'x[0]'}]}}\n"
        "layers: [{B: {x: [true]}}, {B: {x: [true]}}, {B: {x: [1]}}]\n"), 1
    ),
    "two_inputs": (
        ("blocks: {B: {inputs: [y], layers: [{add: [relu, {relu, from: y}]}]}}\n"
        "layers: [{conv: [4, 1], name: a}, {conv: [4, 1], name: b}, {B: {}, from: [a, b]}, {B: {}, from: [b, a]},"
        " {B: {}, from: [a, a]}, {B: {}, from: [b, b]}]\n"), 2
    ),
    "what_enters_passes_through": ("blocks: {B: [{relu: {}, when: cin > 9}]}\nlayers: [{B: {}, repeat: 3}, relu]\n", 2),
    "blocks_in_blocks": (
        ("blocks: {A: [conv: [4, 1]], B: [{A: {}, repeat: 2}, {A: {}}]}\n"
        "layers: [{B: {}, repeat: 3}, {A: {}, repeat: 2}]\n"), 5
    ),
    "experts_that_do_not_run": (
        ("blocks: {B: [{add: [{each: 2, of: 5, name: e, conv: [4, 1]}]}]}\n"
        "layers: [{B: {}, repeat: 3, name: b}, {relu: {}, from: b3.e1}]\n"), 2
    ),
    "an_error_in_each": ("blocks: {B: [conv: [cin - 1, 1]]}\nlayers: [{B: {}, repeat: 6}]\n", 0),
    "an_error_behind": ("blocks: {B: [relu]}\nlayers: [{B: {}, repeat: 3}, {conv: [0, 1]}, {B: {}, repeat: 2}]\n", 2),
    "too_few_axes_named": (
        "blocks: {B: [relu]}\nlayers: [flatten, {linear: 4}, relu, {B: {}, repeat: 2}, {conv: [4, 3]}]\n", 1
    ),
    "warnings_once": ("blocks: {B: [{conv: [4, 1]}, {conv: [4, 9, 9, 9]}]}\nlayers: [{B: {}, repeat: 2}]\n", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_one_by_one(name: str, replayed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text, times = SPECS[name]
    found = both(HEAD + text, monkeypatch)
    assert len(replayed) == times, found


@pytest.mark.parametrize(("limit", "most"), [("LAYERS", 40), ("PATHS", 200)])
def test_limits_are_met_at_the_same_layer(
    limit: str, most: int, replayed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, limit, most)
    found = both(HEAD + "blocks: {B: [conv: [4, 1], relu, relu]}\nlayers: [{B: {}, repeat: 20}]\n", monkeypatch)
    assert "exceed" in str(found) or "more layers" in str(found)
    assert replayed


def test_items_too(replayed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from convcalc.spec.expansion import repeated_blocks

    for module in (expander, repeated_blocks):
        monkeypatch.setattr(module, "ITEMS", 60)
    text = "blocks: {B: [{relu: {}, repeat: cin}]}\nlayers: [{B: {}, repeat: 20}]\n"
    assert "items" in str(both(HEAD + text, monkeypatch))
    assert replayed


def test_lists_of_arrays_are_expanded_anew(replayed: list[str]) -> None:
    text = (
        "input: [4, 8, 8]\nvars: {w: 2, n: 3}\nblocks: {B: {params: {x}, layers: [conv: ['x[0]', 1]]}}\n"
        "layers: [{B: {x: [w, n]}, repeat: 3}, {B: {x: [n, w]}}]\n"
    )
    spec = convcalc.load(text=text, name="spec.yaml")
    assert len(replayed) == 1
    replayed.clear()
    counts = spec.sweep(w=range(1, 6), n=range(1, 6))["params"].tolist()
    assert replayed == []
    assert counts == [(4 * w + w) + 2 * (w * w + w) + (w * n + n) for w in range(1, 6) for n in range(1, 6)]
