"""Names of items that others read, and the paths by which they do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from convcalc.ops.registry import activation_names, kinds
from convcalc.recovery.items import ExpressionText, SpecItem, every
from convcalc.spec.document.names import numbered_name

MAX_LENGTH = 100
LEARNED = ("param", "custom")
"""Kinds that say nothing of what a layer is: they have a name, if the model has one."""
OF_TURNS = ("repeat", "each")
"""Kinds whose turns have a number behind the name."""
NOWHERE = "_"
"""The path of what is not in a list that reads it: the spec is none, and another is tried."""
WORD = re.compile(r"(?!node_)[A-Za-z][A-Za-z_-]*")
"""Names that say something: those of PyTorch's exporter begin as ``node_``."""
NUMBERED = re.compile(r"([a-z_]*)\d+")


def name_targets(items: Sequence[SpecItem], targets: Iterable[int], inputs: Mapping[int, str]) -> dict[int, str]:
    """Name the items that give some nodes, and return the paths of these nodes within the list.

    Args:
        items: of a file or a block.
        targets: nodes that something reads by ``from``.
        inputs: the paths of nodes that are none of the items'.
    """
    wanted, taken = set(targets), {item.name for item in every(items)}
    words = _words(each.kind for each in every(items))
    paths = dict(inputs)
    for item, scopes in _with_scopes(items, ()):
        is_apart = item.kind == "each" and len(item.branches or ()) > 1  # what is in it has a path of its own
        if not is_apart and wanted.isdisjoint(item.nodes):
            continue
        if not item.name:
            item.name = _free_name(item, taken, words)
        if item.kind == "repeat":  # its last turn
            paths[item.nodes[-1]] = ".".join((*scopes, _numbered(item.name, item.args["n"])))
            continue
        for part, node in zip(("", ".norm", ".act"), item.nodes, strict=False):
            paths[node] = ".".join((*scopes, item.name)) + (part if node != item.nodes[-1] else "")
    paths |= dict.fromkeys(wanted - paths.keys(), NOWHERE)
    return paths


def _numbered(name: str, number: int | ExpressionText) -> str:
    text = numbered_name(name, 0)[:-1]
    return f"{text}{{{number}}}" if isinstance(number, str) else f"{text}{number}"


def name_items(items: Sequence[SpecItem], blocks: Iterable[str], modules: Collection[str] = ()) -> None:
    """Name layers, calls and repeats as the model does, where its name says something.

    Args:
        items: of a file or a block.
        blocks: names of blocks.
        modules: paths of all modules of the model, if they are known: other layers have the names of functions.
    """
    words = _words(blocks)
    _name_items(items, words, set(), modules)


def _name_items(items: Sequence[SpecItem], words: set[str], taken: set[str], modules: Collection[str]) -> None:
    for item in items:
        is_function = modules and item.path not in modules and item.kind not in {*LEARNED, *OF_TURNS}
        name = _base(item.places) if item.kind == "repeat" else "" if is_function else item.path.rpartition(".")[2]
        is_call = item.kind == "each" and name not in _words() and all(name != each.kind.lower() for each in items)
        is_free = (name not in words or is_call) and not any(each.startswith(name) for each in taken)
        if is_free and item.nodes and WORD.fullmatch(name) and (item.branches is None or item.kind in OF_TURNS):
            item.name = name
        elif name.rstrip("0123456789_") not in {"", *words} and item.kind in LEARNED and item.nodes:
            item.name = _free_name(item, taken, words)
        taken |= {item.name} - {""}
        for branch in item.branches or ():
            _name_items(branch, words, set() if item.name else taken, modules)


def _words(blocks: Iterable[str] = ()) -> set[str]:
    """Return the words that have a meaning of their own as names, alone or with a number."""
    return {*kinds(), *activation_names(), "seq", "input", *(name.lower() for name in blocks)}


def _base(places: Sequence[str]) -> str:
    """Return what the paths of the turns of a repeat have before their number: ``stage1.conv``, ``stage2.conv``."""
    for parts in zip(*(place.split(".") for place in places), strict=False):
        if len(set(parts)) > 1:
            base = parts[0].rstrip("0123456789")
            numbers = [part.removeprefix(base) for part in parts]
            is_counted = all(number.isdigit() for number in numbers) and [*map(int, numbers)] == [
                *range(int(numbers[0]), int(numbers[0]) + len(numbers))
            ]
            return base.rstrip("_") if is_counted else ""
    return ""


def _with_scopes(items: Iterable[SpecItem], scopes: tuple[str, ...]) -> Iterator[tuple[SpecItem, tuple[str, ...]]]:
    """Yield all items with the names of those around them that are scopes; an item comes before what is in it.

    What is in the turns of a repeat is read by its own turn alone; of branches that are not alike each has a number.
    """
    for item in items:
        yield item, scopes
        branches = item.branches or []
        for number, branch in enumerate(branches, 1):
            inner = (*scopes, item.name) if item.name else scopes
            if item.kind in OF_TURNS:
                inner = () if len(branches) == 1 else (*scopes, numbered_name(item.name, number))
            yield from _with_scopes(branch, inner)


def name_all(items: Sequence[SpecItem]) -> None:
    """Name every layer after its path in the model, those of experts after their path in one of them."""
    taken: set[str] = set()
    words = _words()
    for item, _ in _with_scopes(items, ()):
        if item.kind == "each":
            for inner in (each for branch in item.branches or () for each in every(branch)):
                inner.path = inner.path.removeprefix(item.path).lstrip("._0123456789")
            item.path = item.path.rpartition(".")[2]
    for item in every(items):
        if item.nodes:
            item.name = _free_name(item, taken, words, whole=True)


def _free_name(item: SpecItem, taken: set[str], counted: Collection[str], *, whole: bool = False) -> str:
    """Take a name made of the path in the model; none that items without a name have: ``conv1``, ``block2``."""
    base = item.path.replace(".", "_") if whole else item.path.rpartition(".")[2]
    base = base[-MAX_LENGTH:].lstrip("-") or item.kind
    if base.isdigit() and not whole:
        base = item.kind.lower()
    numbered = NUMBERED.fullmatch(base)
    if item.kind == "repeat":  # its turns have a number behind the name
        base = _base(item.places) or base.rstrip("0123456789_") or item.kind
        base = f"{base}_" if base in counted else base
    elif base == "input" or base[:1].isdigit() or (numbered and numbered[1] in {*counted, item.kind.lower()}):
        base = f"{base}_" if base[-1:].isdigit() else f"_{base}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    taken.add(name)
    return name
