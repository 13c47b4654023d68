"""The language on dozens of networks that are not shipped, layer by layer against the frameworks' own modules."""

from __future__ import annotations

from pathlib import Path

import pytest

import convcalc
from convcalc.report.report import Report
from tests.zoo.layerwise import assert_equals_module

NETWORKS = Path(__file__).parent / "networks"
LIBRARIES: set[str] = set()

MODULES = {
    "unet_3d": "custom/unet3d_small",
    "discriminator": "custom/dcgan_discriminator",
    "espcn": "custom/espcn_x4",
    "shared_head": "custom/SharedHead",
}

PUBLISHED = {  # learnable parameters, as the authors' own programs print them
    "bert": 109_482_240,
    "bert@albert": 11_683_584,
    "gpt2": 124_439_808,
    "gpt2@medium": 354_823_168,
    "llama": 6_738_415_616,
    "llama@llama3": 8_030_261_248,
    "llama@mistral": 7_241_732_096,
    "t5": 60_506_624,
    "whisper": 71_825_408,
    "diffusion_unet": 859_520_964,
}


def network(design: str, **variables: int) -> Report:
    file, _, variant = design.partition("@")
    overrides = {name: str(value) for name, value in variables.items()}
    return convcalc.load(NETWORKS / f"{file}.yaml", variant=variant or None, set=overrides).report()


@pytest.mark.parametrize(("design", "model"), MODULES.items(), ids=list(MODULES))
def test_equals_the_module(design: str, model: str) -> None:
    assert_equals_module(network(design), model)


@pytest.mark.parametrize(("design", "params"), PUBLISHED.items(), ids=list(PUBLISHED))
def test_published_parameters(design: str, params: int) -> None:
    assert network(design).totals["params"] == params


def test_every_network_is_compared() -> None:
    compared = {design.partition("@")[0] for design in (*MODULES, *PUBLISHED)} | {"speech_lstm"}
    assert {path.stem for path in NETWORKS.glob("*.yaml")} == compared | LIBRARIES


@pytest.mark.parametrize(
    ("design", "vocabulary", "params"),
    [
        ("llama", 32_000, 6_738_415_616),
        ("llama@llama3", 128_256, 8_030_261_248),
        ("llama@mistral", 32_000, 7_241_732_096),
    ],
)
def test_a_decoder_multiplies_every_token_by_every_matrix(design: str, vocabulary: int, params: int) -> None:
    tokens, dim, depth = 256, 4096, 32
    matrices = params - vocabulary * dim - (2 * depth + 1) * dim  # less the table of words and the norms
    attended = 2 * tokens**2 * dim * depth
    assert network(design, tokens=tokens).totals["macs"] == tokens * matrices + attended


def test_shared_weights_count_once_and_multiply_each_time() -> None:
    shared = network("bert@albert")
    apart = network("bert", vocab=30_000)
    layer = 12 * 768**2 + 13 * 768
    assert sum(row.values["params"] for row in apart.rows if row.path.startswith("layer")) == 12 * layer
    assert sum(row.values["params"] for row in shared.rows if row.path.startswith("layer")) == layer
    assert shared.totals["macs"] - apart.totals["macs"] == 128 * 128 * 768  # the step from 128 to 768 wide
    assert sum(row.values["params"] for row in shared.rows) == shared.totals["params"]


def test_a_tied_row_names_the_layer_whose_weights_it_uses() -> None:
    ties = {row.path: row.tied_to for row in network("shared_head").rows if row.tied_to}
    assert ties == {
        "head2.conv1": "head1.conv1",
        "head2.conv2": "head1.conv2",
        "head3.conv1": "head1.conv1",
        "head3.conv2": "head1.conv2",
    }


def test_recurrent_layers_on_a_convolution() -> None:
    lstm = [2 * (4 * 128 * (64 + 128)), 2 * (4 * 128 * (256 + 128))]  # weights of both directions, layer by layer
    gru, rnn = 3 * 96 * (256 + 96), 32 * (96 + 32)
    rows = {row.op: row for row in network("speech_lstm").rows}
    assert rows["lstm"].output_shape == (100, 256)
    assert rows["lstm"].values["params"] == sum(lstm) + 2 * 2 * (2 * 4 * 128)
    assert rows["lstm"].values["macs"] == 100 * sum(lstm)
    assert rows["gru"].values["params"] == gru + 2 * 3 * 96
    assert rows["gru"].values["macs"] == 100 * gru
    assert rows["rnn"].values["params"] == rnn
    assert rows["rnn"].values["macs"] == 100 * rnn
