"""Where designs come from: specs, with their variants and parts, and graphs in memory."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from convcalc.designs.names import DesignName, chosen_variant, is_named_as_spec, parse_design, spec_path
from convcalc.errors import Source, Span, SpecError, SpecErrors
from convcalc.graph.graph import LEADING_TO, Graph
from convcalc.records import NamedTuple, dataclass, field, replace
from convcalc.report.measurements import Conditions, Measurements, not_counted
from convcalc.report.metrics import is_known
from convcalc.report.report import Report
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.document.value_nodes import ValueNode
from convcalc.spec.load import Overrides, expand, parse_spec
from convcalc.spec.yaml.text import read_text

if TYPE_CHECKING:
    from convcalc.devices.roofline import Device
    from convcalc.report.fold import TableOptions

Inputs: TypeAlias = Mapping[str, str]
"""Shapes as text by the names of inputs, ``""`` for the only one: ``--input``."""
NO_INPUTS: Inputs = MappingProxyType({})
Axes: TypeAlias = str | int | Sequence[int]
"""The axes of an input, without the batch: ``"3,224,224"`` or ``(3, 224, 224)``."""
Code: TypeAlias = Mapping[str, Any] | None
"""Fields of :class:`convcalc.importers.model.CodeOptions` where code of a model may be run, and else nothing."""
MISSING_FILE, FOLDER, NO_TEXT = ("CC001", "CC703"), "CC002", ("CC004", "CC005")
SPEC_KEY = re.compile(r"""^[ \t]*(?:[{,][ \t]*)?["']?(?:layers|blocks)["']?[ \t]*:""", re.MULTILINE)
"""A key that a spec has at the top, and no YAML of other programs: they have their layers in ``backbone``."""


class CountOptions(NamedTuple):
    """Options of reading and counting a design, as of ``--set``, ``--lib``, ``--variant`` and so on."""

    overrides: Mapping[str, Any] = {}
    libraries: tuple[str, ...] = ()
    variant: str | None = None
    batch: int = 1
    dtypes: tuple[str, ...] = ("float32",)
    """All data types that are given; only ``batch`` counts for several."""
    inputs: Mapping[str, str] = {}
    code: Code = None
    """How code of a model is run, where it may be."""
    strict: bool = False
    """Whether a layer that is not counted is an error."""

    @property
    def dtype(self) -> str:
        return self.dtypes[0]


DEFAULT_COUNT_OPTIONS = CountOptions()


def input_texts(shapes: Axes | Mapping[str, Axes]) -> Inputs:
    """Return shapes as text: one for the only input, or several by the names of inputs."""
    given = shapes if isinstance(shapes, Mapping) else {"": shapes} if shapes else {}
    return {key: str(axes) if isinstance(axes, str | int) else ",".join(map(str, axes)) for key, axes in given.items()}


@dataclass(frozen=True, slots=True)
class Network:
    """A design whose shapes are known: its graph, and the spec and the variables that it came from, if it did."""

    design: DesignName
    graph: Graph
    spec: SpecFile | None = None
    variables: Mapping[str, Any] | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    """What ``--set`` gave: names of variables, each with its text."""

    @property
    def source(self) -> Source:
        """What errors of the whole design point to."""
        return Source(self.design.text) if self.spec is None else self.spec.document.source

    @property
    def title(self) -> str:
        """The network's own name with its part, or what the user calls it."""
        return self.design.title(self.graph.name)

    def measurements(self, batch: int = 1, dtype: str = "float32", device: Device | None = None) -> Measurements:
        """Return its metrics, which are worked out when they are asked for."""
        return Measurements(self.design.text, self.graph, self.source, Conditions(batch, dtype, device))

    @property
    def given_inputs(self) -> dict[str, tuple[int, ...] | None]:
        """The shapes that ``--input`` gave, by input; none for an input that is not in this part of the network."""
        shapes = {node.path: tuple(node.shape) for node in self.graph.inputs}
        return {name: shapes.get(name) for name in (self.spec.shapes if self.spec else ())}

    def report(
        self, *, batch: int = 1, dtype: str = "float32", extra: Collection[str] = (), device: str | None = None,
        seen: TableOptions | None = None,
    ) -> Report:  # fmt: skip
        """Count everything, or what is seen as text; see :meth:`convcalc.report.measurements.Measurements.report`."""
        machine = None
        if device is not None:
            from convcalc.devices import roofline  # a plain report does without

            machine = roofline.read_device(device)
        report = self.measurements(batch, dtype, machine).report(extra, seen)
        if self.spec is None:
            return replace(report, name=self.title)
        given = tuple(self.spec.shapes)
        return replace(report, name=self.title, given=given, overrides=self.overrides, note=self.spec.document.note)

    def require_counted(self, metrics: Iterable[str] | None = None) -> None:
        """Demand that every layer is known in some metrics; by default that its multiplies are.

        Raises:
            SpecErrors: CC623, for every layer that is not.
        """
        asked = ("macs",) if metrics is None else tuple(metrics)
        unknown = [
            not_counted(self.design.text, node, self.source, key)
            for node in self.graph.uncounted
            if (key := next((key for key in asked if not is_known(key, node)), ""))
        ]
        if unknown:
            raise SpecErrors(unknown)

    def outputs(self) -> list[Network]:
        """Return every output as a design of its own, ``FILE#..output``: the layers that lead to it.

        It is called ``FILE#output`` where that is the same network. A part has one output, and is it.
        """
        return [self] if self.design.part is not None else [self._output(label) for label in self.graph.outputs]

    def _output(self, label: str) -> Network:
        part = f"{LEADING_TO}{label}"
        graph = self.graph.subgraph(part)
        inside = [node.path for node in self.graph.layers if f"{node.path}.".startswith(f"{label}.")]
        shown = label if inside and inside == [node.path for node in graph.layers] else part
        return replace(self, design=self.design._replace(text=f"{self.design.text}#{shown}", part=part), graph=graph)


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec that has been read: every one of its designs can be opened without reading it again."""

    file: str
    """As the user named it."""
    document: Document
    files: DocumentLoader
    inputs: Inputs
    """Shapes in place of its own, as text."""
    shapes: Mapping[str, ValueNode] = field(default_factory=dict)
    """The same, by the names of the inputs."""

    def expand(
        self,
        variant: str | None = None,
        part: str | None = None,
        *,
        overrides: Overrides | None = None,
        symbols: Mapping[str, Any] = MappingProxyType({}),
        inputs: Mapping[str, ValueNode] = MappingProxyType({}),
    ) -> Network:
        """Expand one design of the file; ``inputs`` replace its shapes, see :func:`convcalc.spec.load.expand`.

        Raises:
            SpecErrors: everything that is wrong with values and shapes, or with the names of variant and part.
        """
        shapes = {**self.shapes, **inputs}
        graph, variables = expand(
            self.document, self.files, overrides=overrides or {}, variant=variant, symbols=symbols, inputs=shapes
        )
        if part is not None:
            try:
                graph = graph.subgraph(part)
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
        """Of the file and all that it imports the path, the name in errors and the text."""
        documents = self.files.documents
        return tuple((path, document.source.name, document.source.text) for path, document in documents.items())

    @property
    def variants(self) -> tuple[str | None, ...]:
        """The file as it is, and every variant; nothing for a file of blocks without layers."""
        return (None, *self.document.variants) if self.document.layers is not None else ()


def open_spec(file: str, *, libraries: Sequence[str] = (), inputs: Inputs = NO_INPUTS, code: Code = None) -> SpecFile:
    """Read a spec and what it imports, or a model; ``inputs`` go before its own. ``file`` may be ``zoo:NAME`` or ``-``.

    A model that is code is read only if ``code`` says so.

    Raises:
        SpecErrors: what is wrong with its form and its names.
    """
    if not is_named_as_spec(file):
        from convcalc.importers.registry import importer_of  # specs do without

        if importer := importer_of(file):
            from convcalc.designs.imported import open_model

            return open_model(file, importer, inputs, code=code)
    try:
        source = read_text(spec_path(file))
    except SpecError as error:
        if error.code in (*MISSING_FILE, FOLDER) and not error.hint:
            from convcalc.designs.zoo import similar_designs  # only what is missing needs it

            error.hint = similar_designs(file)
        if error.code in NO_TEXT and file == "-":
            error.hint = "a model is read from its file, such as model.onnx, not from standard input"
        elif error.code in NO_TEXT:
            from convcalc.importers.refused import other_format  # texts do without

            error = other_format(file) or error
        elif error.code == "CC003" and file.endswith(".json"):
            error.hint = "a model of Keras may be larger as a .keras file: model.save('model.keras')"
        raise SpecErrors([error]) from None
    return read_spec(source, file, None, DocumentLoader(libraries=libraries), inputs)


def read_spec(
    source: Source, file: str, path: str | None, files: DocumentLoader, inputs: Inputs = NO_INPUTS
) -> SpecFile:
    """Read a spec from its text, such as that of a revision; ``inputs`` go before its own.

    Its designs are named after ``file``; its imports are found from ``path``, by default the name of the source.

    Raises:
        SpecErrors: what is wrong with its form and its names.
    """
    if source.text.lstrip().startswith("{") or not SPEC_KEY.search(source.text):  # JSON may have layers further inside
        from convcalc.importers.registry import importer_of_text  # specs do without

        if importer := importer_of_text(source.text):
            from convcalc.designs.imported import open_model

            return open_model(file, importer, inputs, source.text.encode())
    document = parse_spec(source, files, path)
    if not inputs:
        return SpecFile(file, document, files, inputs)
    from convcalc.spec.document.given_inputs import read_inputs  # not needed by most

    return SpecFile(file, document, files, inputs, read_inputs(document, inputs))


def open_design(
    text: str,
    *,
    overrides: Overrides | None = None,
    variant: str | None = None,
    libraries: Sequence[str] = (),
    inputs: Inputs = NO_INPUTS,
    code: Code = None,
) -> Network:
    """Read the design that a text names; see :func:`open_spec`.

    Raises:
        SpecErrors: everything that is wrong with the spec, or with the name of the design.
    """
    design = parse_design(text)
    variant = chosen_variant(design, variant)
    spec = open_spec(design.file, libraries=libraries, inputs=inputs, code=code)
    network = spec.expand(variant, design.part, overrides=overrides)
    return _as_named(network, design, text, overrides)


def _as_named(network: Network, named: DesignName, text: str, overrides: Overrides | None) -> Network:
    """Return a network under the user's name of it, with the variant that ``--variant`` chose."""
    chosen = network.design.text if named.variant is None and network.design.variant else text
    given = tuple((name, str(value)) for name, value in (overrides or {}).items())
    return replace(network, design=network.design._replace(text=chosen), overrides=given)


def open_source(
    source: Source, *, variant: str | None = None, overrides: Overrides | None = None,
    libraries: Sequence[str] = (), inputs: Inputs = NO_INPUTS,
) -> Network:  # fmt: skip
    """Read the design whose text is given."""
    spec = read_spec(source, source.name, None, DocumentLoader(libraries=libraries), inputs)
    network = spec.expand(variant, overrides=overrides)
    return _as_named(network, DesignName(source.name, source.name), source.name, overrides)
