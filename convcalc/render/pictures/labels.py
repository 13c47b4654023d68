"""Texts of pictures: short numbers, shares, titles; the parts of a design that are labelled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby

from convcalc.number_format import SI, format_significant
from convcalc.records import NamedTuple
from convcalc.render.pictures.modules import COSTS, Module, ModuleRun, Modules, has_costs, runs

NAMES = {
    "params": ("parameter", "parameters"), "macs": ("multiply", "multiplies"),
    "output_elements": ("activation", "activations"), "traffic_bytes": ("byte of traffic", "bytes of traffic"),
}  # fmt: skip
"""The metrics of pictures in words, one and several."""
LETTERS = {"params": "p", "macs": "m", "output_elements": "a"}
"""The metrics of tints, as in class names and the palette."""


def letters_of(by: str) -> Mapping[str, str]:
    """Return the metrics of tints with one more: traffic, of memory as activations are, has their letter and colour."""
    if by != "traffic_bytes":
        return LETTERS
    return {by if letter == "a" else key: letter for key, letter in LETTERS.items()}


LARGE = 50
"""With more parts than that, those without a fiftieth of any metric are drawn together with their neighbours."""
FEW = 14
"""So many parts are left of small ones, about."""


def scaled(value: int | Fraction, base: int, units: Sequence[str]) -> tuple[Fraction, str]:
    """Return a number in the unit in which it has at most three digits before the point: 999.5 k is 1 M."""
    size, step = Fraction(value), 0
    while 2 * size >= 1999 and step + 1 < len(units):
        size, step = size / base, step + 1
    return size, units[step]


def short(value: int | Fraction, *, known: bool = True) -> str:
    """Return a number in three digits with its SI prefix; ``≥`` marks a lower bound.

    >>> short(25557032), short(999_960), short(512), short(0, known=False)
    ('25.6M', '1M', '512', '≥0')
    """
    size, unit = scaled(value, 1000, SI)
    digits = format_significant(size, 3)
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{'' if known else '≥'}{digits}{unit}"


def rounded(of: Counted, key: str) -> str:
    """``9.41k``; ``≥9.41k`` for a lower bound."""
    return short(of.value(key), known=of.is_known(key))


def exact(of: Counted, key: str) -> str:
    """``9,408 parameters``; ``≥ 9,408 parameters`` for a lower bound."""
    value = of.value(key)
    return f"{'' if of.is_known(key) else '≥ '}{value:,} {NAMES[key][value != 1]}"


def facts(of: Counted, root: Counted, keys: Iterable[str]) -> Iterator[str]:
    """Give the exact values of a part of a design, each with its share of the whole: ``9,408 parameters (2%)``."""
    return (f"{exact(of, key)} ({percent(of.value(key), root.value(key))})" for key in keys)


def percent(value: int, total: int) -> str:
    """Return a share in whole percent, rounded half up; a small share is not 0, and a large one not all.

    >>> [percent(value, 1000) for value in (0, 4, 5, 587, 996, 1000)]
    ['0%', '<1%', '1%', '59%', '>99%', '100%']
    """
    rounded = (200 * value + total) // (2 * total) if total else 0
    if not rounded and value:
        return "<1%"
    return ">99%" if rounded == 100 and value < total else f"{rounded}%"


def operation_label(module: Module) -> str:
    """Return a layer, alone in its scope or not, in a few words: ``conv 3×3 /2``; or how many layers a scope has."""
    layer = module.only
    if layer is None:
        return f"{module.layers:,} layers"
    parts = [part for part in layer.summary.split(", ") if part]
    if layer.op == "act":
        return parts[0] if parts else layer.op
    wanted = [part for part in parts if "→" not in part or layer.op == "linear"]
    if layer.op.startswith("dw"):  # depthwise: a group for each channel
        wanted = [part for part in wanted if not part.startswith("groups ")]
    return " ".join([layer.op, *wanted[:3]])


# --- parts ------------------------------------------------------------------------------------------------------------


class PicturePart(NamedTuple):
    """Equal neighbours, or small neighbours together: what is one segment or one row of a picture."""

    label: str
    path: str
    """Of its first module."""
    paths: str
    """All of it: ``stage3.block1 … stage3.block6``."""
    values: Mapping[str, int]
    unknown: Collection[str]

    def value(self, key: str) -> int:
        """Return the sum of a metric."""
        return self.values.get(key, 0)

    def is_known(self, key: str) -> bool:
        """Whether its value of a metric is exact."""
        return key not in self.unknown


Counted = Module | Modules | PicturePart
"""What has numbers."""


def parts_of(root: Module, depth: int | None = None) -> list[PicturePart]:
    """Return what a design is made of, seen from afar; of more than 50 parts, small neighbours are one.

    With a depth these are the modules so many segments below the whole, and the layers above them.
    """
    found = top_runs(root) if depth is None else _runs_at(root, depth)
    if len(found) <= LARGE:
        return [_part([run], depth) for run in found]
    large = [any(LARGE * run.value(key) >= root.value(key) > 0 for key in COSTS) for run in found]
    size = -(-len(found) // FEW)
    parts = []
    for is_large, group in groupby(zip(large, found, strict=True), key=lambda pair: pair[0]):
        several = [run for _, run in group]
        step = 1 if is_large else size
        parts += [_part(several[start : start + step], depth) for start in range(0, len(several), step)]
    return parts


def top_runs(root: Module) -> list[ModuleRun]:
    """Return what a design is made of, seen from afar: its top modules that have parameters or multiplies.

    A single one is opened, and one with more than four fifths of everything too, or equal ones with that: ×n is kept.
    """
    found = list(filter(has_costs, runs(root)))
    while len(found) == 1 and found[0].times == 1 and not found[0].first.is_layer:
        found = list(filter(has_costs, runs(found[0].first)))
    opened = []
    for run in found:
        large = all(5 * run.value(key) > 4 * root.value(key) for key in COSTS)
        within = list(filter(has_costs, _inside(run))) if large and not run.first.is_layer else []
        opened += within if len(within) > 1 else [run]
    return opened


def _inside(run: ModuleRun) -> list[ModuleRun]:
    """Return what a module is made of, or what all of several equal ones are."""
    turns = [runs(module) for module in run.modules]
    if any(len(turn) != len(turns[0]) for turn in turns):
        return [run]
    return [ModuleRun([module for part in parts for module in part.modules]) for parts in zip(*turns, strict=True)]


def _runs_at(root: Module, depth: int) -> list[ModuleRun]:
    level = [root]
    for _ in range(min(depth, root.levels)):
        level = [child for module in level for child in (module.children or [module])]
    return [ModuleRun([module]) for module in level if not module.known or has_costs(module)]


def _part(group: Sequence[ModuleRun], depth: int | None) -> PicturePart:
    names = [run.label if depth is None else run.first.path for run in group]
    label = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
    whole = Modules([module for run in group for module in run.modules])
    unknown = frozenset().union(*(module.unknown for module in whole.modules))
    return PicturePart(label, whole.first.path, whole.paths, {key: whole.value(key) for key in COSTS}, unknown)


def uncounted(root: Module) -> str:
    """Return which layers are not counted, three of them by name; an empty text where all are."""
    names = [leaf.path for leaf in root.leaves() if not leaf.known]
    more = [f"{len(names) - 3:,} more"] if len(names) > 3 else []
    return f"≥ not counted: {', '.join([*names[:3], *more])}" if names else ""
