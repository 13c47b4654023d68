"""What a configuration says: its family and class, its values checked, and the variables of the template."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.arith import Number
from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.importers.hf import checks
from convcalc.importers.hf.checks import ACTIVATION, LAYER_TYPES, LAYERS, WINDOW
from convcalc.importers.hf.config import Config, number, shown
from convcalc.importers.hf.families import FAMILIES, PARTS, Family, expression, family, known_types, row
from convcalc.records import dataclass
from convcalc.spec.document.value_nodes import ValueNode
from convcalc.spec.limits import LARGEST, REPEAT

POSITIONS = {"seq": ("positions",), "target": ("max_target_positions", "positions")}
"""The variables that may say how many positions there are for tokens, and for those of a decoder."""
IMAGE_SIZE = "image_size"
TEXT, VISION = "text_config", "vision_config"
OUTSIDE = "model_type", "architectures", VISION
SQUARES = IMAGE_SIZE, "patch_size"
DECODER = "decoder"
OLD_CLASSES = {"T5WithLMHeadModel": "T5ForConditionalGeneration"}


@dataclass(frozen=True, eq=False)
class ConfigSettings:
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
    text: ConfigSettings | None = None
    vision: ConfigSettings | None = None
    """The parts of a configuration that has some."""

    def variables(self, given: Mapping[str, Number]) -> dict[str, Any]:
        """Return the values of the template's variables, for values in place of some of the configuration's."""
        env = self.complete(given)
        if self.text and self.vision:
            inner = self.text.variables({})
            env |= {"text_size": inner["hidden_size"], "text_tied": inner.get("tied", False)}
            env |= self.vision.variables({key: value for key, value in given.items() if key == IMAGE_SIZE})
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

    @property
    def assumed(self) -> set[str]:
        """The keys that the file lacks, where the class has numbers for them that are read."""
        written = {self.family.aliases.get(key, key) for key in self.config.values}
        return {key for key in (self.family.keys & self.family.defaults.keys()) - written if key in self.numbers}

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


def read_settings(config: Config, section: str = FAMILIES) -> ConfigSettings:
    """Check a configuration, or one of a part of it.

    Raises:
        SpecError: CC761 for what is not read, CC768 for values of the wrong type.
    """
    found = _family(config) if section == FAMILIES else family(str(config.values["model_type"]), section)
    architecture = _architecture(config, found)
    values = {found.aliases.get(key, key): (key, value) for key, value in config.values.items()}
    for key in found.row.get("uniform", "").split():
        written, value = values.get(key, (key, None))
        values[key] = written, found.defaults[key] if value is None else _uniform(value)
    for key, (written, value) in values.items():
        if found.has_parts and (key in (TEXT, VISION) or _is_of_the_text(config, found, written)):
            continue
        checks.check(config, found, key, written, value)
    merged = {**found.defaults, **{key: value for key, (_, value) in values.items()}}
    merged |= {} if "inputs" in found.row else _squares(merged)  # a row with inputs of its own has both sides
    merged["num_labels"] = checks.labels(config, int(found.row.get("num_labels", 2)))
    numbers = {key: number(value) for key, value in merged.items() if key in found.keys}
    activations = {
        found.renamed.get(key, key): checks.activation(config, key, value)
        for key, value in merged.items()
        if found.renamed.get(key, key) == ACTIVATION and key not in found.worded
    }
    numbers |= checks.words(config, found, merged)
    numbers |= {
        key: checks.codes(config, found, key, values.get(key, (key,))[0], merged.get(key)) for key in found.coded
    }
    for key, name in found.row.get("nested", {}).items():
        numbers |= _nested(config, key, name)
    for key, defaults in found.row.get("inner", {}).items():
        numbers |= checks.inner(config, found, key, defaults)
    known = {key: value for key, value in numbers.items() if value is not None}
    for key, condition in found.required.items():
        if condition.names <= known.keys() and condition.evaluate(known) is not True:
            raise config.wrong(key, known[key], f"such that {found.row['require'][key]}")
    parts: dict[str, ConfigSettings] = {}
    if found.has_parts:
        parts["text"] = read_settings(_part_of(config, found, TEXT))
        if parts["text"].variables({}).get("positions"):
            raise config.wrong(TEXT, parts["text"].family.name, "a decoder without a table of positions")
        parts["vision"] = read_settings(_part_of(config, found, VISION), PARTS)
    return ConfigSettings(config, found, architecture, known, activations, checks.slides(config, found), **parts)


def _nested(config: Config, key: str, name: str) -> dict[str, Any]:
    """Return the values of a configuration inside another, by the names that they have in expressions."""
    merged: dict[str, Any] = {}
    for each in (key, f"{key}_dict"):  # of old files; what it has is used in place of the other's
        merged |= config.object(each)
    inner = Config(config.source, {**merged, "model_type": name, "architectures": None}, key)
    settings = read_settings(inner)
    start = key.removesuffix("config")
    return {f"{start}{each}": value for each, value in settings.complete({}).items()}


def _family(config: Config) -> Family:
    name = config.values.get("model_type")
    if name is None:
        raise _no_model_type(config)
    if not isinstance(name, str):
        raise config.wrong("model_type", name, "the name of a family")
    if name not in known_types():
        text = f"the model_type {quoted(name)} is not read{did_you_mean(name, known_types())}"
        hint = "count its code: convcalc report torch:MODULE:CALLABLE --input …; "
        if isinstance(config.values.get(TEXT), dict):
            hint = f"for the decoder of the text alone, give a file of what {TEXT} holds; {hint}"
        raise SpecError("CC761", text, config.span("model_type"), f"{hint}read are {', '.join(sorted(known_types()))}")
    return family(name)


def _no_model_type(config: Config) -> SpecError:
    """Return the error for a file that is no configuration, by its keys."""
    values = config.values
    if "_class_name" in values:
        text = f"a configuration of diffusers is not read: {shown(values['_class_name'])}"
        parts = [key for key, value in values.items() if isinstance(value, list) and value[:1] == ["transformers"]]
        read = f"read are its parts that are of transformers: {', '.join(f'hf:{part}' for part in parts)}; "
        hint = read * bool(parts) + "count its code: convcalc report torch:MODULE:CALLABLE --input …"
        return SpecError("CC761", text, config.span("_class_name"), hint)
    what = "names the files of weights alone" if "weight_map" in values else "has no model_type"
    text = f"this is not the configuration of a model of transformers: it {what}"
    return SpecError("CC768", text, Span(config.source), "give the config.json that lies beside it")


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


# --- parts of a configuration that is an encoder of images before a decoder of language -------------------------------


def _part_of(config: Config, found: Family, key: str) -> Config:
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
    wanted = [each for each in known_types() if row(each)["template"] == DECODER] if key == TEXT else types
    if name not in wanted:
        text = f"the {key} of a {found.name} is not read: its model_type {quoted(str(name))}"
        raise SpecError("CC761", text, config.span(key), f"read are {', '.join(wanted)}" if section == PARTS else "")
    return Config(config.source, {**inner, "model_type": name, "architectures": None}, inside)


def _squares(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the side of every square that both sides are given of."""
    found = {key: values.get(key) for key in SQUARES}
    return {key: side[0] for key, side in found.items() if isinstance(side, list) and side[:1] * 2 == side}


def _uniform(value: Any) -> Any:
    """Return the one value of a list of equal ones, or what else there is."""
    is_one = isinstance(value, list) and value and all(each == value[0] for each in value)
    return value[0] if is_one else value


def _is_of_the_text(config: Config, found: Family, key: str) -> bool:
    """Whether a key that is not in a part is one of the text."""
    outside = found.row.get("flat") and config.values.get(TEXT) is None
    return bool(outside) and key not in OUTSIDE and key in family(found.row["text"][0]).defaults
