"""From the text of a spec to a graph with shapes: variables evaluated, items expanded, outputs found."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from convcalc.arith.turns import SplitTurnsError
from convcalc.errors import Source, Span, SpecError, SpecErrors, limit_suggestions, quoted, similar_variable
from convcalc.graph.builder import input_size
from convcalc.graph.graph import Graph
from convcalc.memory import paused, with_stack
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.document.names import no_variant
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.document.value_nodes import (
    HIDDEN_VARIABLE,
    NameScope,
    ValueNode,
    collect_errors,
    parse_expression,
)
from convcalc.spec.expansion.expander import Expander
from convcalc.spec.expansion.frames import Frame, deep_calls
from convcalc.spec.expansion.scopes import Binding, LayerScope, require_one
from convcalc.spec.expansion.symbolic_turns import TurnParts, too_many_parts
from convcalc.spec.limits import limit_list_elements
from convcalc.spec.yaml.nodes import ScalarNode
from convcalc.spec.yaml.text import reject_control_characters, validate_text

Overrides = Mapping[str, Any]
"""``--set``: expressions as text, or values of any kind of number."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


def parse_spec(source: Source, files: DocumentLoader, path: str | None = None) -> Document:
    """Read a spec and what it imports, and check its form and its names, without expanding it.

    Args:
        source: the text.
        files: read its imports.
        path: of the spec, where it is not the name of the source.

    Raises:
        SpecErrors: what is wrong with form and names.
    """
    with deep_calls(), paused(), limit_suggestions():
        try:
            return files.load_root(validate_text(source), path)
        except SpecError as error:
            raise SpecErrors([error]) from None


@with_stack
def expand(
    document: Document,
    files: DocumentLoader,
    *,
    overrides: Overrides = NOTHING,
    variant: str | None = None,
    symbols: Mapping[str, Any] = NOTHING,
    inputs: Mapping[str, ValueNode] = NOTHING,
) -> tuple[Graph, Mapping[str, Any]]:
    """Expand a document for one choice of variables; it does not change, and may be expanded again for others.

    Args:
        document: a spec that has been read.
        files: those that it was read from.
        overrides: of its variables.
        variant: of its variables, before the overrides.
        symbols: values of names that all variables may use, and in place of variables of these names.
        inputs: shapes in place of those of the spec.

    Returns:
        The graph, and the variables with their values.

    Raises:
        SpecErrors: what is wrong with values and shapes.
    """
    with deep_calls(), paused(), limit_suggestions(), limit_list_elements():
        variables = evaluate_variables(document, overrides, variant, symbols)
        parts, shapes = TurnParts(), {**document.inputs, **inputs}
        while True:
            try:
                return _graph(document, files, variables, shapes, parts), variables
            except SplitTurnsError as error:
                if not parts.split(error):
                    raise SpecErrors([too_many_parts(error)]) from None
            except SpecErrors as errors:
                if not parts.split_last(errors.errors):
                    raise


def evaluate_variables(
    document: Document, overrides: Overrides = NOTHING, variant: str | None = None, symbols: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Evaluate the variables in order; ``--set`` overrides the variant, the variant overrides the file."""
    variant = variant and unicodedata.normalize("NFC", variant)
    if variant is not None and variant not in document.variants:
        raise SpecErrors([no_variant("CC701", variant, document.variants, Span(document.source))])
    chosen = {**document.vars, **document.variants.get(variant or "", {})}
    given = dict(_read_override(document, name, value, symbols) for name, value in overrides.items())
    env: dict[str, Any] = dict(symbols)
    errors: list[SpecError] = []
    for name, written in chosen.items():
        value = given.get(name, written)
        if name in symbols or (isinstance(value, ValueNode) and not value.names <= env.keys()):
            continue  # or it uses a variable that has failed already
        try:
            env[name] = value.evaluate(env) if isinstance(value, ValueNode) else value
        except SpecError as error:
            errors.append(error)
    if errors:
        raise SpecErrors(errors)
    return env


def _read_override(document: Document, name: str, value: Any, symbols: Collection[str]) -> tuple[str, Any]:
    """Read the name of a variable and its value in ``--set``; a float means the decimal that it prints as."""
    name, value = unicodedata.normalize("NFC", name), str(value) if isinstance(value, float) else value
    place = Span(Source("--set", f"{name}={value}" if isinstance(value, str) else name), 1, 1, max(1, len(name)))
    if name not in document.vars:
        text = f"no variable {quoted(name)} to set{similar_variable(name, document.vars)}"
        raise SpecErrors([SpecError("CC702", text, place, hint=document.variables_hint)])
    if not isinstance(value, str):
        return name, tuple(value) if isinstance(value, list) else value
    scalar = ScalarNode(value, Span(place.source, 1, len(name) + 2, max(1, len(value))))
    earlier = (*symbols, *list(document.vars)[: list(document.vars).index(name)])
    try:
        reject_control_characters(place.source)
        return name, parse_expression(value, scalar, NameScope(frozenset(earlier), has_input=False))
    except SpecError as error:
        raise SpecErrors([error]) from None


def _graph(
    document: Document,
    files: DocumentLoader,
    variables: Mapping[str, Any],
    inputs: Mapping[str, ValueNode],
    parts: TurnParts,
) -> Graph:
    """Expand the layers of the root document."""
    _require_network(document, inputs)
    imported = [other for other in files.documents.values() if other is not document]
    hidden = [warning for other in imported for warning in other.warnings if warning.code == HIDDEN_VARIABLE]
    own = {id(other.source): evaluate_variables(other) for other in imported}
    expander = Expander({**own, id(document.source): variables}, parts, document.expansions)
    scope = LayerScope()
    errors: list[SpecError] = []
    for name, value in inputs.items():
        try:
            index = expander.builder.input(name, _input_shape(value, variables), source=value.span)
        except SpecError as error:
            error.span = error.span or value.span
            errors.append(error)
            continue
        if name != "input":
            scope.add(name, Binding(index, value.span))
    if errors:
        raise SpecErrors(errors)
    frame = Frame(variables, variables, scope, 0)
    try:
        last = expander.expand_items(document.layers or [], 0, frame)
    except SpecError as error:  # a limit: nothing behind it is known
        raise SpecErrors([*expander.errors, error]) from None
    outputs = _outputs(document, expander, frame, last)
    if expander.errors:
        raise SpecErrors(expander.errors)
    graph = expander.builder.graph(outputs, name=_design_name(document, variables))
    graph.warnings[:0] = [*document.warnings, *hidden, *expander.layers.warnings]
    return graph


def _require_network(document: Document, inputs: Mapping[str, ValueNode]) -> None:
    """Demand layers and an input, for a spec that is to be counted."""
    top, spans = Span(document.source, 1, 1), document.key_spans
    if document.layers is None:
        text = "the spec has no `layers`; a file of blocks can only be imported"
        raise SpecErrors([SpecError("CC121", text, spans.get("layers", top))])
    if not inputs:
        text = "the spec has no `input`: write input: [channels, height, width]"
        raise SpecErrors([SpecError("CC121", text, spans.get("input") or spans.get("inputs", top))])


def _outputs(document: Document, expander: Expander, frame: Frame, last: int) -> dict[str, int]:
    """Return the outputs by label, in their order; the last layer always is one."""
    found: dict[str, int] = {}
    for reference in document.outputs:
        with collect_errors(expander.errors):
            segments = reference.segments(frame.env)
            binding = frame.scope.find(segments, reference.span) if segments != ("input",) else None
            index = frame.block_input if segments == ("input",) else binding.output if binding else None
            if index is not None and require_one(index, reference.span) >= 0:
                found[".".join(segments)] = index
    if not document.outputs and document.layers:
        with collect_errors(expander.errors):
            require_one(last, document.layers[-1].span)
    if last >= 0 and last not in found.values():
        found[expander.builder.nodes[last].path] = last
    return found


def _input_shape(value: ValueNode, env: Mapping[str, Any]) -> Iterator[Any]:
    """Evaluate the sizes of an input."""
    for item in value.items if value.expression is None else (value,):
        size = item.evaluate(env)
        try:
            yield input_size(size)
        except SpecError as error:
            error.span = item.span
            raise


def _design_name(document: Document, variables: Mapping[str, Any]) -> str:
    if document.name is None:
        return ""
    try:
        return document.name.render(variables, decimals=True)
    except SpecError as error:
        raise SpecErrors([error]) from None
