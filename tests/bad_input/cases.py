"""Reads ``bad_specs.yaml``, and says what is wrong with a text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import convcalc
from convcalc.errors import Source, SpecError, SpecErrors
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode, parse_yaml

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Case:
    """A spec with one thing wrong: where that is, and what is to be said of it."""

    id: str
    code: str
    says: str
    text: str
    line: int
    column: int
    extent: int
    trail: tuple[str, ...]
    """Lines ``PATH called from LINE:COLUMN``."""
    any_column: bool
    """Whether the parsers of YAML differ in the column."""


def cases() -> list[Case]:
    root = parse_yaml(Source("bad_specs.yaml", (HERE / "bad_specs.yaml").read_text(encoding="utf-8")))
    read: list[dict[str, Any]] = plain(root)
    return [_case(entry) for entry in read]


def _case(entry: dict[str, Any]) -> Case:
    return Case(
        entry["id"],
        entry["code"],
        entry["says"],
        *blamed(entry["spec"]),
        trail=tuple(entry.get("in", ())),
        any_column="any_column" in entry,
    )


def blamed(marked: str) -> tuple[str, int, int, int]:
    """Return a text without its marks «…», and the line, the column and the extent of what stands between them."""
    before, _, rest = marked.partition("«")
    part, _, after = rest.partition("»")
    column = len(before) - (before.rfind("\n") + 1) + 1
    return before + part + after, before.count("\n") + 1, column, max(1, len(part))


def plain(node: YamlNode | None) -> Any:
    """Return nodes as dicts, lists and texts."""
    if isinstance(node, MapNode):
        return {key.text: plain(value) for key, value in node.pairs}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.text if isinstance(node, ScalarNode) else None


def errors_of(text: str, name: str = "spec.yaml", **options: Any) -> list[SpecError]:
    """Return the errors of a spec; if it has none, its warnings."""
    try:
        return convcalc.load(text=text, name=name, **options).graph.warnings
    except SpecErrors as errors:
        return errors.errors


def first_lines(text: str, **options: Any) -> list[str]:
    """Return the first line of every error, or else of every warning."""
    return [str(error) for error in errors_of(text, **options)]


def message(text: str, name: str = "spec.yaml") -> list[str]:
    """Return the lines of all that is said about a spec that cannot be read."""
    try:
        convcalc.load(text=text, name=name)
    except SpecErrors as errors:
        return str(errors).split("\n")
    raise AssertionError("nothing is wrong with it")
