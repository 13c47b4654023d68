"""What formulas of training ask of a whole network: its tokens, attentions, head, tables and routers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from convcalc.arith import Number, either, equal, floordiv, require, total
from convcalc.errors import SpecError
from convcalc.graph.attention import REARRANGING, AttentionLayers, joined
from convcalc.graph.graph import Graph, Node
from convcalc.records import cached_property

NO_NUMBER = "CC742"
UNKNOWN = "the heads of the attention at {} are not known"
SCORING = (*REARRANGING, "softmax", "act", "norm", "scale", "gather", "reduce")
"""Layers that may be between a router and the experts that it weights."""
KEEPING = (*REARRANGING, "cache")
"""Layers that may be between a linear layer and the norm of its output, and between that and the next one."""


class LanguageModel:
    """A network as a sequence of tokens that runs through layers of attention; whatever is asked is worked out once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def attentions(self) -> tuple[AttentionLayers, ...]:
        return tuple(joined(self.graph))

    @cached_property
    def attention_products(self) -> frozenset[int]:
        """The layers that multiply queries with keys, or with values."""
        return frozenset(
            node.index
            for one in self.attentions
            for node in one.nodes
            if any(not product.has_weights for product in node.facts.products)
        )

    @cached_property
    def tables(self) -> tuple[Node, ...]:
        """The embeddings."""
        return tuple(node for node in self.graph.layers if _kind(node) == "embedding")

    @cached_property
    def tokens(self) -> Number:
        """Tokens of a sample: look-ups of an embedding; without one, queries of an attention; else one."""
        if self.tables:
            return self.tables[0].input_shapes[0].elements
        return _queries(self.attentions[0]) if self.attentions else 1

    @cached_property
    def weights_at(self) -> dict[int, int]:
        """Layer that has weights → the layer at which they count: the first that multiplies by them, if one does."""
        found: dict[int, int] = {}
        for node in self.graph.layers:
            if node.weight_owner not in found or (
                node.facts.products and not self.graph.nodes[found[node.weight_owner]].facts.products
            ):
                found[node.weight_owner] = node.index
        return found

    @cached_property
    def is_tied(self) -> bool:
        """Whether an embedding is the matrix of a linear layer too."""
        return any(self.weights_at[table.weight_owner] != table.index for table in self.tables)

    @cached_property
    def position_tables(self) -> frozenset[int]:
        """Learned tables that are added to tokens, and embeddings that are named after positions."""
        added = {node.index for node in self.graph.layers if _kind(node) == "param" and self._is_added(node)}
        names = {node.index: node.path.rpartition(".")[2].lower() for node in self.tables}
        return frozenset(added | {index for index, name in names.items() if name == "wpe" or "position" in name})

    @cached_property
    def head(self) -> Node | None:
        """The last linear layer with an output for each word of a table."""
        words = [table.facts.weights["weight"][0] for table in self.tables]
        linear = (node for node in reversed(self.graph.layers) if _kind(node) == "linear")
        return next((node for node in linear if any(equal(node.shape[-1], size) is True for size in words)), None)

    @cached_property
    def routers(self) -> frozenset[int]:
        """Linear layers whose output only chooses, or weights, what others give."""
        linear = (node for node in self.graph.layers if _kind(node) == "linear" and node is not self.head)
        return frozenset(node.index for node in linear if self._only_weights(node))

    @cached_property
    def has_experts(self) -> bool:
        return bool(self.routers) or any(_kind(node) in ("experts", "idle") for node in self.graph.layers)

    @cached_property
    def latent_norms(self) -> frozenset[int]:
        """Norms between two linear layers: of the latents that queries, keys and values are made of."""
        return frozenset(
            node.index
            for node in self.graph.layers
            if _kind(node) == "norm"
            and any(_kind(other) == "linear" for other in self._behind(node, KEEPING))
            and _kind(self._source(node)) == "linear"
        )

    @cached_property
    def behind_blocks(self) -> frozenset[int]:
        """Layers behind the last sum, the head left out."""
        last = max((node.index for node in self.graph.layers if _kind(node) == "add"), default=-1)
        head = self.head.index if self.head else -1
        return frozenset(node.index for node in self.graph.layers if node.index > last and node.index != head)

    # --- paths --------------------------------------------------------------------------------------------------------

    @cached_property
    def _readers(self) -> list[list[Node]]:
        readers: list[list[Node]] = [[] for _ in self.graph.nodes]
        for node in self.graph.layers:
            for index in dict.fromkeys(node.inputs):
                readers[index].append(node)
        return readers

    def _behind(self, node: Node, passing: Collection[str]) -> Iterator[Node]:
        """Give the layers that read a layer's output, directly or through others of these kinds."""
        waiting, seen = [node], {node.index}
        while waiting:
            for reader in self._readers[waiting.pop().index]:
                if reader.index not in seen:
                    seen.add(reader.index)
                    yield reader
                    waiting += [reader] if _kind(reader) in passing else []

    def _source(self, node: Node) -> Node:
        """Return the layer that a tensor comes from, before it was cut and rearranged."""
        source = self.graph.nodes[node.inputs[0]]
        while _kind(source) in KEEPING and len(source.inputs) == 1:
            source = self.graph.nodes[source.inputs[0]]
        return source

    def _is_added(self, node: Node) -> bool:
        return any(_kind(reader) == "add" for reader in self._behind(node, REARRANGING))

    def _only_weights(self, node: Node) -> bool:
        """Whether all that comes of a layer is scores of experts, or a number a token that others are multiplied by."""
        ends = set(self.graph.outputs.values())
        behind = [node, *self._behind(node, SCORING)]
        return not any(each.index in ends for each in behind) and all(
            _kind(each) in SCORING or self._takes_weights(each, behind) for each in behind[1:]
        )

    def _takes_weights(self, node: Node, given: Collection[Node]) -> bool:
        indices = {each.index for each in given}
        places = [place for place, index in enumerate(node.inputs) if index in indices]
        if _kind(node) == "experts":
            return 0 not in places
        narrow = (equal(node.input_shapes[place][-1], 1) is True for place in places)
        return _kind(node) == "mul" and equal(node.shape[-1], 1) is not True and all(narrow)

    # --- what a formula demands ---------------------------------------------------------------------------------------

    def require_attention(self) -> None:
        """Demand attention, of which formulas take layers and heads."""
        require(bool(self.attentions), NO_NUMBER, "there is no attention, and the formula needs layers and heads")

    def require_one_sequence(self) -> None:
        """Demand that all look-ups and attentions are of the same number of tokens."""
        lookups = [table.input_shapes[0].elements for table in self.tables]
        for size in (*lookups, *map(_queries, self.attentions)):
            text = "the formula is of one sequence, and here are two, of {} and {} tokens"
            require(equal(size, self.tokens), NO_NUMBER, text, self.tokens, size)

    def require_whole_sequence(self, *, or_one_token: bool = False) -> None:
        """Demand that every token attends to all of its sequence; perhaps one token to more of them."""
        for one in self.attentions:
            require(one.heads is not None, NO_NUMBER, UNKNOWN, one.nodes[-1].path)
            assert one.heads is not None
            pairs = floordiv(one.scores, one.heads)
            allowed = equal(pairs, self.tokens * self.tokens)
            allowed = either(allowed, equal(self.tokens, 1)) if or_one_token else allowed
            text = "the formula is of a whole sequence{}, of {}² pairs of a query and a key, and at {} there are {}"
            more = ", or of one token after others" if or_one_token else ""
            require(allowed, NO_NUMBER, text, more, self.tokens, one.nodes[-1].path, pairs)

    def require_plain_heads(self) -> None:
        """Demand heads that share the width of a token among them."""
        for one in self.attentions:
            products = (product for node in one.nodes for product in node.facts.products if not product.has_weights)
            core = total(product.multiplies for product in products)
            require(one.heads is not None and one.in_features is not None, NO_NUMBER, UNKNOWN, one.nodes[-1].path)
            assert one.heads is not None
            assert one.in_features is not None
            plain = 2 * floordiv(one.scores, one.heads) * one.in_features
            text = "heads at {} do not share the width {} of a token, as the formula has it"
            require(equal(core, plain), NO_NUMBER, text, one.nodes[-1].path, one.in_features)

    def require_dense(self) -> None:
        """Demand that there are no experts."""
        require(not self.has_experts, NO_NUMBER, "the formula is of dense models, and here are experts")

    def require_head(self) -> None:
        """Demand logits over a vocabulary."""
        text = "there is no language-model head: no linear layer has an output for each word of an embedding"
        require(self.head is not None, NO_NUMBER, text)

    def require_plain(self) -> None:
        """Demand a language model that has nothing but what formulas of it name."""
        for demanded in (self.require_attention, self.require_head, self.require_one_sequence):
            demanded()
        unknown = next((node for node in self.graph.layers if not node.op or not node.op.is_counted), None)
        if unknown is not None:
            raise SpecError(NO_NUMBER, f"the multiplies of {unknown.path} are not known")


def _kind(node: Node) -> str:
    return node.op.kind if node.op is not None else ""


def _queries(one: AttentionLayers) -> Number:
    """Tokens that the output of an attention has."""
    shape = one.nodes[-1].shape
    return floordiv(shape.elements, shape[-1])
