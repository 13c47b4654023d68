"""The table of families: which template a ``model_type`` is, and what its variables are of a configuration."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from convcalc.errors import Source, Span
from convcalc.records import cached_property, dataclass
from convcalc.spec.document.value_nodes import NameScope, ValueNode, parse_expression
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode, parse_yaml

FOLDER = os.path.dirname(os.path.abspath(__file__))
TABLE = "families.yaml"
DEFAULTS = "defaults.json"
FAMILIES, PARTS = "families", "parts"
"""The sections of the table: configurations, and those of encoders of images inside others."""
WORDS = frozenset({"none", "layer", "rms", "rms_across_heads", "layer_across_heads", "group"})
"""The choices that expressions of the table may name."""


@dataclass(frozen=True, eq=False)
class Family:
    """One ``model_type``: a row of the table, with what its template shares with others."""

    name: str
    row: Mapping[str, Any]
    template: str
    inputs: Mapping[str, tuple[str, ...]]
    """The inputs of the template, each with the names of its sizes."""
    defaults: Mapping[str, Any]
    """What the class of transformers gives to keys that a configuration lacks."""
    aliases: Mapping[str, str]
    """Other names of keys, as the class has them."""
    classes: Mapping[str, Mapping[str, Any]]
    """The names of the classes that are read, each with its variables."""
    default_class: str
    """The class of a configuration that names none."""
    vars: tuple[Mapping[str, str], Mapping[str, str]]
    """The variables of the template: what all of its families have, and in place of that the row."""
    renamed: Mapping[str, str]
    """Keys that are variables of the template under another name."""
    absent: Mapping[str, ValueNode]
    """What a key is where it is null or missing, by other keys."""
    per_layer: Mapping[str, ValueNode]
    """Variables that are a list, one value for each layer ``i``."""
    required: Mapping[str, ValueNode]
    """Conditions without which the template is another network, by the keys that they are about."""
    coded: Mapping[str, Mapping[str, str]]
    """The keys whose values are lists of words, or text of letters, each with the numbers that these are."""

    def expressions(self, architecture: str) -> Mapping[str, ValueNode]:
        """Return the variables of the template for a class, in the order in which they are worked out."""
        shared, own = self.vars
        return _expressions({**shared, **own, **self.classes.get(architecture, {})})

    @cached_property
    def keys(self) -> frozenset[str]:
        """All keys of a configuration that are used."""
        texts = (text for variables in (*self.vars, *self.classes.values()) for text in variables.values())
        nodes = [*self.absent.values(), *self.per_layer.values(), *map(expression, texts)]
        named = (self.absent, self.required, self.renamed, self.row.get("members", {}).values(), self.worded)
        names = set().union(*(node.names for node in nodes), *named)
        return frozenset(names | (self.variables & {*self.defaults, "num_labels"}))

    @cached_property
    def variables(self) -> frozenset[str]:
        """The variables of the template."""
        return frozenset(template_names(self.template))

    @cached_property
    def worded(self) -> frozenset[str]:
        """The keys whose values are words."""
        flagged = (key for key, _ in self.row.get("flags", {}).values())
        return frozenset((*self.row.get("words", ()), *self.coded, *flagged))

    @property
    def has_parts(self) -> bool:
        """Whether a configuration has those of an encoder of images and of a decoder in it."""
        return "text" in self.row

    def is_harmless(self, key: str) -> bool:
        """Whether no count depends on a key."""
        patterns = (*_parsed("harmless").split(), *self.row.get("harmless", "").split())
        return any(fnmatchcase(key, pattern) for pattern in patterns)


@cache
def _texts(section: str) -> Mapping[str, str]:
    """Return the rows of a section of the table as text: few of the many are parsed."""
    with open(os.path.join(FOLDER, TABLE), encoding="utf-8") as file:
        parts = re.split(r"^(\w+):", file.read(), flags=re.MULTILINE)
    rows = re.split(r"^  ([^\s#:]+):", parts[parts.index(section) + 1], flags=re.MULTILINE)
    return dict(zip(rows[1::2], rows[2::2], strict=True)) or {"": rows[0]}


@cache
def _parsed(section: str, name: str = "") -> Any:
    """Return a row of the table, or the one value of a section."""
    return _plain(parse_yaml(Source(TABLE, f"row:{_texts(section)[name]}")))["row"]


def _plain(node: YamlNode | None) -> Any:
    """Return what a node holds: mappings, lists, and texts, of which an empty one is nothing."""
    if isinstance(node, MapNode):
        return {key.text: _plain(value) for key, value in node.pairs}
    if isinstance(node, ListNode):
        return [_plain(item) for item in node.items]
    return None if node is None or node.is_empty else node.text


@cache
def _class_defaults() -> Mapping[str, Any]:
    with open(os.path.join(FOLDER, DEFAULTS), encoding="utf-8") as file:
        return json.load(file)  # type: ignore[no-any-return]


@cache
def template_names(template: str) -> tuple[str, ...]:
    """Return the names of the variables of a template."""
    with open(os.path.join(FOLDER, "templates", f"{template}.yaml"), encoding="utf-8") as file:
        _, _, rest = file.read().partition("\nvars:\n")
    return tuple(re.findall(r"^  (\w+):", re.split(r"^\w", rest, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE))


def known_types(section: str = FAMILIES) -> tuple[str, ...]:
    """Return every ``model_type`` that is read, or every one that is read as a part of others."""
    return tuple(_texts(section))


def library_version() -> str:
    """Return the version of transformers that the defaults are of."""
    return str(_class_defaults()["transformers"])


@cache
def row(model_type: str, section: str = FAMILIES) -> Mapping[str, Any]:
    """Return the row of the table for a ``model_type``, with all of the row that it is like but what it has itself."""
    own = _parsed(section, model_type)
    found = {**row(own["like"], section), **own} if "like" in own else dict(own)
    return {**found, "vars": {**found.get("vars", {}), **own.get("also", {})}}


def shared_row(template: str) -> Mapping[str, Any]:
    """Return what all families of a template have."""
    return _parsed("templates", template)  # type: ignore[no-any-return]


@cache
def family(model_type: str, section: str = FAMILIES) -> Family:
    """Return the family of one of ``known_types``."""
    own = row(model_type, section)
    shared, known = shared_row(own["template"]), _class_defaults()["classes"][model_type]
    kinds = {**shared["classes"], **own.get("classes", {})}
    named = {**{own["prefix"] + suffix: variables for suffix, variables in kinds.items()}, **own.get("names", {})}
    classes = {name: found for name, found in named.items() if name in known["built"] and found is not None}
    default = own.get("default", shared["default"])
    return Family(
        model_type, own, own["template"],
        {name: tuple(sizes) for name, sizes in own.get("inputs", shared["inputs"]).items()},
        {**known["defaults"], **{key: _value(text) for key, text in own.get("extra", {}).items()}},
        {**known["aliases"], **own.get("aliases", {})}, classes,
        default if default in classes else own["prefix"] + default,
        (shared.get("vars", {}), own["vars"]), {**shared.get("rename", {}), **own.get("rename", {})},
        _expressions({**shared.get("absent", {}), **own.get("absent", {})}), _expressions(own.get("layers", {})),
        _expressions(own.get("require", {})), own.get("coded", {}),
    )  # fmt: skip


def _value(text: str) -> Any:
    """Return a value as JSON would have it, or a word."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _expressions(texts: Mapping[str, Any]) -> dict[str, ValueNode]:
    return {name: expression(text) for name, text in texts.items()}


class _AnyName(frozenset[str]):
    """Holds every name: which keys there are is known when a configuration is."""

    def __contains__(self, name: object) -> bool:
        return True


@cache
def expression(text: str) -> ValueNode:
    """Parse an expression of the table: of keys of a configuration."""
    scalar = ScalarNode(text, Span(Source(TABLE)))
    return parse_expression(text, scalar, NameScope(_AnyName(), has_input=False), WORDS)
