"""What is checked of the keys of a configuration: types, words, and that no key is passed over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from convcalc.errors import SpecError, did_you_mean, quoted
from convcalc.importers.hf.config import Config, number, shown
from convcalc.importers.hf.families import Family
from convcalc.spec.expressions.values import Keyword

LAYER_TYPES, WINDOW = "layer_types", "sliding_window"
_TYPES = {"full_attention": False, "sliding_attention": True}
LAYERS, NO_ITEMS, COUNT = "num_hidden_layers", "[]", "an integer, at least 0"
ACTIVATION = "activation"
ACTIVATIONS = {
    "gelu": "gelu", "gelu_new": "gelu", "gelu_fast": "gelu", "gelu_python": "gelu", "gelu_pytorch_tanh": "gelu",
    "gelu_accurate": "gelu", "gelu_10": "gelu", "quick_gelu": "quick_gelu", "relu": "relu", "relu2": "relu",
    "relu6": "relu6", "leaky_relu": "leaky_relu", "silu": "silu", "swish": "silu", "mish": "mish", "tanh": "tanh",
    "sigmoid": "sigmoid",
}  # fmt: skip
"""Of transformers → of here; prelu, which learns, is not among them."""


def slides(config: Config, found: Family) -> list[bool]:
    """Return which layers see a window, for a family where that matters."""
    types = config.values.get(LAYER_TYPES)
    if types is None or "windows" not in found.per_layer or LAYER_TYPES in found.coded:
        return []
    if not isinstance(types, list) or not set(map(str, types)) <= set(_TYPES):
        raise config.wrong(LAYER_TYPES, types, f"a list of {' and '.join(_TYPES)}")
    return [_TYPES[each] for each in types]


def words(config: Config, found: Family, merged: Mapping[str, Any]) -> dict[str, bool]:
    """Check the words of a configuration; return the variables that say whether some are there."""
    for key, known in found.row.get("words", {}).items():
        value = merged.get(key)
        if number(value) is None and value not in known:
            text = f"{quoted(key)}: {shown(value)} is not read"
            raise SpecError("CC761", text, config.span(key), f"read are {', '.join(known)}")
    result = {}
    for flag, (key, sought) in found.row.get("flags", {}).items():
        value = merged.get(key) or []
        parts = re.split(r"[|-]", value) if isinstance(value, str) else value
        if not isinstance(parts, list):
            raise config.wrong(key, value, "a list of words")
        result[flag] = sought in (str(part).strip().lower() for part in parts)
    return result


def codes(config: Config, found: Family, key: str, written: str, value: Any) -> tuple[int, ...]:
    """Return the numbers that words of the table are, or those of letters; nothing for null."""
    known = found.coded[key]
    if not isinstance(value or [], list | str):
        raise config.wrong(written, value, "a list of words")
    for each in value or ():
        if str(each) not in known:
            text = f"{quoted(written)}: {shown(each)} is not read for {found.name}"
            raise SpecError("CC761", text, config.span(written), f"read are {', '.join(known)}")
    return tuple(int(known[str(each)]) for each in value or ())


def inner(config: Config, found: Family, key: str, defaults: Mapping[str, str]) -> dict[str, Any]:
    """Return the integers of an object inside, by the names that they have in expressions."""
    value = config.object(key)
    inside = Config(config.source, value, key)
    for each in value:
        if each not in defaults and not found.is_harmless(each):
            raise unread(inside, each, value[each], found)
    sizes = {each: value.get(each, int(default)) for each, default in defaults.items()}
    for each, size in sizes.items():
        if isinstance(size, bool) or not isinstance(number(size), int) or size < 0:
            raise inside.wrong(each, size, COUNT)
    return {f"{key}_{each}": size for each, size in sizes.items()}


def labels(config: Config, default: int) -> int:
    """Return how many labels a classifier has."""
    count = config.values.get("num_labels", default)
    if names := config.object("id2label"):
        return len(names)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise config.wrong("num_labels", count, COUNT)
    return count


def activation(config: Config, key: str, value: Any) -> Any:
    if not isinstance(value, str) or value not in ACTIVATIONS:
        guess = did_you_mean(value, ACTIVATIONS) if isinstance(value, str) else ""
        text = f"the activation {shown(value)} is not read{guess}"
        raise SpecError("CC761", text, config.span(key), f"read are {', '.join(ACTIVATIONS)}")
    return Keyword(ACTIVATIONS[value])


def check(config: Config, found: Family, key: str, written: str, value: Any) -> None:
    """Demand that a key is of the right type, or that no count depends on it."""
    if key in {**found.row.get("nested", {}), **found.row.get("inner", {})}:
        return
    if key in found.keys:
        _check_type(config, found, key, written, value)
    elif key == LAYER_TYPES:
        if isinstance(value, list) and not set(map(str, value)) <= _TYPES.keys():
            raise unread(config, written, value, found)
    elif key in found.row.get("only", {}):
        if value is not None and shown(value) not in found.row["only"][key]:
            raise unread(config, written, value, found)
    elif not found.is_harmless(key) and value != found.defaults.get(key) and (key in found.defaults or value):
        raise unread(config, written, value, found)


def unread(config: Config, key: str, value: Any, found: Family) -> SpecError:
    text = f"{quoted(key)}: {shown(value)} is not read for {found.name}, and may change the network"
    hint = "leave the key out if the model does without; or count its code: convcalc report torch:MODULE:CALLABLE"
    return SpecError("CC761", text, config.span(key), hint)


def _check_type(config: Config, found: Family, key: str, written: str, value: Any) -> None:
    """Demand a value of the type that the class has, or null where the table says what it means."""
    default = found.defaults.get(key)
    if found.renamed.get(key, key) == ACTIVATION or key in found.worded:
        return
    if value is None:
        if default is not None and key not in found.absent and key not in found.row.get("null", {}):
            raise config.wrong(written, value, "given")
        return
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise config.wrong(written, value, "true or false")
    elif isinstance(default, list) or (
        isinstance(value, list) and default is None and found.row.get("absent", {}).get(key, NO_ITEMS) == NO_ITEMS
    ):
        if number(value) is None or not isinstance(value, list):
            raise config.wrong(written, value, "a list of numbers")
    elif default is None and isinstance(value, bool) and key not in found.absent:
        return
    elif (
        isinstance(value, bool)
        or not isinstance(number(value), int | Fraction)
        or value < min(0, default or 0)
        or (not isinstance(default, float) and not isinstance(number(value), int))
    ):
        raise config.wrong(written, value, COUNT)
