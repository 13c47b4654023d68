"""Items: from YAML nodes to ``Item`` trees; names, attributes and expressions are checked, whether or not they run."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.ops.op import Op, arguments_of, may_lack_branches
from convcalc.ops.registry import activation_names, find_op, kinds
from convcalc.records import dataclass, field
from convcalc.spec.document.arguments import (
    NAMES,
    VIA_KEY,
    default_source_form,
    read_block_arguments,
    read_layer,
    read_parts,
    read_via,
)
from convcalc.spec.document.modifiers import (
    MODIFIERS,
    Modifiers,
    hint_beside,
    layer_of,
    read_condition,
    read_from,
    read_of,
    read_repeat,
    require_valid_modifiers,
)
from convcalc.spec.document.names import (
    Template,
    numbered_name,
    parse_reference,
    parse_template,
    validate_name,
)
from convcalc.spec.document.syntax_tree import (
    ArgumentValue,
    BlockCall,
    BlockDefinition,
    Document,
    Item,
    JoinItem,
    LayerItem,
    SequenceItem,
)
from convcalc.spec.document.value_nodes import (
    LOOP_VARIABLES,
    NameScope,
    collect_errors,
    parse_expression,
)
from convcalc.spec.yaml.fields import has_no_arguments, is_empty, items_or_self, require_scalar, require_text
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode


@dataclass(slots=True, eq=False)
class ItemReader:
    """Reads the items of a file or of a block. Errors are gathered; a faulty item is left out."""

    document: Document
    errors: list[SpecError]
    calls: list[tuple[BlockDefinition, Span]] = field(default_factory=list)
    """The blocks that are called, with the spans of the calls."""

    def read_items(
        self, nodes: list[YamlNode], known: NameScope, series: Counter[str], *, in_join: bool = False
    ) -> list[Item]:
        """Read a list of items; ``series`` counts the items of each default name in the scope."""
        read: list[Item] = []
        for node in nodes:
            with collect_errors(self.errors):
                read.append(self.read_item(node, known, series, in_join=in_join))
        return read

    def read_item(
        self, node: YamlNode, known: NameScope, series: Counter[str], *, in_join: bool = False, inherited: int = 0
    ) -> Item:
        """Read one item; that of an ``else`` has ``inherited`` so many references of a ``from``."""
        if isinstance(node, ListNode):
            return Item(node.span, SequenceItem(self.read_items(node.items, known, series)), "")
        if isinstance(node, ScalarNode):
            if node.is_empty:
                raise SpecError("CC118", "an item is missing", node.span)
            read = self._read_kind(node, None, known, series, series)
        else:
            read = self._read_mapping(node, known, series, in_join=in_join)
        _require_inputs(read, inherited)
        return read

    def _read_mapping(self, node: MapNode, known: NameScope, series: Counter[str], *, in_join: bool) -> Item:
        modifiers: Modifiers = {}
        written: list[tuple[ScalarNode, YamlNode]] = []
        for key, value in node.pairs:
            if key.text in MODIFIERS:
                modifiers[key.text] = key, value
            else:
                written.append((key, value))
        kind = self._kind_key(node, written, modifiers)
        if kind is not None and not modifiers:
            return self._read_kind(*kind, known, series, series)
        require_valid_modifiers(modifiers, in_join=in_join)
        repeat = read_repeat(modifiers, known)
        inside = known.with_names((*LOOP_VARIABLES, *repeat.columns)) if repeat else known
        if kind is None:
            read = Item(modifiers["from"][0].span, SequenceItem([]), _next_name("from", series))
        else:
            opens_scope = repeat is not None or "name" in modifiers
            read = self._read_kind(*kind, inside, series, Counter[str]() if opens_scope else series)
        read.checkpoint = read_condition("checkpoint", modifiers, inside)
        read.repeat, read.each, read.of = repeat, "each" in modifiers, read_of(modifiers, known)
        self._read_modifiers(read, modifiers, inside, series)
        return read

    def _kind_key(
        self, node: MapNode, written: list[tuple[ScalarNode, YamlNode]], modifiers: Modifiers
    ) -> tuple[ScalarNode, YamlNode] | None:
        """Return the kind of an item and its value, of the keys that are ``written`` beside modifiers."""
        if len(written) > 1:
            raise self._ambiguous_kind([key for key, _ in written])
        if not written and "from" not in modifiers:
            raise SpecError("CC118", "an item needs a kind, a block or `from`", node.span)
        return written[0] if written else None

    def _ambiguous_kind(self, keys: list[ScalarNode]) -> SpecError:
        """Return the error about an item of several kinds, or of one kind and a word that is none."""
        known = [key for key in keys if self._is_kind(key.text)]
        if len(known) == 1:
            (kind,) = known
            stray = next(key for key in keys if key is not kind)
            text = f"unknown word {quoted(stray.text)} beside {kind.text}{did_you_mean(stray.text, MODIFIERS)}"
            hint = f"arguments of {kind.text} belong in its own braces; beside it are allowed {', '.join(MODIFIERS)}"
            return SpecError("CC116", text, stray.span, hint=hint)
        first, second = (known or keys)[:2]
        text = f"two kinds in one item: {quoted(first.text)} on line {first.span.line} and {quoted(second.text)}"
        notes = ((first.span, "the first kind"),)
        hint, op = "write a list of two items", find_op(first.text)
        if op is not None and op.accepts_norm_act and second.text in ("norm", "act", *activation_names()):
            argument = second.text if second.text in ("norm", "act") else f"act: {second.text}"
            hint += f", or {argument} among the arguments of {first.text}, in its braces"
        return SpecError("CC123", text, second.span, hint=hint, notes=notes)

    def _is_kind(self, word: str) -> bool:
        return (
            word == "seq" or word in activation_names() or word in kinds() or self.document.find_block(word) is not None
        )

    def _read_kind(
        self, key: ScalarNode, node: YamlNode | None, known: NameScope, series: Counter[str], inner: Counter[str]
    ) -> Item:
        """Read the value of a kind, an activation, a block or ``seq``; ``inner`` counts the names of items inside."""
        word, span = key.text, key.span
        if word in activation_names():
            return Item(span, self._read_activation(key, node), _next_name("act", series))
        op = find_op(word)
        if op is None and word != "seq":
            call = self._read_call(word, span, node, known)
            return Item(span, call, _next_name(call.block.name.lower(), series))
        if op is not None and op.part_arguments and isinstance(node, MapNode) and node.get(NAMES) is not None:
            parts = read_parts(op, span, node, known, self.document.defaults)
            return Item(span, SequenceItem(parts, apart=True), _next_name(word, series))
        if op is not None and op.arity == (1, 1):
            return Item(span, read_layer(op, span, node, known, self.document.defaults), _next_name(word, series))
        segment = _next_name(word, series)
        if op is not None:
            return Item(span, self._read_join(op, span, node, known, inner), segment)
        if node is None or is_empty(node):
            raise SpecError("CC202", "seq needs its items, a list", span)
        if not isinstance(node, ListNode):
            raise SpecError("CC117", "seq takes a list of items", node.span)
        return Item(span, SequenceItem(self.read_items(node.items, known, inner)), segment)

    def _read_activation(self, key: ScalarNode, node: YamlNode | None) -> LayerItem:
        act = find_op("act")
        assert act is not None
        if isinstance(node, MapNode) and node.pairs:
            (word, _), *_ = node.pairs
            hint = f"write `act: {{type: {key.text}, {word.text}: …}}`" if word.text in arguments_of(act) else ""
            hint = hint or hint_beside(word.text, key.text)
            raise SpecError("CC203", f"{key.text} has no attribute {quoted(word.text)}", word.span, hint=hint)
        if node is not None and not has_no_arguments(node):
            raise SpecError("CC205", f"{key.text} takes no arguments", node.span)
        type_ = ArgumentValue(parse_expression(key.text, key, NameScope(frozenset())))
        source_form = default_source_form(self.document.defaults, act)
        return LayerItem(act, {"type": type_}, span=key.span, source_form=source_form)

    def _read_call(self, word: str, span: Span, node: YamlNode | None, known: NameScope) -> BlockCall:
        alias, dot, _ = word.partition(".")
        if dot and alias not in self.document.imports:
            raise SpecError("CC204", f"no import {quoted(alias)}{did_you_mean(alias, self.document.imports)}", span)
        block = self.document.find_block(word)
        if block is None:
            raise self._unknown_kind(word, span)
        block.is_used = True
        self.calls.append((block, span))
        return BlockCall(block, read_block_arguments(word, block.params, span, node, known))

    def _unknown_kind(self, word: str, span: Span) -> SpecError:
        what = "activation or layer" if word[:1].islower() and "." not in word else "block"
        first = re.match(r"\w*", word)
        if first and first[0] != word and self._is_kind(first[0]):
            hint = f"arguments follow a colon and a space: `{first[0]}: …`"
            return SpecError("CC204", f"unknown {what} {quoted(word)}", span, hint=hint)
        from convcalc.spec.document.foreign_names import suggest  # only what is wrong needs it

        meant, hint = suggest(word, chain(kinds(), activation_names(), self.document.block_words(), ("seq",)))
        return SpecError("CC204", f"unknown {what} {quoted(word)}{meant}", span, hint=hint)

    def _read_join(
        self, op: type[Op], span: Span, node: YamlNode | None, known: NameScope, inner: Counter[str]
    ) -> JoinItem:
        branches: YamlNode | None = node
        rest: YamlNode | None = None
        if isinstance(node, MapNode):
            branches = node.get("branches")
            rest = MapNode([(key, value) for key, value in node.pairs if key.text != "branches"], node.span)
        elif isinstance(node, ScalarNode) and may_lack_branches(op):
            branches, rest = None, node
        joined = read_layer(op, span, rest, known, self.document.defaults)
        if (branches is None or is_empty(branches)) and may_lack_branches(op):
            return JoinItem(joined, [Item(span, SequenceItem([]), "")])
        if branches is None or is_empty(branches):
            raise SpecError("CC202", f"{op.kind} needs its branches, a list of items", span)
        if isinstance(branches, ScalarNode):
            raise SpecError("CC117", f"{op.kind} takes a list of branches", branches.span)
        return JoinItem(joined, self.read_items(items_or_self(branches), known, inner, in_join=True))

    def _read_modifiers(self, read: Item, modifiers: Modifiers, known: NameScope, series: Counter[str]) -> None:
        """Read the modifiers that see the variables of a repeat."""
        if "name" in modifiers:
            node = require_scalar(*modifiers["name"])
            read.name = parse_template(node, known)
            if read.name.is_constant:
                read.name = Template((validate_name(node.text, node.span),), node.span)
        if "from" in modifiers:
            read.inputs = read_from(*modifiers["from"], known)
        if "when" in modifiers:
            node = require_scalar(*modifiers["when"])
            read.when = parse_expression(node.text, node, known)
            if not read.when.names:
                self.document.warnings.append(SpecError("CC803", f"`when` is constant: {quoted(node.text)}", node.span))
        if "tie" in modifiers:
            node = require_scalar(*modifiers["tie"])
            read.tie = True if node.text == "true" else parse_reference(node, known)
        if VIA_KEY in modifiers:
            layer_of(read, modifiers[VIA_KEY][0].span).source_form = read_via(*modifiers[VIA_KEY], known)
        if "note" in modifiers:
            require_text("`note`", modifiers["note"][1])
        if "else" in modifiers:
            read.otherwise = self._read_else(read, *modifiers["else"], known, series)

    def _read_else(self, read: Item, key: ScalarNode, node: YamlNode, known: NameScope, series: Counter[str]) -> Item:
        """Read the item of an ``else``; a list below a named item is a scope of that name."""
        if is_empty(node):
            raise SpecError("CC114", "the item of `else` is missing", key.span)
        inner = Counter[str]() if read.opens_scope and isinstance(node, ListNode) else series
        return self.read_item(node, known, inner, inherited=len(read.inputs or ()))


def _next_name(base: str, series: Counter[str]) -> str:
    series[base] = number = series.get(base, 0) + 1
    return numbered_name(base, number)


def _require_inputs(read: Item, inherited: int) -> None:
    """Demand as many references as the item has inputs; of those that are inherited, the first ones are read."""
    more = read.body.block.inputs if isinstance(read.body, BlockCall) else ()
    if not more and read.inputs is None:
        return
    names = ("input", *more)
    given = len(read.inputs or ()) or max(1, min(inherited, len(names)))
    if given != len(names):
        name = read.body.block.name if isinstance(read.body, BlockCall) else "the item"
        reads = f"{name} reads {len(names)} tensor{'s' if names[1:] else ''} ({', '.join(names)})"
        named = f"`from` names {given}" if read.inputs else "there is no `from` with their names"
        span = (read.inputs or ())[len(names)].span if given > len(names) else read.span
        raise SpecError("CC124", f"{reads}, but {named}", span)
