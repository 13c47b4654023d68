"""Texts to read: anything at all, jumbles of the words of the language, and specs with a few mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from convcalc.designs.names import BUDGET_FILE
from convcalc.ops.op import arguments_of
from convcalc.ops.registry import load_all
from convcalc.spec.document.document_reader import TOP_LEVEL_KEYS
from convcalc.spec.document.modifiers import MODIFIERS
from convcalc.spec.expressions.vocabulary import choices
from tests.bad_input.cases import cases
from tests.conftest import ROOT
from tests.zoo import test_worked_examples

EXAMPLES = [text for name, text in vars(test_worked_examples).items() if name.isupper() and isinstance(text, str)]
SPECS = [
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "specs").rglob("*.yaml")) if path.name != BUDGET_FILE
]
CORPUS = [*SPECS, *EXAMPLES, *(case.text for case in cases())]
"""Good specs and bad ones."""

TOKEN = re.compile(r"\w+|[^\w\n]|\n *")
TOKENS = sorted({token for text in CORPUS for token in TOKEN.findall(text)})
ODD = [
    "&a ", "*a", "!!int ", "<<", "---\n", "...\n", "%YAML 1.1\n", "? ", "|\n", ">\n", "\t", "\r", "\r\n", "\0", "\x1b",
    "\u2028", "\ufeff", "\u202e", "\u200b", "\u0301", "日本", "é", "\U0001f600", "'", '"', "\\", "\\ud800", "{}", "[]",
    "null", "~", ".inf", "0x10", "1_0", "1e64", "1e-65", "9" * 30, "10**18", "1/0", "-1", "0.5", "True", "yes",
]  # fmt: skip

# --- values and items -------------------------------------------------------------------------------------------------

NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "8",
    "-1",
    "1/2",
    "2.5",
    "cin",
    "din",
    "2*cin",
    "cin//2",
    "n",
    "k",
    "i",
    "shape(0)",
    "10000",
]
CHOICES = sorted(choices())
EXPRESSIONS = [
    *NUMBERS, *CHOICES, "true", "false", "first", "not last", "cin == 8", "i > 0", "range(3)", "len(shape)", "flag",
    '"[1, 2]"', '"max(n, 2)"', "ceil(n/3)", "8 if flag else 4", "make_divisible(n*cin)", "nope", "", "null", "1 +", "(",
]  # fmt: skip
NAMES = ["a", "b", "stem", "conv1", "stage", '"p{i}"', '"s{n}.a"', "a.b", "input", ".", "stage1.conv1", "1"]
BLOCKS = ["A", "B", "C"]
PARAMETERS = ["w", "s", "q"]

scalars = st.sampled_from(EXPRESSIONS)
names = st.sampled_from(NAMES)


def mostly(good: st.SearchStrategy[str], bad: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Give nine good ones for every bad one."""
    return st.integers(0, 9).flatmap(lambda draw: good if draw else bad)


def listed(items: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(items, max_size=most).map(lambda written: f"[{', '.join(written)}]")


def mapped(entries: st.SearchStrategy[dict[str, str]]) -> st.SearchStrategy[str]:
    return entries.map(lambda written: "{" + ", ".join(f"{key}: {value}" for key, value in written.items()) + "}")


values = st.recursive(
    scalars,
    lambda inner: listed(inner) | mapped(st.dictionaries(st.sampled_from(TOKENS), inner, max_size=2)),
    max_leaves=4,
)


def arguments(keys: list[str]) -> st.SearchStrategy[str]:
    """Give what may stand under a kind or a block: nothing, a value, values in order, values by name."""
    by_name = st.dictionaries(
        mostly(st.sampled_from(keys or ["w"]), st.sampled_from(TOKENS)), mostly(scalars, values), max_size=4
    )
    return st.just("") | scalars | listed(scalars) | mapped(by_name)


def layers() -> dict[str, st.SearchStrategy[str]]:
    """Give the arguments of every kind that is not a join."""
    return {
        kind: arguments([*arguments_of(op), *op.layer_arguments, *(("norm", "act") if op.accepts_norm_act else ())])
        for kind, op in load_all().items()
        if op.arity == (1, 1)
    }


LAYERS = layers()
PLAIN = {
    "conv": ["[8, 3]", "[cin, 1]", "{out: 8, kernel: 3, padding: half, norm: batch, act: relu}"],
    "dwconv": ["3"],
    "linear": ["{out: 4, axis: -1}", "10"],
    "maxpool": ["2", "global"],
    "flatten": [""],
    "relu": [""],
    "identity": [""],
}
"""Layers that often fit."""

modifiers: dict[str, st.SearchStrategy[str]] = {
    "name": names,
    "from": mostly(names, listed(names)),
    "when": st.sampled_from(["flag", "cin == 8", "true", "first", "1", "nope"]),
    "repeat": st.sampled_from(["2", "0", "n", "{k: [1, 3]}", "{c: [8, 4], k: range(2)}", "-1", "{c: 3}", "1/2"]),
    "each": st.sampled_from(["2", "0", "{k: [1, 3]}"]),
    "tie": st.sampled_from(["true", "a", "conv1"]),
    "note": st.just("text"),
}


@st.composite
def items(draw: Callable[[st.SearchStrategy[Any]], Any], depth: int = 3) -> str:
    """Give an item in flow style."""
    what = draw(st.integers(0, 9))
    if what == 0 or depth == 0:
        return str(draw(st.sampled_from(["relu", "identity", "flatten", *BLOCKS, "conv: [8, 1]", "norm: batch"])))
    inner = items(depth - 1)
    if what == 1:
        return str(draw(listed(inner)))
    if what == 2:
        return str(draw(values))
    entry = draw(entries(inner, what))
    chosen = draw(st.lists(st.sampled_from(sorted(modifiers)), max_size=3, unique=True))
    entry |= {key: draw(modifiers[key]) for key in chosen}
    if "when" in entry and draw(st.booleans()):
        entry["else"] = draw(inner)
    keys = draw(st.permutations(sorted(entry)))
    return "{" + ", ".join(f"{key}: {entry[key]}" for key in keys) + "}"


@st.composite
def entries(draw: Callable[[st.SearchStrategy[Any]], Any], inner: st.SearchStrategy[str], what: int) -> dict[str, str]:
    """Give the kind of an item and what stands under it."""
    if what <= 4:
        kind = draw(st.sampled_from(["concat", "add", "mul", "matmul", "seq"]))
        return {kind: draw(listed(inner))}
    if what == 5:
        kind = draw(st.sampled_from(sorted(LAYERS)))
        return {kind: draw(LAYERS[kind])}
    if what == 6:
        return {draw(st.sampled_from(BLOCKS)): draw(arguments(PARAMETERS))}
    kind = draw(st.sampled_from(sorted(PLAIN)))
    return {kind: draw(st.sampled_from(PLAIN[kind]))}


# --- specs ------------------------------------------------------------------------------------------------------------


def block() -> st.SearchStrategy[str]:
    signature = st.sampled_from(
        ["", "params: {w: 4}, ", "params: {w, s: w//2}, ", "inputs: [q], ", "params: {w: cin, s: 1/0}, inputs: [q], "]
    )
    return st.tuples(signature, listed(items())).map(lambda parts: f"{{{parts[0]}layers: {parts[1]}}}")


SECTIONS: dict[str, st.SearchStrategy[str]] = {
    "convcalc": st.sampled_from(["1", "2"]),
    "name": names,
    "note": st.just("text"),
    "import": st.sampled_from(["{a: nowhere.yaml}", "{a: ../up.yaml}", "", "[a]"]),
    "input": st.sampled_from(["[3, 8, 8]", "[8, 16]", "{c: 4, h: 9, w: 7}", "[n]", "[8, n, n, 4]", "[]", "[0]", "3"]),
    "inputs": st.sampled_from(["{a: [3, 8, 8], b: [3, 8, 8]}", "{input: [3]}", "{}"]),
    "vars": st.sampled_from(["{n: 4, flag: true}", "{n: 2, flag: n > 3, k: 3}", "{n: nope, flag: 1}", "{relu: 1}"]),
    "variants": st.sampled_from(["{v: {n: 8}}", "{v: {flag: false}, w: {n: 2*n}}", "{v: {nope: 1}}"]),
    "defaults": st.sampled_from(
        ["{conv: {padding: half}}", "{conv: {norm: {type: group, groups: 3}}}", "{linear: {act: gelu}}", "{nope: {}}"]
    ),
    "blocks": mapped(st.dictionaries(st.sampled_from(BLOCKS), block(), max_size=3)),
    "layers": listed(items(), most=6),
    "outputs": listed(names),
    "claims": st.sampled_from(["[{params: 3, source: s}]", "[{out: [3], source: s, at: a}]", "[{params: x}]", "{}"]),
}
USUAL = ("input", "vars", "blocks", "layers")


@st.composite
def specs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """Give a spec made of the words of the language, most of them without a sense."""
    others = draw(st.lists(st.sampled_from(sorted(set(SECTIONS) - set(USUAL))), max_size=2, unique=True))
    left_out = draw(mostly(st.just(""), st.sampled_from(USUAL)))
    chosen = [key for key in (*USUAL, *others) if key != left_out]
    return "".join(f"{key}: {draw(mostly(SECTIONS[key], values))}\n" for key in chosen)


VOCABULARY = [*TOP_LEVEL_KEYS, *MODIFIERS, *LAYERS, *CHOICES, *TOKENS, *ODD]
words = st.sampled_from(VOCABULARY)
jumbles = st.lists(words, max_size=30).map("".join)
"""Words of the language, one behind the other."""

# --- mistakes ---------------------------------------------------------------------------------------------------------

UNITS: list[Callable[[str], list[str]]] = [list, TOKEN.findall, lambda text: text.splitlines(keepends=True)]
"""A text in characters, in tokens, in lines."""


@st.composite
def mistakes(draw: Callable[[st.SearchStrategy[Any]], Any], texts: st.SearchStrategy[str]) -> str:
    """Give a text in which something is left out, doubled, swapped, put in or replaced, up to three times."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 3))):
        units = UNITS[draw(st.integers(0, 2))](text)
        place, other = (draw(st.integers(0, max(0, len(units) - 1))) for _ in range(2))
        new = draw(words | st.characters() | st.sampled_from(CORPUS[0].splitlines(keepends=True)))
        edit = draw(st.sampled_from(["delete", "double", "swap", "insert", "replace", "cut"]))
        if edit == "insert" or not units:
            units.insert(place, new)
        elif edit == "replace":
            units[place] = new
        elif edit == "swap":
            units[place], units[other] = units[other], units[place]
        elif edit == "double":
            units.insert(place, units[place])
        else:
            del units[place : place + (1 if edit == "delete" else other)]
        text = "".join(units)
    return text
