"""``--no-cache``, and the cache that it does without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from convcalc.result_cache import ResultCache

no_cache_option = click.option(
    "--no-cache", is_flag=True, envvar="CONVCALC_NO_CACHE", show_envvar=True,
    help="Neither read nor write .convcalc_cache.",
)  # fmt: skip


@contextmanager
def opened_cache(*, without: bool) -> Iterator[ResultCache | None]:
    """Give the cache of the repository around the current folder, if there can be one."""
    if without:
        yield None
        return
    from convcalc.result_cache import open_cache  # most commands do without

    cache = open_cache()
    try:
        yield cache
    finally:
        if cache is not None:
            cache.write()
