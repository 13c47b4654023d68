"""One spec file, read: its sections checked for form and names, its blocks and layers ready to expand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from convcalc.errors import Source, Span, SpecError, SpecErrors, did_you_mean, limit_suggestions, quoted
from convcalc.ops.registry import find_op, kinds
from convcalc.spec.document.arguments import VIA_KEY, argument_names, read_argument
from convcalc.spec.document.blocks import find_cycles, read_signature
from convcalc.spec.document.claims import read_claims
from convcalc.spec.document.item_reader import ItemReader
from convcalc.spec.document.names import (
    Template,
    parse_reference,
    parse_template,
    validate_block,
    validate_name,
    validate_variable,
)
from convcalc.spec.document.syntax_tree import BlockDefinition, Document
from convcalc.spec.document.value_nodes import NameScope, ValueNode, collect_errors, list_node, parse_value
from convcalc.spec.yaml.fields import is_empty, items_or_self, list_items, mapping_entries, require_text
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, YamlNode, parse_yaml

TOP_LEVEL_KEYS = (
    "convcalc", "name", "note", "import", "input", "inputs", "vars", "variants", "defaults", "blocks", "layers",
    "outputs", "claims",
)  # fmt: skip

READ_ORDER = (
    "note", "import", "vars", "variants", "input", "inputs", "defaults", "blocks", "layers", "outputs", "claims",
    "name",
)  # fmt: skip
"""In the order in which they need each other."""

AXES = ("c", "d", "h", "w", "l")
"""Letters of axes in the order in which a shape has them."""

Importer = Callable[[str, Span], Document]
"""Reads the file of a path, which is at this span, or raises ``SpecErrors``."""


def read_document(source: Source, importer: Importer) -> Document:
    """Read a spec file.

    Raises:
        SpecErrors: everything that is wrong with its form; if nothing is, all of its imports; else of its names.
    """
    root = parse_yaml(source)
    if not isinstance(root, MapNode):
        what = "is empty" if is_empty(root) else "is not a mapping"
        text = f"the spec {what}; it begins with keys such as `input:` and `layers:`"
        raise SpecErrors([SpecError("CC115", text, Span(source, 1, 1))])
    sections = _Sections(Document(source), root, importer)
    with limit_suggestions():
        sections.read()
    if sections.errors:
        from convcalc.spec.document.comma_errors import explain_comma_errors  # only what is wrong needs it

        sections.errors = explain_comma_errors(root, sections.errors)
    form = [error for error in (*sections.errors, *sections.import_errors) if re.match("CC[015]|CC30[1-4]", error.code)]
    if errors := form or sections.import_errors or sections.errors:
        raise SpecErrors(errors)
    return sections.document


class _Sections:
    """Reads the top-level keys."""

    def __init__(self, document: Document, root: MapNode, importer: Importer) -> None:
        self.document = document
        self.importer = importer
        self.errors: list[SpecError] = []
        self.import_errors: list[SpecError] = []
        self.order: dict[str, int] = {}
        """Variable → its place among all."""
        self.known = NameScope(self.order.keys(), warnings=document.warnings)
        self.known_outside = self.known.without_input()
        """The same, where no tensor enters."""
        self.nodes: dict[str, YamlNode] = {}
        document.key_spans = {key.text: key.span for key, _ in root.pairs}
        for key, value in root.pairs:
            if key.text not in TOP_LEVEL_KEYS:
                guess = did_you_mean(key.text, TOP_LEVEL_KEYS)
                self.errors.append(SpecError("CC116", f"unknown top-level key {quoted(key.text)}{guess}", key.span))
            elif not is_empty(value):
                self.nodes[key.text] = value

    def read(self) -> None:
        """Read all sections; errors and warnings are gathered."""
        version = self.nodes.get("convcalc")
        if version is not None and not (isinstance(version, ScalarNode) and version.text == "1"):
            text = "this program reads version 1 of the language: `convcalc: 1`"
            self.errors.append(SpecError("CC120", text, version.span))
        for section in READ_ORDER:
            if section in self.nodes:
                with collect_errors(self.errors):
                    getattr(self, f"_{section}")(self.nodes[section])
        if "input" in self.nodes and "inputs" in self.nodes:
            places = self.document.key_spans
            first, second = sorted(("input", "inputs"), key=lambda key: places[key][1:])
            text = f"a spec has `input` or `inputs`, not both; `{first}` is on line {places[first].line}"
            self.errors.append(SpecError("CC122", text, places[second]))
        self.errors += find_cycles(self.document.blocks.values())
        self._warn_unused()

    def _note(self, node: YamlNode) -> None:
        self.document.note = require_text("note", node).text

    def _import(self, node: YamlNode) -> None:
        for key, value in mapping_entries(node, "import", "{alias: path.yaml}"):
            with collect_errors(self.errors):
                if not key.text.isidentifier() or not key.text[0].islower():
                    rule = "it begins with a lower-case letter and holds letters, digits and _"
                    raise SpecError("CC110", f"{quoted(key.text)} cannot name an import: {rule}", key.span)
                if is_empty(value):
                    raise SpecError("CC114", f"the path of the import {quoted(key.text)} is missing", key.span)
                if not isinstance(value, ScalarNode):
                    raise SpecError("CC117", "an import is the path of a spec file", value.span)
                try:
                    self.document.imports[key.text] = self.importer(value.text, value.span)
                except SpecErrors as errors:
                    self.import_errors += errors.errors
                except SpecError as error:
                    self.import_errors.append(error)

    def _vars(self, node: YamlNode) -> None:
        for key, value in mapping_entries(node, "vars", "{name: expression}"):
            with collect_errors(self.errors):
                name = validate_variable(key)
                try:
                    self.document.vars[name] = parse_value(value, self.known_outside, quoted(name), key.span)
                finally:
                    self.order[name] = len(self.order)

    def _variants(self, node: YamlNode) -> None:
        for key, value in mapping_entries(node, "variants", "{name: {variable: expression}}"):
            with collect_errors(self.errors):
                name = validate_name(key.text, key.span, more=".")
                overrides = self.document.variants.setdefault(name, {})
                entries = mapping_entries(value, f"the variant {quoted(name)}", "{variable: expression}")
                for variable, expression in entries:
                    with collect_errors(self.errors):
                        overrides[variable.text] = self._override(variable, expression)

    def _override(self, key: ScalarNode, node: YamlNode) -> ValueNode:
        """Read the value that a variant gives a variable; it sees the variables before that one."""
        place = self.order.get(key.text)
        if place is None:
            text = f"no variable {quoted(key.text)} in vars{did_you_mean(key.text, self.order)}"
            raise SpecError("CC208", text, key.span)
        value = parse_value(node, self.known_outside, quoted(key.text), key.span)
        if any(self.order.get(name, -1) >= place for name in value.names):
            before = frozenset(name for name, other in self.order.items() if other < place)
            return parse_value(node, NameScope(before, has_input=False))
        return value

    def _input(self, node: YamlNode) -> None:
        self.document.inputs["input"] = self._shape(node)

    def _inputs(self, node: YamlNode) -> None:
        for key, value in mapping_entries(node, "inputs", "{name: shape}"):
            with collect_errors(self.errors):
                name = validate_name(key.text, key.span)
                if is_empty(value):
                    raise SpecError("CC114", f"the shape of the input {quoted(name)} is missing", key.span)
                self.document.inputs[name] = self._shape(value)

    def _shape(self, node: YamlNode) -> ValueNode:
        """Read a shape: a list, channels first, or a mapping by the letters of its axes."""
        if not isinstance(node, MapNode):
            value = parse_value(node, self.known_outside, "the input shape")
            return list_node(node.span, [value]) if isinstance(node, ScalarNode) else value
        axes: dict[str, ValueNode] = {}
        for key, value_node in node.pairs:
            with collect_errors(self.errors):
                if key.text not in AXES:
                    letter = key.text[:1].lower()
                    meant = f"; did you mean {quoted(letter)}?" if letter in AXES else ""
                    text = f"unknown axis {quoted(key.text)}{meant or '; axes are ' + ', '.join(AXES)}"
                    raise SpecError("CC116", text, key.span)
                axes[key.text] = parse_value(value_node, self.known_outside, quoted(key.text), key.span)
        if node.get("c") is None:
            raise SpecError("CC114", "an input shape by letters needs its channels `c`", node.span)
        return list_node(node.span, [axes[letter] for letter in AXES if letter in axes])

    def _defaults(self, node: YamlNode) -> None:
        for key, value in mapping_entries(node, "defaults", "{kind: {attribute: expression}}"):
            with collect_errors(self.errors):
                op = find_op(key.text)
                if op is None:
                    from convcalc.spec.document.foreign_names import suggest  # only what is wrong needs it

                    meant, hint = suggest(key.text, kinds())
                    raise SpecError("CC204", f"no layer type {quoted(key.text)}{meant}", key.span, hint=hint)
                words = [*(word for word in argument_names(op) if word not in op.layer_arguments), VIA_KEY]
                held = self.document.defaults.setdefault(key.text, {})
                for name, expression in mapping_entries(value, f"defaults of {key.text}", "{attribute: expression}"):
                    with collect_errors(self.errors):
                        if name.text not in words:
                            text = f"{key.text} has no attribute {quoted(name.text)}{did_you_mean(name.text, words)}"
                            raise SpecError("CC203", text, name.span)
                        if not is_empty(expression):
                            held[name.text] = read_argument(op, name, expression, self.known, written=False)

    def _blocks(self, node: YamlNode) -> None:
        bodies: list[tuple[BlockDefinition, YamlNode, NameScope]] = []
        for key, value in mapping_entries(node, "blocks", "{Name: [items]}"):
            with collect_errors(self.errors):
                block = BlockDefinition(validate_block(key), key.span, self.document.source)
                self.document.blocks[block.name] = block
                bodies.append((block, *read_signature(block, value, self.known, self.errors)))
        for block, body, known in bodies:
            with collect_errors(self.errors):
                reader = ItemReader(self.document, self.errors)
                items = list_items(body, f"the layers of {quoted(block.name)}")
                block.items, block.calls = reader.read_items(items, known, Counter()), reader.calls

    def _layers(self, node: YamlNode) -> None:
        reader = ItemReader(self.document, self.errors)
        self.document.layers = reader.read_items(list_items(node, "layers"), self.known, Counter())

    def _outputs(self, node: YamlNode) -> None:
        for item in items_or_self(node):
            with collect_errors(self.errors):
                if not isinstance(item, ScalarNode) or item.is_empty:
                    raise SpecError("CC113", "outputs is a list of paths of layers", item.span)
                self.document.outputs.append(parse_reference(item, self.known))

    def _claims(self, node: YamlNode) -> None:
        self.document.claims = read_claims(node, self.document.variants, self.errors)

    def _name(self, node: YamlNode) -> None:
        node = require_text("name", node)
        try:
            self.document.name = parse_template(node, self.known)
        except SpecError:  # braces that hold no expression are just text
            self.document.name = Template((node.text,), node.span)

    def _warn_unused(self) -> None:
        """Note variables and blocks that nothing in the file uses."""
        if self.document.layers is None:
            return
        for key, _ in mapping_entries(self.nodes.get("vars"), "vars", "") if not self.errors else ():
            if key.text not in self.known.used:
                text = f"the variable {quoted(key.text)} is never used"
                self.document.warnings.append(SpecError("CC801", text, key.span))
        for block in self.document.blocks.values():
            if not block.is_used:
                text = f"the block {quoted(block.name)} is never used"
                self.document.warnings.append(SpecError("CC802", text, block.span))
