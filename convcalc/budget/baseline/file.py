"""The baseline file: sorted JSON, a design a line, so that versions merge line by line and say what changed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from convcalc.budget.baseline.types import Accepted, Past
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.report.report import CONVENTION, SCHEMA_VERSION
from convcalc.spec.yaml.text import require_own

FILE = "convcalc-baseline.json"
MISSING, OTHERWISE, MALFORMED = "CC641", "CC645", "CC646"
LARGEST = 64 << 20
"""Bytes of a baseline: about 2,500 networks of the size of ResNet-50."""
DIGITS = 1000
"""Of an integer in a baseline."""
BATCH, DTYPE = 1, "float32"
"""What checks count for."""
BEGINNING, MARK, HEAD = b'{\n "schema_version": ', b'"convention": "convcalc/', 1 << 10
"""What a baseline begins with, and what stands in so many of its first bytes, however it is indented."""
FIELDS = ("schema_version", "convention", "batch", "dtype", "designs", "accepted")


class Record(NamedTuple):
    """What a baseline file holds."""

    designs: Mapping[str, Past] = {}
    accepted: tuple[Accepted, ...] = ()


def written(record: Record) -> str:
    """Return the text of a baseline file; the same numbers always give the same bytes."""
    head = {"schema_version": SCHEMA_VERSION, "convention": CONVENTION, "batch": BATCH, "dtype": DTYPE}
    lines = [f" {_encode(key)}: {_encode(value)}," for key, value in head.items()]
    designs = [f"{_encode(name)}: {_encode(_design(record.designs[name]))}" for name in sorted(record.designs)]
    accepted = [_encode(entry._asdict()) for entry in sorted(record.accepted)]
    return "\n".join(["{", *lines, *_held("designs", "{}", designs, ","), *_held("accepted", "[]", accepted), "}\n"])


def _design(past: Past) -> dict[str, object]:
    layers = {path: dict(sorted(values.items())) for path, values in sorted(past.layers.items()) if values}
    return {"totals": dict(sorted(past.totals.items())), "layers": layers}


def _held(key: str, brackets: str, lines: list[str], end: str = "") -> list[str]:
    if not lines:
        return [f' "{key}": {brackets}{end}']
    return [f' "{key}": {brackets[0]}', ",\n".join(f"  {line}" for line in lines), f" {brackets[1]}{end}"]


_encode = json.JSONEncoder().encode
"""ASCII only: names of any bytes survive, and nothing in them is seen as anything else."""


# --- reading ----------------------------------------------------------------------------------------------------------


def read_record(path: str, missing: SpecError) -> Record:
    """Read a baseline file.

    Raises:
        SpecErrors: ``missing`` where there is no such file, CC645 counted otherwise, CC646 malformed.
    """
    try:
        require_own(path)
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except SpecError as error:
        raise _malformed(Span(Source(path)), f"the baseline {error.text}") from None
    except FileNotFoundError:
        raise SpecErrors([missing]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _malformed(Span(Source(path)), f"the baseline cannot be read: {reason}") from None
    if len(data) > LARGEST:
        raise _malformed(Span(Source(path)), f"the baseline is larger than the limit of {LARGEST} bytes (64 MiB)")
    source = Source(path, data.decode("utf-8", "backslashreplace").removeprefix("\ufeff"))
    return _Reader(source).record()


MEND = "mend it, take it from the history (git checkout), or write it anew: convcalc baseline write"


def _malformed(span: Span, text: str, hint: str = MEND) -> SpecErrors:
    return SpecErrors([SpecError(MALFORMED, text, span, hint)])


class _Doubled(ValueError):
    """A key that stands twice in one mapping."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _Doubled(next(key for key in made if keys.count(key) > 1))
    return made


def require_replaceable(path: str) -> None:
    """Demand that what has the path of a baseline that is to be written is one, however broken, or nothing.

    Raises:
        SpecErrors: CC646 for any other file, which would be lost.
    """
    if not os.path.lexists(path):
        return
    head = b""
    if os.path.isfile(path):
        with open(path, "rb") as file:
            head = file.read(HEAD)
    elif os.path.exists(path):
        raise _malformed(Span(Source(path)), "what is there is no file", "name another file in the budget")
    if not BEGINNING.startswith(head.strip()) and MARK not in head:
        text = "this file is no baseline, and writing one would replace it"
        raise _malformed(Span(Source(path)), text, "name another file in the budget, or delete this one")


class _Reader:
    """Takes a baseline apart. A place is looked for when something is wrong there."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def record(self) -> Record:
        """Return what the file holds."""
        root = self._parsed()
        if not isinstance(root, dict):
            raise self._wrong("the baseline is no mapping", "")
        for key in FIELDS:
            if key not in root:
                raise self._wrong(f"the baseline has no {quoted(key)}", "")
        if root["schema_version"] != SCHEMA_VERSION:
            version = quoted(str(root["schema_version"]))
            raise self._wrong(f"this program reads version {SCHEMA_VERSION} of baselines, not {version}", FIELDS[0])
        self._require_same(root)
        designs = self._mapping(root["designs"], "designs")
        if not isinstance(root["accepted"], list):
            raise self._wrong("`accepted` is a list", "accepted")
        return Record(
            {name: self._past(name, held) for name, held in designs.items()}, tuple(map(self._entry, root["accepted"]))
        )

    def _parsed(self) -> object:
        text = self.source.text
        try:
            return json.loads(text, object_pairs_hook=_once)
        except json.JSONDecodeError as error:
            conflict = re.search(r"^(<{7}|={7}|>{7})", text, re.MULTILINE)
            if conflict:
                raise self._at(conflict.start(), 7, "the baseline holds a conflict of a merge") from None
            early = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
            what = "ends too early" if early else f"is no JSON: {error.msg}"
            raise self._at(min(error.pos, len(text.rstrip())), 1, f"the baseline {what}") from None
        except _Doubled as error:
            raise self._wrong(f"the key {quoted(str(error))} stands twice", str(error), again=True) from None
        except RecursionError:
            raise self._at(0, 1, "the baseline is nested too deep") from None
        except ValueError:
            long = re.search(rf"\d{{{DIGITS},}}", text)
            raise self._at(long.start() if long else 0, 1, f"a number has more than {DIGITS} digits") from None

    def _require_same(self, root: Mapping[str, object]) -> None:
        """Demand that the numbers were counted as this run counts."""
        mine = {"convention": CONVENTION, "batch": BATCH, "dtype": DTYPE}
        other = [key for key, value in mine.items() if root[key] != value or isinstance(root[key], bool)]
        if other:
            theirs = ", ".join(f"{key} {quoted(str(root[key]))}" for key in other)
            ours = ", ".join(f"{key} {quoted(str(mine[key]))}" for key in other)
            text = f"the baseline was counted with {theirs}, this run counts with {ours}"
            hint = "count it anew with the same program: convcalc baseline write"
            raise SpecErrors([SpecError(OTHERWISE, text, self._place(other[0]), hint)])

    def _past(self, name: str, held: object) -> Past:
        fields = self._mapping(held, name)
        for key in ("totals", "layers"):
            if key not in fields:
                raise self._wrong(f"the design {quoted(name)} has no {quoted(key)}", name)
        layers = self._mapping(fields["layers"], name)
        return Past(
            self._counts(fields["totals"], name), {path: self._counts(layers[path], name, path) for path in layers}
        )

    def _counts(self, held: object, *keys: str) -> dict[str, int]:
        values = self._mapping(held, *keys)
        for metric, value in values.items():
            if type(value) is not int or value < 0 or value >= 10**DIGITS:
                raise self._wrong(f"{quoted(metric)} is not a count", *keys, metric)
        return values

    def _entry(self, held: object) -> Accepted:
        fields = self._mapping(held, "accepted")
        texts = [fields.get(key) for key in Accepted._fields if key != "value"]
        if not all(isinstance(text, str) for text in texts) or type(fields.get("value")) is not int:
            raise self._wrong("what is accepted has a budget, a design, a metric, a value and a reason", "accepted")
        return Accepted(**{key: fields[key] for key in Accepted._fields})

    def _mapping(self, held: object, *keys: str) -> dict[str, Any]:
        if not isinstance(held, dict):
            raise self._wrong(f"{quoted(keys[-1])} is no mapping", *keys)
        return held

    # --- places -------------------------------------------------------------------------------------------------------

    def _wrong(self, text: str, *keys: str, again: bool = False) -> SpecErrors:
        return _malformed(self._place(*keys, again=again), text)

    def _place(self, *keys: str, again: bool = False) -> Span:
        """Return where keys stand, each behind the one before; the beginning for keys that are not found."""
        start, extent = 0, 1
        for key in keys:
            found = [*re.finditer(f"{re.escape(_encode(key))}\\s*:", self.source.text[start:])][: 1 + again]
            if found and key:
                start, extent = start + found[-1].start(), len(_encode(key))
        return self._span(start, extent)

    def _at(self, offset: int, extent: int, text: str) -> SpecErrors:
        return _malformed(self._span(offset, extent), text)

    def _span(self, offset: int, extent: int) -> Span:
        before = self.source.text[:offset]
        return Span(self.source, before.count("\n") + 1, offset - before.rfind("\n"), extent)
