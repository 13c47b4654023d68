"""Block calls that are alike: one block, equal arguments and equal shapes give equal layers, worked out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from convcalc.arith import is_plain
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Node
from convcalc.records import NamedTuple
from convcalc.shapes import Shape
from convcalc.spec.document.syntax_tree import BlockDefinition, values_in
from convcalc.spec.expansion.frames import Frame
from convcalc.spec.expansion.scopes import LayerScope
from convcalc.spec.limits import ITEMS

if TYPE_CHECKING:
    from convcalc.spec.expansion.expander import Expander

MAX_EXPANSIONS = 1024
PLAIN = frozenset((int, bool, str, type(None)))
"""Types of values that are told apart by their values and these types."""


class Expansion(NamedTuple):
    """What a block call made."""

    nodes: list[Node]
    start: int
    """The index of its first node."""
    entering: tuple[int, ...]
    output: int
    items: int
    """How many items were counted."""
    scope: LayerScope
    path: str
    blocks: list[tuple[str, str]]
    """The paths of the blocks inside it, with their names."""
    sizes: tuple[int, int]
    """How many layers it has as limits count them, and how many characters are in their paths behind its own."""

    @property
    def is_repeatable(self) -> bool:
        """Whether there is a tensor that leaves it, and no layer shares its weights or runs again with others."""
        for node in self.nodes:
            if node.weight_owner != node.index or node.checkpoint >= 0 or type(node.times) is not int:
                return False
        return self.output >= 0

    def replay(self, builder: GraphBuilder, entering: Sequence[int], scope: LayerScope) -> int:
        """Add the layers once more, for what enters now and in a new scope; return the output."""
        start, shift = self.start, len(builder.nodes) - self.start
        moved = dict(zip(self.entering, entering, strict=True))
        old, new, nodes = len(self.path), scope.path, builder.nodes

        def index(at: int) -> int:
            return at + shift if at >= start else moved.get(at, at)

        for node in self.nodes:
            inputs, shapes = node.inputs, node.input_shapes
            if len(inputs) == 1 and inputs[0] >= start:
                inputs = (inputs[0] + shift,)
            elif inputs and min(inputs) >= start:
                inputs = tuple([at + shift for at in inputs])
            elif inputs:
                inputs = tuple([index(at) for at in inputs])
                shapes = tuple([nodes[at].facts.output for at in inputs])
            at = node.index + shift
            made = Node(
                at, new + node.path[old:], node.op, inputs, shapes, node.facts, node.source, at, node.source_form
            )
            if node.beside >= 0:
                made.beside = index(node.beside)
            nodes.append(made)
        if self.blocks:
            builder.scopes.update((new + path[old:], name) for path, name in self.blocks)
        scope.copy_from(self.scope, index)
        return index(self.output)


class Expansions:
    """The block calls that were expanded last: of one expansion, or of several of a document whose numbers change."""

    def __init__(self) -> None:
        self.numbers: Hashable = None
        """The numbers in the blocks of the document, where they change."""
        self._known: OrderedDict[Hashable, Expansion] = OrderedDict()
        self._names: dict[int, tuple[BlockDefinition, tuple[str, ...]]] = {}

    def key(self, block: BlockDefinition, inner: Frame, entering: Sequence[int], shapes: Sequence[Shape]) -> Hashable:
        """Return what decides on the layers of a block call; nothing where a value is an array or a symbol."""
        names = block.params if self.numbers is None else self._names_in(block, inner)
        values = tuple([inner.env.get(name) for name in names])
        if self.numbers is not None:  # defaults see the variables of the file, although a parameter has their name
            values += tuple([inner.file_variables.get(name) for name in names if name in block.params])
        types: object = tuple(map(type, values))  # 1 == True
        sizes = tuple(chain(*shapes))
        if not PLAIN.issuperset(map(type, (*values, *sizes))):
            if not _are_plain((*values, *sizes)):
                return None
            types = repr(values)
        places = tuple(map(entering.index, entering)) if len(entering) > 1 else ()
        return id(block), values, types, tuple(shapes), places, len(inner.calls), self.numbers

    def get(self, key: Hashable) -> Expansion | None:
        """Return what a call of the same key made."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: Hashable, made: Expansion) -> None:
        """Keep what a call made, if it can be repeated."""
        if made.is_repeatable:
            self._known[key] = made
            if len(self._known) > MAX_EXPANSIONS:
                self._known.popitem(last=False)

    def _names_in(self, block: BlockDefinition, inner: Frame) -> tuple[str, ...]:
        """Return all variables that a block and those that it calls may read from outside."""
        if id(block) not in self._names:
            names = {name for value in values_in(block) for name in value.names}
            known = inner.env.keys() | inner.file_variables.keys()
            self._names[id(block)] = block, tuple(sorted({*names, *block.params} & known))
        return self._names[id(block)][1]


def _are_plain(values: Sequence[object]) -> bool:
    """Whether no value is an array or a symbol, nor has one in it."""
    return all(_are_plain(value) if type(value) is tuple else is_plain(value) for value in values)


def expand_block(expander: Expander, block: BlockDefinition, entering: tuple[int, ...], inner: Frame) -> int:
    """Expand the body of a block, or add once more what a call made that is alike; return the output."""
    builder, scope = expander.builder, inner.scope
    start, items, blocks = len(builder.nodes), expander.items, len(builder.scopes)
    layers, characters = expander.layers.counted
    key = expander.expansions.key(block, inner, entering, [builder.shape(index) for index in entering])
    known = None if expander.errors else expander.expansions.get(key)
    if known and items + known.items <= ITEMS and expander.layers.has_room(len(known.nodes), known.sizes, scope):
        output = known.replay(builder, entering, scope)
        expander.items += known.items
    else:
        output = expander.expand_items(block.items, entering[0], inner)
        if key is not None and not expander.errors:
            made, inside = builder.nodes[start:], list(islice(builder.scopes.items(), blocks, None))
            items, (layers_now, characters_now) = expander.items - items, expander.layers.counted
            sizes = layers_now - layers, characters_now - characters - len(made) * len(scope.path)
            put = expander.expansions.put
            put(key, Expansion(made, start, entering, output, items, scope, scope.path, inside, sizes))
    if len(builder.nodes) > start:  # the paths of a million empty calls would fill the memory
        builder.scopes[scope.path] = block.name
    return output
