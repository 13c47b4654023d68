"""What a configuration says: its family and class, its values checked, and the variables of the template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from convcalc.arith import Number
from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.importers.hf.config import Config, number, shown
from convcalc.importers.hf.families import Family, expression, family, known_types, word
from convcalc.spec.document.value_nodes import ValueNode
from convcalc.spec.limits import LARGEST, REPEAT

POSITIONS = {"seq": ("positions",), "target": ("max_target_positions", "positions")}
"""The variables that may say how many positions there are for tokens, and for those of a decoder."""
OLD_CLASSES = {"T5WithLMHeadModel": "T5ForConditionalGeneration"}
LAYER_TYPES, WINDOW = "layer_types", "sliding_window"
_TYPES = {"full_attention": False, "sliding_attention": True}
LAYERS = "num_hidden_layers"
ACTIVATION = "activation"
ACTIVATIONS = {
    "gelu": "gelu", "gelu_new": "gelu", "gelu_fast": "gelu", "gelu_python": "gelu", "gelu_pytorch_tanh": "gelu",
    "gelu_accurate": "gelu", "gelu_10": "gelu", "quick_gelu": "quick_gelu", "relu": "relu", "relu2": "relu",
    "relu6": "relu6", "leaky_relu": "leaky_relu", "silu": "silu", "swish": "silu", "mish": "mish", "tanh": "tanh",
    "sigmoid": "sigmoid",
}  # fmt: skip
"""Of transformers → of here; prelu, which learns, is not among them."""


@dataclass(frozen=True, eq=False)
class Settings:
    """The values of a configuration that has been checked."""

    config: Config
    family: Family
    architecture: str
    numbers: Mapping[str, Any]
    """Keys that are numbers, truths or lists of them, with the class's defaults; without those that are null."""
    words: Mapping[str, Any]
    """Variables of the template that are words."""
    slides: Sequence[bool] = ()
    """Of each layer whether its attention sees a window, where the configuration says so."""

    def variables(self, given: Mapping[str, Number]) -> dict[str, Any]:
        """Return the values of the template's variables, for values in place of some of the configuration's."""
        env = self.complete(given)
        found = {name: env[name] for name in self.family.variables if name in env}
        found |= {to: env[key] for key, to in self.family.renamed.items() if key in env}
        env = {**found, **env}
        for name, node in self.family.expressions(self.architecture).items():
            env[name] = found[name] = self._evaluate(node, env)
        layers = range(min(env.get(LAYERS, 0), REPEAT)) if self.family.per_layer else ()
        for name, key in self.family.row.get("members", {}).items():
            env[name] = tuple(i in env.get(key, ()) for i in layers)
        for name, node in self.family.per_layer.items():
            found[name] = tuple(self._evaluate(node, {**env, "i": i}) for i in layers)
        if "windows" in found and self.slides:
            if len(self.slides) < len(layers):
                text = f"{len(self.slides)} entries for {len(layers)} layers"
                raise SpecError("CC768", text, self.config.span(LAYER_TYPES))
            window = self._evaluate(expression(self.family.row.get("window", WINDOW)), env)
            found["windows"] = tuple(window if self.slides[i] else 0 for i in layers)
        return {name: value for name, value in {**found, **self.words}.items() if name in self.family.variables}

    def most_tokens(self, name: str) -> int:
        """Return how many tokens a learned table of positions has room for; very many without such a table."""
        values = self.variables({})
        known = (values[key] - values.get("position_start", 0) for key in POSITIONS.get(name, ()) if values.get(key))
        return next((rows for rows in known if isinstance(rows, int) and rows > 0), LARGEST)

    def complete(self, given: Mapping[str, Number]) -> dict[str, Any]:
        """Return the values of the keys, with those that follow from others where they are null."""
        env: dict[str, Any] = {**self.numbers, **{k: v for k, v in given.items() if k in self.family.keys}}
        for key, node in self.family.absent.items():
            if key not in env:
                env[key] = self._evaluate(node, env)
        return env

    def _evaluate(self, node: ValueNode, env: Mapping[str, Any]) -> Any:
        missing = sorted(node.names - env.keys())
        if missing:
            raise SpecError("CC768", f"{quoted(missing[0])} must be given", self.config.span(missing[0]))
        try:
            return node.evaluate(env)
        except SpecError as error:
            keys = sorted(name for name in node.names if name in self.config.values)
            place = self.config.span(keys[0]) if keys else self.config.span("model_type")
            raise SpecError("CC768", f"{', '.join(keys)}: {error.text}", place) from None


def read_settings(config: Config) -> Settings:
    """Check a configuration.

    Raises:
        SpecError: CC761 for what is not read, CC768 for values of the wrong type.
    """
    found = _family(config)
    architecture = _architecture(config, found)
    values = {found.aliases.get(key, key): (key, value) for key, value in config.values.items()}
    for key in found.row.get("uniform", "").split():
        written, value = values.get(key, (key, None))
        if isinstance(value, list) and value and all(each == value[0] for each in value):
            values[key] = written, value[0]
    for key, (written, value) in values.items():
        _check(config, found, key, written, value)
    merged = {**found.defaults, **{key: value for key, (_, value) in values.items()}}
    merged["num_labels"] = _labels(config, int(found.row.get("num_labels", 2)))
    numbers = {key: number(value) for key, value in merged.items() if key in found.keys}
    activations = {
        found.renamed.get(key, key): _activation(config, key, value)
        for key, value in merged.items()
        if found.renamed.get(key, key) == ACTIVATION
    }
    numbers |= _words(config, found, merged)
    for key, name in found.row.get("nested", {}).items():
        numbers |= _nested(config, key, name)
    known = {key: value for key, value in numbers.items() if value is not None}
    for key, condition in found.required.items():
        if condition.names <= known.keys() and condition.evaluate(known) is not True:
            raise config.wrong(key, known[key], f"such that {found.row['require'][key]}")
    return Settings(config, found, architecture, known, activations, _slides(config, found))


def _slides(config: Config, found: Family) -> list[bool]:
    """Return which layers see a window, for a family where that matters."""
    types = config.values.get(LAYER_TYPES)
    if types is None or "windows" not in found.per_layer:
        return []
    if not isinstance(types, list) or not set(map(str, types)) <= set(_TYPES):
        raise config.wrong(LAYER_TYPES, types, f"a list of {' and '.join(_TYPES)}")
    return [_TYPES[each] for each in types]


def _words(config: Config, found: Family, merged: Mapping[str, Any]) -> dict[str, bool]:
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


def _nested(config: Config, key: str, name: str) -> dict[str, Any]:
    """Return the values of a configuration inside another, by the names that they have in expressions."""
    merged: dict[str, Any] = {}
    for each in (key, f"{key}_dict"):  # of old files; what it has is used in place of the other's
        values = config.values.get(each)
        if values is not None and not isinstance(values, dict):
            raise config.wrong(each, values, "an object")
        merged |= values or {}
    inner = Config(config.source, {**merged, "model_type": name, "architectures": None}, key)
    settings = read_settings(inner)
    start = key.removesuffix("config")
    return {f"{start}{each}": value for each, value in settings.complete({}).items()}


def _family(config: Config) -> Family:
    name = config.values.get("model_type")
    if name is None:
        text = "there is no model_type, so this is not the configuration of a model of transformers"
        raise SpecError("CC768", text, Span(config.source), "give the config.json that lies beside it")
    if not isinstance(name, str):
        raise config.wrong("model_type", name, "the name of a family")
    if name not in known_types():
        text = f"the model_type {quoted(name)} is not read{did_you_mean(name, known_types())}"
        hint = "count its code: convcalc report torch:MODULE:CALLABLE --input …; "
        raise SpecError("CC761", text, config.span("model_type"), f"{hint}read are {', '.join(sorted(known_types()))}")
    return family(name)


def _architecture(config: Config, found: Family) -> str:
    """Return the class that a configuration is of: the first of `architectures`."""
    names = config.values.get("architectures")
    if names is None or names == []:
        return found.default_class
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise config.wrong("architectures", names, "a list of names of classes")
    known = {each.lower(): each for each in found.classes}  # old files have LLaMAForCausalLM and MPTForCausalLM
    name = known.get(str(OLD_CLASSES.get(names[0], names[0])).lower())
    if name is None:
        text = f"the class {quoted(names[0])} is not read{did_you_mean(names[0], found.classes)}"
        hint = f"of {found.name} are read: {', '.join(sorted(found.classes))}"
        raise SpecError("CC761", text, config.span("architectures"), hint)
    return name


def _labels(config: Config, default: int) -> int:
    """Return how many labels a classifier has."""
    names, count = config.values.get("id2label"), config.values.get("num_labels", default)
    if names is not None and not isinstance(names, dict):
        raise config.wrong("id2label", names, "an object")
    if names:
        return len(names)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise config.wrong("num_labels", count, "an integer, at least 0")
    return count


def _activation(config: Config, key: str, value: Any) -> Any:
    if not isinstance(value, str) or value not in ACTIVATIONS:
        guess = did_you_mean(value, ACTIVATIONS) if isinstance(value, str) else ""
        text = f"the activation {shown(value)} is not read{guess}"
        raise SpecError("CC761", text, config.span(key), f"read are {', '.join(ACTIVATIONS)}")
    return word(ACTIVATIONS[value])


def _check(config: Config, found: Family, key: str, written: str, value: Any) -> None:
    """Demand that a key is of the right type, or that no count depends on it."""
    if key in found.row.get("nested", {}):
        return
    if key in found.keys:
        _check_type(config, found, key, written, value)
    elif key == LAYER_TYPES:
        if isinstance(value, list) and not set(map(str, value)) <= _TYPES.keys():
            raise _unread(config, written, value, found)
    elif key in found.row.get("only", {}):
        if value is not None and shown(value) not in found.row["only"][key]:
            raise _unread(config, written, value, found)
    elif not found.is_harmless(key) and value != found.defaults.get(key) and (key in found.defaults or value):
        raise _unread(config, written, value, found)


def _unread(config: Config, key: str, value: Any, found: Family) -> SpecError:
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
    elif isinstance(default, list) or (isinstance(value, list) and default is None and key not in found.absent):
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
        raise config.wrong(written, value, "an integer, at least 0")
