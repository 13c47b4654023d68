"""The parts of a configuration that is an encoder of images before a decoder of language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from convcalc.arith import Number
from convcalc.errors import SpecError, quoted
from convcalc.importers.hf.config import Config
from convcalc.importers.hf.families import FAMILIES, PARTS, Family, family, known_types
from convcalc.spec.yaml.text import read_text

TEXT, VISION = "text_config", "vision_config"
OUTSIDE = "model_type", "architectures", VISION
SQUARES = "image_size", "patch_size"
DECODER = "decoder"


def part_of(config: Config, found: Family, key: str) -> Config:
    """Return the configuration of a part, with its ``model_type``; a file may have the keys of the text outside.

    Raises:
        SpecError: CC761 for a part that is not read, CC768 for what is no object.
    """
    types = found.row[key.removesuffix("_config")]
    inner, inside = config.values.get(key), key
    if inner is None and key == TEXT and found.row.get("flat"):
        own = family(types[0])
        inner = {name: value for name, value in config.values.items() if name not in OUTSIDE and name in own.defaults}
        inside = ""
    if inner is None:
        inner = {name: text and json.loads(text) for name, text in found.row.get("given", {}).get(key, {}).items()}
    if not isinstance(inner, dict):
        raise config.wrong(key, inner, "an object")
    name = inner.get("model_type") or types[0]
    if name == found.name:  # so in old files
        name = types[0]
    section = FAMILIES if key == TEXT else PARTS
    wanted = [each for each in known_types() if family(each).template == DECODER] if key == TEXT else types
    if name not in wanted:
        text = f"the {key} of a {found.name} is not read: its model_type {quoted(str(name))}"
        raise SpecError("CC761", text, config.span(key), f"read are {', '.join(wanted)}" if section == PARTS else "")
    return Config(config.source, {**inner, "model_type": name, "architectures": None}, inside)


def squares(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the side of every square that both sides are given of."""
    found = {key: values.get(key) for key in SQUARES}
    return {key: side[0] for key, side in found.items() if isinstance(side, list) and side[:1] * 2 == side}


def uniform(value: Any) -> Any:
    """Return the one value of a list of equal ones, or what else there is."""
    is_one = isinstance(value, list) and value and all(each == value[0] for each in value)
    return value[0] if is_one else value


def is_of_the_text(config: Config, found: Family, key: str) -> bool:
    """Whether a key that is not in a part is one of the text."""
    outside = found.row.get("flat") and config.values.get(TEXT) is None
    return bool(outside) and key not in OUTSIDE and key in family(found.row["text"][0]).defaults


def text_variables(values: Mapping[str, Any], text: Mapping[str, Any], given: Mapping[str, Number]) -> dict[str, Any]:
    """Return the variables of the decoder of a text that has an image before it."""
    return {
        **text,
        "tied": values.get("tied", False),
        "lm_head": values.get("lm_head", False),
        "images": True,
        "seq": image_tokens(values) + given["seq"],
    }


def image_tokens(values: Mapping[str, Any]) -> int:
    """Return how many tokens an image is."""
    side = values["image_size"] // values["patch_size"] // values.get("merge", 1) // values.get("pool", 1)
    first = values.get("class_token", False)
    count: int = side**2 + first - values.get("drop_first", first)
    return count


def as_block(path: str) -> Any:
    """Read a template; one that has an ``input`` becomes the block `Network`, which also reads tokens of images."""
    source = read_text(path)
    head, found, layers = source.text.partition("\nlayers:\n")
    if not found or not source.text.startswith(f"# A {DECODER}"):
        return source
    block = "\n  Network:\n    inputs: [images]\n    layers:\n"
    return source._replace(text=head + block + "".join(f"    {line}\n" for line in layers.splitlines()))
