"""Syntax tree of a spec: names validated, expressions parsed, nothing evaluated."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from convcalc.errors import Source, Span, SpecError
from convcalc.ops.op import Op
from convcalc.ops.source_form import SOURCE_FORMS
from convcalc.records import NamedTuple, dataclass, field
from convcalc.spec.document.claims import Claim
from convcalc.spec.document.names import Template
from convcalc.spec.document.value_nodes import ValueNode


class ArgumentValue(NamedTuple):
    """The value of an argument; ``explicit``: written at the layer, not taken from ``defaults``."""

    value: ValueNode
    explicit: bool = True
    key: Span | None = None
    """The span of its name, if it has one."""


@dataclass(slots=True, eq=False)
class LayerItem:
    """One layer of a built-in kind; ``fused`` are the norm and act that follow it."""

    op: type[Op]
    arguments: Mapping[str, ArgumentValue]
    references: Mapping[str, Template] = field(default_factory=dict)
    fused: Mapping[str, LayerItem] = field(default_factory=dict)
    span: Span | None = None
    """The span of a fused part; otherwise that of the item."""
    source_form: SourceForm | None = None


@dataclass(slots=True, eq=False)
class JoinItem:
    """Branches that read the same input and meet in one op."""

    layer: LayerItem
    branches: list[Item]


@dataclass(slots=True, eq=False)
class SequenceItem:
    """Items run in order; none pass their input on. With ``apart`` each reads that input, and nothing is passed on."""

    items: list[Item]
    apart: bool = False


@dataclass(slots=True, eq=False)
class BlockCall:
    """A call of a block, with the arguments that are given."""

    block: BlockDefinition
    arguments: Mapping[str, ValueNode]


ItemBody: TypeAlias = LayerItem | JoinItem | SequenceItem | BlockCall


@dataclass(slots=True, eq=False)
class Repeat:
    """A count, or columns of equal length."""

    span: Span
    count: ValueNode | None
    columns: Mapping[str, ValueNode]


@dataclass(slots=True, eq=False)
class Item:
    """One item with its modifiers. ``segment`` names it where ``name`` does not."""

    span: Span
    body: ItemBody
    default_name: str
    name: Template | None = None
    inputs: tuple[Template, ...] | None = None
    when: ValueNode | None = None
    otherwise: Item | None = None
    repeat: Repeat | None = None
    each: bool = False
    of: ValueNode | None = None
    """How many branches there are, of which ``each`` are those that run."""
    tie: Template | bool = False
    checkpoint: ValueNode | None = None

    @property
    def opens_scope(self) -> bool:
        """Whether its own layers are named below it: a name or a repeat makes a series or a join a scope."""
        return self.name is not None or self.repeat is not None

    def name_prefixes(self) -> Iterator[str]:
        """Give the beginnings of all names that the item enters into its scope."""
        if self.name is not None:
            first = self.name.parts[0]
            yield first if isinstance(first, str) else ""
        elif self.repeat is not None:
            yield self.default_name
        elif isinstance(self.body, SequenceItem | JoinItem):
            for inner in self.body.items if isinstance(self.body, SequenceItem) else self.body.branches:
                if inner.default_name:
                    yield inner.default_name
                yield from inner.name_prefixes()


@dataclass(slots=True, eq=False)
class BlockDefinition:
    """A block: parameters in order (no default = required), names of further inputs, items."""

    name: str
    span: Span
    document: Source
    """The text of its document, which no other document has: the document itself would be a cycle, and a cycle is freed
    by a search alone."""
    params: Mapping[str, ValueNode | None] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    items: list[Item] = field(default_factory=list)
    calls: list[tuple[BlockDefinition, Span]] = field(default_factory=list)
    """Blocks that its items call, and where: for finding cycles."""
    is_used: bool = False
    min_items: int = 0
    """How many items a call makes at least."""


class SourceForm(NamedTuple):
    """An expression of a word; ``explicit``: written at the layer, not taken from ``defaults``."""

    value: ValueNode
    explicit: bool = True

    def evaluate(self, env: Mapping[str, Any], own: Mapping[str, Any]) -> str:
        """Return the word, CC410 where it is none; ``defaults`` see only the variables of their file (``own``)."""
        found = self.value.evaluate(env if self.explicit else own)
        if not isinstance(found, str) or found not in SOURCE_FORMS:
            raise SpecError("CC410", f"via is none of {', '.join(SOURCE_FORMS)}", self.value.span)
        return str(found)


@dataclass(slots=True, eq=False)
class Document:
    """A spec file, which does not change once read. ``layers`` is ``None`` in a file that is only imported."""

    source: Source
    key_spans: dict[str, Span] = field(default_factory=dict)
    """Spans of the top-level keys, those without a value included."""
    inputs: dict[str, ValueNode] = field(default_factory=dict)
    vars: dict[str, ValueNode] = field(default_factory=dict)
    variants: dict[str, dict[str, ValueNode]] = field(default_factory=dict)
    defaults: dict[str, dict[str, ArgumentValue | LayerItem | SourceForm]] = field(default_factory=dict)
    blocks: dict[str, BlockDefinition] = field(default_factory=dict)
    imports: dict[str, Document] = field(default_factory=dict)
    layers: list[Item] | None = None
    outputs: list[Template] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    name: Template | None = None
    note: str = ""
    warnings: list[SpecError] = field(default_factory=list)
    expansions: Any = None
    """What its block calls expanded to, for a document whose numbers change from one expansion to the next."""
    without_variables: str = "none"
    """What hints list where there are no variables."""

    @property
    def variables_hint(self) -> str:
        """The names of all variables, for a hint."""
        return f"variables: {', '.join(self.vars) or self.without_variables}"

    def find_block(self, word: str) -> BlockDefinition | None:
        """Return the block that a word calls: one of the file's own, or ``alias.Name`` of an import."""
        alias, dot, name = unicodedata.normalize("NFC", word).partition(".")
        if not dot:
            return self.blocks.get(alias)
        return self.imports[alias].blocks.get(name) if alias in self.imports else None

    def block_words(self) -> Iterator[str]:
        """Yield the words that call blocks."""
        yield from self.blocks
        for alias, document in self.imports.items():
            yield from (f"{alias}.{name}" for name in document.blocks)


def values_in(block: BlockDefinition) -> Iterator[ValueNode]:
    """Yield the values in a block and in the blocks that it calls."""
    seen: set[int] = set()
    waiting: list[Any] = [block]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, Source | Span | str):
            continue
        seen.add(id(part))
        if isinstance(part, ValueNode):
            yield part
        elif isinstance(part, tuple | list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, BlockDefinition | Item | LayerItem | JoinItem | SequenceItem | BlockCall | Repeat):
            waiting += [getattr(part, name) for name in part.__slots__]
