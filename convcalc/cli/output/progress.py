"""Progress of long work: on standard error, on a terminal, and only once it has taken a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from convcalc.cli.group import Settings
from convcalc.render.tables.surface import is_terminal

PATIENCE = 1.0
"""Seconds of work before a bar is shown."""

Item = TypeVar("Item")


@contextmanager
def advancing(settings: Settings, title: str, steps: Callable[[], int | None]) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many steps have been done, and shows a bar.

    ``steps`` counts them all, where they can be counted, once there is a bar.
    """
    if settings.quiet or settings.no_progress or not is_terminal(sys.stderr):
        yield lambda _: None
        return
    with ExitStack() as stack:
        yield _Bar(stack, settings, title, steps).advance


class _Bar:
    """A bar that appears after a second."""

    def __init__(self, stack: ExitStack, settings: Settings, title: str, steps: Callable[[], int | None]) -> None:
        self.stack, self.settings, self.title, self.steps = stack, settings, title, steps
        self.begun = time.monotonic()
        self.done = 0
        self.shown: Callable[[int], None] | None = None

    def advance(self, done: int) -> None:
        """Count steps that are done."""
        if self.shown is None and time.monotonic() - self.begun > PATIENCE:
            from convcalc.render.tables.rich_console import bar

            shown = bar(sys.stderr, self.title, self.steps(), color=self.settings.color)
            self.shown = self.stack.enter_context(shown)
            done += self.done
        self.done += done
        if self.shown is not None:
            self.shown(done)


def progress(settings: Settings, items: Sequence[Item], title: str) -> Iterator[Item]:
    """Give the items, with a bar while they are worked on."""
    if settings.quiet or settings.no_progress or not is_terminal(sys.stderr):
        yield from items
        return
    from convcalc.render.tables.rich_console import bar

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
