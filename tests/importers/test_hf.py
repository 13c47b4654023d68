"""Configurations of transformers: counts of its modules, decoding, and files that are wrong or hostile."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from convcalc.designs.sources import Network, open_design, open_source
from convcalc.errors import Source, SpecErrors
from convcalc.importers.hf.families import FOLDER, family, known_types
from convcalc.importers.hf.model import SIZES_OF_IMAGES, read_model
from tests.conftest import ROOT, Command

REFERENCE = ROOT / "tests" / "reference"
MEASURED = json.loads(lzma.decompress((REFERENCE / "hf_configs.json.xz").read_bytes()))
PUBLISHED = json.loads((REFERENCE / "hf_published.json").read_text())
RANDOM = MEASURED["random"]
SEQ, TARGET, SAMPLES, PAST, PIXELS = 7, 5, 400, 6, 50
"""What tests/reference/hf_configs.py ran."""


def opened(config: dict[str, Any], **options: Any) -> Network:
    return open_source(Source("config.json", json.dumps(config)), **options)


def tokens(config: dict[str, Any]) -> dict[str, int]:
    """How many tokens the module was run with: classes that classify read their input once more as the decoder's."""
    decoded = SEQ if any(word in config["architectures"][0] for word in ("Classif", "QuestionAns")) else TARGET
    seq = config.get("text_config", {}).get("max_position_embeddings", SEQ)
    given = {"seq": seq, "target": decoded, "samples": SAMPLES, "pixels": PIXELS}
    names = {name for sizes in family(config["model_type"]).inputs.values() for name in sizes}
    return {name: count for name, count in given.items() if name in names}


# --- counts of transformers and of torch's counter --------------------------------------------------------------------


def test_families() -> None:
    guide = (ROOT / "convcalc" / "guide" / "importing.md").read_text()
    assert len(known_types()) >= 120
    assert not [name for name in known_types() if f"`{name}`" not in guide]


@pytest.mark.parametrize("name", MEASURED["built"])
def test_classes_with_their_defaults(name: str) -> None:
    """A configuration of a model_type and a class, and nothing else."""
    for architecture, params in MEASURED["built"][name].items():
        network = opened({"model_type": name, "architectures": [architecture]})
        assert network.report().totals["params"] == params, architecture


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations(name: str) -> None:
    assert opened(PUBLISHED[name]).report().totals["params"] == MEASURED["published"][name]


@pytest.mark.parametrize(
    "row", RANDOM, ids=[f"{i}-{row['config']['architectures'][0]}" for i, row in enumerate(RANDOM)]
)
def test_random_configurations(row: dict[str, Any]) -> None:
    totals = opened(row["config"], overrides=tokens(row["config"])).report().totals
    assert (totals["params"], totals["macs"]) == (row["params"], row["macs"])


DECODING = [row for row in RANDOM if "decoding" in row]


@pytest.mark.parametrize("row", DECODING, ids=[f"{i}-{row['config']['model_type']}" for i, row in enumerate(DECODING)])
def test_one_token_behind_others(row: dict[str, Any]) -> None:
    """Keys of 4 bytes each are kept; a layer with a window of more tokens keeps all. An encoder has run before."""
    source = {"seq": SEQ} if {"seq", "target"} <= tokens(row["config"]).keys() else {}
    totals = opened(row["config"], variant="decode", overrides={"past": PAST, **source}).report().totals
    macs, elements = row["decoding"]
    assert (totals["params"], totals["macs"], totals["cache_bytes"]) == (row["params"], macs, 4 * elements)


def test_active_params() -> None:
    """46.7B and 12.9B: the model card of Mixtral; without the table of tokens 2.4B of DeepSeek-V2-Lite are active."""
    mixtral = opened({"model_type": "mixtral"}).report().totals
    assert (mixtral["params"], mixtral["active_params"]) == (46_702_792_704, 12_879_925_248)
    lite = PUBLISHED["deepseek-v2-lite"]
    assert opened(lite).report().totals["active_params"] - lite["vocab_size"] * lite["hidden_size"] == 2_451_435_008


def test_the_cache_of_a_token() -> None:
    """131,072 bytes of Llama-3-8B in bfloat16, and 31,104 of the latents of DeepSeek-V2-Lite."""
    llama = {"model_type": "llama", "num_hidden_layers": 32, "num_key_value_heads": 8}
    for config, size in ((llama, 131_072), (PUBLISHED["deepseek-v2-lite"], 31_104)):
        network = opened(config, variant="decode", overrides={"past": 99})
        assert network.report(dtype="bfloat16").totals["cache_bytes"] == 100 * size


def test_windows_hide_keys() -> None:
    """Every second layer of Gemma 2 sees a window; others, and all without one, see every key before."""
    sizes = {
        "num_hidden_layers": 4,
        "hidden_size": 8,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 4,
    }
    config = {"model_type": "gemma2", "sliding_window": 3, **sizes}
    given = {"seq": 10}
    wide, narrow = (opened(config | more, overrides=given).report().totals for more in ({"sliding_window": 10}, {}))
    pairs = sum(min(i + 1, 10) - min(i + 1, 3) for i in range(10))
    assert wide["seen_macs"] - narrow["seen_macs"] == 2 * 2 * 2 * 4 * pairs
    types = ["sliding_attention"] * 3 + ["full_attention"]
    three = opened(config | {"layer_types": types}, overrides=given).report().totals
    assert wide["seen_macs"] - three["seen_macs"] == 3 * 2 * 2 * 4 * pairs


def test_local_attention_hides_keys_on_both_sides() -> None:
    """ModernBERT: two of three layers see what is at most half of `local_attention` away."""
    sizes = {"num_hidden_layers": 4, "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 9}
    config = {"model_type": "modernbert", "local_attention": 5, **sizes}
    totals = opened(config, overrides={"seq": 10}).report().totals
    far = sum(abs(i - j) > 5 // 2 for i in range(10) for j in range(10))
    assert totals["macs"] - totals["seen_macs"] == 2 * far * 2 * 8
    types = ["full_attention"] * 3 + ["sliding_attention"]
    totals = opened(config | {"layer_types": types}, overrides={"seq": 10}).report().totals
    assert totals["macs"] - totals["seen_macs"] == far * 2 * 8


def test_a_prompt_is_kept_as_decoding_finds_it() -> None:
    """Of T5 the keys and values of the decoder's tokens and of the encoder's: 2 numbers of 64 a head each."""
    sizes = {"num_layers": 2, "num_heads": 3, "d_model": 8, "d_ff": 6, "vocab_size": 9}
    config = {"model_type": "t5", **sizes}
    prompt = opened(config, overrides={"seq": 7, "target": 5}).report().totals["cache_bytes"]
    assert prompt == 4 * 2 * 2 * 3 * 64 * (7 + 5)
    later = opened(config, variant="decode", overrides={"seq": 7, "past": 4}).report().totals["cache_bytes"]
    assert later == prompt


def test_an_encoder_alone_writes_nothing() -> None:
    with pytest.raises(SpecErrors):
        opened({"model_type": "t5", "architectures": ["T5EncoderModel"]}, overrides={"past": 4})


def test_a_formula_of_tokens(cli: Command) -> None:
    found = cli("formula", "-", "--symbols", "seq", input=json.dumps({"model_type": "llama"}))
    assert "262,144·seq·(seq + 25,204)" in found.stdout


# --- what is read of a configuration ----------------------------------------------------------------------------------


TINY = {
    "model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 6,
    "vocab_size": 10,
}  # fmt: skip


def test_a_path_a_folder_and_a_name(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(TINY))
    totals = [open_design(text).report().totals["params"] for text in (str(file), f"hf:{file}", f"hf:{tmp_path}")]
    assert totals == [totals[0]] * 3


def test_a_spec_may_have_a_variable_of_that_name() -> None:
    spec = {"input": 3, "vars": {"model_type": 5}, "layers": [{"linear": "model_type"}]}
    assert opened(spec).report().totals["params"] == 3 * 5 + 5


def test_code_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('it was imported')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    network = opened(TINY | {"auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}})
    assert network.report().totals["params"] == opened(TINY).report().totals["params"]


def test_set_changes_what_follows() -> None:
    twice = opened(TINY, overrides={"num_hidden_layers": 4}).report().totals["params"]
    assert twice == opened(TINY | {"num_hidden_layers": 4}).report().totals["params"]
    wide = opened(TINY, overrides={"hidden_size": 16}).report().totals["params"]
    assert wide == opened(TINY | {"hidden_size": 16}).report().totals["params"]


def test_experts_that_nobody_counted() -> None:
    """Without a number of experts a token the weights are known, and the multiplies are a lower bound."""
    network = opened({"model_type": "deepseek_v2"})
    assert network.report().totals["params"] == 38_612_307_968
    assert network.graph.uncounted


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"model_type": "lama"}, "CC761", "did you mean 'llama'"),
        ({"model_type": ["llama"]}, "CC768", "model_type"),
        ({"model_type": "../../etc/passwd"}, "CC761", "not read"),
        ({"architectures": ["LlamaForSpeech"]}, "CC761", "LlamaForSpeech"),
        ({"architectures": "LlamaModel"}, "CC768", "architectures"),
        ({"hidden_size": "8"}, "CC768", "hidden_size"),
        ({"hidden_size": 8.5}, "CC768", "hidden_size"),
        ({"hidden_size": True}, "CC768", "hidden_size"),
        ({"hidden_size": None}, "CC768", "hidden_size"),
        ({"hidden_size": [8]}, "CC768", "hidden_size"),
        ({"hidden_size": {"a": 1}}, "CC768", "hidden_size"),
        ({"hidden_size": float("nan")}, "CC768", "hidden_size"),
        ({"hidden_size": float("inf")}, "CC768", "hidden_size"),
        ({"hidden_size": 10**30}, "CC768", "hidden_size"),
        ({"num_hidden_layers": -1}, "CC768", "num_hidden_layers"),
        ({"num_hidden_layers": 10**9}, "CC502", "repeat"),
        ({"num_attention_heads": 0}, "CC768", "division by zero"),
        ({"num_key_value_heads": 5}, "CC404", "kv_heads = 5"),
        ({"tie_word_embeddings": "yes"}, "CC768", "true or false"),
        ({"hidden_act": "prelu"}, "CC761", "prelu"),
        ({"hidden_act": "\x1b[31m"}, "CC761", "u001b"),
        ({"id2label": [1]}, "CC768", "id2label"),
        ({"n_shared_experts": 2}, "CC761", "n_shared_experts"),
        ({"layer_types": ["linear_attention"] * 2}, "CC761", "layer_types"),
        ({"model_type": "gpt2", "add_cross_attention": True}, "CC761", "add_cross_attention"),
        ({"model_type": "deepseek_v3", "moe_layer_freq": 2}, "CC761", "moe_layer_freq"),
        ({"model_type": "gemma3_text", "layer_types": ["full_attention"]}, "CC768", "1 entries"),
        ({"model_type": "longformer", "attention_window": [4, 6]}, "CC768", "attention_window"),
        ({"model_type": "longformer", "architectures": ["LongformerForQuestionAnswering"]}, "CC761", "not read"),
        ({"model_type": "mobilenet_v2", "output_stride": 16}, "CC768", "output_stride"),
        ({"model_type": "esm", "vocab_size": 9, "is_folding_model": True}, "CC761", "is_folding_model"),
        ({"model_type": "unispeech", "architectures": ["UniSpeechForPreTraining"]}, "CC761", "not read"),
        ({"model_type": "albert", "num_hidden_groups": 5}, "CC768", "num_hidden_groups"),
        ({"model_type": "clip", "text_config": 5}, "CC768", "text_config"),
        ({"model_type": "clip", "vision_config": {"hidden_size": "a"}}, "CC768", "hidden_size"),
        ({"model_type": "qwen3_moe", "decoder_sparse_step": 0}, "CC768", "division by zero"),
        ({"model_type": "mixtral", "num_experts_per_tok": 9}, "CC410", "top = 9"),
    ],
)  # fmt: skip
def test_wrong_values(more: dict[str, Any], code: str, words: str) -> None:
    config = more if more.get("model_type", "llama") != "llama" else TINY | more
    with pytest.raises(SpecErrors) as caught:
        opened(config)
    (error,) = caught.value.errors
    assert error.code == code
    assert words in error.text + error.hint
    assert "\x1b" not in str(caught.value)


def test_the_place_of_a_wrong_value() -> None:
    text = json.dumps(TINY | {"num_key_value_heads": 5}, indent=1)
    with pytest.raises(SpecErrors) as caught:
        open_source(Source("config.json", text))
    span = caught.value.errors[0].span
    assert span is not None
    assert "num_key_value_heads" in text.splitlines()[span.line - 1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"model_type": "llama", "x": ' + "[" * 100_000, "CC760"),
        ('{"model_type": "llama", "hidden_size": 1, "hidden_size": 2}', "CC760"),
        ('{"model_type": "llama", "hidden_size":', "CC760"),
        ('{"model_type": "llama", "hidden_size": ' + "9" * 5000 + "}", "CC760"),
        ('{"model_type": "llama", "x": "' + "a" * 2**20 + '"}', "CC003"),
        ('[{"model_type": "llama"}]', "CC760"),
        ("{}", "CC768"),
        ("", "CC760"),
    ],
    ids=range(8),
)
def test_hostile_files(tmp_path: Path, text: str, code: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(SpecErrors) as caught:
        open_design(f"hf:{file}")
    assert [error.code for error in caught.value.errors] == [code]


@pytest.mark.parametrize("text", ["hf:", "hf:missing.json", f"hf:{FOLDER}"])
def test_no_such_file(cli: Command, text: str) -> None:
    found = cli("report", text)
    assert found.exit_code == 2
    assert "CC001" in found.stderr


def test_too_many_tokens() -> None:
    """GPT-2 has positions for 1,024, Llama has a rule for them and no table."""
    with pytest.raises(SpecErrors, match="1,024"):
        opened({"model_type": "gpt2"}, overrides={"seq": 1025})
    assert opened(TINY, overrides={"seq": 5000}).report().totals["macs"] > 0


# --- weights beside a configuration -----------------------------------------------------------------------------------


def header(shapes: dict[str, list[int]]) -> bytes:
    """A file of safetensors without its tensors, which nothing reads."""
    found = {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    text = json.dumps({"__metadata__": {"format": "pt"}, **found}).encode()
    return len(text).to_bytes(8, "little") + text


def warned(folder: Path, **options: Any) -> list[str]:
    return [error.text for error in open_design(f"hf:{folder}", **options).graph.warnings]


def tiny_shapes(layers: int) -> dict[str, list[int]]:
    shapes = {"model.embed_tokens.weight": [10, 8], "model.norm.weight": [8], "lm_head.weight": [10, 8]}
    for layer in range(layers):
        start = f"model.layers.{layer}"
        shapes |= {f"{start}.self_attn.{name}_proj.weight": [8, 8] for name in "qkvo"}
        shapes |= {f"{start}.mlp.gate_proj.weight": [6, 8], f"{start}.mlp.up_proj.weight": [6, 8]}
        shapes |= {f"{start}.mlp.down_proj.weight": [8, 6], f"{start}.self_attn.rotary_emb.inv_freq": [2]}
        shapes |= {f"{start}.input_layernorm.weight": [8], f"{start}.post_attention_layernorm.weight": [8]}
    return shapes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    return tmp_path


def test_weights_that_agree(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(header(tiny_shapes(2)))
    assert not warned(folder)
    assert not warned(folder, overrides={"num_hidden_layers": 9})


def test_weights_that_differ(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(header(tiny_shapes(3)))
    (text,) = warned(folder)
    assert "model.safetensors" in text
    assert text.endswith(f"has {3 * 416 + 168:,} weights, and not {2 * 416 + 168:,}")


def test_weights_in_several_files(folder: Path) -> None:
    shapes = list(tiny_shapes(2).items())
    index: dict[str, str] = {}
    for part in range(3):
        own = dict(shapes[part::3])
        (folder / f"{part}.safetensors").write_bytes(header(own))
        index |= dict.fromkeys(own, f"{part}.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    assert not warned(folder)
    (folder / "0.safetensors").unlink()
    assert "is not read" in warned(folder)[0]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"abc", (2**63).to_bytes(8, "little") + b"{}", header({})[:-1], (2).to_bytes(8, "little") + b"[]",
        header({"a": [-1]}), header({"a": [2**70]}), (9).to_bytes(8, "little") + b'{"a": 12}',
        (200_000).to_bytes(8, "little") + b"[" * 200_000,
    ],
    ids=range(9),
)  # fmt: skip
def test_damaged_weights(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    (text,) = warned(folder)
    assert "is not read" in text


@pytest.mark.parametrize("name", ["../x.safetensors", "/etc/passwd", "x.bin", 7])
def test_an_index_that_leads_elsewhere(folder: Path, name: Any) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    assert "is not read" in warned(folder)[0]


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", known_types())
def test_rows_of_the_table(name: str) -> None:
    """Every variable of a row is one of its template, and is worked out for every class."""
    found = family(name)
    for architecture in found.classes:
        assert found.expressions(architecture).keys() <= found.variables
    assert set(found.renamed.values()) <= found.variables
    assert found.per_layer.keys() <= found.variables


# --- old spellings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model_type", "old", "now"),
    [
        ("llama", "LLaMAForCausalLM", "LlamaForCausalLM"),
        ("mpt", "MPTForCausalLM", "MptForCausalLM"),
        ("phimoe", "PhiMoEForCausalLM", "PhimoeForCausalLM"),
        ("t5", "T5WithLMHeadModel", "T5ForConditionalGeneration"),
    ],
)
def test_old_names_of_classes(model_type: str, old: str, now: str) -> None:
    network = opened({"model_type": model_type, "architectures": [old]})
    assert network.report().totals["params"] == MEASURED["built"][model_type][now]
    assert network.report().name == now


@pytest.mark.parametrize(
    ("model_type", "key"),
    [("llama", "kv_lora_rank"), ("qwen2", "after_norm"), ("gpt2", "embedding_norm"), ("vit", "layer_scale")],
)
def test_variables_of_templates_are_no_keys(model_type: str, key: str) -> None:
    """A class that has no such key does not read it."""
    with pytest.raises(SpecErrors) as failure:
        opened({"model_type": model_type, key: 8})
    assert failure.value.errors[0].code == "CC761"


def test_a_part_by_its_old_key_is_used_first() -> None:
    """A CLIP with `vision_config_dict` is built from it, and only otherwise from `vision_config`."""
    small = {"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2}
    old = opened({"model_type": "clip", "vision_config": {"hidden_size": 64}, "vision_config_dict": small})
    new = opened({"model_type": "clip", "vision_config": small})
    assert old.report().totals["params"] == new.report().totals["params"]


# --- what is not the configuration ------------------------------------------------------------------------------------


def test_a_name_of_the_hub(cli: Command) -> None:
    result = cli("report", "hf:meta-llama/Llama-2-7b-hf")
    assert result.exit_code == 2
    assert "error CC001: no such file" in result.stderr
    assert "nothing is downloaded" in result.stderr


@pytest.mark.parametrize("prefix", ["", "hf:"])
@pytest.mark.parametrize("key", ["eos_token_id", "tokenizer_class", "peft_type", "_class_name", "weight_map"])
def test_files_beside_the_configuration(cli: Command, tmp_path: Path, key: str, prefix: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps({key: "x", "bos_token": "y"}))
    result = cli("report", f"{prefix}{path}")
    assert result.exit_code == 2
    assert ("of diffusers is not read" if key == "_class_name" else "this is not the configuration") in result.stderr


def test_parts_of_a_pipeline(cli: Command) -> None:
    parts = {"text_encoder": ["transformers", "CLIPTextModel"], "unet": ["diffusers", "UNet2DConditionModel"]}
    result = cli("report", "-", input=json.dumps({"_class_name": "StableDiffusionPipeline", **parts}))
    assert "read are its parts that are of transformers: hf:text_encoder;" in result.stderr


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("a.gguf", b"GGUF\3\0\0\0", ("GGUF", "hf:config.json")),
        ("hf:a.gguf", b"GGUF\3\0\0\0", ("GGUF", "hf:config.json")),
        ("a.model", b"GGUF\3\0\0\0", ("GGUF", "hf:config.json")),
        ("hf:a.safetensors", b"\2\0\0\0\0\0\0\0{}", ("weights alone", "hf:FOLDER")),
        ("hub/some-model-7b", None, ("Hugging Face Hub", "hf:config.json")),
    ],
)
def test_files_of_weights_and_names(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, head: bytes | None, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    if head is not None:
        Path(name.removeprefix("hf:")).write_bytes(head)
    result = cli("report", name)
    assert result.exit_code == 2
    assert not [word for word in words if word not in result.stderr], result.stderr


def test_a_folder_without_its_prefix(cli: Command, folder: Path) -> None:
    result = cli("report", str(folder))
    assert f"hint: did you mean hf:{folder}?" in result.stderr


def test_the_place_of_a_key_that_is_there_twice(cli: Command) -> None:
    text = '{"model_type": "llama",\n "a": {"b": 1},\n "b": 2,\n "b": 2}'
    assert ":4:2: error CC760: the key 'b' is there twice" in cli("report", "-", input=text).stderr


def test_names_of_the_number_of_tokens(cli: Command, folder: Path) -> None:
    calls = ("report", f"hf:{folder}", "--set", "n=5"), ("formula", f"hf:{folder}", "--symbols", "n")
    for call in (*calls, ("sweep", f"hf:{folder}", "n=1,2")):
        assert "did you mean 'seq'?" in cli(*call).stderr
    assert "did you mean 'n'?" in cli("report", "zoo:llama3", "--set", "seq=5").stderr


def test_variables_have_one_order() -> None:
    """Whatever order sets of names have in a process."""
    model = read_model(Source("config.json"), b'{"model_type": "llava"}')
    assert [name for name in model.variables if name in SIZES_OF_IMAGES] == [*SIZES_OF_IMAGES]
