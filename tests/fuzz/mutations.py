"""Texts made wrong: in their bytes, in their tokens, in the tree of YAML that they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any

from convcalc.errors import Source, SpecError, SpecErrors
from convcalc.spec.yaml.nodes import parse_yaml
from convcalc.spec.yaml.text import validate_text
from tests.bad_input.cases import plain
from tests.bad_input.strategies import EXPRESSIONS, ODD, UNITS

AROUND = [
    "{0}*{1}", "{0} // {1}", "({0})**2", "{0} if {1} else {0}", "max({0}, {1})", "-({0})", "[{0}, {1}]", "{0}{1}",
    "{1} == {0}", "len({0})", "{0}/{1}", "round({0}/3)", "make_divisible({0}, {1})", "not {0}", "{0} and {1}",
    "range({0})",
]  # fmt: skip
"""Expressions around a value."""
SMALL, USUAL = 400, 2000
"""Characters: of ten texts nine are small, and of the others most are of the usual length."""
BARE = re.compile(r"[\w.+(][\w ./*+()=<>!-]*")
"""Scalars that stand without quotes inside brackets."""
EXTREME = [
    "0", "-1", "1/3", "0.5", "-0.0", "1e18", "10**18", "10**19", "1e-30", "9" * 18, "9" * 40, "2**63 - 1", "1e999",
    "nan", "10000", "100001", "[]", "{}", "[[1, 2], [3]]", "0x1F", "1_000", "٣", "½", "²", "ﬁ", "K", "\u202e", "\u0000",
    "a" * 201, "日本語" * 30, "+".join(["1"] * 250), "(" * 70, "{" * 20, "not " * 70 + "true", "'", '"', "\\", "%",
    "@a", "#", "&a", "*a", "!!python/object:os.system", "- ", "null", "~", "Yes", ":", "5MiB", "4.2G", "+1%",
    "2027-02-30",
]  # fmt: skip
"""Values at or past an edge of the language."""


class Corpus:
    """Texts to begin with; small ones are drawn more often."""

    def __init__(self, texts: Sequence[str], words: Sequence[str]) -> None:
        self.words = words
        self.sizes = [
            [text for text in texts if len(text) <= SMALL],
            [text for text in texts if len(text) <= USUAL],
            [*texts],
        ]

    def draw(self, dice: Random) -> str:
        """Draw a text as it stands in the corpus."""
        return dice.choice(self.sizes[dice.choices((0, 1, 2), (90, 9, 1))[0]])

    def mutated(self, dice: Random) -> bytes:
        """Draw a text and make it wrong up to three times, once in ten in its bytes too."""
        text = self.draw(dice)
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            text = dice.choice(LEVELS)(self, text, dice)
        data = text.encode("utf-8", "surrogatepass")
        return in_bytes(data, dice) if dice.random() < 0.05 else data


def in_bytes(data: bytes, dice: Random) -> bytes:
    """Flip, insert, double or cut bytes."""
    held = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        place = dice.randint(0, len(held))
        what = dice.randrange(4)
        if what == 0 and place < len(held):
            held[place] ^= 1 << dice.randrange(8)
        elif what == 1:
            held[place:place] = dice.randbytes(dice.randint(1, 3))
        elif what == 2:
            held[place:place] = held[place : place + dice.randint(1, 40)]
        else:
            del held[place : place + dice.randint(1, 8)]
    return bytes(held)


def in_tokens(corpus: Corpus, text: str, dice: Random) -> str:
    """Leave out, double, swap, insert or replace characters, tokens or lines."""
    units = dice.choice(UNITS)(text)
    if not units:
        return dice.choice(corpus.words)
    place, other = dice.randrange(len(units)), dice.randrange(len(units))
    what = dice.randrange(6)
    if what == 0:
        del units[place]
    elif what == 1:
        units[place:place] = units[place : place + 1] * dice.choice((1, 1, 1, 70))
    elif what == 2:
        units[place], units[other] = units[other], units[place]
    elif what == 3:
        del units[min(place, other) : max(place, other)]
    else:
        units[place : place + what - 4] = [word(corpus, dice)]
    return "".join(units)


def word(corpus: Corpus, dice: Random) -> str:
    """Draw a word of the language, an expression, or something that is neither."""
    return dice.choice(dice.choice((corpus.words, corpus.words, EXPRESSIONS, EXTREME, ODD)))


# --- trees ------------------------------------------------------------------------------------------------------------


def in_tree(corpus: Corpus, text: str, dice: Random) -> str:
    """Change one place of the tree that a text is and rewrite it; a text that is not a tree changes in its tokens."""
    tree = parsed(text)
    places = list(_places(tree))
    if not places:
        return in_tokens(corpus, text, dice)
    leaves = [place for place in places if not isinstance(place[0][place[1]], dict | list)]
    holder, key = dice.choice(leaves if leaves and dice.random() < 0.7 else places)
    dice.choice(EDITS)(corpus, holder, key, places, dice)
    return written(tree)


def parsed(text: str) -> Any:
    """Return a text as mappings, lists and words, each time anew; nothing for a text that is not YAML."""
    return json.loads(_parsed(text))


@cache
def _parsed(text: str) -> str:
    try:
        return json.dumps(plain(parse_yaml(validate_text(Source("corpus", text)))))
    except (SpecError, SpecErrors):
        return "null"


def _places(tree: Any, depth: int = 0) -> Any:
    """Give every place of a tree: what holds it, and under which key or number."""
    if not isinstance(tree, dict | list) or depth > 40:
        return
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        yield from _places(tree[key], depth + 1)


def written(tree: Any, top: bool = True) -> str:
    """Write a tree as YAML: the outermost mapping in lines, the rest in brackets."""
    if isinstance(tree, dict):
        pairs = [f"{_scalar(key)}: {written(value, top=False)}" for key, value in tree.items()]
        return "\n".join(pairs) + "\n" if top else f"{{{', '.join(pairs)}}}"
    if isinstance(tree, list):
        return f"[{', '.join(written(item, top=False) for item in tree)}]"
    return "" if tree is None else _scalar(tree)


def _scalar(text: str) -> str:
    return text if BARE.fullmatch(text) and not text.endswith(" ") else json.dumps(text)


Place = tuple[Any, Any]
Edit = Callable[[Corpus, Any, Any, Sequence[Place], Random], None]


def _delete(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    del holder[key]


def _value(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    holder[key] = word(corpus, dice)


def _number(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    holder[key] = str(dice.choice((0, 1, 2, 3, 4, 7, 8, 16, -1, -3, 64, 1000, 10**6, 10**18)))


def _expression(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    """Put an expression around what stands there."""
    if not isinstance(holder[key], dict | list):
        one, other = dice.choice(EXPRESSIONS), dice.choice(AROUND)
        holder[key] = other.format(holder[key], one)


def _key(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    if isinstance(holder, dict):
        holder[word(corpus, dice)] = holder.pop(key)
    else:
        holder.insert(key, word(corpus, dice))


def _swap(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    other, at = dice.choice(places)
    holder[key], other[at] = _copy(other[at]), _copy(holder[key])


def _wrap(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    depth = dice.choice((1, 1, 1, 2, 5, 70))
    name = word(corpus, dice) if dice.random() < 0.5 else None
    for _ in range(depth):
        holder[key] = {name: holder[key]} if name else [holder[key]]


def _multiply(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    copy = _copy(holder[key])
    if isinstance(holder, list):
        holder[key:key] = [copy] * dice.choice((1, 1, 2, 50))
    else:
        holder[word(corpus, dice)] = copy


def _graft(corpus: Corpus, holder: Any, key: Any, places: Sequence[Place], dice: Random) -> None:
    """Put a part of another text in the place."""
    other = list(_places(parsed(dice.choice(corpus.sizes[0]))))
    if other:
        donor, at = dice.choice(other)
        holder[key] = donor[at]


def _copy(tree: Any) -> Any:
    return json.loads(json.dumps(tree))


EDITS: list[Edit] = [_delete, _value, _number, _number, _number, _expression, _key, _swap, _wrap, _multiply, _graft]
LEVELS: list[Callable[[Corpus, str, Random], str]] = [in_tokens, in_tree, in_tree, in_tree]
