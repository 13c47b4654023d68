"""Progress of long work: on standard error, on a terminal, and only once it has taken a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from convcalc.cli.group import GeneralOptions
from convcalc.render.tables.surface import is_terminal

SHOW_AFTER_SECONDS = 1.0
"""Seconds of work before a bar is shown."""

Item = TypeVar("Item")


@contextmanager
def progress_bar(
    settings: GeneralOptions, title: str, steps: Callable[[], int | None]
) -> Iterator[Callable[[int], None]]:
    """Give a function that counts steps that are done, and shows a bar.

    ``steps`` counts them all, where they can be counted, once there is a bar.
    """
    if settings.quiet or settings.no_progress or not is_terminal(sys.stderr):
        yield lambda _: None
        return
    begun, waiting = time.monotonic(), 0
    shown: Callable[[int], None] | None = None
    with ExitStack() as stack:

        def advance(done: int) -> None:
            nonlocal shown, waiting
            if shown is None and time.monotonic() - begun > SHOW_AFTER_SECONDS:
                from convcalc.render.tables.rich_console import progress_bar

                shown = stack.enter_context(progress_bar(sys.stderr, title, steps(), color=settings.color))
            waiting += done
            if shown is not None:
                shown(waiting)
                waiting = 0

        yield advance


def progress(settings: GeneralOptions, items: Sequence[Item], title: str) -> Iterator[Item]:
    """Give the items, with a bar while they are worked on."""
    with progress_bar(settings, title, lambda: len(items)) as advance:
        for item in items:
            yield item
            advance(1)
