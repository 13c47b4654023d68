"""Arguments of layers and blocks, and ``via``: how the model's source writes a layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.ops.arguments import Argument, TextType
from convcalc.ops.make import missing_arguments_error, unknown_argument_error, unused_argument_error
from convcalc.ops.op import Op, arguments_of
from convcalc.ops.registry import find_op
from convcalc.ops.source_form import SOURCE_FORMS
from convcalc.records import NamedTuple
from convcalc.spec.document.modifiers import hint_beside
from convcalc.spec.document.names import Template, parse_reference, validate_name
from convcalc.spec.document.syntax_tree import ArgumentValue, Item, LayerItem, SourceForm
from convcalc.spec.document.value_nodes import NameScope, ValueNode, parse_expression, parse_value, text_value
from convcalc.spec.expressions.vocabulary import NONE
from convcalc.spec.yaml.fields import is_empty, items_or_self, require_scalar
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode

VIA_KEY = "via"
NAMES = "names"
"""Key of a layer of several outputs, in place of the arguments that say which of them it is."""


def read_via(key: ScalarNode, node: YamlNode, known: NameScope, *, written: bool = True) -> SourceForm:
    """Read the value of ``via``.

    Raises:
        SpecError: CC114 nothing, CC117 no single value, CC410 no such word, or an error of the expression.
    """
    node = require_scalar(key, node)
    if node.text.isidentifier() and node.text not in {*SOURCE_FORMS, *known.names}:
        guess = did_you_mean(node.text, SOURCE_FORMS)
        raise SpecError("CC410", f"via is {', '.join(SOURCE_FORMS)}, not {quoted(node.text)}{guess}", node.span)
    return SourceForm(parse_expression(node.text, node, known, SOURCE_FORMS), written)


FUSED = ("norm", "act")

Defaults = Mapping[str, Mapping[str, ArgumentValue | LayerItem | SourceForm]]


class _Words(NamedTuple):
    """The names of arguments of an op."""

    names: tuple[str, ...]
    required: frozenset[str]
    positional: tuple[Argument, ...]


_WORDS: dict[type[Op], _Words] = {}


def _words_of(op: type[Op]) -> _Words:
    known = _WORDS.get(op)
    if known is None:
        names = (*arguments_of(op), *op.layer_arguments, *(FUSED if op.accepts_norm_act else ()))
        required = frozenset([argument.key for argument in arguments_of(op).values() if argument.required])
        positional = tuple(argument for argument in arguments_of(op).values() if argument.positional)
        known = _WORDS[op] = _Words(names, required, positional)
    return known


def argument_names(op: type[Op]) -> tuple[str, ...]:
    """Return the names of all arguments of an op."""
    return _words_of(op).names


def choices(op: type[Op], key: str) -> tuple[str, ...]:
    """Return the words that an argument takes; ``none`` leaves a norm or an activation out."""
    words = arguments_of(op)[key].type.words
    return (*words, NONE) if op.kind in FUSED and key == "type" else words


def read_layer(op: type[Op], span: Span, node: YamlNode | None, known: NameScope, defaults: Defaults) -> LayerItem:
    """Read the arguments of a layer and fill in the file's defaults.

    Raises:
        SpecError: CC202 missing, CC203 unknown, CC205 too many, CC114 or CC117 malformed arguments.
    """
    words = argument_names(op)
    read = LayerItem(op, {}, span=span)
    merged = _inherited(op, words, defaults) if defaults else {}
    references = {}
    for key, value in arguments_by_name(op, node, words).values():
        if key.text not in op.layer_arguments:
            merged[key.text] = read_argument(op, key, value, known)
        elif isinstance(value, ScalarNode):
            references[key.text] = parse_reference(value, known)
        else:
            raise SpecError("CC117", f"{key.text} must be the path of a layer", value.span)
    if references:
        read.references = _in_order(op, references)
    if op.accepts_norm_act:
        read.fused = {key: part for key in FUSED if isinstance(part := merged.get(key), LayerItem)}
    read.arguments = {key: value for key, value in merged.items() if type(value) is ArgumentValue}
    read.source_form = default_source_form(defaults, op)
    for part in read.fused.values():
        part.source_form = part.source_form or default_source_form(defaults, part.op)
    _require_all(op, span, read.arguments)
    _require_used(op, read.arguments)
    return read


def _inherited(
    op: type[Op], words: Collection[str], defaults: Defaults
) -> dict[str, ArgumentValue | LayerItem | SourceForm]:
    """Return what the file's defaults give a kind of the arguments that it has."""
    found = {**defaults.get(op.defaults_from, {}), **defaults.get(op.kind, {})}
    return {key: value for key, value in found.items() if key in words}


def read_parts(op: type[Op], span: Span, node: MapNode, known: NameScope, defaults: Defaults) -> list[Item]:
    """Read a layer of several outputs, which have names, as a layer for each of them.

    Raises:
        SpecError: CC117 or CC110 for the names, CC203 for an argument that they stand for, or as of a layer.
    """
    given = {key.text: (key, value) for key, value in node.pairs}
    _, listed = given.pop(NAMES)
    names = listed.items if isinstance(listed, ListNode) else []
    if not names:
        raise SpecError("CC117", f"{NAMES} of {op.kind} is a list with a name for each part", listed.span)
    for word in op.part_arguments:
        if word in given:
            text = f"{op.kind} with {NAMES} has no attribute {quoted(word)}: they stand for it"
            raise SpecError("CC203", text, given[word][0].span)
    items = []
    for place, name in enumerate(names):
        if not isinstance(name, ScalarNode):
            raise SpecError("CC117", f"a name of a part of {op.kind} is one word", name.span)
        own = zip(op.part_arguments, (place, len(names)), strict=True)
        more = [(ScalarNode(word, name.span), ScalarNode(str(value), name.span)) for word, value in own]
        layer = read_layer(op, span, MapNode([*given.values(), *more], node.span), known, defaults)
        items.append(Item(span, layer, "", Template((validate_name(name.text, name.span),), name.span)))
    return items


def _in_order(op: type[Op], references: Mapping[str, Template]) -> dict[str, Template]:
    """Return references in the order in which the op reads them; CC202, where one before another is missing."""
    for before, name in pairwise(op.layer_arguments):
        if name in references and before not in references:
            text, hint = f"{op.kind}: '{name}' needs '{before}' too", f"`{before}: .` is what enters the layer"
            raise SpecError("CC202", text, references[name].span, hint=hint)
    return {name: references[name] for name in op.layer_arguments if name in references}


def default_source_form(defaults: Defaults, op: type[Op]) -> SourceForm | None:
    """Return the ``via`` that the file's defaults give a kind; it holds for a fused norm or activation too."""
    found = defaults.get(op.kind, {}).get(VIA_KEY)
    return found if isinstance(found, SourceForm) else None


def read_argument(
    op: type[Op], key: ScalarNode, node: YamlNode, known: NameScope, *, written: bool = True
) -> ArgumentValue | LayerItem | SourceForm:
    """Read one argument: a value, the norm or activation that is fused to the layer, or ``via``."""
    if key.text == VIA_KEY:
        return read_via(key, node, known, written=written)
    if op.accepts_norm_act and key.text in FUSED:
        part = find_op(key.text)
        assert part is not None
        given = arguments_by_name(part, node, (*arguments_of(part), VIA_KEY))
        via = given.pop(VIA_KEY, None)
        values = {
            name: ArgumentValue(parse_value(value, known, name, words=choices(part, name)), written, word.span)
            for name, (word, value) in given.items()
        }
        _require_all(part, key.span, values)
        _require_used(part, values)
        source_form = read_via(*via, known, written=written) if via else None
        return LayerItem(part, values, span=key.span, source_form=source_form)
    slot = arguments_of(op)[key.text].type
    if isinstance(slot, TextType):
        return ArgumentValue(text_value(require_scalar(key, node)), written, key.span)
    value = parse_value(node, known, key.text, key.span, choices(op, key.text), slot.parts)
    return ArgumentValue(value, written, key.span)


def arguments_by_name(
    op: type[Op], node: YamlNode | None, words: Sequence[str]
) -> dict[str, tuple[ScalarNode, YamlNode]]:
    """Return arguments by name, each with its key, in whichever form they are written; an empty one counts as missing.

    The span of a positional argument also serves as the span of its name.
    """
    if node is None or is_empty(node):
        return {}
    if isinstance(node, MapNode):
        for key, value in node.pairs:
            if key.text not in words:
                error = unknown_argument_error(op, key.text, words if op.arity == (1, 1) else ("branches", *words))
                error.span, error.hint = key.span, hint_beside(key.text, op.kind) or error.hint
                if is_empty(value) and not key.text.isidentifier():
                    error.hint = "a comma ends a value; a text that holds one is put in quotes"
                raise error
        return {key.text: (key, value) for key, value in node.pairs if not is_empty(value)}
    places = _words_of(op).positional
    if not places:
        hint = f"write {{{op.kind}: {{{words[0]}: …}}}}" if words else f"write `{op.kind}` alone"
        raise SpecError("CC205", f"{op.kind} takes no argument without its name", node.span, hint=hint)
    if isinstance(node, ScalarNode) or places[0].type.takes_list:
        return {places[0].key: (ScalarNode(places[0].key, node.span), node)}
    if len(node.items) > len(places):
        order = ", ".join(argument.key for argument in places)
        plural = "argument" if len(places) == 1 else "arguments"
        text = f"{op.kind} takes at most {len(places)} {plural} in a list ({order}), not {len(node.items)}"
        raise SpecError("CC205", text, node.items[len(places)].span)
    given = zip(places, node.items, strict=False)
    return {place.key: (ScalarNode(place.key, item.span), item) for place, item in given if not is_empty(item)}


def _require_all(op: type[Op], span: Span, given: Mapping[str, object]) -> None:
    if not _words_of(op).required <= given.keys() and (error := missing_arguments_error(op, given)):
        error.span = span
        raise error


def _require_used(op: type[Op], given: Mapping[str, ArgumentValue]) -> None:
    """Demand that a type that is a plain word uses its other arguments; other types are known at expansion."""
    type_ = given.get("type")
    word = type_.value.expression if type_ else None
    if type_ is None or word is None or word.text not in choices(op, "type"):
        return
    for key in sorted(op.unused_arguments({**given, "type": word.text})):
        if given[key].explicit:
            error = unused_argument_error(op, {"type": word.text}, key)
            error.span = given[key].key
            raise error


def read_block_arguments(
    name: str, params: Mapping[str, ValueNode | None], span: Span, node: YamlNode | None, known: NameScope
) -> dict[str, ValueNode]:
    """Read the arguments of a block call. CC202 missing, CC205 too many, CC207 unknown parameter."""
    pairs = [(key, item) for key, item in _pairs(name, params, node) if not is_empty(item)]
    given = {key: parse_value(item, known, quoted(key)) for key, item in pairs}
    missing = [key for key, default in params.items() if default is None and key not in given]
    if missing:
        names = " and ".join(quoted(key) for key in missing)
        raise SpecError("CC202", f"{name} needs {names}", span, hint=f"its parameters are {', '.join(params)}")
    return given


def _pairs(name: str, params: Mapping[str, object], node: YamlNode | None) -> list[tuple[str, YamlNode]]:
    if node is None or is_empty(node):
        return []
    if isinstance(node, MapNode):
        for key, _ in node.pairs:
            if key.text not in params:
                valid = f"its parameters are {', '.join(params)}" if params else "it has no parameters"
                valid = hint_beside(key.text, name) or valid
                text = f"{name} has no parameter {quoted(key.text)}{did_you_mean(key.text, params)}"
                raise SpecError("CC207", text, key.span, hint=valid)
        return [(key.text, value) for key, value in node.pairs]
    items = items_or_self(node)
    if len(items) > len(params):
        plural = "parameter" if len(params) == 1 else "parameters"
        text = f"{name} has {len(params) or 'no'} {plural}, but is given {len(items)}"
        raise SpecError("CC205", text, items[len(params)].span)
    return list(zip(params, items, strict=False))
