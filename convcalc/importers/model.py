"""What an importer is, and what it returns: a model, of which graphs are made for given sizes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from convcalc.arith import Number
from convcalc.errors import Source, Span, SpecError
from convcalc.graph.graph import Graph
from convcalc.records import NamedTuple, dataclass, field

Size = int | str | None
"""A size of an input: an integer, the name of a variable, an expression of variables, or unknown."""


@dataclass(frozen=True, eq=False)
class Model(ABC):
    """A model that has been read: its structure, before sizes that it leaves open are known."""

    source: Source
    """The file as the user named it: what errors of the whole model point to."""
    inputs: Mapping[str, tuple[Size, ...]]
    """The shapes of its inputs by their names, without the batch axis, channels first; empty where they are unknown."""
    name: str = ""
    note: str = ""
    variants: tuple[str, ...] = ()
    variables: Mapping[str, int | None] = field(default_factory=dict)
    """Sizes that ``--set`` may give, with their defaults, if they have one."""
    choices: str = ""
    """What to give in place of variants and variables, of a model that can have none."""

    @abstractmethod
    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        """Return the graph of one choice of sizes.

        Args:
            variant: one of ``variants``, or ``None`` for the model as it is.
            variables: values of some of the variables.
            inputs: shapes in place of its own, without the batch axis.

        Raises:
            SpecError: what is not known (CC762), wrong, or beyond what the program reads.
        """

    def span(self, node: str = "") -> Span:
        """Return the place of a node, or that of the whole file."""
        return Span(self.source, node=node)


class CodeOptions(NamedTuple):
    """That code of a model may be run, and how: ``--arg``, ``--inputs``, ``--train``, ``--timeout``."""

    arguments: tuple[tuple[str, str], ...] = ()
    """Of the callable that makes the model: names, each with a text that JSON may read."""
    inputs: str = ""
    """``MODULE:FUNCTION`` that returns the arguments of the model, in place of shapes."""
    train: bool = False
    """Whether the model stays in training mode."""
    timeout: float = 300
    """Seconds that it may take."""


class Importer(NamedTuple):
    """Which files an importer reads, and how."""

    title: str
    """What the format is called: ``ONNX``."""
    read: Callable[[Source, bytes | None], Model]
    """From the name of a file, and its content if it has been read, to the model."""
    suffixes: tuple[str, ...] = ()
    """Endings of its files."""
    owns: Callable[[str], bool] | None = None
    """Whether a path is of the format, where no ending tells, such as that of a folder."""
    prefix: str = ""
    """What comes before a name that is not one of a file: ``torch:``."""
    recognizes: Callable[[str], bool] | None = None
    """Whether a YAML or JSON text is of the format; asked of texts that are not specs."""
    runs_code: bool = False
    """Whether reading runs the code of the model; then ``run`` reads it, where that is allowed."""
    run: Callable[[Source, Mapping[str, str], CodeOptions], Model] | None = None
    """From the name of a model, texts of shapes and options to the model."""


def unknown_sizes(model: Model, names: tuple[str, ...], hint: str) -> SpecError:
    """Return the error for sizes that must be given."""
    return SpecError("CC762", f"sizes are not known: {', '.join(names)}", model.span(), hint=hint)
