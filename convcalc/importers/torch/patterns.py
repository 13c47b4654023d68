"""Layers that models write out in several operations: a norm by the root of the mean square."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.importers.torch.names import PASSED_ON
from convcalc.importers.torch.recording import Recording, TensorReference, TracedNode


def with_norms(recording: Recording) -> list[TracedNode]:
    """Return the operations with one ``rms_norm`` in place of x · rsqrt(mean(x²) + ε) · w, where w is a parameter."""
    search = _Search(recording)
    dropped: set[str] = set()
    made: dict[str, TracedNode] = {}
    for node in recording.nodes:
        if node.op == "rsqrt" and (found := search.norm(node)):
            last, inner = found
            made[last.name], dropped = last, dropped | inner
    return [made.get(node.name, node) for node in recording.nodes if node.name not in dropped or node.name in made]


class _Search:
    """Finds the operations around a reciprocal square root."""

    def __init__(self, recording: Recording) -> None:
        self.nodes = {node.name: node for node in recording.nodes}
        self.parameters = {each.name: each for each in recording.parameters if each.learned}
        self.users: dict[str, list[TracedNode]] = {}
        for node in recording.nodes:
            for reference in () if node.op.startswith("_assert") else node.references:
                self.users.setdefault(reference.name, []).append(node)
        self.outputs = {reference.name for reference in recording.outputs}

    def norm(self, root: TracedNode) -> tuple[TracedNode, set[str]] | None:
        """Return the norm that ends in an operation of the model, and the names of those inside it."""
        inner = {root.name}
        node, shape = root, root.shape
        for ops in (("add",), ("mean",), ("pow", "square", "mul")):
            before = [*node.references]
            if len({*before}) != 1 or (found := self._made(before[0], inner)) is None or found.op not in ops:
                return None
            node = found
            inner.add(node.name)
        source = self._source(next(iter(node.references)))
        if (node.op == "pow" and node["exponent"] != 2) or shape[-1:] != (1,):
            return None
        scaled = self._only_user(root, inner)
        if scaled is None or scaled.op != "mul" or source not in map(self._source, scaled.references):
            return None
        inner.add(scaled.name)
        last = self._only_user(scaled, inner)
        width = scaled.shape[-1:]
        weight = next(self._weights(last, width), None) if last is not None and last.op == "mul" else None
        if last is None or weight is None or not self._are_read_by(inner, {*inner, last.name}):
            return None
        arguments = {"input": source, "normalized_shape": [*width], "weight": weight}
        return TracedNode(last.name, "rms_norm", arguments, last.outputs, last.path, last.leaf), inner

    def _source(self, reference: TensorReference) -> TensorReference:
        """Return what a tensor is, behind operations that pass it on."""
        node = self.nodes.get(reference.name)
        while node is not None and node.op in PASSED_ON and (before := next(iter(node.references), None)):
            reference, node = before, self.nodes.get(before.name)
        return reference

    def _made(self, reference: TensorReference, inner: set[str]) -> TracedNode | None:
        """Return the operation that made a tensor, and note those that only passed it on."""
        source = self._source(reference)
        while reference != source:
            inner.add(reference.name)
            reference = next(iter(self.nodes[reference.name].references))
        return self.nodes.get(source.name)

    def _only_user(self, node: TracedNode, inner: set[str]) -> TracedNode | None:
        users = self.users.get(node.name, [])
        while len(users) == 1 and users[0].op in PASSED_ON:
            inner.add(users[0].name)
            users = self.users.get(users[0].name, [])
        return users[0] if len(users) == 1 else None

    def _weights(self, node: TracedNode, width: tuple[int, ...]) -> Iterator[TensorReference]:
        for operand in node.references:
            reference = self._source(operand)
            shifted = self.nodes.get(reference.name)
            if shifted is not None and shifted.op == "add" and len([*shifted.references]) == 1:  # 1 + w
                reference = self._source(next(iter(shifted.references)))
            parameter = self.parameters.get(reference.name)
            if parameter is not None and parameter.shape == width:
                yield reference

    def _are_read_by(self, names: set[str], readers: set[str]) -> bool:
        """Whether nothing else reads what some operations give."""
        users = {user.name for name in names for user in self.users.get(name, [])}
        return users <= readers and not names & self.outputs
