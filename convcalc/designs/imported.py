"""Designs of imported models: files that are not specs, under the same names and with the same options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from convcalc.designs.sources import NO_INPUTS, Code, Inputs, Network, SpecFile
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.graph.builder import input_size
from convcalc.importers.model import CodeOptions, Importer, Model
from convcalc.importers.refused import other_format
from convcalc.importers.refused import read as refused
from convcalc.importers.registry import importer_of
from convcalc.records import dataclass, replace
from convcalc.spec.document.given_inputs import read_inputs
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.document.names import no_variant
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.document.value_nodes import NameScope, ValueNode, parse_expression
from convcalc.spec.load import Overrides, evaluate_variables
from convcalc.spec.yaml.nodes import ScalarNode
from convcalc.spec.yaml.text import require_inside_repository, similar_file

FIXED = "none, the sizes of the model are fixed; `convcalc import` writes it as a spec, which can have some"
DAMAGED = ("CC004", "CC005", "CC760")
UNKNOWN = "unknown_size"


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
            given_shapes = {**self.shapes, **inputs}.items()
            shapes = {name: tuple(_sizes(node, values)) for name, node in given_shapes if _is_known(node, known)}
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
            _require_file(file, importer)
        model = _run(importer, source, inputs, code) if importer.runs_code else importer.read(source, data)
        document = _document(model)
    except OSError as error:
        raise SpecErrors([SpecError("CC001", f"cannot be read: {error.strerror}", Span(source))]) from None
    except SpecError as error:
        error.span = error.span or Span(source)
        if error.code in DAMAGED and data is None and not importer.prefix and (other := other_format(file)):
            error.hint = f"{other.text.removeprefix('not read: ')}; {other.hint}"
        raise SpecErrors([error]) from None
    read = ImportedFile(file, document, DocumentLoader(), inputs, model=model)
    if importer.runs_code:  # it has the sizes that it was run with
        return replace(read, shapes=dict(document.inputs)) if inputs else read
    return replace(read, shapes=read_inputs(document, inputs)) if inputs else read


def open_content(name: str, content: bytes, label: str) -> ImportedFile:
    """Read a model that is no text from its content, such as that of a revision, which ``label`` names in errors.

    Raises:
        SpecErrors: why it cannot be read.
    """
    with TemporaryDirectory() as folder:  # what reads it needs a file
        copy = os.path.join(folder, os.path.basename(name))
        with open(copy, "wb") as file:
            file.write(content)
        importer = importer_of(copy)
        assert importer
        try:
            read = open_model(copy, importer)
        except SpecErrors as found:
            raise SpecErrors(
                SpecError(error.code, error.text, Span(Source(f"{label}: {name}")), error.hint.replace(copy, name))
                for error in found.errors
            ) from None
    assert read.model is not None
    return replace(read, file=name, model=replace(read.model, source=Source(name)))


def _require_file(file: str, importer: Importer) -> None:
    """Demand a regular file, before a pipe could wait for a writer; or a folder that is of the format."""
    require_inside_repository(file)
    if not os.path.exists(file) and importer.read is not refused:
        raise SpecError("CC001", "no such file", Span(Source(file)), hint=similar_file(file))
    if os.path.isdir(file) and not (importer.owns and importer.owns(file)):
        raise SpecError("CC002", "is a folder, not a model", Span(Source(file)))
    if os.path.exists(file) and not os.path.isfile(file) and not os.path.isdir(file):
        raise SpecError("CC002", "is a pipe or a device, not a file", Span(Source(file)))


def _run(importer: Importer, source: Source, inputs: Inputs, code: Code) -> Model:
    """Run the code of a model, where that is allowed."""
    if code is None:
        hint = "batch and check take it; report, compare and explain do without; nothing in a file can allow it"
        text = f"{quoted(source.name)} is code of a model, and is not run here without --allow-code"
        raise SpecError("CC770", text, hint=hint)
    assert importer.run is not None
    return importer.run(source, inputs, CodeOptions(**code))


def _document(model: Model) -> Document:
    """Return what other rooms ask of a spec: the names of variables, inputs and variants."""
    fixed = f"none; {model.choices}" if model.choices else FIXED
    document = Document(model.source, note=model.note, layers=[], without_variables=fixed)
    for name, default in model.variables.items():
        document.vars[name] = _number(model, 1 if default is None else default)
    for name, sizes in model.inputs.items():
        document.inputs[name] = ValueNode(
            model.span(name),
            None,
            tuple(_number(model, size) if isinstance(size, int) else _named(model, size) for size in sizes),
        )
    document.variants.update({variant: {} for variant in model.variants})
    return document


def _number(model: Model, size: int) -> ValueNode:
    return parse_expression(str(size), ScalarNode(str(size), model.span()), NameScope(frozenset()))


def _named(model: Model, size: str | None) -> ValueNode:
    """Return a size that variables give; one that is unknown has a name that no variable has."""
    text, names = (UNKNOWN, (UNKNOWN,)) if size is None else (size, tuple(model.variables))
    return parse_expression(text, ScalarNode(text, model.span()), NameScope(frozenset(names)))


def _is_known(node: ValueNode, known: Mapping[str, Any]) -> bool:
    """Whether all variables of a shape have values, so that no default of a size that is open is counted."""
    return all(item.names <= known.keys() for item in (node, *node.items))


def _sizes(node: ValueNode, values: Mapping[str, Any]) -> Iterator[Any]:
    for item in node.items if node.expression is None else (node,):
        yield input_size(item.evaluate(values))
