"""Items: from YAML nodes to ``Item`` trees, with every name, attribute and expression checked whether it will run or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.ops import activations, find, kinds
from convcalc.spec.arguments import Defaults, block_arguments, layer
from convcalc.spec.items import Block, Call, Given, Item, Join, Layer, Repeat, Series
from convcalc.spec.names import Reference, checked_name, checked_variable, reference, template
from convcalc.spec.nodes import Mapping, Node, Scalar, Sequence
from convcalc.spec.value import Known, compile_text, compile_value, gathering

MODIFIERS = ("name", "from", "when", "else", "repeat", "each", "tie", "note")
TURN = ("i", "first", "last")
"""What a repeated item sees beside its columns."""


@dataclass(slots=True, eq=False)
class Reader:
    """Reads the items of one file or one block. Errors are gathered; a faulty item is left out."""

    known: Known
    defaults: Defaults
    block: Callable[[str, Span], Block | None]
    """Finds a block by its word (``Name`` or ``alias.Name``)."""
    block_words: Callable[[], set[str]]
    errors: list[SpecError]
    calls: list[tuple[Block, Span]] = field(default_factory=list)
    warnings: list[SpecError] = field(default_factory=list)

    def items(self, nodes: list[Node], known: Known, series: Counter[str]) -> list[Item]:
        """Read a list of items; ``series`` counts the places of each base name in the scope."""
        read: list[Item] = []
        for node in nodes:
            with gathering(self.errors):
                read.append(self.item(node, known, series))
        return read

    def item(self, node: Node, known: Known, series: Counter[str], *, in_join: bool = False) -> Item:
        """Read one item."""
        if isinstance(node, Scalar):
            return self._bare(node, known, series)
        if isinstance(node, Sequence):
            return Item(node.span, Series(self.items(node.items, known, series)), "")
        return self._mapping(node, known, series, in_join=in_join)

    def _bare(self, node: Scalar, known: Known, series: Counter[str]) -> Item:
        if node.empty:
            raise SpecError("CC118", "an item is missing", node.span)
        return self._kind(node, None, known, series, scoped=False)

    def _mapping(self, node: Mapping, known: Known, series: Counter[str], *, in_join: bool) -> Item:
        modifiers = {key.text: (key, value) for key, value in node.pairs if key.text in MODIFIERS}
        kind = self._one_kind(node)
        _require_places(modifiers, in_join=in_join)
        repeat = self._repeat(modifiers, known)
        inside = known.plus((*TURN, *repeat.columns)) if repeat else known
        scoped = repeat is not None or "name" in modifiers
        if kind is None:
            read = Item(modifiers["from"][0].span, Series([]), _segment("from", series))
        else:
            read = self._kind(*kind, inside, series, scoped=scoped)
        read.repeat, read.each = repeat, "each" in modifiers
        self._modify(read, modifiers, inside, series)
        return read

    def _one_kind(self, node: Mapping) -> tuple[Scalar, Node] | None:
        written = [(key, value) for key, value in node.pairs if key.text not in MODIFIERS]
        if len(written) > 1:
            first, second = written[0][0], written[1][0]
            if find(first.text) is not None and not self._is_kind(second.text):
                text = f"unknown word {quoted(second.text)} beside {first.text}{did_you_mean(second.text, MODIFIERS)}"
                hint = f"arguments of {first.text} stand in its own braces; beside it stand {', '.join(MODIFIERS)}"
                raise SpecError("CC118", text, second.span, hint=hint)
            text = f"two kinds in one item: {quoted(first.text)} on line {first.span.line} and {quoted(second.text)}"
            raise SpecError("CC118", text, second.span, hint="write a list of two items", notes=((first.span, "the first kind"),))
        if not written and node.get("from") is None:
            guess = did_you_mean(node.pairs[0][0].text, kinds()) if node.pairs else ""
            raise SpecError("CC118", f"an item needs a kind, a block or `from`{guess}", node.span)
        return written[0] if written else None

    def _is_kind(self, word: str) -> bool:
        return word == "seq" or word in activations() or word in kinds() or word in self.block_words()

    def _kind(self, key: Scalar, node: Node | None, known: Known, series: Counter[str], *, scoped: bool) -> Item:
        """Read what stands under the word of a kind, an activation, a block or ``seq``."""
        word, span = key.text, key.span
        if word == "seq":
            segment = _segment("seq", series)
            return Item(span, Series(self._listed(node, span, known, Counter() if scoped else series)), segment)
        if word in activations() and (node is None or (isinstance(node, Scalar) and node.empty)):
            act = find("act")
            assert act is not None
            return Item(span, Layer(act, {"type": Given(compile_text(word, key, known))}, span=span), _segment("act", series))
        op = find(word) if word in kinds() else None
        if op is not None and op.arity != (1, 1):
            return self._join(word, span, node, known, series, scoped=scoped)
        if op is not None:
            return Item(span, layer(op, span, node, known, self.defaults), _segment(word, series))
        return self._call(word, span, node, known, series)

    def _call(self, word: str, span: Span, node: Node | None, known: Known, series: Counter[str]) -> Item:
        block = self.block(word, span)
        if block is None:
            words = {*kinds(), *activations(), *self.block_words(), "seq"}
            what = "activation or layer" if word[:1].islower() and "." not in word else "block"
            raise SpecError("CC204", f"unknown {what} {quoted(word)}{did_you_mean(word, words)}", span)
        self.calls.append((block, span))
        given = block_arguments(word, block.params, span, node, known)
        return Item(span, Call(block, given), _segment(block.name.lower(), series))

    def _join(self, word: str, span: Span, node: Node | None, known: Known, series: Counter[str], *, scoped: bool) -> Item:
        op = find(word)
        assert op is not None
        branches, arguments = node, dict[str, Given]()
        if isinstance(node, Mapping):
            branches = node.get("branches")
            rest = Mapping([(key, value) for key, value in node.pairs if key.text != "branches"], node.span)
            arguments = dict(layer(op, span, rest, known, self.defaults).arguments)
        else:
            arguments = dict(layer(op, span, None, known, self.defaults).arguments)
        if branches is None or isinstance(branches, Scalar):
            raise SpecError("CC117", f"{word} takes a list of branches", branches.span if branches else span)
        segment = _segment(word, series)
        inner = Counter[str]() if scoped else series
        read: list[Item] = []
        for branch in branches.items if isinstance(branches, Sequence) else [branches]:
            with gathering(self.errors):
                read.append(self.item(branch, known, inner, in_join=True))
        return Item(span, Join(Layer(op, arguments, span=span), read), segment)

    def _listed(self, node: Node | None, span: Span, known: Known, series: Counter[str]) -> list[Item]:
        if not isinstance(node, Sequence):
            raise SpecError("CC117", "seq takes a list of items", node.span if node else span)
        return self.items(node.items, known, series)

    def _modify(self, read: Item, modifiers: dict[str, tuple[Scalar, Node]], known: Known, series: Counter[str]) -> None:
        """Read the modifiers that see the variables of a repeat."""
        if "name" in modifiers:
            node = _scalar(*modifiers["name"])
            read.name = template(node, known)
            if read.name.fixed:
                checked_name(node.text, node.span)
        if "from" in modifiers:
            read.sources = _sources(modifiers["from"][1], known)
            _require_inputs(read, modifiers["from"][0].span)
        elif isinstance(read.body, Call) and read.body.block.inputs:
            _require_inputs(read, read.span)
        if "when" in modifiers:
            node = _scalar(*modifiers["when"])
            read.when = compile_value(node, known, "when")
            if read.when.constant:
                self.warnings.append(SpecError("CC803", f"`when: {node.text}` is constant", node.span))
        if "tie" in modifiers:
            node = _scalar(*modifiers["tie"])
            read.tie = True if node.text == "true" else reference(node, known)
        if "else" in modifiers:
            read.other = self._other(read, modifiers["else"][1], known, series)

    def _other(self, read: Item, node: Node, known: Known, series: Counter[str]) -> Item:
        """Read what takes an item's place; a list below a named item is a scope of that name."""
        inner = Counter[str]() if read.scoped and isinstance(node, Sequence) else series
        return self.item(node, known, inner)

    def _repeat(self, modifiers: dict[str, tuple[Scalar, Node]], known: Known) -> Repeat | None:
        key, node = modifiers.get("repeat") or modifiers.get("each") or (None, None)
        if key is None or node is None:
            return None
        if not isinstance(node, Mapping):
            return Repeat(node.span, compile_value(node, known, key.text), {})
        if not node.pairs:
            raise SpecError("CC117", f"{key.text} needs a count or columns", node.span)
        columns = {}
        for name, value in node.pairs:
            columns[checked_variable(name, "column")] = compile_value(value, known, name.text)
        return Repeat(node.span, None, columns)


def _segment(base: str, series: Counter[str]) -> str:
    """Return the default name of an item: base and place; ``_`` between where the base ends in a digit."""
    series[base] += 1
    return f"{base}{'_' if base[-1:].isdigit() else ''}{series[base]}"


def _scalar(key: Scalar, node: Node) -> Scalar:
    if not isinstance(node, Scalar) or node.empty:
        raise SpecError("CC117", f"`{key.text}` takes {'one value' if isinstance(node, Scalar) else 'a single value'}", node.span)
    return node


def _sources(node: Node, known: Known) -> tuple[Reference, ...]:
    nodes = node.items if isinstance(node, Sequence) else [node]
    read = []
    for one in nodes:
        if not isinstance(one, Scalar) or one.empty:
            raise SpecError("CC113", "`from` takes the path of a layer, or a list of them for a block of several inputs", one.span)
        read.append(reference(one, known))
    return tuple(read)


def _require_inputs(read: Item, span: Span) -> None:
    """Demand as many references as the item has inputs."""
    inputs = read.body.block.inputs if isinstance(read.body, Call) else ()
    given = len(read.sources or (None,))
    if given != 1 + len(inputs):
        name = read.body.block.name if isinstance(read.body, Call) else "the item"
        names = ", ".join(("input", *inputs))
        raise SpecError("CC119", f"{name} has {1 + len(inputs)} input{'s' if inputs else ''} ({names}), but `from` names {given}", span)


def _require_places(modifiers: dict[str, tuple[Scalar, Node]], *, in_join: bool) -> None:
    """Demand that modifiers stand where they mean something."""
    if "each" in modifiers and not in_join:
        raise SpecError("CC119", "`each` stands only directly in the list of a join; for a series write `repeat`", modifiers["each"][0].span)
    if "each" in modifiers and "repeat" in modifiers:
        raise SpecError("CC119", "an item has `each` or `repeat`, not both", modifiers["repeat"][0].span)
    if "else" in modifiers and "when" not in modifiers:
        raise SpecError("CC119", "`else` needs a `when`", modifiers["else"][0].span)
