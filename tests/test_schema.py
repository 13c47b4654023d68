"""The JSON Schema of specs: generated whole, true to the program, and strict where an editor can know better."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from convcalc import schemas
from convcalc.designs.names import BUDGET_FILE
from convcalc.designs.sources import open_source
from convcalc.errors import Source, SpecErrors
from convcalc.ops import kinds
from convcalc.ops import registry as ops
from convcalc.ops.op import arguments_of
from convcalc.ops.registry import activation_names, load_all
from convcalc.spec.document.arguments import argument_names
from convcalc.spec.document.document_reader import TOP_LEVEL_KEYS
from convcalc.spec.document.modifiers import MODIFIERS
from convcalc.spec.json_schema import spec_schema
from convcalc.spec.yaml import nodes
from tests.conftest import ROOT
from tests.zoo import test_worked_examples

SPECS = sorted(path for path in (ROOT / "specs").rglob("*.yaml") if path.name != BUDGET_FILE)
EXAMPLES = {name: text for name, text in vars(test_worked_examples).items() if name.isupper() and isinstance(text, str)}
SCHEMA = spec_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def as_json(node: nodes.YamlNode | None) -> Any:
    """What an editor sees of YAML text: YAML 1.2's core types."""
    if isinstance(node, nodes.MapNode):
        return {key.text: as_json(value) for key, value in node.pairs}
    if isinstance(node, nodes.ListNode):
        return [as_json(item) for item in node.items]
    return None if node is None or node.is_empty else _typed(node)


def _typed(scalar: nodes.ScalarNode) -> Any:
    if scalar.is_quoted:
        return scalar.text
    if scalar.text in ("true", "false"):
        return scalar.text == "true"
    if re.fullmatch(r"[-+]?[0-9]+", scalar.text):
        return int(scalar.text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", scalar.text):
        return float(scalar.text)
    return scalar.text


def faults(text: str) -> list[str]:
    instance = as_json(nodes.parse_yaml(Source("spec.yaml", text)))
    return [error.message for error in VALIDATOR.iter_errors(instance)]


def accepted(text: str) -> bool:
    """Whether the program takes the text for a network."""
    try:
        open_source(Source("spec.yaml", text))
    except SpecErrors:
        return False
    return True


def network(layers: str, rest: str = "") -> str:
    return f"input: [8, 16, 16]\n{rest}layers:\n  - {layers}\n"


# --- the schema itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", schemas.NAMES)
def test_each_schema_is_draft_07(name: str) -> None:
    schema = json.loads(schemas.schema(name))
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(schema)


def test_the_text_is_the_schema_and_stays_the_same() -> None:
    text = schemas.schema("spec")
    assert json.loads(text) == SCHEMA
    assert text == schemas.schema("spec")
    assert text.endswith("}\n")


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(part)


def test_every_reference_leads_somewhere() -> None:
    for reference in {part["$ref"] for part in parts(SCHEMA) if isinstance(part.get("$ref"), str)}:
        here, *path = reference.split("/")
        assert here == "#"
        assert isinstance(reduce(lambda schema, key: schema[key], path, SCHEMA), dict)


def test_nothing_stands_beside_a_reference() -> None:
    """Draft-07 ignores it."""
    assert [part for part in parts(SCHEMA) if isinstance(part.get("$ref"), str) and len(part) > 1] == []


def test_completion_can_list_all_kinds() -> None:
    """Editors fail to complete below ``oneOf`` and ``maxProperties``."""
    words = {key for part in parts(SCHEMA) for key in part}
    assert not words & {"oneOf", "maxProperties"}
    assert set(item()["properties"]) == {*MODIFIERS, *load_all(), "seq"}


def item() -> dict[str, Any]:
    (mapping,) = (form for form in SCHEMA["definitions"]["item"]["anyOf"] if "properties" in form)
    assert isinstance(mapping, dict)
    return mapping


# --- what it describes ------------------------------------------------------------------------------------------------


def test_every_top_level_key_is_described() -> None:
    assert tuple(SCHEMA["properties"]) == TOP_LEVEL_KEYS
    assert [key for key, part in SCHEMA["properties"].items() if not is_sentence(part["description"])] == []


def test_every_kind_and_modifier_is_described() -> None:
    assert [key for key, part in item()["properties"].items() if not is_sentence(part["description"])] == []


@pytest.mark.parametrize("kind", ops.kinds())
def test_every_argument_is_described(kind: str) -> None:
    op = load_all()[kind]
    arguments = SCHEMA["definitions"][f"{kind}.arguments"]["properties"]
    assert tuple(arguments) == argument_names(op)
    assert [key for key, part in arguments.items() if not is_sentence(part["description"])] == []
    defaults = {key: float(one.default) for key, one in arguments_of(op).items() if type(one.default) is int}
    assert {key: arguments[key]["default"] for key in defaults} == defaults


def is_sentence(text: str) -> bool:
    """Whether a text can be shown as it is: one line, no markup of docstrings."""
    return bool(re.fullmatch(r"\S.*\.", text)) and "``" not in text


def test_closed_words_are_offered() -> None:
    definitions = SCHEMA["definitions"]
    norm, act = (definitions[f"{kind}.arguments"]["properties"]["type"]["anyOf"][0]["enum"] for kind in ("norm", "act"))
    assert {"batch", "group", "none"} <= set(norm)
    assert activation_names() < set(act)
    assert definitions["conv.arguments"]["properties"]["padding"]["anyOf"][0]["enum"] == ["valid", "half", "same"]
    assert definitions["maxpool.arguments"]["properties"]["kernel"]["anyOf"][0]["enum"] == ["global"]


def test_a_new_op_is_in_the_schema_without_another_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "convcalc" / "ops" / "kinds" / "shuffle.py").read_text(encoding="utf-8")
    text = text.replace("shuffle", "sieve").replace('argument("groups"', 'argument("rows"').replace("Shuffle", "Sieve")
    (tmp_path / "sieve.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    caches = (ops.kind_files, ops.find_op)
    for cache in caches:
        cache.cache_clear()
    try:
        schema = spec_schema()
        definitions = schema["definitions"]
        assert "sieve" in schema["properties"]["defaults"]["properties"]
        assert "sieve" in definitions["item"]["anyOf"][3]["properties"]
        assert definitions["sieve.arguments"]["properties"]["rows"]["description"] == "Groups to interleave."
        jsonschema.validate({"input": [4, 8], "layers": ["sieve", {"sieve": 2}, {"sieve": {"rows": 2}}]}, schema)
    finally:
        for cache in caches:
            cache.cache_clear()


# --- what it takes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_it_takes_every_spec_here(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_takes_every_worked_example(name: str) -> None:
    assert faults(EXAMPLES[name]) == []


def test_there_are_as_many_worked_examples_as_the_language_has() -> None:
    assert len(EXAMPLES) == 12


def op_examples() -> Iterator[str]:
    """The lines below ``Examples:`` of every op, as specs."""
    for op in load_all().values():
        for line in (op.__doc__ or "").partition("Examples:\n")[2].splitlines():
            if found := re.fullmatch(r"\s*(\w+:.*?) on (.*) -> \[.*", line):
                shapes = dict(re.findall(r"(\w+) (\[.*?\])", found[2])) or {"x": found[2]}
                inputs = ", ".join(f"{name}: {shape}" for name, shape in shapes.items())
                yield f"inputs: {{{inputs}}}\nlayers:\n  - {found[1]}\n"


@pytest.mark.parametrize("text", list(op_examples()))
def test_it_takes_the_examples_of_the_ops(text: str) -> None:
    assert accepted(text)
    assert faults(text) == []


@pytest.mark.parametrize(
    ("layers", "rest"),
    [
        ("relu", ""),
        ("{relu: , name: r}", ""),
        ("[relu, [flatten]]", ""),
        ("[]", ""),
        ("flatten: [1, 2]", ""),
        ("{conv: [4, [1, 3], 1], name: 7}", ""),
        ("conv: {out: 4*cin, kernel: 3, padding: [[0, 1], [1, 0]], bias: not wide}", "vars: {wide: true}\n"),
        ("conv: [4, 3, ]", ""),
        ("conv: {out: 4, kernel: 3, norm: {type: group, groups: 2}, act: none}", ""),
        ("conv: {out: 4, kernel: 3, norm: none, act: relu if wide else silu}", "vars: {wide: true}\n"),
        ("{conv: , name: c}", "defaults: {conv: {out: 4, kernel: 3}}\n"),
        ("conv", "defaults: {conv: {out: 4, kernel: 3, norm: batch}}\n"),
        ("{seq: [relu, relu], repeat: 2}", ""),
        ("{repeat: {c: [8, 16], k: sizes}, conv: [c, k]}", "vars: {sizes: [3, 1]}\n"),
        ("concat: [{each: {l: [1, 2]}, conv: [l, 1]}, identity]", ""),
        ("concat: {axis: 0, branches: [identity, relu]}", ""),
        ("add: [{identity: , when: 1 == 1}, {conv: [8, 1], when: false, else: {seq: [relu]}}]", ""),
        ("{conv: [8, 1], repeat: 2, tie: true}", ""),
        ("[{conv: [8, 1], name: a}, {conv: [8, 1], tie: a}]", ""),
        ("[{conv: [8, 1], name: a}, {from: input}, upsample: {like: a}]", ""),
        ("{note: any thing, relu: }", "note: 12\nname: 12\nconvcalc: 1\n"),
        ("Twice: 4", "blocks: {Twice: {params: {c, k: 1}, layers: [conv: [c, k], conv: [c, k]], note: x}}\n"),
        ("[{Up: , from: [., input]}]", "blocks: {Up: {inputs: [skip], layers: [add: [identity, {from: skip}]]}}\n"),
        ("Ä_1", "blocks: {Ä_1: [relu]}\n"),
        ("{relu: , name: ä-1}", "vars: {größe: 1, lists: [[1, 2], [größe]]}\nvariants: {b-1: {größe: 2}}\n"),
        ("reshape: [-1, 4]", ""),
        ("pad: [[0, 1], -1]", ""),
        ("pad: {padding: [[0, 1]], axis: 0}", ""),
        ("[split: {names: [a, b], axis: 1}, add: [{from: a}, {from: b}]]", ""),
        ("split: [2, 0]", ""),
        ("elementwise: exp", ""),
        ("elementwise: {type: exp}", ""),
        ("elementwise: {type: sub, branches: [identity, relu]}", ""),
        ("reduce: [mean, [1, 2]]", ""),
        ("relu", 'outputs: act1\nclaims: [{out: [8, 16, 16], macs: "0", source: 2016, excluding: conv}]\n'),
        ("relu", "claims: [{params: 25.6M, at: act1, excluding: [bias, norm], source: x, top1: 76.1}]\n"),
    ],
)
def test_it_takes_what_the_program_takes(layers: str, rest: str) -> None:
    assert accepted(network(layers, rest))
    assert faults(network(layers, rest)) == []


def test_it_takes_files_of_blocks_and_shapes_by_letters() -> None:
    assert faults("blocks: {A: [relu]}\n") == []
    assert faults("input: {h: 30, w: 40, c: 200}\nlayers: [relu]\n") == []
    assert faults("input: [3, size, size//2]\nimport: {lib: lib.yaml}\nlayers: [lib.A, lib.B: [1, x: 2]]\n") == []


@pytest.mark.parametrize(
    ("layers", "rest"),
    [
        ("conv: {out: 4, kernel: 3, dilaton: 2}", ""),
        ("conv: {out: 4, kernel: 3, multiplier: 2}", ""),
        ("convv: [4, 3]", ""),
        ("rellu", ""),
        ("concat", ""),
        ("{conv: [4, 3], nmae: c}", ""),
        ("conv: [4, 3, 1, 1]", ""),
        ("conv: [[4, 4], 3]", ""),
        ("conv: {out: {c: 4}, kernel: 3}", ""),
        ("conv: {out: true, kernel: 3}", ""),
        ("conv: {out: 4, kernel: 3, bias: 1}", ""),
        ("conv: {out: 4, kernel: 3, norm: {typ: batch}}", ""),
        ("linear: {out: 4, norm: [batch, 2]}", ""),
        ("{relu: 1}", ""),
        ("{}", ""),
        ("12", ""),
        ("add: relu", ""),
        ("add: {branch: [relu]}", ""),
        ("concat: {axis: 0}", ""),
        ("split: {names: [a, b], into: 2}", ""),
        ("split: {names: a}", ""),
        ("seq: relu", ""),
        ("{relu: , when: 1}", ""),
        ("{relu: , repeat: true}", ""),
        ("{relu: , repeat: {1x: [1]}}", ""),
        ("{relu: , from: {a: b}}", ""),
        ("{relu: , note: [a]}", "note: {a: b}\n"),
        ("relu", "inptu: [1]\n"),
        ("relu", "convcalc: 2\n"),
        ("relu", "defaults: {convv: {padding: 1}}\n"),
        ("relu", "defaults: {conv: {paddin: 1}}\n"),
        ("relu", "blocks: {small: [relu]}\n"),
        ("relu", "blocks: {Big: {params: {c}}}\n"),
        ("relu", "blocks: {Big: {param: {c}, layers: [relu]}}\n"),
        ("relu", "vars: [a, b]\n"),
        ("relu", "vars: {a: {b: 1}}\n"),
        ("relu", "variants: {a: 1}\n"),
        ("relu", "outputs: {a: b}\n"),
        ("relu", "claims: {params: 1, source: x}\n"),
        ("relu", "claims: [{params: 1}]\n"),
        ("relu", "claims: [{parms: 1, source: x}]\n"),
        ("relu", "claims: [{params: 25.6 million, source: x}]\n"),
        ("relu", "claims: [{params: 1, source: x, excluding: [[bias]]}]\n"),
    ],
)
def test_it_refuses_what_an_editor_can_know_to_be_wrong(layers: str, rest: str) -> None:
    assert not accepted(network(layers, rest))
    assert faults(network(layers, rest))
