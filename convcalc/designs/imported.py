"""Designs of imported models: files that are not specs, under the same names and with the same options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from convcalc.designs.sources import NO_INPUTS, Code, Inputs, Network, SpecFile
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.graph.builder import input_size
from convcalc.importers.model import CodeOptions, Importer, Model
from convcalc.spec.document.given_inputs import read_inputs
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.document.names import no_variant
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.document.value_nodes import NameScope, ValueNode, parse_expression
from convcalc.spec.load import Overrides, evaluate_variables
from convcalc.spec.yaml.nodes import ScalarNode
from convcalc.spec.yaml.text import require_inside_repository


@dataclass(frozen=True, slots=True)
class ImportedFile(SpecFile):
    """A model that has been read. Its ``document`` has the names of a spec, but no layers that could be expanded."""

    model: Model | None = None

    def expand(
        self,
        variant: str | None = None,
        part: str | None = None,
        *,
        overrides: Overrides | None = None,
        symbols: Mapping[str, Any] = MappingProxyType({}),
        inputs: Mapping[str, ValueNode] = MappingProxyType({}),
    ) -> Network:
        """Return one design of the model.

        Raises:
            SpecErrors: what is not known, wrong, or not read; or the names of variant and part.
        """
        assert self.model is not None
        given = overrides or {}
        try:
            if variant is not None and variant not in self.model.variants:
                raise SpecErrors([no_variant("CC701", variant, self.document.variants, Span(self.document.source))])
            values = evaluate_variables(self.document, given, None, symbols)
        except SpecErrors as wrong:
            for each in wrong.errors:
                each.hint = self.model.choices or each.hint
            raise
        known = {
            name: value
            for name, value in values.items()
            if name in given or name in symbols or self.model.variables.get(name) is not None
        }
        try:
            shapes = {name: tuple(_sizes(node, values)) for name, node in {**self.shapes, **inputs}.items()}
            graph = self.model.graph(variant, known, shapes)
            if part is not None:
                graph = graph.subgraph(part)
        except SpecError as error:
            error.span = error.span or Span(self.document.source)
            raise SpecErrors([error]) from None
        return Network(self.design(variant, part), graph, self, known)

    @property
    def path(self) -> str:
        return self.document.source.name

    @property
    def texts(self) -> tuple[tuple[str, str, str], ...]:
        """Nothing: a model is read again from its file."""
        return ()


def open_model(
    file: str, importer: Importer, inputs: Inputs = NO_INPUTS, data: bytes | None = None, code: Code = None
) -> ImportedFile:
    """Read a model.

    Args:
        file: its name.
        importer: of its format.
        inputs: shapes in place of its own, as text.
        data: the content, if it has been read.
        code: whether code of a model may be run, and how.

    Raises:
        SpecErrors: why it cannot be read.
    """
    source = Source(file)
    try:
        if data is None and not importer.prefix:
            require_inside_repository(file)
            if os.path.exists(file) and not (os.path.isfile(file) or os.path.isdir(file)):
                raise SpecError("CC002", "is a pipe or a device, not a file", Span(source))
        model = _run(importer, source, inputs, code) if importer.runs_code else importer.read(source, data)
        document = _document(model)
    except OSError as error:
        raise SpecErrors([SpecError("CC001", f"cannot be read: {error.strerror}", Span(source))]) from None
    except SpecError as error:
        error.span = error.span or Span(source)
        raise SpecErrors([error]) from None
    read = ImportedFile(file, document, DocumentLoader(), inputs, model=model)
    if importer.runs_code:  # it has the sizes that it was run with
        return replace(read, shapes=dict(document.inputs)) if inputs else read
    return replace(read, shapes=read_inputs(document, inputs)) if inputs else read


def _run(importer: Importer, source: Source, inputs: Inputs, code: Code) -> Model:
    """Run the code of a model, where that is allowed."""
    if code is None:
        hint = "report, compare and explain run it; batch and check with --allow-code; nothing in a file can allow it"
        raise SpecError("CC770", f"{quoted(source.name)} is code of a model, and is not run here", hint=hint)
    assert importer.run is not None
    return importer.run(source, inputs, CodeOptions(**code))


def _document(model: Model) -> Document:
    """Return what other rooms ask of a spec: the names of variables, inputs and variants."""
    document = Document(model.source, note=model.note, layers=[])
    for name, default in model.variables.items():
        document.vars[name] = _number(model, 1 if default is None else default)
    for name, sizes in model.inputs.items():
        document.inputs[name] = ValueNode(
            model.span(name),
            None,
            tuple(_number(model, size) if isinstance(size, int) else _name(model, size) for size in sizes),
        )
    document.variants.update({variant: {} for variant in model.variants})
    return document


def _number(model: Model, size: int) -> ValueNode:
    return parse_expression(str(size), ScalarNode(str(size), model.span()), NameScope(frozenset()))


def _name(model: Model, name: str | None) -> ValueNode:
    """Return a size that a variable gives, if it has a name that an expression can have."""
    word = name if name and name.isidentifier() else ""
    if not word:
        return _number(model, 1)
    return parse_expression(word, ScalarNode(word, model.span()), NameScope(frozenset({word})))


def _sizes(node: ValueNode, values: Mapping[str, Any]) -> Iterator[Any]:
    for item in node.items if node.expression is None else (node,):
        yield input_size(item.evaluate(values))
