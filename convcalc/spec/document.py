"""One spec file, read: its sections checked for form and names, its blocks and layers ready to expand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from convcalc.errors import Source, Span, SpecError, SpecErrors, did_you_mean, quoted
from convcalc.ops import find, kinds
from convcalc.spec.arguments import allowed, attribute
from convcalc.spec.claims import Claim, read_claims
from convcalc.spec.items import Block, Given, Item, Layer
from convcalc.spec.limits import ENTRIES
from convcalc.spec.names import Reference, Template, checked_block, checked_name, checked_variable, reference, template
from convcalc.spec.nodes import Mapping as MappingNode
from convcalc.spec.nodes import Node, Scalar, Sequence, compose
from convcalc.spec.reader import Reader
from convcalc.spec.value import Known, Value, compile_value, gathering, listed

TOP = (
    "convcalc", "name", "note", "import", "input", "inputs", "vars", "variants", "defaults", "blocks", "layers", "outputs", "claims",
)  # fmt: skip
BLOCK = ("params", "inputs", "layers", "note")
AXES = ("c", "d", "h", "w", "l")
"""Letters of axes in the order in which a shape has them."""

Importer = Callable[[str, Span], "Document"]


@dataclass(slots=True, eq=False)
class Document:
    """A spec file. ``layers`` is ``None`` in a file that is only imported."""

    source: Source
    inputs: dict[str, Value] = field(default_factory=dict)
    vars: dict[str, Value] = field(default_factory=dict)
    variants: dict[str, dict[str, Value]] = field(default_factory=dict)
    defaults: dict[str, dict[str, Given | Layer]] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    imports: dict[str, Document] = field(default_factory=dict)
    layers: list[Item] | None = None
    layers_span: Span | None = None
    outputs: list[Reference] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    name: Template | None = None
    warnings: list[SpecError] = field(default_factory=list)


def read_document(source: Source, importer: Importer) -> Document:
    """Read a spec file.

    Raises:
        SpecErrors: everything that is wrong with its form; if nothing is, everything wrong with its names.
    """
    try:
        root = compose(source)
    except SpecError as error:
        raise SpecErrors([error]) from None
    if not isinstance(root, MappingNode):
        what = "is empty" if root is None or (isinstance(root, Scalar) and root.empty) else "is not a mapping"
        raise SpecErrors([SpecError("CC115", f"the spec {what}; it begins with keys such as `input:` and `layers:`", Span(source, 1, 1))])
    sections = _Sections(Document(source), root, importer)
    sections.read()
    _raise_first_stage(sections.errors)
    return sections.document


def _raise_first_stage(errors: list[SpecError]) -> None:
    """Raise the errors of form, or else those of names."""
    form = [error for error in errors if error.code < "CC200" or "CC301" <= error.code <= "CC304"]
    if errors:
        raise SpecErrors(form or errors)


class _Sections:
    """Reads the top-level keys in the order in which they need each other."""

    def __init__(self, document: Document, root: MappingNode, importer: Importer) -> None:
        self.document = document
        self.importer = importer
        self.errors: list[SpecError] = []
        self.known = Known(frozenset())
        self.nodes: dict[str, Node] = {}
        for key, value in root.pairs:
            if key.text not in TOP:
                self.errors.append(SpecError("CC116", f"unknown top-level key {quoted(key.text)}{did_you_mean(key.text, TOP)}", key.span))
            elif not (isinstance(value, Scalar) and value.empty):
                self.nodes[key.text] = value
        self.keys = {key.text: key.span for key, _ in root.pairs}

    def read(self) -> None:
        self._version()
        for section in ("import", "vars", "variants", "input", "inputs", "defaults", "blocks", "layers", "outputs", "claims", "name"):
            if section in self.nodes:
                with gathering(self.errors):
                    getattr(self, f"_{section}")(self.nodes[section])
        if "input" in self.nodes and "inputs" in self.nodes:
            self.errors.append(SpecError("CC117", "a spec has `input` or `inputs`, not both", self.keys["inputs"]))
        self._find_rings()
        self._warn_unused()

    def _version(self) -> None:
        node = self.nodes.get("convcalc")
        if node is not None and not (isinstance(node, Scalar) and node.text == "1"):
            self.errors.append(SpecError("CC120", "this program reads version 1 of the language: `convcalc: 1`", node.span))

    def _import(self, node: Node) -> None:
        for key, value in _entries(node, "import", "{alias: path.yaml}"):
            with gathering(self.errors):
                if not key.text.isidentifier() or not key.text[0].islower():
                    raise SpecError("CC110", f"{quoted(key.text)} cannot name an import: it begins with a lower-case letter", key.span)
                if not isinstance(value, Scalar) or value.empty:
                    raise SpecError("CC117", "an import is the path of a spec file", value.span)
                self.document.imports[key.text] = self.importer(value.text, value.span)

    def _vars(self, node: Node) -> None:
        for key, value in _entries(node, "vars", "{name: expression}"):
            with gathering(self.errors):
                name = checked_variable(key)
                try:
                    self.document.vars[name] = compile_value(value, self.known, name)
                finally:
                    self.known = self.known.plus((name,))

    def _variants(self, node: Node) -> None:
        for key, value in _entries(node, "variants", "{name: {variable: expression}}"):
            with gathering(self.errors):
                name = checked_name(key.text, key.span)
                overrides = self.document.variants.setdefault(name, {})
                for variable, expression in _entries(value, f"the variant {name}", "{variable: expression}"):
                    with gathering(self.errors):
                        overrides[self._variable(variable)] = compile_value(expression, self.known, variable.text)

    def _variable(self, key: Scalar) -> str:
        if key.text not in self.document.vars:
            raise SpecError("CC208", f"no variable {quoted(key.text)} in vars{did_you_mean(key.text, self.document.vars)}", key.span)
        return key.text

    def _input(self, node: Node) -> None:
        self.document.inputs["input"] = self._shape(node)

    def _inputs(self, node: Node) -> None:
        for key, value in _entries(node, "inputs", "{name: shape}"):
            with gathering(self.errors):
                self.document.inputs[checked_name(key.text, key.span)] = self._shape(value)

    def _shape(self, node: Node) -> Value:
        """Read a shape: a list, channels first, or a mapping by the letters of its axes."""
        if not isinstance(node, MappingNode):
            value = compile_value(node, self.known, "the input shape")
            return listed(node.span, [value]) if isinstance(node, Scalar) else value
        axes = {}
        for key, value in node.pairs:
            if key.text not in AXES:
                raise SpecError("CC116", f"unknown axis {quoted(key.text)}; axes are {', '.join(AXES)}", key.span)
            axes[key.text] = compile_value(value, self.known, key.text)
        if "c" not in axes:
            raise SpecError("CC117", "an input shape by letters needs its channels `c`", node.span)
        return listed(node.span, [axes[letter] for letter in AXES if letter in axes])

    def _defaults(self, node: Node) -> None:
        for key, value in _entries(node, "defaults", "{kind: {attribute: expression}}"):
            with gathering(self.errors):
                op = find(key.text) if key.text in kinds() else None
                if op is None:
                    raise SpecError("CC204", f"no kind of layer {quoted(key.text)}{did_you_mean(key.text, kinds())}", key.span)
                words = allowed(op)
                held = self.document.defaults.setdefault(key.text, {})
                for name, expression in _entries(value, f"defaults of {key.text}", "{attribute: expression}"):
                    with gathering(self.errors):
                        if name.text not in words or name.text in op.references:
                            guess = did_you_mean(name.text, words)
                            raise SpecError("CC203", f"{key.text} has no attribute {quoted(name.text)}{guess}", name.span)
                        held[name.text] = attribute(op, name.text, expression, self.known, written=False)

    def _blocks(self, node: Node) -> None:
        bodies: list[tuple[Block, Node, Known]] = []
        for key, value in _entries(node, "blocks", "{Name: [items]}"):
            with gathering(self.errors):
                block = Block(checked_block(key), key.span, self.document)
                self.document.blocks[block.name] = block
                bodies.append((block, *self._signature(block, value)))
        for block, body, known in bodies:
            reader = self._reader(known)
            block.items = reader.items(_list(body, f"the layers of {block.name}"), known, Counter())
            block.calls = reader.calls

    def _signature(self, block: Block, node: Node) -> tuple[Node, Known]:
        """Read what is declared of a block; return its body and the variables that the body sees."""
        if isinstance(node, Sequence):
            return node, self.known
        parts = {key.text: value for key, value in _entries(node, f"the block {block.name}", "a list of items or {params: …, layers: …}")}
        for key, _ in _entries(node, "", ""):
            if key.text not in BLOCK:
                raise SpecError("CC116", f"a block has no key {quoted(key.text)}{did_you_mean(key.text, BLOCK)}", key.span)
        known = self.known
        params: dict[str, Value | None] = {}
        for key, value in _entries(parts.get("params"), f"params of {block.name}", "{name: default}") if parts.get("params") else ():
            name = checked_variable(key, "parameter")
            params[name] = None if isinstance(value, Scalar) and value.empty else compile_value(value, known, name)
            known = known.plus((name,))
        block.params = params
        if "inputs" in parts:
            names = [item for item in _list(parts["inputs"], "inputs of a block") if isinstance(item, Scalar)]
            block.inputs = tuple(checked_name(item.text, item.span) for item in names)
        if "layers" not in parts:
            raise SpecError("CC117", f"the block {block.name} has no `layers`", block.span)
        return parts["layers"], known

    def _layers(self, node: Node) -> None:
        self.document.layers_span = node.span
        self.document.layers = self._reader(self.known).items(_list(node, "layers"), self.known, Counter())

    def _reader(self, known: Known) -> Reader:
        return Reader(known, self.document.defaults, self._find_block, self._block_words, self.errors, warnings=self.document.warnings)

    def _find_block(self, word: str, span: Span) -> Block | None:
        alias, dot, name = word.partition(".")
        if not dot:
            block = self.document.blocks.get(word)
        elif alias in self.document.imports:
            block = self.document.imports[alias].blocks.get(name)
        else:
            raise SpecError("CC204", f"no import {quoted(alias)}{did_you_mean(alias, self.document.imports)}", span)
        if block:
            block.used = True
        return block

    def _block_words(self) -> set[str]:
        imported = {f"{alias}.{name}" for alias, other in self.document.imports.items() for name in other.blocks}
        return {*self.document.blocks, *imported}

    def _outputs(self, node: Node) -> None:
        for item in node.items if isinstance(node, Sequence) else [node]:
            with gathering(self.errors):
                if not isinstance(item, Scalar) or item.empty:
                    raise SpecError("CC113", "outputs is a list of paths of layers", item.span)
                self.document.outputs.append(reference(item, self.known))

    def _claims(self, node: Node) -> None:
        self.document.claims = read_claims(node, self.errors)

    def _name(self, node: Node) -> None:
        if not isinstance(node, Scalar):
            raise SpecError("CC117", "name takes a text", node.span)
        try:
            self.document.name = template(node, self.known)
        except SpecError:  # braces that hold no expression are just text
            self.document.name = Template((node.text,), node.span)

    def _find_rings(self) -> None:
        """Refuse blocks that call themselves, directly or through others, whether they are used or not."""
        done: set[int] = set()
        for start in self.document.blocks.values():
            trail: list[Block] = [start]
            stack = [iter(start.calls)]
            while stack:
                block, span = next(stack[-1], (None, None))
                if block is None or span is None:
                    done.add(id(trail.pop()))
                    stack.pop()
                elif any(block is other for other in trail):
                    ring = " calls ".join(other.name for other in (*trail[[id(t) for t in trail].index(id(block)) :], block))
                    self.errors.append(SpecError("CC206", f"block calling itself: {ring}", span))
                elif id(block) not in done:
                    trail.append(block)
                    stack.append(iter(block.calls))

    def _warn_unused(self) -> None:
        """Note variables and blocks that nothing in the file uses."""
        if self.document.layers is None:
            return
        vars_node = self.nodes.get("vars")
        for key, _ in vars_node.pairs if isinstance(vars_node, MappingNode) else ():
            if key.text not in self.known.used:
                self.document.warnings.append(SpecError("CC801", f"the variable {quoted(key.text)} is never used", key.span))
        for block in self.document.blocks.values():
            if not block.used:
                self.document.warnings.append(SpecError("CC802", f"the block {quoted(block.name)} is never used", block.span))


def _entries(node: Node | None, what: str, form: str) -> list[tuple[Scalar, Node]]:
    """Return the pairs of a mapping of limited length."""
    if not isinstance(node, MappingNode):
        if isinstance(node, Scalar) and node.empty:
            return []
        raise SpecError("CC117", f"{what} is a mapping: {form}", node.span if node else None)
    if len(node.pairs) > ENTRIES:
        raise SpecError("CC507", f"{what} has {len(node.pairs)} entries; the limit is {ENTRIES}", node.span)
    return node.pairs


def _list(node: Node, what: str) -> list[Node]:
    if isinstance(node, Scalar) and node.empty:
        return []
    if not isinstance(node, Sequence):
        raise SpecError("CC117", f"{what} is a list of items", node.span)
    return node.items
