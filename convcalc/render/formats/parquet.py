"""For tables too large to read: Apache Parquet, compressed, a group of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

from convcalc.errors import SpecError
from convcalc.extras import require
from convcalc.render.results.row_list import ColumnStream, Rows, TextColumn, plain_shape
from convcalc.render.tables.surface import Surface
from convcalc.report.row_list import Listing, RowField

GROUP = 1 << 14
"""Rows in a group: readers skip whole groups, and each costs some bytes. Columns that come at once are not cut."""
GROUPS_PER_RELEASE = 8
"""Groups after which pyarrow gives memory back: it keeps more and more, and to fetch it anew for each takes time."""
LARGEST = 2**63 - 1


def stream(listing: Listing, surface: Surface) -> ColumnStream:
    """Return a list to be written as its rows come. A field of numbers is an int64 column, every other one a text.

    Raises:
        SpecError: CC707, where pyarrow is not installed or cannot be loaded.
    """
    hint = "pip install 'convcalc[parquet]', or write csv or jsonl"
    needed = "Parquet files need pyarrow"
    require("pyarrow", "pyarrow.parquet", code="CC707", needed=needed, hint=hint, trial=lambda: _trial(listing))
    return _Parquet(listing)


def _trial(listing: Listing) -> None:
    """Write a group of empty rows: without memory for one, pyarrow ends the process."""
    made = _Parquet(listing)
    made.add([{}] * GROUP)
    made.end()


class _Parquet:
    """Gathers groups of rows and gives the bytes that the writer makes of them."""

    def __init__(self, listing: Listing) -> None:
        import pyarrow
        from pyarrow import parquet

        self.fields = listing.fields
        types = [(field.key, pyarrow.int64() if field.number else pyarrow.string()) for field in self.fields]
        kept = {key: str(value) for key, value in listing.shared_values.items()}
        self.schema = pyarrow.schema(types, metadata=kept or None)
        self.made = _ByteBuffer()
        self.writer = parquet.ParquetWriter(self.made, self.schema, compression="zstd")
        self.rows: list[Mapping[str, Any]] = []
        self.batches: list[Any] = []
        self.groups = 0
        self.arrow = pyarrow

    def add(self, rows: Rows) -> bytes:
        """Return the bytes of the groups that are full."""
        self.rows += rows
        while len(self.rows) >= GROUP:
            self._write(self.rows[:GROUP])
            del self.rows[:GROUP]
        return self.made.taken()

    def add_columns(self, columns: Mapping[str, Any]) -> bytes:
        """Add rows whose columns are arrays of integers, or labels; return the bytes of the groups that are full."""
        return self._add_batch(self._batch(columns))

    def pack(self, columns: Mapping[str, Any]) -> bytes:
        """Return such rows as a message that ``unpacked`` reads."""
        return bytes(self._batch(columns).serialize())

    def unpacked(self, file: IO[bytes], size: int) -> Iterator[bytes]:
        """Give the bytes of the full groups of rows whose messages a file of this size has."""
        while file.tell() < size:
            message = self.arrow.ipc.read_message(file)
            yield self._add_batch(self.arrow.ipc.read_record_batch(message, self.schema))

    def end(self, errors: Rows = ()) -> bytes:
        """Return the bytes of the last group and the index of all."""
        if self.rows:
            self._write(self.rows)
        if self.batches:
            self._write_batches()
        self.writer.close()
        return self.made.taken()

    def _write(self, rows: Rows) -> None:
        columns = {field.key: [_cell(field, row.get(field.key)) for row in rows] for field in self.fields}
        self.writer.write_table(self.arrow.Table.from_pydict(columns, schema=self.schema))

    def _batch(self, columns: Mapping[str, Any]) -> Any:
        arrays = [self._array(field, columns[field.key]) for field in self.fields]
        return self.arrow.record_batch(arrays, schema=self.schema)

    def _array(self, field: RowField, column: Any) -> Any:
        if isinstance(column, TextColumn):
            return self.arrow.DictionaryArray.from_arrays(column.places, column.texts).dictionary_decode()
        if column.dtype == object:
            return self.arrow.array([_cell(field, value) for value in column.tolist()], self.arrow.int64())
        import numpy  # only a caller that brought an array comes here, so it is loaded already

        # array() would copy the numbers, and load pandas to ask whether they are a series of it
        buffer = self.arrow.py_buffer(numpy.ascontiguousarray(column, "int64"))
        return self.arrow.Array.from_buffers(self.arrow.int64(), len(column), [None, buffer])

    def _add_batch(self, batch: Any) -> bytes:
        self.batches.append(batch)
        if sum(each.num_rows for each in self.batches) >= GROUP:
            self._write_batches()
        return self.made.taken()

    def _write_batches(self) -> None:
        table = self.arrow.Table.from_batches(self.batches)
        self.writer.write_table(table, row_group_size=table.num_rows)
        self.batches.clear()
        self.groups += 1
        if self.groups % GROUPS_PER_RELEASE == 0:
            self.arrow.default_memory_pool().release_unused()


class _ByteBuffer:
    """The file that the writer sees: it keeps the bytes until somebody takes them."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def write(self, data: Any) -> int:
        """Keep some bytes."""
        self.parts.append(bytes(data))
        self.size += len(self.parts[-1])
        return len(self.parts[-1])

    def tell(self) -> int:
        """Return how many bytes have been written in all."""
        return self.size

    def flush(self) -> None:
        """Do nothing: bytes are taken when it suits their reader."""

    close = flush

    def taken(self) -> bytes:
        """Return the bytes that have come since the last time."""
        data = b"".join(self.parts)
        self.parts.clear()
        return data


def _cell(field: RowField, value: Any) -> int | str | None:
    """Return a value as its column holds it.

    Raises:
        SpecError: CC708, for a count that 64 bits do not hold.
    """
    if value is None:
        return None
    if field.number:
        if value > LARGEST:
            hint = "csv, jsonl and json hold integers of any size"
            raise SpecError("CC708", f"a value of {field.key} does not fit into the 64 bits of Parquet", hint=hint)
        return int(value)
    return value if isinstance(value, str) else plain_shape(value)
