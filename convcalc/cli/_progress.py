"""Progress of long work: on standard error, on a terminal, and only once it has taken a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from convcalc.cli._group import Settings
from convcalc.render.surface import is_terminal

PATIENCE = 1.0
"""Seconds of work before a bar is shown."""

Item = TypeVar("Item")


def progress(settings: Settings, items: Sequence[Item], title: str) -> Iterator[Item]:
    """Give the items, with a bar while they are worked on."""
    if settings.quiet or settings.no_progress or not is_terminal(sys.stderr):
        yield from items
        return
    from convcalc.render.table import bar

    begun = time.monotonic()
    done = 0
    while done < len(items) and time.monotonic() - begun < PATIENCE:
        yield items[done]
        done += 1
    if done < len(items):
        with bar(sys.stderr, title, len(items), color=settings.color) as advance:
            advance(done)
            for item in items[done:]:
                yield item
                advance(1)
