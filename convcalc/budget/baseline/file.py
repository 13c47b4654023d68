"""The baseline file: sorted JSON, a design a line, so that versions merge line by line and say what changed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Container, Mapping
from typing import Any

from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.graph.graph import Graph
from convcalc.metrics.registry import report_metrics
from convcalc.records import NamedTuple
from convcalc.report.report import CONVENTION_ID, SCHEMA_VERSION
from convcalc.spec.yaml.text import require_inside_repository


class DesignCounts(NamedTuple):
    """What one design counted in the baseline."""

    totals: Mapping[str, int]
    """By metric."""
    layers: Mapping[str, Mapping[str, int]]
    """Path of every layer that counts anything → metric → value, additive metrics alone, zeros left out."""
    old_name: str = ""
    """How the baseline calls it, where that is another name: the file was renamed since."""


class AcceptedValue(NamedTuple):
    """A value above the limit that somebody took responsibility for."""

    budget: str
    design: str
    metric: str
    value: int
    reason: str


def count_graph(graph: Graph, known: Container[str] | None = None) -> DesignCounts:
    """Return the totals of all metrics, or of those that are known, and what every layer counts of those that are sums.

    A baseline of an earlier version of the program knows fewer.
    """
    paths = [node.path for node in graph.layers]
    totals: dict[str, int] = {}
    layers: dict[str, dict[str, int]] = {}
    for measure in report_metrics():
        if known is not None and measure.key not in known:
            continue
        values, whole = measure.values(graph)
        totals[measure.key] = int(whole)
        for path, value in zip(paths, values, strict=True) if measure.is_additive else ():
            if value:
                layers.setdefault(path, {})[measure.key] = int(value)
    return DesignCounts(totals, layers)


DEFAULT_NAME = "convcalc-baseline.json"
MISSING, COUNTED_DIFFERENTLY, MALFORMED = "CC641", "CC645", "CC646"
MAX_BYTES = 64 << 20
"""Bytes of a baseline: about 2,500 networks of the size of ResNet-50."""
MAX_DIGITS = 1000
"""Of an integer in a baseline."""
BATCH, DTYPE = 1, "float32"
"""What checks count for."""
FIRST_BYTES, CONVENTION_MARK, HEAD_BYTES = b'{\n "schema_version": ', b'"convention": "convcalc/', 1 << 10
"""What a baseline begins with, and what stands in so many of its first bytes, however it is indented."""
FILE_KEYS = ("schema_version", "convention", "batch", "dtype", "designs", "accepted")


class BaselineFile(NamedTuple):
    """What a baseline file holds."""

    designs: Mapping[str, DesignCounts] = {}
    accepted: tuple[AcceptedValue, ...] = ()


def to_text(record: BaselineFile) -> str:
    """Return the text of a baseline file; the same numbers always give the same bytes."""
    head = {"schema_version": SCHEMA_VERSION, "convention": CONVENTION_ID, "batch": BATCH, "dtype": DTYPE}
    lines = [f" {_encode(key)}: {_encode(value)}," for key, value in head.items()]
    designs = [f"{_encode(name)}: {_encode(_design_facts(record.designs[name]))}" for name in sorted(record.designs)]
    accepted = [_encode(entry._asdict()) for entry in sorted(record.accepted)]
    sections = [*_format_section("designs", "{}", designs, ","), *_format_section("accepted", "[]", accepted)]
    return "\n".join(["{", *lines, *sections, "}\n"])


def _design_facts(past: DesignCounts) -> dict[str, object]:
    layers = {path: dict(sorted(values.items())) for path, values in sorted(past.layers.items()) if values}
    return {"totals": dict(sorted(past.totals.items())), "layers": layers}


def _format_section(key: str, brackets: str, lines: list[str], end: str = "") -> list[str]:
    if not lines:
        return [f' "{key}": {brackets}{end}']
    return [f' "{key}": {brackets[0]}', ",\n".join(f"  {line}" for line in lines), f" {brackets[1]}{end}"]


_encode = json.JSONEncoder().encode
"""ASCII only: names of any bytes survive, and nothing in them is seen as anything else."""


# --- reading ----------------------------------------------------------------------------------------------------------


def read_baseline_file(path: str, missing: SpecError) -> BaselineFile:
    """Read a baseline file.

    Raises:
        SpecErrors: ``missing`` where there is no such file, CC645 counted otherwise, CC646 malformed.
    """
    try:
        require_inside_repository(path)
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except SpecError as error:
        raise _malformed(Span(Source(path)), f"the baseline {error.text}") from None
    except FileNotFoundError:
        raise SpecErrors([missing]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _malformed(Span(Source(path)), f"the baseline cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise _malformed(Span(Source(path)), f"the baseline is larger than the limit of {MAX_BYTES} bytes (64 MiB)")
    source = Source(path, data.decode("utf-8", "backslashreplace").removeprefix("\ufeff"))
    return _Reader(source).read()


REPAIR_HINT = "fix it, restore it from the history (git checkout), or rewrite it: convcalc baseline write"


def _malformed(span: Span, text: str, hint: str = REPAIR_HINT) -> SpecErrors:
    return SpecErrors([SpecError(MALFORMED, text, span, hint)])


class _DuplicateKey(ValueError):
    """A key that stands twice in one mapping."""


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKey(next(key for key in made if keys.count(key) > 1))
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
            head = file.read(HEAD_BYTES)
    elif os.path.exists(path):
        raise _malformed(Span(Source(path)), "what is there is no file", "name another file in the budget")
    if not FIRST_BYTES.startswith(head.strip()) and CONVENTION_MARK not in head:
        text = "this file is not a baseline, and writing one would replace it"
        raise _malformed(Span(Source(path)), text, "name another file in the budget, or delete this one")


class _Reader:
    """Takes a baseline apart. A place is looked for when something is wrong there."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def read(self) -> BaselineFile:
        """Return what the file holds."""
        root = self._parse()
        if not isinstance(root, dict):
            raise self._error_at_key("the baseline is not a mapping", "")
        for key in FILE_KEYS:
            if key not in root:
                raise self._error_at_key(f"the baseline has no {quoted(key)}", "")
        if root["schema_version"] != SCHEMA_VERSION:
            version = quoted(str(root["schema_version"]))
            text = f"this program reads version {SCHEMA_VERSION} of baselines, not {version}"
            raise self._error_at_key(text, FILE_KEYS[0])
        self._require_same(root)
        designs = self._require_mapping(root["designs"], "designs")
        if not isinstance(root["accepted"], list):
            raise self._error_at_key("`accepted` is a list", "accepted")
        return BaselineFile(
            {name: self._read_design(name, held) for name, held in designs.items()},
            tuple(map(self._read_accepted, root["accepted"])),
        )

    def _parse(self) -> object:
        text = self.source.text
        try:
            return json.loads(text, object_pairs_hook=_reject_duplicates)
        except json.JSONDecodeError as error:
            conflict = re.search(r"^(<{7}|={7}|>{7})", text, re.MULTILINE)
            if conflict:
                raise self._error_at_offset(conflict.start(), 7, "the baseline holds a conflict of a merge") from None
            early = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
            what = "ends too early" if early else f"is not JSON: {error.msg}"
            raise self._error_at_offset(min(error.pos, len(text.rstrip())), 1, f"the baseline {what}") from None
        except _DuplicateKey as error:
            raise self._error_at_key(f"the key {quoted(str(error))} is a duplicate", str(error), again=True) from None
        except RecursionError:
            raise self._error_at_offset(0, 1, "the baseline is nested too deep") from None
        except ValueError:
            long = re.search(rf"\d{{{MAX_DIGITS},}}", text)
            start, text = long.start() if long else 0, f"a number has more than {MAX_DIGITS} digits"
            raise self._error_at_offset(start, 1, text) from None

    def _require_same(self, root: Mapping[str, object]) -> None:
        """Demand that the numbers were counted as this run counts."""
        mine = {"convention": CONVENTION_ID, "batch": BATCH, "dtype": DTYPE}
        other = [key for key, value in mine.items() if root[key] != value or isinstance(root[key], bool)]
        if other:
            theirs = ", ".join(f"{key} {quoted(str(root[key]))}" for key in other)
            ours = ", ".join(f"{key} {quoted(str(mine[key]))}" for key in other)
            text = f"the baseline was counted with {theirs}, this run counts with {ours}"
            hint = "count again with the same version: convcalc baseline write"
            raise SpecErrors([SpecError(COUNTED_DIFFERENTLY, text, self._span_of_key(other[0]), hint)])

    def _read_design(self, name: str, held: object) -> DesignCounts:
        fields = self._require_mapping(held, name)
        for key in ("totals", "layers"):
            if key not in fields:
                raise self._error_at_key(f"the design {quoted(name)} has no {quoted(key)}", name)
        layers = self._require_mapping(fields["layers"], name)
        return DesignCounts(
            self._read_counts(fields["totals"], name),
            {path: self._read_counts(layers[path], name, path) for path in layers},
        )

    def _read_counts(self, held: object, *keys: str) -> dict[str, int]:
        values = self._require_mapping(held, *keys)
        for metric, value in values.items():
            if type(value) is not int or value < 0 or value >= 10**MAX_DIGITS:
                raise self._error_at_key(f"{quoted(metric)} is not a count", *keys, metric)
        return values

    def _read_accepted(self, held: object) -> AcceptedValue:
        fields = self._require_mapping(held, "accepted")
        texts = [fields.get(key) for key in AcceptedValue._fields if key != "value"]
        if not all(isinstance(text, str) for text in texts) or type(fields.get("value")) is not int:
            text = "what is accepted has a budget, a design, a metric, a value and a reason"
            raise self._error_at_key(text, "accepted")
        return AcceptedValue(**{key: fields[key] for key in AcceptedValue._fields})

    def _require_mapping(self, held: object, *keys: str) -> dict[str, Any]:
        if not isinstance(held, dict):
            raise self._error_at_key(f"{quoted(keys[-1])} is not a mapping", *keys)
        return held

    # --- places -------------------------------------------------------------------------------------------------------

    def _error_at_key(self, text: str, *keys: str, again: bool = False) -> SpecErrors:
        return _malformed(self._span_of_key(*keys, again=again), text)

    def _span_of_key(self, *keys: str, again: bool = False) -> Span:
        """Return where keys stand, each behind the one before; the beginning for keys that are not found."""
        start, extent = 0, 1
        for key in keys:
            found = [*re.finditer(f"{re.escape(_encode(key))}\\s*:", self.source.text[start:])][: 1 + again]
            if found and key:
                start, extent = start + found[-1].start(), len(_encode(key))
        return self._span(start, extent)

    def _error_at_offset(self, offset: int, extent: int, text: str) -> SpecErrors:
        return _malformed(self._span(offset, extent), text)

    def _span(self, offset: int, extent: int) -> Span:
        before = self.source.text[:offset]
        return Span(self.source, before.count("\n") + 1, offset - before.rfind("\n"), extent)
