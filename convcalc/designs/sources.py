"""Where designs come from: specs, with their variants and parts, and graphs in memory."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from convcalc.designs.names import DesignName, parse_design, spec_path
from convcalc.dtypes import BITS, formats
from convcalc.errors import Source, Span, SpecError, SpecErrors, describe_one
from convcalc.graph.graph import Graph
from convcalc.report.report import Report, report_on
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.load import DocumentLoader, Overrides, expand, parse_spec
from convcalc.spec.yaml.text import read_text

Inputs: TypeAlias = Mapping[str, str]
"""Shapes as text by the names of inputs, ``""`` for the only one: ``--input``."""
NO_INPUTS: Inputs = MappingProxyType({})


class CountOptions(NamedTuple):
    """Options of reading and counting a design, as of ``--set``, ``--lib``, ``--variant`` and so on."""

    overrides: Mapping[str, Any] = MappingProxyType({})
    libraries: Sequence[str] = ()
    variant: str | None = None
    batch: int = 1
    dtype: str = "float32"
    inputs: Inputs = NO_INPUTS


DEFAULT_COUNT_OPTIONS = CountOptions()


@dataclass(frozen=True, slots=True)
class Network:
    """A design whose shapes are known: its graph, and the spec and the variables that it came from, if it did."""

    design: DesignName
    graph: Graph
    spec: Spec | None = None
    variables: Mapping[str, Any] | None = None

    @property
    def source(self) -> Source:
        """What errors of the whole design point to."""
        return Source(self.design.text) if self.spec is None else self.spec.document.source

    @property
    def title(self) -> str:
        """The network's own name, or what the user calls it, with its part."""
        name = self.graph.name or self.design.text
        return f"{name} · {self.design.part}" if self.design.part else name

    def report(self, *, batch: int = 1, dtype: str = "float32", detailed: Collection[str] = ()) -> Report:
        """Count everything; see :func:`convcalc.report.report.report_on`."""
        if dtype not in BITS:
            formats(dtype)
        report = report_on(self.graph, self.design.text, batch=batch, dtype=dtype, detailed=detailed)
        if self.spec is None:
            return replace(report, name=self.title)
        document = self.spec.document
        return replace(report, name=self.title, given=document.given, note=document.note)

    def outputs(self) -> list[Network]:
        """Return every output as a design of its own: the layers that lead to it."""
        labels = list(self.graph.outputs)
        designs = [self.design._replace(text=f"{self.design.text}#{label}", part=label) for label in labels]
        return [
            replace(self, design=design, graph=self.graph.leading_to(label))
            for design, label in zip(designs, labels, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec that has been read: every one of its designs can be opened without reading it again."""

    file: str
    """As the user named it."""
    document: Document
    files: DocumentLoader
    inputs: Inputs
    """Shapes that went before its own."""

    def network(
        self, variant: str | None = None, part: str | None = None, *, overrides: Overrides | None = None
    ) -> Network:
        """Expand one design of the file.

        Raises:
            SpecErrors: everything that is wrong with values and shapes, or with the names of variant and part.
        """
        graph, variables = expand(self.document, self.files, overrides=overrides, variant=variant)
        if part is not None:
            try:
                graph = graph.part(part)
            except SpecError as error:
                error.span = Span(self.document.source)
                raise SpecErrors([error]) from None
        return Network(self.design(variant, part), graph, self, variables)

    def design(self, variant: str | None = None, part: str | None = None) -> DesignName:
        """Return the name of one of the file's designs."""
        text = self.file + (f"@{variant}" if variant else "") + (f"#{part}" if part is not None else "")
        return DesignName(text, self.file, variant, part)

    @property
    def path(self) -> str:
        """The real path of the file, by which ``texts`` has it."""
        return next(path for path, document in self.files.documents.items() if document is self.document)

    @property
    def texts(self) -> tuple[tuple[str, str, str], ...]:
        """Of the file and all that it imports the path, the name in errors and the text; see :func:`carried`."""
        documents = self.files.documents
        return tuple((path, document.source.name, document.source.text) for path, document in documents.items())

    @property
    def variants(self) -> tuple[str | None, ...]:
        """The file as it is, and every variant; nothing for a file of blocks without layers."""
        return (None, *self.document.variants) if self.document.layers is not None else ()


def open_spec(file: str, *, libraries: Sequence[str] = (), inputs: Inputs = NO_INPUTS) -> Spec:
    """Read a spec and what it imports; ``file`` may be ``zoo:NAME`` or ``-``, ``inputs`` go before the spec's own.

    Raises:
        SpecErrors: what is wrong with its form and its names.
    """
    try:
        source = read_text(spec_path(file))
    except SpecError as error:
        raise SpecErrors([error]) from None
    return _spec(source, file, libraries, inputs)


def _spec(source: Source, file: str, libraries: Sequence[str], inputs: Inputs = NO_INPUTS) -> Spec:
    files = DocumentLoader(libraries=libraries)
    return Spec(file, parse_spec(source, files, inputs=inputs), files, inputs)


def past_spec(source: Source, file: str, path: str, files: DocumentLoader, inputs: Inputs = NO_INPUTS) -> Spec:
    """Read a spec that does not lie on the disk, such as that of a revision.

    Args:
        source: its text, under the name that errors give it.
        file: what its designs are called.
        path: where it stands, for what it imports.
        files: read that.
        inputs: shapes that go before those of the spec.

    Raises:
        SpecErrors: what is wrong with its form and its names.
    """
    return Spec(file, parse_spec(source, files, path, inputs), files, inputs)


class _Carried:
    """Files whose texts are known."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources

    def read(self, path: str) -> Source:
        return self.sources[path]

    def resolve(self, path: str) -> str:
        return path if path in self.sources else os.path.realpath(path)

    def is_file(self, path: str) -> bool:
        return path in self.sources

    def display_name(self, path: str) -> str:
        return self.sources[path].name if path in self.sources else path


def carried(
    file: str,
    path: str,
    texts: Sequence[tuple[str, str, str]],
    libraries: Sequence[str] = (),
    inputs: Inputs = NO_INPUTS,
) -> Spec:
    """Read a spec again from its texts, in any process; what it is read from may have changed or gone."""
    files = _Carried({path: Source(name, text) for path, name, text in texts})
    loader = DocumentLoader(read=files.read, libraries=libraries, file_system=files)
    return past_spec(files.read(path), file, path, loader, inputs)


def open_design(
    text: str,
    *,
    overrides: Overrides | None = None,
    variant: str | None = None,
    libraries: Sequence[str] = (),
    inputs: Inputs = NO_INPUTS,
) -> Network:
    """Read the design that a text names.

    Raises:
        SpecErrors: everything that is wrong with the spec, or with the name of the design.
    """
    design = parse_design(text)
    spec = open_spec(design.file, libraries=libraries, inputs=inputs)
    network = spec.network(variant if design.variant is None else design.variant, design.part, overrides=overrides)
    return replace(network, design=network.design._replace(text=text))


def open_source(
    source: Source, *, variant: str | None = None, overrides: Overrides | None = None, libraries: Sequence[str] = ()
) -> Network:
    """Read the design whose text is given."""
    network = _spec(source, source.name, libraries).network(variant, overrides=overrides)
    return replace(network, design=network.design._replace(text=source.name))


class Checked(NamedTuple):
    """What validating one file found, over all its variants."""

    file: str
    variants: tuple[str, ...] = ()
    errors: tuple[SpecError, ...] = ()
    warnings: tuple[str, ...] = ()


def check_file(path: str, *, libraries: Sequence[str] = ()) -> Checked:
    """Parse and shape-check a file with every variant; a file of blocks without layers is only parsed."""
    try:
        spec = open_spec(path, libraries=libraries)
    except SpecErrors as errors:
        return Checked(path, errors=tuple(errors.errors))
    found: list[SpecError] = []
    warnings: dict[str, None] = {}
    for variant in spec.variants:
        try:
            graph = spec.network(variant).graph
            warnings.update(dict.fromkeys(map(describe_one, graph.warnings)))
        except SpecErrors as errors:
            found += errors.errors
            for fault in errors.errors:
                fault.hint = fault.hint or (f"in the variant {variant}" if variant else "")
    return Checked(path, tuple(spec.document.variants), tuple(SpecErrors(found).errors), tuple(warnings))
