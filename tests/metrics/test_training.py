"""Training: operations, and bytes a weight, by the papers of the recipes."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.dtypes import RECIPES
from tests.language_models import LLAMA

SMALL = "input: [3, 8, 8]\nlayers: [conv: {out: 5, kernel: 3, norm: batch}, flatten, linear: 7]"
WEIGHTS = 5 * 3 * 9 + 2 * 5 + 5 * 36 * 7 + 7
OUTPUTS = 2 * 5 * 36 + 5 * 36 + 7
BYTES_A_WEIGHT = {"adam": 4 * 2, "sgd": 2 * 2, "mixed": 2 + 2 + 4 + 4 + 4, "mixed32": 2 + 4 + 4 + 4 + 4}
"""In bfloat16. Mixed: 16 bits, their gradients, and in 32 bits a copy, momentum and variance."""


def trained(text: str, dtype: str = "float32", batch: int = 1) -> int:
    return int(convcalc.load(text=text).report(dtype=dtype, batch=batch).totals["training_bytes"])


@pytest.mark.parametrize("recipe", RECIPES)
def test_bytes_a_weight(recipe: str) -> None:
    assert trained(SMALL, f"bfloat16, train={recipe}") == BYTES_A_WEIGHT[recipe] * WEIGHTS + 2 * OUTPUTS
    assert trained(SMALL, f"train={recipe},bfloat16", 8) == BYTES_A_WEIGHT[recipe] * WEIGHTS + 8 * 2 * OUTPUTS


def test_the_usual_recipe_is_adam() -> None:
    assert trained(SMALL) == trained(SMALL, "train=adam") == 16 * WEIGHTS + 4 * OUTPUTS
    assert trained(SMALL, "float64, train=sgd") == 2 * 8 * WEIGHTS + 8 * OUTPUTS


@pytest.mark.parametrize(("recipe", "states"), [("mixed", 128_484_179_968), ("mixed32", 144_544_702_464)])
def test_states_of_llama(recipe: str, states: int) -> None:
    """ZeRO's 16 bytes a weight, and the 18 of EleutherAI's cookbook, of 8,030,261,248 weights."""
    network, params = convcalc.load(text=LLAMA), 8_030_261_248
    plain, report = (network.report(dtype=f"bfloat16, train={each}") for each in ("sgd", recipe))
    kept_of_outputs = plain.totals["training_bytes"] - 2 * 2 * params
    assert report.totals["training_bytes"] - kept_of_outputs == states
    assert report.totals["weight_bytes"] == 2 * params


def test_formats_of_layers_go_with_a_recipe() -> None:
    report = convcalc.load(text=SMALL).report(dtype="float16, linear*=float64, train=sgd")
    assert report.totals["training_bytes"] == 2 * (2 * (135 + 10) + 8 * (5 * 36 * 7 + 7)) + 2 * 540 + 8 * 7
    assert not report.warnings


def test_a_layer_may_be_called_train() -> None:
    named = SMALL.replace("linear: 7", "{linear: 7, name: train}")
    report = convcalc.load(text=named).report(dtype="train=int8")
    assert report.totals["weight_bytes"] == 4 * (135 + 10 + 2 * 5) + 5 * 36 * 7 + 7


def test_what_is_no_recipe() -> None:
    with pytest.raises(ValueError, match="no number format 'mixd'"):
        convcalc.load(text=SMALL).report(dtype="train=mixd")


def test_three_passes() -> None:
    """A convolution, a linear layer and an attention: each product runs forward, and backward for either factor."""
    report = convcalc.load(text=SMALL).report(batch=3)
    assert report.totals["train_flops"] == 3 * 2 * 3 * (5 * 36 * 27 + 5 * 36 * 7)
    assert convcalc.load("zoo:gpt2").report().totals["train_flops"] == 6 * 145_824_153_600
