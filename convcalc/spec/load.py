"""From the text of a spec to a shaped graph: variables settled, items expanded, outputs found."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from convcalc.errors import Source, Span, SpecError, SpecErrors, did_you_mean, few_guesses, quoted
from convcalc.gc_pause import uncollected
from convcalc.graph.builder import input_size
from convcalc.graph.graph import Graph
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.document.names import Reference, no_variant
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.document.value_nodes import NameScope, ValueNode, parse_expression
from convcalc.spec.expansion.expander import Expander
from convcalc.spec.expansion.frames import Frame, deep_calls
from convcalc.spec.expansion.scopes import Binding, LayerScope
from convcalc.spec.yaml.nodes import ScalarNode
from convcalc.spec.yaml.text import reject_control_characters, validate_text

__all__ = ["DocumentLoader", "Overrides", "expand", "parse_spec"]

Overrides = Mapping[str, Any]
"""``--set``: expressions as text, or values of any kind of number."""


def parse_spec(
    source: Source, files: DocumentLoader, path: str | None = None, inputs: Mapping[str, str] | None = None
) -> Document:
    """Read a spec and what it imports, without expanding it: its form and its names stand.

    Args:
        source: the text.
        files: read what it imports.
        path: where the spec stands, if its name does not say so.
        inputs: shapes for inputs of the spec, in place of its own.

    Raises:
        SpecErrors: what is wrong with form and names.
    """
    with deep_calls(), uncollected(), few_guesses():
        document = files.load_root(_validated(source), path)
        if inputs:
            from convcalc.spec.document.given_inputs import give_inputs  # only what gives some needs it

            give_inputs(document, inputs)
        return document


def expand(
    document: Document, files: DocumentLoader, *, overrides: Overrides | None = None, variant: str | None = None
) -> tuple[Graph, Mapping[str, Any]]:
    """Expand a document that has been read, for one choice of variables; it may be expanded again for others.

    Returns:
        The graph, and the variables with their values.

    Raises:
        SpecErrors: what is wrong with values and shapes.
    """
    with deep_calls(), uncollected(), few_guesses():
        variables = evaluate_variables(document, overrides or {}, variant)
        return _graph(document, files, variables), variables


def _validated(source: Source) -> Source:
    try:
        return validate_text(source)
    except SpecError as error:
        raise SpecErrors([error]) from None


def evaluate_variables(document: Document, overrides: Overrides, variant: str | None) -> dict[str, Any]:
    """Work the variables out in order; ``--set`` goes before the variant, the variant before the file."""
    variant = variant and unicodedata.normalize("NFC", variant)
    if variant is not None and variant not in document.variants:
        raise SpecErrors([no_variant("CC701", variant, document.variants, Span(document.source))])
    chosen = {**document.vars, **document.variants.get(variant or "", {})}
    given = dict(_read_override(document, name, value) for name, value in overrides.items())
    env: dict[str, Any] = {}
    errors: list[SpecError] = []
    for name, written in chosen.items():
        value = given.get(name, written)
        if isinstance(value, ValueNode) and not value.names <= env.keys():
            continue  # it uses a variable that has failed already
        try:
            env[name] = value.evaluate(env) if isinstance(value, ValueNode) else value
        except SpecError as error:
            errors.append(error)
    if errors:
        raise SpecErrors(errors)
    return env


def _read_override(document: Document, name: str, value: Any) -> tuple[str, Any]:
    """Read the name of a variable and what ``--set`` gives for it; a float means the decimal that it prints as."""
    name, value = unicodedata.normalize("NFC", name), str(value) if isinstance(value, float) else value
    place = Span(Source("--set", f"{name}={value}" if isinstance(value, str) else name), 1, 1, max(1, len(name)))
    if name not in document.vars:
        known = ", ".join(document.vars) or "none"
        text = f"no variable {quoted(name)} to set{did_you_mean(name, document.vars)}"
        raise SpecErrors([SpecError("CC702", text, place, hint=f"variables: {known}")])
    if not isinstance(value, str):
        return name, tuple(value) if isinstance(value, list) else value
    scalar = ScalarNode(value, Span(place.source, 1, len(name) + 2, max(1, len(value))))
    earlier = list(document.vars)[: list(document.vars).index(name)]
    try:
        reject_control_characters(place.source)
        return name, parse_expression(value, scalar, NameScope(frozenset(earlier), has_input=False))
    except SpecError as error:
        raise SpecErrors([error]) from None


def _graph(document: Document, files: DocumentLoader, variables: Mapping[str, Any]) -> Graph:
    """Expand the layers of the root document."""
    _require_network(document)
    own: dict[int, Mapping[str, Any]] = {
        id(other): evaluate_variables(other, {}, None) for other in files.documents.values() if other is not document
    }
    own[id(document)] = variables
    expander = Expander(own)
    scope = LayerScope()
    errors: list[SpecError] = []
    for name, value in document.inputs.items():
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
    graph.warnings[:0] = [*document.warnings, *expander.layers.warnings]
    return graph


def _require_network(document: Document) -> None:
    """Demand layers and what enters them, for a spec that is to be counted."""
    top, places = Span(document.source, 1, 1), document.key_spans
    if document.layers is None:
        text = "the spec has no `layers`; a file of blocks can only be imported"
        raise SpecErrors([SpecError("CC121", text, places.get("layers", top))])
    if not document.inputs:
        text = "the spec has no `input`: write input: [channels, height, width]"
        raise SpecErrors([SpecError("CC121", text, places.get("input") or places.get("inputs", top))])


def _outputs(document: Document, expander: Expander, frame: Frame, last: int) -> dict[str, int]:
    """Return the outputs by label, in their order; the last layer is one."""
    found: dict[str, int] = {}
    for reference in document.outputs:
        try:
            label, index = _output(reference, frame)
        except SpecError as error:
            expander.errors.append(error)
            continue
        if index is not None and index >= 0:
            found[label] = index
    if last >= 0 and last not in found.values():
        found[expander.builder.nodes[last].path] = last
    return found


def _output(reference: Reference, frame: Frame) -> tuple[str, int | None]:
    segments = reference.segments(frame.env)
    if segments == ("input",):
        return "input", frame.block_input
    entry = frame.scope.find(segments, reference.span)
    return ".".join(segments), entry.output if entry else None


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
