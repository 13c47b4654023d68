"""What stands beside the kind of an item: the modifiers that are read by themselves."""

from __future__ import annotations

from convcalc.errors import Span, SpecError, quoted
from convcalc.spec.document.names import Template, parse_reference, validate_variable
from convcalc.spec.document.syntax_tree import Item, JoinItem, LayerItem, Repeat
from convcalc.spec.document.value_nodes import NameScope, ValueNode, parse_expression, parse_value
from convcalc.spec.yaml.fields import is_empty, items_or_self, require_scalar
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, YamlNode

Modifiers = dict[str, tuple[ScalarNode, YamlNode]]
"""Keys of an item beside its layer, such as ``when`` and ``repeat``, with their values."""
MODIFIERS = ("name", "from", "when", "else", "repeat", "each", "of", "tie", "via", "checkpoint", "note")


def hint_beside(word: str, kind: str) -> str:
    """Return the hint for a modifier among the arguments of a layer or block; nothing for another word."""
    return f"`{word}` is written beside the kind: {{{kind}: …, {word}: …}}" if word in MODIFIERS else ""


def require_valid_modifiers(modifiers: Modifiers, *, in_join: bool) -> None:
    """Demand that modifiers are used where they have a meaning."""
    if "each" in modifiers and not in_join:
        text = "`each` is allowed only directly in the list of a join; for a series use `repeat`"
        raise SpecError("CC119", text, modifiers["each"][0].span)
    if "each" in modifiers and "repeat" in modifiers:
        second = max((modifiers["each"][0], modifiers["repeat"][0]), key=lambda key: key.span[1:])
        raise SpecError("CC119", "an item has `each` or `repeat`, not both", second.span)
    if "of" in modifiers and ("each" not in modifiers or isinstance(modifiers["each"][1], MapNode)):
        raise SpecError("CC119", "`of` needs an `each` that is a count: how many of them run", modifiers["of"][0].span)
    if "else" in modifiers and "when" not in modifiers:
        raise SpecError("CC119", "`else` needs a `when`", modifiers["else"][0].span)


def layer_of(read: Item, span: Span) -> LayerItem:
    """Return the layer that an item is, which alone can be written in one way or another."""
    body = read.body.layer if isinstance(read.body, JoinItem) else read.body
    if not isinstance(body, LayerItem):
        raise SpecError("CC119", "`via` says how one layer is written: let it stand at the layers inside", span)
    return body


def read_condition(word: str, modifiers: Modifiers, known: NameScope) -> ValueNode | None:
    if word not in modifiers:
        return None
    node = require_scalar(*modifiers[word])
    return parse_expression(node.text, node, known)


def read_of(modifiers: Modifiers, known: NameScope) -> ValueNode | None:
    key, node = modifiers.get("of") or (None, None)
    return None if key is None or node is None else parse_value(node, known, "`of`", key.span)


def read_repeat(modifiers: Modifiers, known: NameScope) -> Repeat | None:
    key, node = modifiers.get("repeat") or modifiers.get("each") or (None, None)
    if key is None or node is None:
        return None
    if not isinstance(node, MapNode):
        return Repeat(node.span, parse_value(node, known, f"`{key.text}`", key.span), {})
    if not node.pairs:
        raise SpecError("CC114", f"`{key.text}` needs a count or columns", node.span)
    columns = {}
    for name, value in node.pairs:
        column = validate_variable(name, "column")
        columns[column] = parse_value(value, known, f"the column {quoted(column)}", name.span)
    return Repeat(node.span, None, columns)


def read_from(key: ScalarNode, node: YamlNode, known: NameScope) -> tuple[Template, ...]:
    if is_empty(node):
        raise SpecError("CC114", "`from` is missing its value", key.span)
    read = []
    for one in items_or_self(node):
        if not isinstance(one, ScalarNode) or one.is_empty:
            text = "`from` takes the path of a layer, or a list of them for a block of several inputs"
            raise SpecError("CC113", text, one.span)
        read.append(parse_reference(one, known))
    if not read:
        raise SpecError("CC113", "`from` names no layer", node.span)
    return tuple(read)
