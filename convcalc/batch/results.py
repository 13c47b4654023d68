"""Tables of results: what ``batch``, ``sweep`` and ``zoo`` wrote, or any CSV, JSON, JSON lines or Parquet file."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from convcalc.errors import Source, Span, SpecError, did_you_mean, quoted
from convcalc.extras import require
from convcalc.records import NamedTuple

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
ROWS_OF = ("designs", "points")
"""The keys under which the JSON of ``batch``, ``zoo`` and ``sweep`` has its rows."""
MISSING = ("", "-", "–", "na", "n/a", "nan", "none", "null")
"""Texts that stand for no value, in small letters."""
LARGEST = 10**300
"""Numbers beyond it are not drawn."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,301}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,301}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")

Row = Mapping[str, Any]
Value = int | float


class ResultTable(NamedTuple):
    """A table: the names of its columns, rows by these names, and where each row is in its file."""

    columns: tuple[str, ...]
    rows: Sequence[Row]
    places: Sequence[Span]

    def texts(self, column: str) -> list[str]:
        """Return a column as texts; an empty one for no value."""
        return ["" if (value := row.get(column)) is None else _text(value) for row in self.rows]

    def numbers(self, column: str) -> list[Value | None]:
        """Return a column as numbers; ``None`` for no value.

        Raises:
            SpecError: CC782, with the place of a cell that is no number.
        """
        self.require(column)
        return [self._number(column, index) for index in range(len(self.rows))]

    def require(self, column: str) -> None:
        """Demand a column.

        Raises:
            SpecError: CC782 where there is none of this name.
        """
        if column not in self.columns:
            place = self.places[0]._replace(line=0) if self.places else None
            hint = f"columns: {', '.join(self.columns)}"
            raise SpecError("CC782", f"no column {quoted(column)}{did_you_mean(column, self.columns)}", place, hint)

    def _number(self, column: str, index: int) -> Value | None:
        value = self.rows[index].get(column)
        number = _parsed(value)
        if number is not None and abs(number) <= LARGEST:
            return number
        if number is None and (value is None or _text(value).strip().lower() in MISSING):
            return None
        wrong = "is not a number" if number is None else "is too large to be drawn"
        text = f"row {index + 1:,}, column {quoted(column)}: {quoted(_text(value))} {wrong}"
        hint = "a cell without a value is empty; columns of texts are for --color"
        raise SpecError("CC782", text, _cell_place(self.places[index], _text(value)), hint)

    def is_numeric(self, column: str) -> bool:
        """Whether all values of a column are numbers, and there is one."""
        found = [row.get(column) for row in self.rows]
        there = [value for value in found if value is not None and _text(value).strip().lower() not in MISSING]
        return bool(there) and all(_parsed(value) is not None for value in there)


def _text(value: Any) -> str:
    """Return a cell as text; a shape as ``3x224x224``."""
    if isinstance(value, list | tuple):
        return "x".join(map(_text, value))
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_text(each)}" for key, each in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(value: Any) -> Value | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    text = _text(value).strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return None


def _cell_place(place: Span, text: str) -> Span:
    """Return the place of a cell in its line, where the line has its text once."""
    line = place.source.line(place.line)
    return place._replace(column=line.index(text) + 1, extent=len(text)) if text and line.count(text) == 1 else place


# --- files ------------------------------------------------------------------------------------------------------------


def is_results_file(path: str) -> bool:
    """Whether a path is that of a table; JSON is where its text begins as one, and not as a model."""
    ending = os.path.splitext(path)[1].lower()
    if ending != ".json":
        return ending in SUFFIXES
    try:
        with open(path, "rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return False
    keys = "|".join(ROWS_OF).encode()
    return re.match(rb"\s*\[", head) is not None or re.search(rb'"(?:' + keys + rb')"\s*:\s*\[', head) is not None


def read_results(path: str) -> ResultTable:
    """Read a table.

    Raises:
        SpecError: CC001 or CC781, where a file cannot be read or has no rows of named cells.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending == ".parquet":
        return _table(_parquet_rows(path), path)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise SpecError("CC001", f"cannot read: {error.strerror}", Span(Source(path))) from None
    try:
        source = Source(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _unreadable("not UTF-8", Span(Source(path))) from None
    readers: dict[str, Callable[[Source], Iterator[tuple[int, Row]]]] = {
        ".json": _json_rows, ".jsonl": _json_lines, ".tsv": _csv_rows, ".csv": _csv_rows,
    }  # fmt: skip
    return _table(readers[ending](source), path, source)


def of_rows(rows: Iterable[Row], name: str) -> ResultTable:
    """Return rows that were counted as a table."""
    return _table(((0, row) for row in rows), name)


def _table(numbered: Iterable[tuple[int, Row]], path: str, source: Source | None = None) -> ResultTable:
    found = list(numbered)
    columns = dict.fromkeys(key for _, row in found for key in row)
    at = source or Source(path)
    if not found or not columns:
        raise _unreadable("no rows", Span(at), "a file has a line of names, and a line for each design below it")
    rows = [_with_variant(row) for _, row in found]
    derived = [key for key in ("variant",) if any(key in row for row in rows)]
    return ResultTable(
        tuple(dict.fromkeys([*columns, *derived])), rows, [Span(at, line, 1 if line else 0) for line, _ in found]
    )


def _with_variant(row: Row) -> Row:
    """Add the variant of a design that is named with it."""
    design = row.get("design")
    if not isinstance(design, str) or "variant" in row:
        return row
    return {**row, "variant": design.partition("#")[0].partition("@")[2] or None}


def _unreadable(text: str, place: Span, hint: str = "") -> SpecError:
    return SpecError("CC781", f"not a table of results: {text}", place, hint or f"files: {', '.join(SUFFIXES)}")


def _csv_rows(source: Source) -> Iterator[tuple[int, Row]]:
    head = source.text.partition("\n")[0]
    mark = max(",;\t", key=head.count)
    lines = csv.reader(io.StringIO(source.text, newline=""), delimiter=mark, strict=True)
    before = 0
    names: list[str] = []
    try:
        for cells in lines:
            line, before = before + 1, lines.line_num
            if not cells:
                continue
            if not names:
                names = _heading([cell.strip() for cell in cells], Span(source, line, 1, len(head) or 1))
            elif len(cells) != len(names):
                text = f"{len(cells)} cells, and the heading has {len(names)}"
                raise _unreadable(text, Span(source, line, 1), "quote cells that have a comma in them")
            else:
                yield line, {name: _unguarded(cell) for name, cell in zip(names, cells, strict=True)}
    except csv.Error as error:
        raise _unreadable(str(error), Span(source, before + 1, 1)) from None


def _heading(names: list[str], place: Span) -> list[str]:
    again = [name for name in names if names.count(name) > 1]
    if again:
        raise _unreadable(f"two columns have the name {quoted(again[0])}", place, "name each column once")
    if all(_parsed(name) is not None for name in names):
        raise _unreadable("the first line has numbers", place, "the first line names the columns")
    return names


def _unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that keeps spreadsheets from running it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r") else cell


def _json_lines(source: Source) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(source.text.split("\n"), 1):
        if line.strip():
            yield number, _row(_decoded(line, source, number - 1), Span(source, number, 1))


def _json_rows(source: Source) -> Iterator[tuple[int, Row]]:
    found = _decoded(source.text, source, 0)
    rows = found
    if isinstance(found, dict):
        rows = next((found[key] for key in ROWS_OF if isinstance(found.get(key), list)), None)
    if not isinstance(rows, list):
        raise _unreadable("no list of rows", Span(source), f"a list of objects, or one under {' or '.join(ROWS_OF)}")
    for row in rows:
        yield 0, _row(row, Span(source))


def _decoded(text: str, source: Source, lines_before: int) -> Any:
    try:
        return json.loads(text, parse_constant=dict[str, None]().get)
    except json.JSONDecodeError as error:
        raise _unreadable(f"not JSON: {error.msg}", Span(source, lines_before + error.lineno, error.colno)) from None
    except (ValueError, RecursionError):
        raise _unreadable("a number or a nesting in it is too long", Span(source)) from None


def _row(value: Any, place: Span) -> Row:
    if not isinstance(value, dict):
        raise _unreadable("a row is not an object", place)
    return value


def _parquet_rows(path: str) -> Iterator[tuple[int, Row]]:
    hint = "pip install 'convcalc[parquet]', or write csv or jsonl"
    require("pyarrow", "pyarrow.parquet", code="CC707", needed="Parquet files need pyarrow", hint=hint)
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except OSError as error:  # pyarrow's own errors of files are among them
        raise SpecError("CC001", f"cannot read: {error.strerror or error}", Span(Source(path))) from None
    except pyarrow.ArrowException as error:
        raise _unreadable(str(error).partition("\n")[0], Span(Source(path))) from None
    return ((0, row) for row in table.to_pylist())
