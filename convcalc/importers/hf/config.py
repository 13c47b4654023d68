"""A ``config.json``: its text, its values, and the place of each key for errors."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from typing import Any

from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.importers.refused import REASONS
from convcalc.importers.refused import read as refuse
from convcalc.records import NamedTuple
from convcalc.spec.limits import LARGEST, LIST
from convcalc.spec.yaml.nodes import parse_yaml
from convcalc.spec.yaml.text import decode, read_text

CONFIG = "config.json"
_SHOWN = 60


class Config(NamedTuple):
    """The values of a configuration, and the text that they are in."""

    source: Source
    values: Mapping[str, Any]
    inside: str = ""
    """The key of another configuration that holds it."""

    def span(self, key: str) -> Span:
        """Return the place of a key, or that of the file."""
        start = 0
        for segment in filter(None, (self.inside, key)):
            found = re.compile(rf"{re.escape(json.dumps(segment))}\s*:").search(self.source.text, start)
            if found is None:
                break
            start = found.start()
        else:
            before = self.source.text[:start]
            line = before.count("\n") + 1
            return Span(self.source, line, start - before.rfind("\n"), len(segment) + 2)
        return Span(self.source)

    def object(self, key: str) -> Mapping[str, Any]:
        """Return an object inside, empty where it is null or missing.

        Raises:
            SpecError: CC768, for what is no object.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(key, value, "an object")
        return value or {}

    def wrong(self, key: str, value: Any, needed: str) -> SpecError:
        """Return the error for a value of a key."""
        return SpecError("CC768", f"{quoted(key)} must be {needed}, not {shown(value)}", self.span(key))


def shown(value: Any) -> str:
    """Return a value as JSON has it, cut to what a line can hold."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def read_config(name: str, data: bytes | None) -> Config:
    """Read a configuration from a file, from the folder that holds it, or from its text.

    Raises:
        SpecError: CC760 for what is no JSON object; CC001 to CC005 for what is no text.
    """
    if data is None and os.path.isdir(name):
        name = os.path.join(name, CONFIG)
    if data is None and name.lower().endswith(tuple(REASONS)):
        refuse(Source(name), data)
    if data is None and not os.path.lexists(name):
        hint = "nothing is downloaded: download the config.json of the model, and give its path"
        raise SpecError("CC001", "no such file", Span(Source(name, "")), hint)
    source = read_text(name) if data is None else decode(data, name)
    try:
        values = json.loads(source.text, object_pairs_hook=_once)
    except RecursionError:
        raise SpecError("CC760", "the configuration is nested too deeply", Span(source)) from None
    except json.JSONDecodeError as error:
        place = Span(source, error.lineno, error.colno)
        raise SpecError("CC760", f"the configuration is not JSON: {error.msg}", place) from None
    except _TwiceError as error:
        (key,) = error.args
        raise SpecError("CC760", f"the key {quoted(key)} is there twice", _second(source, key)) from None
    except ValueError as error:
        raise SpecError("CC760", f"the configuration cannot be read: {error}", Span(source)) from None
    if not isinstance(values, dict):
        raise SpecError("CC760", "the configuration is not an object", Span(source))
    return Config(source, values)


class _TwiceError(ValueError):
    """A key is twice in an object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, in which every key is once: readers differ in which of several counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


def _second(source: Source, key: str) -> Span:
    """Return the place of a key that is twice in an object, or that of the file."""
    try:
        parse_yaml(source)
    except SpecErrors as found:
        place = next((error.span for error in found.errors if error.code == "CC105" and key in error.text), None)
        return place or Span(source)
    return Span(source)


def number(value: Any) -> Any:
    """Return a value as expressions have it, or nothing for what is none of them: text, objects, what is no number."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else None
    if isinstance(value, float):
        if not isfinite(value) or abs(value) > LARGEST:
            return None
        exact = Fraction(str(value))
        if exact.denominator > LARGEST:
            return None
        return int(exact) if exact.denominator == 1 else exact
    if isinstance(value, list) and len(value) <= LIST:
        items = tuple(map(number, value))
        return None if any(item is None for item in items) else items
    return None
