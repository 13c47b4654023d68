"""Further decoders of transformers, and encoders of images before one: counts of their modules, and wrong parts."""

from __future__ import annotations

import json
import lzma
from typing import Any

import pytest

from convcalc.designs.sources import Network, open_source
from convcalc.errors import Source, SpecErrors
from convcalc.importers.hf.families import PARTS, family, known_types
from tests.conftest import ROOT, Command

REFERENCE = ROOT / "tests" / "reference"
MEASURED = json.loads(lzma.decompress((REFERENCE / "hf_decoders.json.xz").read_bytes()))
PUBLISHED = json.loads((REFERENCE / "hf_decoders_published.json").read_text())
ROWS = MEASURED["rows"]
RUN = [row for row in ROWS if "macs" in row]
DECODING = [row for row in ROWS if "decoding" in row]
PAST = 6
SCAN = {
    "mamba2",
    "bamba",
    "granitemoehybrid",
    "falcon_h1",
    "nemotron_h",
    "qwen3_next",
    "qwen3_5_text",
    "qwen3_5_moe_text",
}
"""The families with layers whose products depend on the program that runs them."""


def opened(config: dict[str, Any], **options: Any) -> Network:
    return open_source(Source("config.json", json.dumps(config)), **options)


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{i}-{row['config']['architectures'][0]}" for i, row in enumerate(rows)]


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_parameters(row: dict[str, Any]) -> None:
    assert opened(row["config"], overrides=row.get("given", {})).report().totals["params"] == row["params"]


@pytest.mark.parametrize("row", RUN, ids=names(RUN))
def test_multiplies(row: dict[str, Any]) -> None:
    """All of them; or without those of a scan, and then the total is a lower bound that says so."""
    network = opened(row["config"], overrides=row["given"])
    counted = network.report().totals["macs"]
    if network.graph.uncounted:
        assert row["config"]["model_type"] in SCAN
        assert counted <= row["macs"]
    else:
        assert counted == row["macs"]


@pytest.mark.parametrize("row", DECODING, ids=names(DECODING))
def test_one_token_behind_others(row: dict[str, Any]) -> None:
    network = opened(row["config"], variant="decode", overrides={"past": PAST})
    totals, (macs, elements) = network.report().totals, row["decoding"]
    if not network.graph.uncounted:
        assert totals["macs"] == macs
    assert totals["cache_bytes"] == 4 * elements


def test_measured() -> None:
    """Every family of these files was built, and nearly all were run."""
    built = {row["config"]["model_type"] for row in ROWS}
    assert len(built) >= 45
    assert len(RUN) > 120
    assert len(DECODING) > 20


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations(name: str) -> None:
    assert opened(PUBLISHED[name]).report().totals["params"] == MEASURED["published"][name]


def test_active_params() -> None:
    """17B of Llama 4 Scout's text, 36B of DBRX, 12B of Jamba: their model cards."""
    cards = {"dbrx-instruct": 36, "jamba-v0.1": 12, "llama-4-maverick-text": 17}
    for name, billions in cards.items():
        assert opened(PUBLISHED[name]).report().totals["active_params"] // 10**9 == billions


@pytest.mark.parametrize("name", known_types(PARTS))
def test_rows_of_parts(name: str) -> None:
    found = family(name, PARTS)
    assert set(found.renamed.values()) <= found.variables
    assert found.per_layer.keys() <= found.variables


def test_tokens_of_the_image_are_before_those_of_the_text() -> None:
    """576 of LLaVA's image: the decoder sees them, the vision tower's class token is not among them."""
    graph = opened(PUBLISHED["llava-1.5-7b"], overrides={"seq": 10}).graph
    shapes = {node.path: tuple(node.shape) for node in graph.layers}
    assert shapes["vision.norm"] == (577, 1024)
    assert shapes["language.head"] == (576 + 10, 32064)


def test_the_size_of_an_image_changes_what_follows() -> None:
    config = PUBLISHED["qwen2-vl-7b"]
    small, large = (opened(config, overrides={"image_size": side, "seq": 8}) for side in (224, 448))
    assert small.report().totals["params"] == large.report().totals["params"]
    assert [network.graph.nodes[-1].shape[0] for network in (small, large)] == [64 + 8, 256 + 8]


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        ({"model_type": "mllama", "text_config": {"hidden_size": 4}}, "CC761", "text_config"),
        ({"model_type": "llava", "text_config": {"model_type": "t5"}}, "CC761", "text_config"),
        ({"model_type": "llava", "text_config": {"model_type": ["llama"]}}, "CC761", "text_config"),
        ({"model_type": "llava", "text_config": {"model_type": "gpt2"}}, "CC768", "table of positions"),
        ({"model_type": "llava", "text_config": 5}, "CC768", "an object"),
        ({"model_type": "llava", "vision_config": {"model_type": "vit"}}, "CC761", "vision_config"),
        ({"model_type": "llava", "vision_config": {"hidden_size": "a"}}, "CC768", "hidden_size"),
        ({"model_type": "llava", "vision_config": {"registers": 4}}, "CC761", "registers"),
        ({"model_type": "llava", "text_config": {"qk_layernorm": True}}, "CC761", "qk_layernorm"),
        ({"model_type": "llava", "vision_feature_layer": [-2, -1]}, "CC761", "vision_feature_layer"),
        ({"model_type": "jamba", "attn_layer_period": 0}, "CC768", "division by zero"),
        ({"model_type": "nemotron_h", "hybrid_override_pattern": "MX"}, "CC761", "hybrid_override_pattern"),
        ({"model_type": "nemotron_h", "layers_block_type": 7}, "CC768", "a list of words"),
        ({"model_type": "nemotron_h", "moe_latent_size": 64}, "CC768", "moe_latent_size"),
        ({"model_type": "qwen3_next", "layer_types": ["full_attention"]}, "CC768", "layer_types"),
        ({"model_type": "dbrx", "ffn_config": {"moe_num_experts": "4"}}, "CC768", "moe_num_experts"),
        ({"model_type": "dbrx", "attn_config": {"windows": 4}}, "CC761", "windows"),
        ({"model_type": "dbrx", "attn_config": []}, "CC768", "an object"),
        ({"model_type": "helium", "head_dim": 64}, "CC768", "head_dim"),
        ({"model_type": "apertus", "hidden_act": "silu"}, "CC761", "xielu"),
    ],
)  # fmt: skip
def test_wrong_values(config: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        opened(config)
    (error,) = caught.value.errors
    assert error.code == code
    assert words in error.text + error.hint


def test_defaults_that_were_used_are_named(cli: Command) -> None:
    text = json.dumps({"model_type": "llama", "hidden_size": 64, "num_attention_heads": 2, "tie_word_embeddings": True})
    found = cli("report", "-", "-v", input=text).stdout
    note = next(line for line in found.splitlines() if line.startswith("LlamaForCausalLM, as transformers 5.24.0"))
    assert "num_hidden_layers" in note
    assert "hidden_size" not in note
    assert "head_dim" not in note
