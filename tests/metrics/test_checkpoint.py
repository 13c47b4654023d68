"""Checkpoints: operations as PyTorch counted them, and bytes by the definition, tensor by tensor."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import convcalc
from convcalc.errors import SpecErrors
from convcalc.metrics.training import train_flops

WIDTHS = (24, 40, 8)
NET = """\
input: [7, 16]
vars: {again: true, n: 7}
blocks:
  Mlp: {params: {w}, layers: [add: [identity, [linear: w, relu, linear: 16]]]}
layers:
  - {repeat: {w: [24, 40, 8]}, Mlp: w, name: block, checkpoint: again}
  - {linear: 5, name: head}
"""
PLAIN, AGAIN = 100_128, 132_384
"""FLOPs that torch.utils.flop_counter 2.14.1 counted of one forward and backward pass: without checkpoints, and with
torch.utils.checkpoint around every block (not reentrant, without early stop)."""


def totals(text: str, **variables: Any) -> dict[str, Any]:
    return dict(convcalc.load(text=text, set=variables).report().totals)


def kept_outputs(network: convcalc.Network, groups: dict[str, str]) -> int:
    """Elements by the definition: outputs that are read outside their block, and the rest of the largest block."""
    nodes, results = network.graph.nodes, set(network.graph.outputs.values())
    where = {node.index: next((to for path, to in groups.items() if node.path.startswith(path)), "") for node in nodes}
    read = {at: {where[node.index] for node in nodes if at in node.inputs} for at in where}
    kept, inside = 0, dict[str, int]()
    for node in network.graph.layers:
        own = where[node.index]
        if not own or node.index in results or read[node.index] - {own}:
            kept += node.shape.elements
        else:
            inside[own] = inside.get(own, 0) + node.shape.elements
    return kept + max(inside.values(), default=0)


def test_one_forward_pass_more() -> None:
    assert totals(NET, again="false")["train_flops"] == PLAIN
    assert totals(NET)["train_flops"] == AGAIN
    for key in ("params", "macs", "flops", "peak_activation_bytes", "traffic_bytes"):
        assert totals(NET)[key] == totals(NET, again="false")[key]


def test_what_enters_blocks_is_kept_and_the_inside_of_the_largest() -> None:
    weights = 16 * totals(NET)["params"]
    assert totals(NET)["training_bytes"] - weights == 4 * (3 * 7 * 16 + 7 * 5 + 2 * 7 * 40 + 7 * 16)
    every = 3 * 2 * 7 * 16 + 2 * 7 * sum(WIDTHS) + 7 * 5
    assert totals(NET, again="false")["training_bytes"] - weights == 4 * every


@pytest.mark.parametrize("order", [(24, 40, 8), (40, 8, 24), (8, 24, 40), (24, 24, 24), (40,), ()])
@pytest.mark.parametrize("skip", ["", "  - {add: [identity, {from: block1}], when: has_one}\n"], ids=["", "skip"])
def test_any_order_of_blocks(order: tuple[int, ...], skip: str) -> None:
    text = NET.replace("[24, 40, 8]", str(list(order))).replace("  - {linear: 5", f"{skip}  - {{linear: 5")
    text = text.replace("again: true", f"again: true, has_one: {str(bool(order)).lower()}")
    network = convcalc.load(text=text)
    report, groups = network.report(), {f"block{i}": f"block{i}" for i in range(1, len(order) + 1)}
    assert report.totals["training_bytes"] == 4 * (4 * report.totals["params"] + kept_outputs(network, groups))
    assert report.totals["training_bytes"] == sum(row.values["training_bytes"] for row in report.rows)


def test_an_output_that_is_read_from_outside_is_kept() -> None:
    text = NET.replace("relu, linear: 16", "{relu: , name: a}, linear: 16").replace(
        "  - {linear: 5", "  - {linear: 3, from: block2.a, name: side}\n  - {linear: 5, from: block3"
    )
    text += "outputs: [side, head]\n"
    network = convcalc.load(text=text)
    groups = {f"block{i}": f"block{i}" for i in (1, 2, 3)}
    report = network.report()
    assert report.totals["training_bytes"] == 4 * (4 * report.totals["params"] + kept_outputs(network, groups))


def test_what_is_inside_an_attention_goes_too() -> None:
    """Fused: queries, keys, values, context, and a number a query and head; kept once, and not for each block."""
    text = """\
input: [6, 8]
layers:
  - {repeat: 3, add: [identity, [norm: layer, {attention: 2, via: fused}]], name: block, checkpoint: true}
"""
    kept = totals(text)["training_bytes"] - 16 * totals(text)["params"]
    inside = 4 * 6 * 8 + 2 * 6
    assert kept == 4 * (3 * 6 * 8 + 2 * 6 * 8 + inside)


def test_three_kinds_of_numbers_agree() -> None:
    text = NET.replace("input: [7, 16]", "input: [n, 16]").replace("w: [24, 40, 8]", "w: [24, u, 8]")
    text = text.replace("n: 7", "n: 7, u: 40")
    network, keys = convcalc.load(text=text), ["train_flops", "training_bytes"]
    formulas = network.formula(symbols=["n", "u"], metrics=keys).totals
    table = network.sweep(metrics=keys, n=[1, 7, 9], u=[3, 24, 40])
    for place, (n, u) in enumerate(itertools.product((1, 7, 9), (3, 24, 40))):
        plain = totals(text, n=n, u=u)
        assert {key: formulas[key].value({"n": n, "u": u}) for key in keys} == {key: plain[key] for key in keys}
        assert {key: int(table[key][place]) for key in keys}.items() <= plain.items()


def test_the_part_of_a_design_keeps_its_checkpoints() -> None:
    graph = convcalc.load(text=f"{NET}outputs: [block2, head]\n").graph.subgraph("block2")
    assert sum(train_flops(graph)) == 4 * 2 * 2 * 7 * 16 * 40


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (NET.replace("again: true", "again: 1"), "`checkpoint` must be true or false, not"),
        (NET.replace("checkpoint: again", "checkpoint: agian"), "agian"),
        (NET.replace("linear: w,", "{linear: w, checkpoint: true},"), "is in a checkpoint already"),
        (NET.replace("checkpoint: again", "checkpoint: [true]"), "checkpoint"),
        (NET.replace("checkpoint: again", "chekpoint: again"), "did you mean 'checkpoint'"),
    ],
)
def test_what_cannot_be(text: str, told: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        convcalc.load(text=text)
    assert told in str(caught.value)


def test_an_else_is_in_no_checkpoint_of_its_item() -> None:
    text = "input: 4\nvars: {on: false}\nlayers: [{linear: 3, checkpoint: true, when: on, else: {linear: 5}}]"
    assert totals(text)["train_flops"] == 3 * 2 * 4 * 5
    assert totals(text, on="true")["train_flops"] == 4 * 2 * 4 * 3
