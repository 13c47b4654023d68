"""Completion from the JSON Schema of specs, at a cursor in a text that is being written and need not be YAML yet.

What is around the cursor is read from indents, dashes and open brackets alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from convcalc.spec.json_schema import CALL, spec_schema

ITEM = "[]"
"""In a path: an entry of a list."""

_DASHES = re.compile(r" *(?:- +)*")
_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s'"#:{}\[\],]+) *:(?= |$)""")
_WORD = re.compile(r"[\w.-]*$")
_BLOCK = re.compile(r"^ +([A-Z]\w*):", re.MULTILINE)
_FLOW = re.compile(r"""[{}\[\],]|(?:"[^"]*"|'[^']*'|[^\s'"#:{}\[\],]+) *:(?= |$)""")


def complete(text: str, line: int, column: int) -> dict[str, Any]:
    """Return what may be written at a place.

    Args:
        text: of the editor.
        line: from 0.
        column: from 0.

    Returns:
        ``options``, each with ``label``, ``type`` (``property`` or ``constant``), ``info``, and ``apply``, which is to
        be written; the word that they replace begins ``back`` characters before the cursor.

    >>> [option["label"] for option in complete("layers:\\n  - maxp", 1, 8)["options"] if "maxp" in option["label"]]
    ['maxpool']
    """
    lines = text.split("\n")
    head = lines[line][:column]
    word = _WORD.search(head)
    assert word is not None
    path, is_value = path_at([*lines[:line], head[: word.start()]])
    found: dict[str, dict[str, str]] = {}
    for schema in schemas_at(path):
        for option in _options(schema, text, keys=not is_value):
            found.setdefault(option["label"], option)
    return {"options": list(found.values()), "back": len(word[0])}


def path_at(lines: list[str]) -> tuple[list[str], bool]:
    """Return the keys around the end of the last line, from the outside, and whether a key with its ``:`` is before it.

    >>> path_at(["layers:", "  - conv: {out: 3, "])
    (['layers', '[]', 'conv'], False)
    >>> path_at(["layers:", "- conv:", "    padding: "])
    (['layers', '[]', 'conv', 'padding'], True)
    """
    inside, is_value = _flow(lines[-1])
    path, limit, may_equal = inside[::-1], len(lines[-1]), False
    for line in reversed(lines):
        for column, key in reversed(_marks(line)):
            if column < limit or (may_equal and column == limit and key != ITEM):
                path.append(key)
                limit, may_equal = column, key == ITEM
        if limit == 0 and not may_equal:
            break
    return path[::-1], is_value


def _marks(line: str) -> list[tuple[int, str]]:
    """Return the dashes and the key at the beginning of a line, each with its column."""
    dashes, key = _head(line)
    marks = [(place, ITEM) for place, mark in enumerate(dashes) if mark == "-"]
    return [*marks, (len(dashes), key[1].strip("\"'"))] if key else marks


def _head(line: str) -> tuple[str, re.Match[str] | None]:
    """Return the indent of a line with its dashes, and the key behind them."""
    start = _DASHES.match(line)
    assert start is not None
    return start[0], _KEY.match(line, start.end())


def _flow(line: str) -> tuple[list[str], bool]:
    """Return what is open behind the key of a line: the keys of ``{``, and the entries of ``[``."""
    dashes, key = _head(line)
    opened: list[str | None] = []
    for mark in _FLOW.findall(line, key.end() if key else len(dashes)):
        if mark in "{[":
            opened.append(None if mark == "{" else ITEM)
        elif mark in "}]":
            opened = opened[:-1]
        elif opened and opened[-1] != ITEM:
            opened[-1] = None if mark == "," else mark.rstrip(" :").strip("\"'")
    is_value = opened[-1] not in {None, ITEM} if opened else bool(key)
    return [each for each in opened if each is not None], is_value


# --- the schema -------------------------------------------------------------------------------------------------------


_schema = cache(spec_schema)


def schemas_at(path: Iterable[str]) -> list[Mapping[str, Any]]:
    """Return every schema that a value at a path may follow, ``anyOf`` and ``$ref`` resolved."""
    found = list(_resolved(_schema()))
    for key in path:
        found = [each for schema in found for below in _below(schema, key) for each in _resolved(below)]
    return found


def _resolved(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in schema:
        target: Any = _schema()
        for segment in schema["$ref"].removeprefix("#/").split("/"):
            target = target[segment]
        yield from _resolved(target)
        return
    yield schema
    for each in schema.get("anyOf", ()):
        yield from _resolved(each)


def _below(schema: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    if key == ITEM:
        items = schema.get("items", [])
        yield from items if isinstance(items, list) else [items]
    elif key in schema.get("properties", {}):
        yield schema["properties"][key]
    else:
        yield from (value for pattern, value in schema.get("patternProperties", {}).items() if re.search(pattern, key))


def _options(schema: Mapping[str, Any], text: str, *, keys: bool) -> Iterator[dict[str, str]]:
    """Give the words that a value may be, and before them with ``keys`` the keys that it may have."""
    if keys:
        for key, value in schema.get("properties", {}).items():
            yield {"label": key, "type": "property", "info": value.get("description", ""), "apply": f"{key}: "}
        for name in dict.fromkeys(_BLOCK.findall(text) if CALL in schema.get("patternProperties", {}) else ()):
            yield {"label": name, "type": "property", "info": "A block of this file.", "apply": f"{name}: "}
    kind = schema.get("type", ())
    is_flag = "boolean" in kind and "number" not in kind  # else it takes any text
    for word in (*schema.get("enum", ()), *((True, False) if is_flag else ())):
        written = str(word).lower() if isinstance(word, bool) else str(word)
        yield {"label": written, "type": "constant", "info": schema.get("description", ""), "apply": written}
