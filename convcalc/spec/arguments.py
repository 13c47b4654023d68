"""The arguments of layers and blocks: from YAML to values by name, and from values to an op."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.ops import Op, arguments_of, find
from convcalc.spec.items import Given, Layer
from convcalc.spec.names import Reference, reference
from convcalc.spec.nodes import Mapping as MappingNode
from convcalc.spec.nodes import Node, Scalar, Sequence
from convcalc.spec.value import Known, Value, compile_value

FUSED = ("norm", "act")
Defaults = Mapping[str, Mapping[str, "Given | Layer"]]


def allowed(op: type[Op]) -> tuple[str, ...]:
    """Return every word that may stand among the arguments of an op."""
    return (*arguments_of(op), *op.references, *(FUSED if op.fused else ()))


def layer(op: type[Op], span: Span, node: Node | None, known: Known, defaults: Defaults) -> Layer:
    """Read the arguments of a layer and fill in the file's defaults.

    Raises:
        SpecError: CC202 missing, CC203 unknown, CC205 too many, CC114 malformed arguments.
    """
    written = by_name(op, span, node, allowed(op))
    read = Layer(op, {}, span=span)
    inherited = {**defaults.get(op.borrows, {}), **defaults.get(op.kind, {})}
    merged: dict[str, Given | Layer] = {key: value for key, value in inherited.items() if key in allowed(op)}
    for key, (_, value) in written.items():
        if key in op.references:
            read.references = {**read.references, key: _reference(key, value, known)}
        else:
            merged[key] = attribute(op, key, value, known)
    read.fused = {key: part for key in FUSED if isinstance(part := merged.get(key), Layer)}
    read.arguments = {key: value for key, value in merged.items() if isinstance(value, Given)}
    _require_all(op, span, read.arguments)
    return read


def _reference(key: str, node: Node, known: Known) -> Reference:
    if not isinstance(node, Scalar):
        raise SpecError("CC114", f"{key} must be the path of a layer", node.span)
    return reference(node, known)


def attribute(op: type[Op], key: str, node: Node, known: Known, *, written: bool = True) -> Given | Layer:
    """Read one argument: a value, or the norm or activation that is fused to the layer."""
    if op.fused and key in FUSED:
        part = find(key)
        assert part is not None
        given = by_name(part, node.span, node, tuple(arguments_of(part)))
        values = {name: Given(compile_value(value, known, name), written) for name, (_, value) in given.items()}
        _require_all(part, node.span, values)
        return Layer(part, values, span=node.span)
    return Given(compile_value(node, known, key), written)


def by_name(op: type[Op], span: Span, node: Node | None, words: Iterable[str]) -> dict[str, tuple[Span, Node]]:
    """Return arguments by name, whichever way they are written; an empty one counts as missing."""
    if node is None or (isinstance(node, Scalar) and node.empty):
        return {}
    if isinstance(node, MappingNode):
        return _mapping(op, node, tuple(words))
    places = [argument for argument in arguments_of(op).values() if argument.positional]
    if not places:
        hint = f"write {{{op.kind}: {{{next(iter(words), 'name')}: …}}}}" if arguments_of(op) else f"write `{op.kind}` alone"
        raise SpecError("CC205", f"{op.kind} takes no argument without its name", node.span, hint=hint)
    if isinstance(node, Scalar) or places[0].slot.takes_list:
        return {places[0].key: (node.span, node)}
    if len(node.items) > len(places):
        order = ", ".join(argument.key for argument in places)
        raise SpecError("CC205", f"{op.kind} takes at most {len(places)} arguments in a list ({order}), not {len(node.items)}", node.span)
    given = zip(places, node.items, strict=False)
    return {place.key: (item.span, item) for place, item in given if not (isinstance(item, Scalar) and item.empty)}


def _mapping(op: type[Op], node: MappingNode, words: tuple[str, ...]) -> dict[str, tuple[Span, Node]]:
    given: dict[str, tuple[Span, Node]] = {}
    for key, value in node.pairs:
        if key.text not in words:
            valid = f"it has {', '.join(words)}" if words else "it has none"
            raise SpecError("CC203", f"{op.kind} has no attribute {quoted(key.text)}{did_you_mean(key.text, words)}", key.span, hint=valid)
        if not (isinstance(value, Scalar) and value.empty):
            given[key.text] = (key.span, value)
    return given


def _require_all(op: type[Op], span: Span, given: Mapping[str, object]) -> None:
    missing = [argument for argument in arguments_of(op).values() if argument.required and argument.key not in given]
    if missing:
        names = " and ".join(f"'{argument.key}'" for argument in missing)
        order = ", ".join(argument.key for argument in arguments_of(op).values() if argument.positional)
        raise SpecError("CC202", f"{op.kind} needs {names}", span, hint=f"its arguments in a list are [{order}]" if order else "")


def block_arguments(name: str, params: Mapping[str, Value | None], span: Span, node: Node | None, known: Known) -> dict[str, Value]:
    """Read the arguments of a block call.

    Raises:
        SpecError: CC202 missing, CC205 too many, CC207 unknown parameter.
    """
    given: dict[str, Value] = {}
    for key, item in _pairs(name, tuple(params), node):
        if not (isinstance(item, Scalar) and item.empty):
            given[key] = compile_value(item, known, key)
    missing = [key for key, default in params.items() if default is None and key not in given]
    if missing:
        names = " and ".join(quoted(key) for key in missing)
        raise SpecError("CC202", f"{name} needs {names}", span, hint=f"its parameters are {', '.join(params)}")
    return given


def _pairs(name: str, params: tuple[str, ...], node: Node | None) -> list[tuple[str, Node]]:
    if node is None or (isinstance(node, Scalar) and node.empty):
        return []
    if isinstance(node, MappingNode):
        for key, _ in node.pairs:
            if key.text not in params:
                valid = f"its parameters are {', '.join(params)}" if params else "it has no parameters"
                raise SpecError("CC207", f"{name} has no parameter {quoted(key.text)}{did_you_mean(key.text, params)}", key.span, hint=valid)
        return [(key.text, value) for key, value in node.pairs]
    items = node.items if isinstance(node, Sequence) else [node]
    if len(items) > len(params):
        plural = "parameter" if len(params) == 1 else "parameters"
        raise SpecError("CC205", f"{name} has {len(params) or 'no'} {plural}, but is given {len(items)}", node.span)
    return list(zip(params, items, strict=False))

