"""Rows that are kept on disk, so that a file is counted again only when it, its imports or the request have changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convcalc.batch.count import BatchRow, CountRequest, CountTask
from convcalc.designs.imports import Imports, may_import
from convcalc.designs.names import DesignName

if TYPE_CHECKING:
    from convcalc.result_cache import ResultCache


class StoredRows:
    """The rows of files in a cache. Errors are not kept, nor models of other formats."""

    def __init__(self, cache: ResultCache, request: CountRequest) -> None:
        self._cache = cache
        self._request = repr(request._replace(options=request.options._replace(code=None)))

    def address(self, task: CountTask, data: bytes) -> str:
        """Return where the rows of a file are; what has imports is known by its path too."""
        design = task.design
        where = (os.getcwd(), design.file) if may_import(data) else ()
        return self._cache.address("batch", self._request, data, design.variant, design.part, task.from_glob, where)

    def get(self, address: str, file: str) -> list[BatchRow] | None:
        """Return the rows of a file, if they are there and its imports are what they were."""
        found = self._cache.get(address)
        if found is None:
            return None
        imports, rows = found
        if imports is not None and not Imports(*imports).are_unchanged:
            return None
        return [_row(file, fields) for fields in rows]

    def put(self, address: str, rows: Sequence[BatchRow]) -> None:
        """Keep the rows of a file."""
        if not rows or any(row.errors for row in rows):
            return
        imports = rows[0].imports
        self._cache.put(address, [imports, [_fields(row) for row in rows]])


def _fields(row: BatchRow) -> list[Any]:
    design = row.design
    text = design.text[len(design.file) :]
    return [text, design.variant, design.part, row.name, row.input, row.dtype, row.totals, row.uncounted, row.bounds]


def _row(file: str, fields: Sequence[Any]) -> BatchRow:
    text, variant, part, name, input_, dtype, totals, uncounted, bounds = fields
    shape = tuple(input_) if isinstance(input_, list) else {key: tuple(axes) for key, axes in input_.items()}
    design = DesignName(file + text, file, variant, part)
    return BatchRow(design, name, shape, dtype, tuple(totals), (), uncounted, tuple(bounds))
