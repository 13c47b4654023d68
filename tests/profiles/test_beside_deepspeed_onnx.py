"""What DeepSpeed's profiler and onnx-tool printed, for whole networks and single layers: cell by cell.

A cell that differs from the profile does so by an amount that is worked out here from the graph, by a rule of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import Any

import pytest

from convcalc import profiles
from convcalc.arith import Number, prod, total
from convcalc.designs.sources import open_source
from convcalc.designs.zoo import search_zoo
from convcalc.errors import Source, SpecError
from convcalc.graph.graph import Graph
from tests.conftest import ROOT

REFERENCE = ROOT / "tests" / "reference"
DEEPSPEED: dict[str, Any] = json.loads((REFERENCE / "deepspeed.json").read_text("utf-8"))
ONNX_TOOL: dict[str, Any] = json.loads((REFERENCE / "onnx_tool.json").read_text("utf-8"))

EXPANDED, HALVED = 3 + 3, 1 + 4 + 1 + 1
"""MACs of nodes that work out a shape: of a class token, a comparison and a product of three sizes; of ``chunk``, a
sum, a division and two products."""
SHAPES = {
    "torchvision/vit_b_16": EXPANDED,
    "timm/deit_tiny_patch16_224": EXPANDED,
    "torchvision/shufflenet_v2_x1_0": 13 * HALVED,
}
"""What onnx-tool counts for them: a class token that is expanded to the batch, 13 units whose input is cut in half."""

OWN_SCALE = 3 * 24 + 4
"""Price of the scale of scaled_dot_product_attention: three roots and a division."""
ALONE = "matmul: [[{matmul: [identity, {permute: [0, 2, 1]}]}, {softmax: -1, via: method}], identity] on [2, 5, 8]"
"""scaled_dot_product_attention of one tensor, written as its two products."""


@cache
def design(module: str) -> Graph:
    """The shipped design of a module; googlenet was run without its auxiliary heads."""
    name = "torchvision/googlenet_noaux" if module == "torchvision/googlenet" else module
    return next(one.expand().graph for one in search_zoo() if name in one.modules)


def single(cell: str) -> Graph:
    layer, _, input_ = cell.rpartition(" on ")
    return open_source(Source("single.yaml", f"convcalc: 1\ninput: {input_}\nlayers:\n  - {layer}\n")).graph


# --- DeepSpeed --------------------------------------------------------------------------------------------------------


def counts(graph: Graph) -> list[Number]:
    return [profiles.total(graph, key) for key in DEEPSPEED["columns"]]


@pytest.mark.parametrize("module", DEEPSPEED["totals"])
def test_deepspeed_totals(module: str) -> None:
    assert counts(design(module)) == DEEPSPEED["totals"][module]


def test_deepspeed_without_gradients() -> None:
    text = (ROOT / "specs" / "zoo" / "vit.yaml").read_text("utf-8").replace("via: fused", "via: fast_path")
    graph = open_source(Source("vit.yaml", text)).graph
    assert {"torchvision/vit_b_16": counts(graph)} == DEEPSPEED["without_gradients"]


@pytest.mark.parametrize("cell", DEEPSPEED["single"])
def test_deepspeed_single_layers(cell: str) -> None:
    assert counts(single(cell)) == DEEPSPEED["single"][cell]


# --- onnx-tool --------------------------------------------------------------------------------------------------------


def folded(graph: Graph) -> Number:
    """What the export takes away by folding every batch norm that alone reads a convolution: 31·y, and y put there as
    the bias of a convolution without one."""
    read = Counter(index for node in graph.layers for index in node.inputs) + Counter(graph.outputs.values())
    gone: Number = 0
    for node in graph.layers:
        if node.op is None or node.op.kind != "norm" or getattr(node.op, "type", "") != "batch":
            continue
        (before,) = node.inputs
        op = graph.nodes[before].op
        if op is not None and op.kind in ("conv", "dwconv") and read[before] == 1:
            gone += (31 if getattr(op, "bias", False) else 30) * node.shape.elements
    return gone


def windows(graph: Graph) -> Number:
    """What onnx-tool counts for Swin-T's shifted windows and for the numbers that come with them.

    A position bias is added to all scores; where windows are shifted a mask is added too, which is made in the graph
    by a difference, two comparisons and a negation. What remains are nodes that work out a place or a size: index sums
    for every position of the five masks, 90 comparisons and 90 products of two numbers each, and 15 differences.
    """
    attentions = [node for node in graph.layers if node.op is not None and node.op.kind == "attention"]
    scores = [node.facts.products[3].outputs for node in attentions]
    shifted = (1, 3, 5, 7, 9)  # every other block, but for those of a single window
    masks = total(prod(attentions[block].shape[:2]) * 49 for block in shifted)  # windows × 49 × 49
    return total(scores) + total(scores[block] for block in shifted) + 4 * masks + masks // 49 + 90 * 4 + 15


def worked_out(module: str) -> Number:
    return windows(design(module)) if module == "torchvision/swin_t" else SHAPES.get(module, 0)


@pytest.mark.parametrize("module", ONNX_TOOL["totals"])
def test_onnx_tool_totals(module: str) -> None:
    graph = design(module)
    assert profiles.total(graph, "onnx_tool") - folded(graph) + worked_out(module) == ONNX_TOOL["totals"][module]


@pytest.mark.parametrize("module", ONNX_TOOL["norms_kept"])
def test_onnx_tool_totals_where_norms_are_kept(module: str) -> None:
    assert profiles.total(design(module), "onnx_tool") + worked_out(module) == ONNX_TOOL["norms_kept"][module]


@pytest.mark.parametrize("cell", ONNX_TOOL["single"])
def test_onnx_tool_single_layers(cell: str) -> None:
    graph = single(cell)
    missing = 2 * 2 * 5 * 8 + OWN_SCALE if cell == ALONE else 0
    assert profiles.total(graph, "onnx_tool") - folded(graph) + missing == ONNX_TOOL["single"][cell]


def test_onnx_tool_stops_where_there_is_no_number() -> None:
    """No total is printed for these layers; the newer exporter takes pools that the measured one refuses."""
    assert not set(ONNX_TOOL["refused"]) & set(ONNX_TOOL["single"])
    assert set(ONNX_TOOL["refused"]) | set(ONNX_TOOL["single"]) == set(DEEPSPEED["single"])
    for cell in ONNX_TOOL["refused"]:
        if "pool" in cell:
            assert profiles.total(single(cell), "onnx_tool") > 0
            continue
        with pytest.raises(SpecError) as raised:
            profiles.total(single(cell), "onnx_tool")
        assert raised.value.code == "CC742"
