"""Bundled language models against the modules of transformers and diffusers: totals to the last digit.

The multiplies of a module are those that PyTorch's flop counter counts of its products, masked or not.
"""

from __future__ import annotations

import json

import pytest

import convcalc
from convcalc.designs.sources import open_source, open_spec
from convcalc.errors import Source
from tests.conftest import ROOT
from tests.zoo.layerwise import SPECS, language_models

MODELS = language_models()
CLAIMED = {
    claim.texts["source"]: f"zoo:{path.stem}" + (f"@{variant}" if (variant := claim.texts.get("variant")) else "")
    for path in sorted((SPECS / "zoo").glob("*.yaml"))
    for claim in open_spec(str(path)).document.claims
    if claim.texts["source"].startswith(("transformers/", "diffusers/"))
}
CACHES = {
    "zoo:llama3": 131_072, "zoo:mixtral": 131_072, "zoo:qwen2@0.5b": 12_288, "zoo:gpt2": 36_864, "zoo:deepseek": 31_104,
}  # fmt: skip
"""Bytes a token in bfloat16: measured from transformers' caches; those of Qwen2 and GPT-2 by hand."""
TEMPLATES = {
    "zoo:llama2": "llama-2-7b",
    "zoo:llama3@1b": "llama-3.2-1b",
    "zoo:mistral": "mistral-7b-v0.1",
    "zoo:qwen2@0.5b": "qwen2.5-0.5b",
    "zoo:qwen3@30b_a3b": "qwen3-30b-a3b",
    "zoo:gemma2@9b": "gemma-2-9b",
    "zoo:deepseek": "deepseek-v2-lite",
    "zoo:deepseek@v3": "deepseek-v3",
}
"""Designs → the published configurations of the same networks."""
METRICS = ("params", "active_params", "macs", "seen_macs", "cache_bytes")
LATENT = {"v2_lite": (27, 512 + 64), "v2": (60, 512 + 64), "v3": (61, 512 + 64)}


def test_all_that_was_measured_is_claimed() -> None:
    assert CLAIMED.keys() == MODELS.keys()


@pytest.mark.parametrize(("name", "design"), CLAIMED.items(), ids=CLAIMED)
def test_equals_the_module(name: str, design: str) -> None:
    report, module = convcalc.load(design).report(), MODELS[name]
    assert (report.totals["params"], report.totals["macs"]) == (module["params"], module["macs"])
    assert report.is_complete


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if "decode" in model])
def test_a_token_after_others_costs_what_the_module_computes(name: str) -> None:
    decoded = MODELS[name]["decode"]
    file = CLAIMED[name].partition("@")[0]
    report = convcalc.load(f"{file}@decode").report()
    assert report.totals["macs"] == decoded["macs"]
    assert convcalc.load(file, set={"n": 1, "past": decoded["past"]}).report().totals["macs"] == decoded["macs"]


@pytest.mark.parametrize(("design", "size"), CACHES.items())
def test_the_cache_of_a_token(design: str, size: int) -> None:
    one, two = (convcalc.load(design, set={"n": count, "past": 0}).report(dtype="bfloat16") for count in (1, 2))
    assert (one.totals["cache_bytes"], two.totals["cache_bytes"]) == (size, 2 * size)


@pytest.mark.parametrize("variant", LATENT)
def test_latents_are_what_is_kept_however_they_are_read(variant: str) -> None:
    depth, width = LATENT[variant]
    for absorbed in (False, True):
        design = convcalc.load(f"zoo:deepseek@{variant}", set={"n": 3, "past": 40, "absorbed": absorbed})
        totals = design.report(dtype="bfloat16").totals
        assert totals["cache_bytes"] == 43 * depth * width * 2
        assert totals["params"] == MODELS[f"transformers/deepseek-{variant.replace('_', '-')}"]["params"]


def test_absorbed_latents_cost_what_the_algebra_says() -> None:
    """A token after p: queries times keys' matrices, (p + 1) latents read twice a head, times values' matrices."""
    past, heads, nope, rope, value, rank, depth = 8192, 16, 128, 64, 128, 512, 27
    plain, absorbed = (
        convcalc.load("zoo:deepseek", set={"n": 1, "past": past, "absorbed": each}).report().totals["macs"]
        for each in (False, True)
    )
    decompressed = (past + 1) * heads * (rank * (nope + value) + nope + rope + value)
    read = heads * (rank * (nope + value) + (past + 1) * (rank + rope + rank))
    assert plain - absorbed == depth * (decompressed - read)


@pytest.mark.parametrize("design", TEMPLATES)
def test_equals_the_published_configuration(design: str) -> None:
    """Designs are written for people, templates for all configurations of a family: neither is made of the other."""
    published = json.loads((ROOT / "tests" / "reference" / "hf_published.json").read_text(encoding="utf-8"))
    config = Source("config.json", json.dumps(published[TEMPLATES[design]]))
    for count, past in ((9, 0), (3, 5000)):
        one = convcalc.load(design, set={"n": count, "past": past}).report().totals
        other = open_source(config, overrides={"seq": count, "past": past}).report().totals
        assert {key: one[key] for key in METRICS} == {key: other[key] for key in METRICS}
