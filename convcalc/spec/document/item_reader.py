"""Items: from YAML nodes to ``Item`` trees; every name, attribute and expression is checked, will it run or not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.ops.op import arguments_of
from convcalc.ops.registry import activations, find, kinds
from convcalc.spec.document.arguments import KEY, Defaults, block_arguments, default_via, layer, read_via
from convcalc.spec.document.blocks import Library
from convcalc.spec.document.names import Reference, Template, checked_name, checked_variable, reference, template
from convcalc.spec.document.syntax_tree import Block, Call, Given, Item, Join, Layer, Repeat, Series
from convcalc.spec.document.value_nodes import TURN, Known, compile_text, compile_value, gathering
from convcalc.spec.yaml.fields import holds_nothing, is_empty, require_text
from convcalc.spec.yaml.nodes import Mapping, Node, Scalar, Sequence

MODIFIERS = ("name", "from", "when", "else", "repeat", "each", "tie", "via", "note")

Modifiers = dict[str, tuple[Scalar, Node]]


@dataclass(slots=True, eq=False)
class Reader:
    """Reads the items of one file or one block. Errors are gathered; a faulty item is left out."""

    defaults: Defaults
    library: Library
    errors: list[SpecError]
    warnings: list[SpecError]
    calls: list[tuple[Block, Span]] = field(default_factory=list)
    """The blocks that are called, and where."""

    def items(self, nodes: list[Node], known: Known, series: Counter[str]) -> list[Item]:
        """Read a list of items; ``series`` counts the places of each base name in the scope."""
        read: list[Item] = []
        for node in nodes:
            with gathering(self.errors):
                read.append(self.item(node, known, series))
        return read

    def item(
        self, node: Node, known: Known, series: Counter[str], *, in_join: bool = False, inherited: int = 0
    ) -> Item:
        """Read one item. One that stands in the place of another has ``inherited`` the references of its ``from``."""
        if isinstance(node, Sequence):
            return Item(node.span, Series(self.items(node.items, known, series)), "")
        if isinstance(node, Scalar):
            read = self._bare(node, known, series)
        else:
            read = self._mapping(node, known, series, in_join=in_join)
        _require_inputs(read, inherited)
        return read

    def _bare(self, node: Scalar, known: Known, series: Counter[str]) -> Item:
        if node.empty:
            raise SpecError("CC118", "an item is missing", node.span)
        return self._kind(node, None, known, series, scoped=False)

    def _mapping(self, node: Mapping, known: Known, series: Counter[str], *, in_join: bool) -> Item:
        modifiers = {key.text: (key, value) for key, value in node.pairs if key.text in MODIFIERS}
        kind = self._one_kind(node)
        _require_places(modifiers, in_join=in_join)
        repeat = _repeat(modifiers, known)
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
            raise self._several([key for key, _ in written])
        if not written and node.get("from") is None:
            raise SpecError("CC118", "an item needs a kind, a block or `from`", node.span)
        return written[0] if written else None

    def _several(self, keys: list[Scalar]) -> SpecError:
        """Return the error about an item of several kinds, or of one kind and a word that is none."""
        known = [key for key in keys if self._is_kind(key.text)]
        if len(known) == 1:
            (kind,) = known
            stray = next(key for key in keys if key is not kind)
            text = f"unknown word {quoted(stray.text)} beside {kind.text}{did_you_mean(stray.text, MODIFIERS)}"
            hint = f"arguments of {kind.text} stand in its own braces; beside it stand {', '.join(MODIFIERS)}"
            return SpecError("CC116", text, stray.span, hint=hint)
        first, second = (known or keys)[:2]
        text = f"two kinds in one item: {quoted(first.text)} on line {first.span.line} and {quoted(second.text)}"
        notes = ((first.span, "the first kind"),)
        return SpecError("CC123", text, second.span, hint="write a list of two items", notes=notes)

    def _is_kind(self, word: str) -> bool:
        return word == "seq" or word in activations() or word in kinds() or word in self.library

    def _kind(self, key: Scalar, node: Node | None, known: Known, series: Counter[str], *, scoped: bool) -> Item:
        """Read what stands under the word of a kind, an activation, a block or ``seq``."""
        word, span = key.text, key.span
        if word == "seq":
            segment = _segment("seq", series)
            return Item(span, Series(self._listed(node, span, known, Counter() if scoped else series)), segment)
        if word in activations():
            return self._activation(key, node, known, series)
        op = find(word) if word in kinds() else None
        if op is not None and op.arity != (1, 1):
            return self._join(word, span, node, known, series, scoped=scoped)
        if op is not None:
            return Item(span, layer(op, span, node, known, self.defaults), _segment(word, series))
        return self._call(word, span, node, known, series)

    def _activation(self, key: Scalar, node: Node | None, known: Known, series: Counter[str]) -> Item:
        act = find("act")
        assert act is not None
        if isinstance(node, Mapping) and node.pairs:
            (word, _), *_ = node.pairs
            hint = f"write `act: {{type: {key.text}, {word.text}: …}}`" if word.text in arguments_of(act) else ""
            raise SpecError("CC203", f"{key.text} has no attribute {quoted(word.text)}", word.span, hint=hint)
        if node is not None and not holds_nothing(node):
            raise SpecError("CC205", f"{key.text} takes no arguments", node.span)
        type_ = Given(compile_text(key.text, key, known))
        read = Layer(act, {"type": type_}, span=key.span, via=default_via(self.defaults, act))
        return Item(key.span, read, _segment("act", series))

    def _call(self, word: str, span: Span, node: Node | None, known: Known, series: Counter[str]) -> Item:
        block = self.library.find(word, span)
        if block is None:
            raise self._unknown(word, span)
        self.calls.append((block, span))
        given = block_arguments(word, block.params, span, node, known)
        return Item(span, Call(block, given), _segment(block.name.lower(), series))

    def _unknown(self, word: str, span: Span) -> SpecError:
        what = "activation or layer" if word[:1].islower() and "." not in word else "block"
        first = re.match(r"\w*", word)
        if first and first[0] != word and self._is_kind(first[0]):
            hint = f"arguments stand behind a colon and a space: `{first[0]}: …`"
            return SpecError("CC204", f"unknown {what} {quoted(word)}", span, hint=hint)
        from convcalc.spec.document.foreign_names import guess  # only what is wrong needs it

        meant, hint = guess(word, chain(kinds(), activations(), self.library.words(), ("seq",)))
        return SpecError("CC204", f"unknown {what} {quoted(word)}{meant}", span, hint=hint)

    def _join(
        self, word: str, span: Span, node: Node | None, known: Known, series: Counter[str], *, scoped: bool
    ) -> Item:
        op = find(word)
        assert op is not None
        branches, rest = node, None
        if isinstance(node, Mapping):
            branches = node.get("branches")
            rest = Mapping([(key, value) for key, value in node.pairs if key.text != "branches"], node.span)
        joined = layer(op, span, rest, known, self.defaults)
        if branches is None or is_empty(branches):
            raise SpecError("CC202", f"{word} needs its branches, a list of items", span)
        if isinstance(branches, Scalar):
            raise SpecError("CC117", f"{word} takes a list of branches", branches.span)
        segment = _segment(word, series)
        inner = Counter[str]() if scoped else series
        read: list[Item] = []
        for branch in branches.items if isinstance(branches, Sequence) else [branches]:
            with gathering(self.errors):
                read.append(self.item(branch, known, inner, in_join=True))
        return Item(span, Join(joined, read), segment)

    def _listed(self, node: Node | None, span: Span, known: Known, series: Counter[str]) -> list[Item]:
        if node is None or is_empty(node):
            raise SpecError("CC202", "seq needs its items, a list", span)
        if not isinstance(node, Sequence):
            raise SpecError("CC117", "seq takes a list of items", node.span)
        return self.items(node.items, known, series)

    def _modify(self, read: Item, modifiers: Modifiers, known: Known, series: Counter[str]) -> None:
        """Read the modifiers that see the variables of a repeat."""
        if "name" in modifiers:
            node = _scalar(*modifiers["name"])
            read.name = template(node, known)
            if read.name.fixed:
                read.name = Template((checked_name(node.text, node.span),), node.span)
        if "from" in modifiers:
            read.sources = _sources(*modifiers["from"], known)
        if "when" in modifiers:
            node = _scalar(*modifiers["when"])
            read.when = compile_text(node.text, node, known)
            if read.when.constant:
                self.warnings.append(SpecError("CC803", f"`when` is constant: {quoted(node.text)}", node.span))
        if "tie" in modifiers:
            node = _scalar(*modifiers["tie"])
            read.tie = True if node.text == "true" else reference(node, known)
        if KEY in modifiers:
            _layer_of(read, modifiers[KEY][0].span).via = read_via(*modifiers[KEY], known)
        if "note" in modifiers:
            require_text("`note`", modifiers["note"][1])
        if "else" in modifiers:
            read.other = self._other(read, *modifiers["else"], known, series)

    def _other(self, read: Item, key: Scalar, node: Node, known: Known, series: Counter[str]) -> Item:
        """Read what takes an item's place; a list below a named item is a scope of that name."""
        if is_empty(node):
            raise SpecError("CC114", "the item of `else` is missing", key.span)
        inner = Counter[str]() if read.scoped and isinstance(node, Sequence) else series
        return self.item(node, known, inner, inherited=len(read.sources or ()))


def _layer_of(read: Item, span: Span) -> Layer:
    """Return the layer that an item is, which alone can be written in one way or another."""
    body = read.body.layer if isinstance(read.body, Join) else read.body
    if not isinstance(body, Layer):
        raise SpecError("CC119", "`via` says how one layer is written: let it stand at the layers inside", span)
    return body


def _repeat(modifiers: Modifiers, known: Known) -> Repeat | None:
    key, node = modifiers.get("repeat") or modifiers.get("each") or (None, None)
    if key is None or node is None:
        return None
    if not isinstance(node, Mapping):
        return Repeat(node.span, compile_value(node, known, f"`{key.text}`", key.span), {})
    if not node.pairs:
        raise SpecError("CC114", f"`{key.text}` needs a count or columns", node.span)
    columns = {}
    for name, value in node.pairs:
        column = checked_variable(name, "column")
        columns[column] = compile_value(value, known, f"the column {quoted(column)}", name.span)
    return Repeat(node.span, None, columns)


def _segment(base: str, series: Counter[str]) -> str:
    """Return the default name of an item: base and place; ``_`` between where the base ends in a digit."""
    series[base] += 1
    return f"{base}{'_' if base[-1:].isdigit() else ''}{series[base]}"


def _scalar(key: Scalar, node: Node) -> Scalar:
    if is_empty(node):
        raise SpecError("CC114", f"`{key.text}` is missing its value", key.span)
    if not isinstance(node, Scalar):
        raise SpecError("CC117", f"`{key.text}` takes a single value", node.span)
    return node


def _sources(key: Scalar, node: Node, known: Known) -> tuple[Reference, ...]:
    if is_empty(node):
        raise SpecError("CC114", "`from` is missing its value", key.span)
    read = []
    for one in node.items if isinstance(node, Sequence) else [node]:
        if not isinstance(one, Scalar) or one.empty:
            text = "`from` takes the path of a layer, or a list of them for a block of several inputs"
            raise SpecError("CC113", text, one.span)
        read.append(reference(one, known))
    if not read:
        raise SpecError("CC113", "`from` names no layer", node.span)
    return tuple(read)


def _require_inputs(read: Item, inherited: int) -> None:
    """Demand as many references as the item has inputs; of those that are inherited, the first ones are read."""
    names = ("input", *(read.body.block.inputs if isinstance(read.body, Call) else ()))
    given = len(read.sources or ()) or max(1, min(inherited, len(names)))
    if given != len(names):
        name = read.body.block.name if isinstance(read.body, Call) else "the item"
        reads = f"{name} reads {len(names)} tensor{'s' if names[1:] else ''} ({', '.join(names)})"
        named = f"`from` names {given}" if read.sources else "there is no `from` with their names"
        span = (read.sources or ())[len(names)].span if given > len(names) else read.span
        raise SpecError("CC124", f"{reads}, but {named}", span)


def _require_places(modifiers: Modifiers, *, in_join: bool) -> None:
    """Demand that modifiers stand where they mean something."""
    if "each" in modifiers and not in_join:
        text = "`each` stands only directly in the list of a join; for a series write `repeat`"
        raise SpecError("CC119", text, modifiers["each"][0].span)
    if "each" in modifiers and "repeat" in modifiers:
        second = max((modifiers["each"][0], modifiers["repeat"][0]), key=lambda key: key.span[1:])
        raise SpecError("CC119", "an item has `each` or `repeat`, not both", second.span)
    if "else" in modifiers and "when" not in modifiers:
        raise SpecError("CC119", "`else` needs a `when`", modifiers["else"][0].span)
