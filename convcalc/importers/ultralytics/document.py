"""The rows and the settings of a model file, with their places, as YAML 1.1 understands the scalars."""

from __future__ import annotations

import re
from typing import Any

from convcalc.errors import Source, Span, SpecError, did_you_mean, quoted
from convcalc.records import NamedTuple
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode, parse_yaml

MAX_NUMBER = 10**9
"""No size, repeat or factor is larger: what is computed from them stays exact."""
WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "None": None,
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")


class ModuleArgument(NamedTuple):
    """An argument of a module: a number, a truth value, nothing, a word, or a list of them."""

    value: Any
    span: Span


class Row(NamedTuple):
    """One layer: which layers it reads, how often it is repeated, and the module with its arguments."""

    sources: int | tuple[int, ...]
    """The layers that it reads: from 0, or counted back from this one."""
    repeats: int
    module: str
    arguments: tuple[ModuleArgument, ...]
    span: Span
    """Of the name of the module."""
    sources_span: Span


class ModelFile(NamedTuple):
    """What a model file says."""

    source: Source
    settings: dict[str, ModuleArgument]
    """Every key but the rows."""
    rows: tuple[Row, ...]

    def setting(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default where it is missing or empty."""
        found = self.settings.get(key)
        return default if found is None or found.value is None else found.value

    @property
    def channels(self) -> int:
        """The channels of the image."""
        return self.size("channels", self.size("ch", 3))

    def number(self, key: str, default: float) -> float:
        """Return a positive number that the model is scaled with.

        Raises:
            SpecError: CC768, where the key has another value.
        """
        value = self.setting(key, default)
        if type(value) not in (int, float) or not value > 0:
            raise invalid(f"{key} must be a positive number", self.settings[key].span)
        return value  # type: ignore[no-any-return]

    def size(self, key: str, default: int) -> int:
        """Return a positive integer; see :meth:`number`."""
        value = self.number(key, default)
        if type(value) is not int:
            raise invalid(f"{key} must be a positive integer", self.settings[key].span)
        return value


def invalid(text: str, span: Span, hint: str = "") -> SpecError:
    """Return the error for an entry that is not of the format."""
    return SpecError("CC768", text, span, hint=hint)


def read_file(source: Source) -> ModelFile:
    """Read a model file.

    Raises:
        SpecErrors: what is wrong with the YAML.
        SpecError: CC768 for an entry that is not of the format.
    """
    root = parse_yaml(source)
    if not isinstance(root, MapNode):
        raise invalid("a model file is a mapping with backbone and head", Span(source))
    settings: dict[str, ModuleArgument] = {}
    rows: list[Row] = []
    parts = ("backbone", "head")
    for key, node in root.pairs:
        if key.text not in parts:
            settings[key.text] = ModuleArgument(_value(node), node.span)
    for part in parts:
        found = root.get(part)
        if found is None:
            raise invalid(f"there is no {quoted(part)}{did_you_mean(part, settings)}", root.span, hint=ROW)
        if not isinstance(found, ListNode):
            raise invalid(f"{part} must be a list of rows", found.span, hint=ROW)
        rows += map(_row, found.items)
    if not rows:
        raise invalid("the model has no layers", Span(source), hint=ROW)
    return ModelFile(source, settings, tuple(rows))


ROW = "a row is [from, repeats, module, [arguments]], such as [-1, 1, Conv, [64, 3, 2]]"


def _row(node: YamlNode) -> Row:
    if not isinstance(node, ListNode) or len(node.items) != 4:
        raise invalid("a row must have 4 entries", node.span, hint=ROW)
    sources, repeats, module, arguments = node.items
    if not isinstance(module, ScalarNode) or not module.text:
        raise invalid("the third entry of a row must be the name of a module", module.span, hint=ROW)
    if not isinstance(arguments, ListNode):
        raise invalid("the fourth entry of a row must be the list of arguments", arguments.span, hint=ROW)
    count = _value(repeats)
    if type(count) is not int or count < 1:
        raise invalid("the second entry of a row must be a positive integer", repeats.span, hint=ROW)
    given = tuple(ModuleArgument(_value(each), each.span) for each in arguments.items)
    return Row(_sources(sources), count, module.text, given, module.span, sources.span)


def _sources(node: YamlNode) -> int | tuple[int, ...]:
    value = _value(node)
    if type(value) is int:
        return value
    if not isinstance(value, tuple) or not value or any(type(each) is not int for each in value):
        raise invalid("the first entry of a row must be an integer, or a list of them", node.span, hint=ROW)
    return value


def _value(node: YamlNode) -> Any:
    """Return the value of a node: of mappings, arguments by their keys."""
    if isinstance(node, ListNode):
        return tuple(map(_value, node.items))
    if isinstance(node, MapNode):
        return {key.text: ModuleArgument(_value(value), value.span) for key, value in node.pairs}
    if node.is_quoted:
        return WORDS.get(node.text, node.text) if node.text == "None" else node.text
    if node.text in WORDS:
        return WORDS[node.text]
    if _INTEGER.fullmatch(node.text):
        number: float = int(node.text) if len(node.text) < 20 else MAX_NUMBER + 1
    elif _DECIMAL.fullmatch(node.text):
        number = float(node.text)
    else:
        return node.text
    if abs(number) > MAX_NUMBER:
        raise invalid(f"{quoted(node.text)} is out of range: no number may be over {MAX_NUMBER:,}", node.span)
    return number
