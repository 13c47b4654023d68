"""Experts that do not run: random networks that have them, and what their specs look like."""

from __future__ import annotations

from random import Random

import pytest

import convcalc
from convcalc.graph.graph import Graph
from convcalc.ops.idle import Idle
from convcalc.recovery import recover
from tests.recovery.recovered import lines, of_text, require_equal, require_fixed

FEATURES = 6


class Experts:
    """Writes random networks of tokens with experts: in blocks, repeats, branches and other experts."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.number = 0

    def network(self) -> str:
        """Return a spec with several layers of experts."""
        random = self.random
        self.inner = self.expert(1)
        blocks = f"blocks:\n  Expert: [{self.expert(0)}]\n  Deep: [{self.inner}]\n"
        blocks += f"  Layer: {{params: {{k, experts}}, layers: [{self.layer('k', 'experts')}]}}\n"
        body = []
        for _ in range(random.randint(1, 3)):
            call = random.choice(
                [
                    "{repeat: {k: [1, 2, 3]}, Layer: [k, 2*k + 1], name: mixed}",
                    "{repeat: 2, Layer: [2, wide]}",
                    "{repeat: 3, name: turn, seq: [linear: d, add: [identity, [{Layer: [1 if first else 2, 4]}]]]}",
                    self.layer("chosen", "wide"),
                    self.layer("1", "chosen + 1"),
                    f"add: [identity, [{self.layer('3', '7')}]]",
                    "linear: d",
                    "norm: rms",
                ]
            )
            body.append(call.replace("mixed", self.name("mixed")).replace("turn", self.name("turn")))
        head = f"input: [5, {FEATURES}]\nvars: {{d: {FEATURES}, chosen: 2, wide: 2*chosen + 3}}\n"
        return head + blocks + "layers:\n" + "".join(f"- {each}\n" for each in body)

    def layer(self, running: str, experts: str) -> str:
        """Return a router and the experts that it chooses from, perhaps beside others."""
        random, router = self.random, self.name("router")
        kinds = [self.each(running, experts, router)]
        if random.random() < 0.3:
            kinds.append(self.each(running, f"{experts} + 2", router))
        if random.random() < 0.4:
            kinds.insert(random.randrange(len(kinds) + 1), random.choice(["{Expert: , from: input}", "[linear: d, relu]", "identity"]))
        scores = random.choice(["softmax", "sigmoid", "norm: rms"])
        join = random.choice(["add", "add", "mul", "concat"])
        source = random.choice(["", ", from: input"])
        behind = ", linear: d" if join == "concat" or random.random() < 0.2 else ""
        kinds = [f"{{axis: 1, branches: [{', '.join(kinds)}]}}"] if join == "concat" else [f"[{', '.join(kinds)}]"]
        entering = f"{{linear: {experts}, name: {router}}}, {scores}, linear: d, {{{join}: {kinds[0]}{source}}}"
        return f"seq: [{entering}{behind}]" if random.random() < 0.5 else f"seq: [[{entering}{behind}], relu]"

    def each(self, running: str, experts: str, router: str) -> str:
        """Return branches of experts."""
        random = self.random
        one = random.choice(["Expert: ", "Deep: ", self.expert(0), self.expert(1), f"seq: [{self.expert(0)}, relu, {self.expert(1)}]"])
        score = f"[slice: {{axis: 1, start: i, stop: i + 1}}, linear: {{out: 1, bias: false}}]"
        body = random.choice(
            [
                one,
                f"mul: [{{{one}}}, {{seq: {score}, from: {router}}}]",
                f"mul: [{{{one}}}, {{slice: {{axis: 1, start: i // 2, stop: i // 2 + 1}}, from: {router}}}]",
                f"seq: [{{{one}}}, act: '[relu, gelu, silu][i % 3]', {{linear: d, tie: true}}]",
                "seq: [{linear: 2*d, name: up}, relu, linear: d, {add: [identity, [{from: up}, linear: d]]}]",
            ]
        )
        name = f", name: {self.name('e')}x" if random.random() < 0.6 else ""
        source = random.choice(["", ", from: input", f", from: {router}, linear: d"][:2])
        if body.startswith(("Expert", "Deep")) or ":" in body:
            return f"{{each: {running}, of: {experts}{name}{source}, {body}}}"
        return body

    def expert(self, depth: int) -> str:
        """Return a layer with weights, as an entry of a mapping."""
        inner = ["linear: d", "linear: {out: d, act: relu}"]
        if depth:
            inner += [
                "add: [identity, [norm: rms, linear: 2*d, linear: d]]",
                "mul: [linear: {out: d, act: silu}, [relu, linear: d]]",
                "add: [linear: d, {each: 2, of: 3, seq: [linear: d, relu]}]",
                "seq: [concat: {axis: 1, branches: [identity, linear: d]}, linear: d]",
            ]
        return self.random.choice(inner)

    def name(self, base: str) -> str:
        """Return a name of its own."""
        self.number += 1
        return base + chr(ord("a") + self.number % 26) * (1 + self.number // 26)


def idle(graph: Graph) -> list[tuple[object, ...]]:
    """All that is said of experts that do not run."""
    ops = [(node, node.op) for node in graph.layers if isinstance(node.op, Idle)]
    return [(op.experts, op.running, node.facts.params, tuple(graph.nodes[node.beside].shape)) for node, op in ops]


METRICS = ("params", "active_params", "macs", "seen_macs", "traffic_bytes", "weight_bytes", "cache_bytes")


@pytest.mark.parametrize("seed", range(120))
def test_random_experts(seed: int) -> None:
    text = Experts(Random(seed)).network()
    graph = of_text(text)
    for flat in (False, True):
        made = recover(graph, flat=flat)
        require_equal(made, graph)
        assert sorted(idle(of_text(made)), key=repr) == sorted(idle(graph), key=repr)
        one, other = (convcalc.load(text=each).report().totals for each in (text, made))
        assert {key: one[key] for key in METRICS} == {key: other[key] for key in METRICS}
