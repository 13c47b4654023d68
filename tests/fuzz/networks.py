"""Random networks that are right, built from what the ops declare: a new op is among them at once.

Layers are drawn one behind the other, and one that does not fit what enters it is drawn anew. Sizes are written as
variables now and then, so that a network can be swept, set and left open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import convcalc
from convcalc.errors import SpecErrors
from convcalc.ops.arguments import (
    Argument,
    ArgumentType,
    AxesType,
    ChoiceType,
    CountType,
    DimsType,
    FlagType,
    PaddingType,
    RealType,
    ScalesType,
    SizesType,
)
from convcalc.ops.op import Op, arguments_of
from convcalc.ops.registry import load_all
from convcalc.shapes import Shape

OPS = {kind: op for kind, op in load_all().items() if op.depends_on_values and op.is_counted}
FIRST = [[3, 8, 8], [4, 9, 7], [6, 12], [8, 5], [5, 16], [2, 5, 6, 4], [12], [16], [1, 1, 1], [8, 1, 6]]
KINDS, TRIES = 4, 5
"""How many kinds of layers are tried in a place, and each how often."""
LARGEST = 20_000
"""Elements of a tensor, so that one upsampling after another ends."""


@dataclass
class Network:
    """A network that is right: its text, and its variables with the values that they have there."""

    text: str
    variables: dict[str, int] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    """Of the input."""

    def with_values(self, values: dict[str, int]) -> str:
        """Return the text with other values written into it."""
        return written(self.shape, {**self.variables, **values}, self.text)


class Builder:
    """Draws one network."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.variables: dict[str, int] = {}
        self.first: tuple[int, ...] = tuple(dice.choice(FIRST))
        self.shape = self.first
        """What leaves the last layer."""

    def network(self) -> Network:
        """Draw a few layers in a row."""
        layers = list[str]()
        for _ in range(self.dice.randint(1, 6)):
            layers += self._layer(layers)
        return Network(text_of(layers), self.variables, self.first)

    def _layer(self, before: list[str]) -> list[str]:
        for _ in range(KINDS):
            kind = self.dice.choice(sorted(OPS))
            for _ in range(TRIES):
                kept = dict(self.variables)
                layer = self._item(kind, f"l{len(before)}")
                shape = self._fits([*before, layer])
                if shape is not None:
                    self.shape = tuple(shape)
                    return [layer]
                self.variables = kept
        return []

    def _fits(self, layers: list[str]) -> Shape | None:
        """Return what leaves layers that are a network, or nothing."""
        try:
            graph = convcalc.load(text=written(self.first, self.variables, text_of(layers))).graph
        except SpecErrors:
            return None
        shape = graph.nodes[next(reversed(graph.outputs.values()))].shape
        return shape if shape.elements <= LARGEST and len(shape) <= 5 else None

    # --- items --------------------------------------------------------------------------------------------------------

    def _item(self, kind: str, name: str) -> str:
        op = OPS[kind]
        entry = {kind: self._join(op) if op.arity != (1, 1) else self._arguments(op)}
        if self.dice.random() < 0.4:
            entry["name"] = name
        if self.dice.random() < 0.15:
            entry["repeat"] = str(self.dice.randint(1, 3))
            if self.dice.random() < 0.4:
                entry["tie"] = "true"
        if self.dice.random() < 0.1 and self.variables:
            entry |= {
                "when": f"{self.dice.choice(sorted(self.variables))} > {self.dice.randint(0, 8)}",
                "else": "identity",
            }
        return "{" + ", ".join(f"{key}: {value}" for key, value in entry.items()) + "}"

    def _join(self, op: type[Op]) -> str:
        """Return branches, each a layer or two or the input itself, with arguments now and then."""
        least, most = op.arity
        number = self.dice.randint(max(least, 1), max(least, most or 3))
        branches = f"[{', '.join(self._branch() for _ in range(number))}]"
        given = self._chosen(op)
        return f"{{branches: {branches}, {given}}}" if given else branches

    def _branch(self) -> str:
        plain = [kind for kind, op in OPS.items() if op.arity == (1, 1)]
        if self.dice.random() < 0.5:
            return "identity"
        kinds = [self.dice.choice(plain) for _ in range(self.dice.randint(1, 2))]
        return f"[{', '.join(f'{{{kind}: {self._arguments(OPS[kind])}}}' for kind in kinds)}]"

    def _arguments(self, op: type[Op]) -> str:
        given = self._chosen(op)
        for reference in op.layer_arguments:
            if self.dice.random() < 0.3:
                given += f"{', ' if given else ''}{reference}: input"
        if op.accepts_norm_act and self.dice.random() < 0.3:
            more = self.dice.choice(("norm: batch", "act: relu", "norm: {type: group, groups: 2}, act: prelu"))
            given += f"{', ' if given else ''}{more}"
        return f"{{{given}}}" if given else ""

    def _chosen(self, op: type[Op]) -> str:
        """Return the arguments that an op must have, and some that it may have."""
        chosen = [each for each in arguments_of(op).values() if each.required or self.dice.random() < 0.25]
        return ", ".join(f"{each.key}: {self._value(each)}" for each in chosen)

    # --- values -------------------------------------------------------------------------------------------------------

    def _value(self, argument: Argument) -> str:
        slot, axes = argument.type, max(1, len(self.shape) - 1)
        if isinstance(slot, ChoiceType):
            return self.dice.choice(slot.words)
        if isinstance(slot, FlagType):
            return self.dice.choice(("true", "false"))
        if isinstance(slot, RealType):
            return self.dice.choice(("0", "0.5", "1/3", "1", "2"))
        return self._sizes(slot, axes)

    def _sizes(self, slot: ArgumentType, axes: int) -> str:
        words = getattr(slot, "words", ())
        if words and self.dice.random() < 0.5:
            return self.dice.choice(words)
        if isinstance(slot, AxesType):
            rank = len(self.shape)
            if slot.several and self.dice.random() < 0.7:
                return str(self.dice.sample(range(rank), rank))
            return str(self.dice.randint(-rank, rank - 1))
        if isinstance(slot, DimsType):
            return self._dims()
        if isinstance(slot, ScalesType):
            return self.dice.choice(("2", "3", "1.5", "1/2"))
        if isinstance(slot, PaddingType) and self.dice.random() < 0.3:
            pairs = [[self.dice.randint(0, 2), self.dice.randint(0, 2)] for _ in range(axes)]
            return str(self.dice.choice((pairs, [pair[0] for pair in pairs])))
        if isinstance(slot, SizesType) and self.dice.random() < 0.3:
            return f"[{', '.join(self._size(slot) for _ in range(axes))}]"
        return self._size(slot)

    def _dims(self) -> str:
        sizes = [*self.shape]
        self.dice.shuffle(sizes)
        if self.dice.random() < 0.5 and len(sizes) > 1:
            sizes[:2] = [sizes[0] * sizes[1]]
        if self.dice.random() < 0.4:
            sizes[self.dice.randrange(len(sizes))] = -1
        return str(sizes)

    def _size(self, slot: Any) -> str:
        """Return a small size, often one that divides the channels; now and then by a variable."""
        size = self.dice.choice((1, 1, 2, 2, 3, 4, self.shape[0], self.shape[-1], 2 * self.shape[0]))
        if isinstance(slot, PaddingType):
            size = self.dice.choice((0, 1, 1, 2))
        if isinstance(slot, CountType) or self.dice.random() < 0.5 or len(self.variables) > 2:
            return str(size)
        name = f"v{len(self.variables)}"
        self.variables[name] = size
        return self.dice.choice((name, name, f"2*{name}", f"{name} + 1", f"max({name}, 2)"))


def text_of(layers: list[str]) -> str:
    """Return layers as they stand in a spec."""
    return f"layers: [{', '.join(layers)}]\n"


def written(shape: tuple[int, ...], variables: dict[str, int], layers: str) -> str:
    """Return a whole spec."""
    given = ", ".join(f"{name}: {value}" for name, value in variables.items())
    return f"input: {list(shape)}\nvars: {{{given}}}\n{layers}"
