"""Bytes of weights: matrices that multiply may have a format in blocks, and all else has a plain one."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number, ceildiv, divides, equal, floordiv, is_plain, select, total
from convcalc.dtypes import BIT_WIDTHS, GGUF_BLOCKS, WeightFormat, blocks_of, bytes_of, row_bits, weight_lookup
from convcalc.graph.graph import Graph, Node
from convcalc.ops.op import Matrix
from convcalc.records import cached_property


class StoredWeights:
    """How the weights of a graph are stored in the number formats of ``--dtype``.

    Embeddings are tables, and so is a head: a matrix of the shape of an embedding, tied to it or not, behind which
    nothing multiplies. Quantizers leave both in the plain format (AutoGPTQ, AutoAWQ), and so does ``weights=`` here.
    Weights that a model's file stores in fewer bits than the plain format keep theirs.
    """

    def __init__(self, graph: Graph, dtype: str) -> None:
        self._graph = graph
        self._dtype, self._formats = dtype, weight_lookup(dtype)

    def kept(self, node: Node) -> Number:
        """Bytes of the weights and buffers that a layer has of its own."""
        return self._bytes(node, node.facts.buffer_elements) if node.weight_owner == node.index else 0

    def read(self, node: Node, batch: Number) -> Number:
        """Bytes of the weights that a layer reads for a batch, its own or shared."""
        if node.op is None or not node.facts.weights:
            return 0
        owner, params, stored = self._graph.nodes[node.weight_owner], node.facts.params, node.facts.stored
        form, read = self._formats(owner.path), node.op.weights_read(batch, *node.input_shapes)
        if read is None:
            return self._bytes(owner, 0)
        is_empty = is_plain(params) and params == 0
        if blocks_of(form.matrices) and not (stored or is_empty):  # rows of a table, or experts: all have equal bits
            return ceildiv(floordiv(self._bits(owner, form) * read, params), 8)
        return bytes_of(read, form.plain, *(bits for bits, elements, _ in stored if elements == params))

    def warnings(self) -> Iterator[str]:
        """Warn of matrices that no file of GGUF holds in the format that is asked for; arrays are passed over."""
        found: dict[str, dict[str, None]] = {}
        is_asked = any(name in self._dtype for name in GGUF_BLOCKS)
        for node in self._graph.layers if is_asked and self._is_plain else ():
            form, facts = self._formats(node.path), node.facts
            op = node.op
            for matrix in op.matrices(*node.input_shapes) if op and not facts.stored else ():
                is_table = (op is not None and op.is_table) or (self._is_last(node) and matrix in self._tables)
                name = form.tables if is_table else form.matrices
                if name in GGUF_BLOCKS and divides(GGUF_BLOCKS[name].length, matrix.length) is False:
                    found.setdefault(name, {})[self._graph.nodes[node.weight_owner].path] = None
        for name, paths in found.items():
            which = f"{next(iter(paths))} and {len(paths) - 1:,} more layers" if len(paths) > 1 else next(iter(paths))
            text = f"rows of {which} are no whole blocks of {GGUF_BLOCKS[name].length}"
            yield f"warning: {text}: {name} is counted as if filled up, GGUF takes another format"

    def _bytes(self, node: Node, buffers: Number) -> Number:
        """Bytes of all weights of a layer, and of so many numbers beside them."""
        form, facts = self._formats(node.path), node.facts
        if facts.stored:
            parts = [(bits, params + state * (buffers != 0)) for bits, params, state in facts.stored]
            rest = facts.params + buffers - total([elements for _, elements in parts])
            return bytes_of(rest, form.plain) + total([bytes_of(each, form.plain, bits) for bits, each in parts])
        if blocks_of(form.matrices):
            return ceildiv(self._bits(node, form) + BIT_WIDTHS[form.plain] * buffers, 8)
        return bytes_of(facts.params + buffers, form.plain)

    def _bits(self, node: Node, form: WeightFormat) -> Number:
        """Bits of all weights of a layer, of which matrices are in blocks."""
        assert node.op is not None
        matrices = node.op.matrices(*node.input_shapes)
        plain = node.facts.params - total([each.rows * each.length for each in matrices])
        return BIT_WIDTHS[form.plain] * plain + total([self._matrix_bits(node, each, form) for each in matrices])

    def _matrix_bits(self, node: Node, matrix: Matrix, form: WeightFormat) -> Number:
        """Bits of a matrix, in the format of tables where it is one."""
        in_blocks, as_table = (matrix.rows * row_bits(matrix.length, name) for name in (form.matrices, form.tables))
        if node.op and node.op.is_table:
            return as_table
        bits = in_blocks
        for table in self._tables if form.matrices != form.tables and self._is_last(node) else ():
            same_width = select(equal(matrix.length, table.length), as_table, bits)
            bits = select(equal(matrix.rows, table.rows), same_width, bits)
        return bits

    @property
    def _is_plain(self) -> bool:
        return all(is_plain(node.facts.params) for node in self._graph.layers)

    @cached_property
    def _tables(self) -> list[Matrix]:
        """The embeddings, each shape once."""
        return [
            matrix
            for node in self._graph.layers
            if node.op and node.op.is_table
            for matrix in node.op.matrices(*node.input_shapes)
        ]

    def _is_last(self, node: Node) -> bool:
        return node.index in self._last_products

    @cached_property
    def _last_products(self) -> frozenset[int]:
        """The layers that multiply and behind which none does."""
        passed_on: set[int] = set()
        last = set()
        for node in reversed(self._graph.nodes):
            if node.facts.products and node.index not in passed_on:
                last.add(node.index)
            if node.facts.products or node.index in passed_on:
                passed_on.update(node.inputs)
        return frozenset(last)
