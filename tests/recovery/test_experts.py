"""Experts that do not run: random networks that have them, and what their specs look like."""

from __future__ import annotations

from random import Random

import pytest

import convcalc
from convcalc.errors import SpecError
from convcalc.recovery import recover
from tests.recovery.recovered import lines, of_text, require_same

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
            kinds.insert(
                random.randrange(len(kinds) + 1),
                random.choice(["{Expert: , from: input}", "[linear: d, relu]", "identity"]),
            )
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
        one = random.choice(
            ["Expert: ", "Deep: ", self.expert(0), self.expert(1), f"seq: [{self.expert(0)}, relu, {self.expert(1)}]"]
        )
        score = "[slice: {axis: 1, start: i, stop: i + 1}, linear: {out: 1, bias: false}]"
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


@pytest.mark.parametrize("seed", range(40))
def test_random_experts(seed: int) -> None:
    network = convcalc.load(text=Experts(Random(seed)).network())
    text = require_same(network)
    assert recover(of_text(text)) == text
    require_same(network, flat=True)


HEAD = """\
input: [5, 6]
blocks:
  One: {params: {n}, layers: [linear: 6, {act: '[relu, gelu, silu][n]'}]}
  Inner: {params: {n}, layers: [add: [{each: 2, of: 5, One: n}]]}
layers:
"""
ALIKE = {
    "progression": (("- {linear: 4, name: r}\n- add: [{each: 4, of: 9, from: input, mul: [linear: 6, "
                    "{slice: {axis: 1, start: 3 - i, stop: 4 - i}, from: r}]}]"), "start: 3 - i, stop: 4 - i"),
    "words": ("- mul: [{each: 3, of: 4, linear: {out: 6, act: '[relu, gelu, relu6][i]'}}]", "[relu, gelu, relu6][i]"),
    "fractions": ("- add: [{each: 3, of: 4, seq: [linear: 6, dropout: (i + 1)/7]}]", "[1/7, 2/7, 3/7][i]"),
    "nested": (("- {linear: 7, name: r}\n- add: [{each: 2, of: 4, mul: [{Inner: i}, "
               "{slice: {axis: 1, start: i, stop: i + 1}, from: r}]}]\n- linear: 6"), "Inner: relu if first else gelu"),
    "two_kinds": ("- {add: [{each: 2, of: 4, Inner: i}, {each: 3, of: 7, One: 1}], repeat: 3}", "repeat: 3"),
    "one_of_a_million": ("- add: [{each: 1, of: 1000000, linear: 6}]", "of: 1000000"),
    "weights_of_all": ("- add: [{each: 2, of: 4, seq: [{norm: rms, tie: true}, linear: 6]}]", "tie: true"),
    "weights_of_all_beside_one": ("- add: [{each: 1, of: 4, seq: [linear: 6, {linear: 6, tie: true}]}]", "tie: true"),
    "weights_from_outside": ("- {linear: 6, name: t}\n- add: [{each: 2, of: 4, seq: [{linear: 6, tie: t}, linear: 6]}]",
                             "tie: t"),
    "weights_twice": ("- add: [{each: 2, of: 4, seq: [{linear: 6, name: q}, relu, {linear: 6, tie: q}]}]", "tie: q"),
    "repeats": ("- add: [{each: 2, of: 4, seq: [{linear: 6, repeat: 3}, {seq: [linear: 6, relu], repeat: 2}]}]",
                "repeat: {act: "),
    "numbers_of_names": (("- add: [{each: 2, of: 4, name: 'a{i*2}', linear: 6}, {each: 2, of: 4, name: 'b{7-i}', "
                         "linear: 6}]"), "of: 4"),
    "unread": ("- add: [{each: 2, of: 4, seq: [{linear: 6, name: a}, {linear: 9, name: dead}, {relu: , from: a}]}]",
               "linear: 9"),
    "attention": ("- add: [{each: 2, of: 4, attention: 2}]", "attention: 2"),
    "buffers": ("- reshape: [6, 5]\n- add: [{each: 2, of: 4, conv: {out: 6, kernel: 1, norm: batch}}]", "norm: batch"),
}  # fmt: skip
"""Networks whose experts are alike, and what is in their specs."""
UNLIKE = {
    "structure": "- add: [{each: 2, of: 4, seq: [{seq: [linear: 6, relu], when: i == 0}, "
    "{seq: [relu, linear: 6], when: i == 1}]}]",
    "read_by_others": "- add: [{each: 2, of: 4, name: e, seq: [linear: 6, relu]}]\n- add: [identity, from: e2]",
    "read_inside": "- {add: [{each: 3, of: 4, name: e, seq: [{linear: 6, name: x}, relu]}], name: z}\n"
    "- add: [identity, from: z.e1.x, from: z.e3]",
    "read_by_the_next": "- add: [{each: 2, of: 4, name: e, seq: [{linear: 6, name: x}, relu, "
    "{add: [identity, from: e1.x], when: i == 1}]}]",
    "inputs": "- {linear: 6, name: level1}\n- {linear: 6, name: level2}\n"
    "- add: [{each: 2, of: 4, from: 'level{i + 1}', linear: 6}]",
}
"""Networks whose experts are not."""


@pytest.mark.parametrize("name", ALIKE)
def test_experts_that_are_alike_are_one_item(name: str) -> None:
    text, written = ALIKE[name]
    network = convcalc.load(text=HEAD + text)
    made = require_same(network)
    assert written in made
    assert "when" not in made
    assert recover(of_text(made)) == made
    require_same(network, flat=True)


@pytest.mark.parametrize("name", UNLIKE)
def test_experts_that_are_not_alike_are_an_item_each(name: str) -> None:
    for flat in (False, True):
        assert "when: i == 0" in require_same(convcalc.load(text=HEAD + UNLIKE[name]), flat=flat)


def test_experts_that_another_join_reads_first() -> None:
    with pytest.raises(SpecError, match="could be verified") as raised:
        recover(of_text(HEAD + "- add: [{each: 2, of: 4, name: e, linear: 6}, {mul: [from: e1, from: e2]}]"))
    assert raised.value.code == "CC775"


def test_a_layer_of_experts_is_as_people_write_it() -> None:
    text = recover(convcalc.load("zoo:mixtral").graph)
    assert lines(text) <= 26
    assert "each: 2\n" in text or "each: 2," in text
    assert "slice: {axis: 1, start: i, stop: i + 1}" in text
    assert "{Decoder: , repeat: 32, name: layer}" in text
