"""``via``: how the model's source writes a layer, as a word or as an expression over the words.

The words mean themselves here alone, so that a variable may bear the name of one, and an expression then means it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.ops.make import missing, unknown, unused
from convcalc.ops.op import Op, arguments_of
from convcalc.ops.registry import find
from convcalc.ops.source_form import VIA
from convcalc.spec.document.names import Reference, reference
from convcalc.spec.document.syntax_tree import Given, Layer, Via
from convcalc.spec.document.value_nodes import Known, Value, compile_text, compile_value
from convcalc.spec.expressions.vocabulary import SYMBOLS
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import Mapping as MappingNode
from convcalc.spec.yaml.nodes import Node, Scalar, Sequence

KEY = "via"


def read_via(key: Scalar, node: Node, known: Known, *, written: bool = True) -> Via:
    """Read what stands under ``via``.

    Raises:
        SpecError: CC114 nothing, CC117 no single value, CC410 no such word, or a fault of the expression.
    """
    if is_empty(node):
        raise SpecError("CC114", "`via` is missing its value", key.span)
    if not isinstance(node, Scalar):
        raise SpecError("CC117", "`via` takes a single value", node.span)
    if node.text in VIA:
        return Via(node.text, written=written)
    if node.text.isidentifier() and node.text not in known.names:
        guess = did_you_mean(node.text, VIA)
        raise SpecError("CC410", f"via is {', '.join(VIA)}, not {quoted(node.text)}{guess}", node.span)
    value = compile_text(node.text, node, known.plus(VIA))
    return Via("", value, written, {word: word for word in VIA if word in value.names and word not in known.names})


FUSED = ("norm", "act")

Defaults = Mapping[str, Mapping[str, "Given | Layer | Via"]]


def allowed(op: type[Op]) -> tuple[str, ...]:
    """Return every word that may stand among the arguments of an op."""
    return (*arguments_of(op), *op.references, *(FUSED if op.fused else ()))


def layer(op: type[Op], span: Span, node: Node | None, known: Known, defaults: Defaults) -> Layer:
    """Read the arguments of a layer and fill in the file's defaults.

    Raises:
        SpecError: CC202 missing, CC203 unknown, CC205 too many, CC114 or CC117 malformed arguments.
    """
    words = allowed(op)
    read = Layer(op, {}, span=span)
    inherited = {**defaults.get(op.borrows, {}), **defaults.get(op.kind, {})}
    merged: dict[str, Given | Layer | Via] = {key: value for key, value in inherited.items() if key in words}
    for key, value in by_name(op, node, words).values():
        if key.text in op.references:
            read.references = {**read.references, key.text: _reference(key, value, known)}
        else:
            merged[key.text] = attribute(op, key, value, known)
    read.fused = {key: part for key in FUSED if isinstance(part := merged.get(key), Layer)}
    read.arguments = {key: value for key, value in merged.items() if isinstance(value, Given)}
    read.via = default_via(defaults, op)
    for part in read.fused.values():
        part.via = part.via or default_via(defaults, part.op)
    _require_all(op, span, read.arguments)
    _require_used(op, read.arguments)
    return read


def default_via(defaults: Defaults, op: type[Op]) -> Via | None:
    """Return the ``via`` that the file's defaults give a kind; it holds for a fused norm or activation too."""
    found = defaults.get(op.kind, {}).get(KEY)
    return found if isinstance(found, Via) else None


def _reference(key: Scalar, node: Node, known: Known) -> Reference:
    if not isinstance(node, Scalar):
        raise SpecError("CC117", f"{key.text} must be the path of a layer", node.span)
    return reference(node, known)


def attribute(op: type[Op], key: Scalar, node: Node, known: Known, *, written: bool = True) -> Given | Layer | Via:
    """Read one argument: a value, the norm or activation that is fused to the layer, or ``via``."""
    if key.text == KEY:
        return read_via(key, node, known, written=written)
    if op.fused and key.text in FUSED:
        part = find(key.text)
        assert part is not None
        given = by_name(part, node, (*arguments_of(part), KEY))
        via = given.pop(KEY, None)
        values = {
            name: Given(compile_value(value, known, name), written, word.span) for name, (word, value) in given.items()
        }
        _require_all(part, key.span, values)
        _require_used(part, values)
        return Layer(part, values, span=key.span, via=read_via(*via, known, written=written) if via else None)
    return Given(compile_value(node, known, key.text, key.span), written, key.span)


def by_name(op: type[Op], node: Node | None, words: Iterable[str]) -> dict[str, tuple[Scalar, Node]]:
    """Return arguments by name, each with its word, whichever way they are written; an empty one counts as missing.

    An argument that stands without its word has its own place as that of the word.
    """
    if node is None or is_empty(node):
        return {}
    if isinstance(node, MappingNode):
        return _mapping(op, node, tuple(words))
    places = [argument for argument in arguments_of(op).values() if argument.positional]
    if not places:
        name = next(iter(words), "")
        hint = f"write {{{op.kind}: {{{name}: …}}}}" if name else f"write `{op.kind}` alone"
        raise SpecError("CC205", f"{op.kind} takes no argument without its name", node.span, hint=hint)
    if isinstance(node, Scalar) or places[0].slot.takes_list:
        return {places[0].key: (Scalar(places[0].key, node.span), node)}
    if len(node.items) > len(places):
        order = ", ".join(argument.key for argument in places)
        plural = "argument" if len(places) == 1 else "arguments"
        text = f"{op.kind} takes at most {len(places)} {plural} in a list ({order}), not {len(node.items)}"
        raise SpecError("CC205", text, node.items[len(places)].span)
    given = zip(places, node.items, strict=False)
    return {place.key: (Scalar(place.key, item.span), item) for place, item in given if not is_empty(item)}


def _mapping(op: type[Op], node: MappingNode, words: tuple[str, ...]) -> dict[str, tuple[Scalar, Node]]:
    for key, _ in node.pairs:
        if key.text not in words:
            error = unknown(op, key.text, words if op.arity == (1, 1) else ("branches", *words))
            error.span = key.span
            raise error
    return {key.text: (key, value) for key, value in node.pairs if not is_empty(value)}


def _require_all(op: type[Op], span: Span, given: Mapping[str, object]) -> None:
    if error := missing(op, given):
        error.span = span
        raise error


def _require_used(op: type[Op], given: Mapping[str, Given]) -> None:
    """Demand that a type that is a plain word uses what is written beside it; other types are known at expansion."""
    type_ = given.get("type")
    word = type_.value.expression if type_ else None
    if type_ is None or word is None or word.text not in SYMBOLS:
        return
    for key in sorted(op.ignored({**given, "type": word.text})):
        if given[key].written:
            error = unused(op, {"type": word.text}, key)
            error.span = given[key].key
            raise error


def block_arguments(
    name: str, params: Mapping[str, Value | None], span: Span, node: Node | None, known: Known
) -> dict[str, Value]:
    """Read the arguments of a block call.

    Raises:
        SpecError: CC202 missing, CC205 too many, CC207 unknown parameter.
    """
    pairs = [(key, item) for key, item in _pairs(name, params, node) if not is_empty(item)]
    given = {key: compile_value(item, known, quoted(key)) for key, item in pairs}
    missing = [key for key, default in params.items() if default is None and key not in given]
    if missing:
        names = " and ".join(quoted(key) for key in missing)
        raise SpecError("CC202", f"{name} needs {names}", span, hint=f"its parameters are {', '.join(params)}")
    return given


def _pairs(name: str, params: Mapping[str, object], node: Node | None) -> list[tuple[str, Node]]:
    if node is None or is_empty(node):
        return []
    if isinstance(node, MappingNode):
        for key, _ in node.pairs:
            if key.text not in params:
                valid = f"its parameters are {', '.join(params)}" if params else "it has no parameters"
                text = f"{name} has no parameter {quoted(key.text)}{did_you_mean(key.text, params)}"
                raise SpecError("CC207", text, key.span, hint=valid)
        return [(key.text, value) for key, value in node.pairs]
    items = node.items if isinstance(node, Sequence) else [node]
    if len(items) > len(params):
        plural = "parameter" if len(params) == 1 else "parameters"
        text = f"{name} has {len(params) or 'no'} {plural}, but is given {len(items)}"
        raise SpecError("CC205", text, items[len(params)].span)
    return list(zip(params, items, strict=False))
