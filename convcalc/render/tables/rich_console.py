"""The text format in colour, and the one door to rich: consoles, Markdown, pictures.

Text imports no rich: its import alone takes longer than a report.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TextIO

from convcalc.memory import paused
from convcalc.render.tables.blocks import fitted, left_out
from convcalc.render.tables.characters import Characters, cells
from convcalc.render.tables.surface import USUAL_WIDTH, Surface, surface

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.progress import ProgressColumn, Task
    from rich.segment import Segment
    from rich.style import Style

    from convcalc.render.tables.blocks import Block, StyledText

FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
TABLE_LINE = re.compile(r"^ *─+$|^(?!\$ ).*\S {2,}\S")
"""A rule, or a row with a gap between two columns."""
ESCAPES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
"""What a terminal calls the words of styles: those few are written here, as rich writes them."""
RESET = "\x1b[0m"
STYLES = {
    "title": "bold",
    "head": "bold",
    "rule": "dim",
    "group": "bold",
    "zero": "dim",
    "rest": "italic",
    "total": "bold",
    "dim": "dim",
    "warning": "bold yellow",
    "fewer": "green",
    "more": "yellow",
    "bar0": "cyan",
    "bar1": "magenta",
    "bar2": "blue",
    "bar3": "green",
}
"""Of the terminal's own sixteen colours, so that they suit its theme. None of them is the only sign of anything."""


@paused()
def render_blocks(blocks: Iterable[Block], on: Surface) -> str:
    """Return blocks as one text, with escape sequences if the surface has colour."""
    blocks = (part for block in blocks for part in fitted(block, on.width))
    if not on.color:
        return "\n".join([*[line for block in blocks for line in block.plain()], ""])
    escapes = _escapes()
    lines = [
        "".join([f"{escapes[style]}{text}{RESET}" if style and text else text for text, style in line])
        for block in blocks
        for line in block.styled()
    ]
    return "\n".join([*lines, ""])


def markdown(text: str, on: Surface) -> str:
    """Return Markdown as rich formats it for a terminal; as it is in a pipe without colour."""
    if not on.color and on.width is None:
        return text
    from rich.markdown import Markdown

    width, stream = on.width or USUAL_WIDTH, io.StringIO()
    shown = "\n".join(_cut_output(text, width - 2, Characters(on.ascii_only)))
    made = console(stream, color="always" if on.color else "never", width=width)
    made.print(Markdown(shown, code_theme="ansi_dark", hyperlinks=False))
    if shown != text:
        notice = left_out("ends of rows of tables", width)
        made.print(StyledLines(notice.styled()), end="")
    return "".join(f"{line.rstrip(' ')}\n" for line in stream.getvalue().splitlines())


def _cut_output(text: str, width: int, glyphs: Characters) -> Iterator[str]:
    """Give the lines of Markdown; those of tables that commands print are cut: wrapped, they could not be read."""
    printed = False
    for line in text.split("\n"):
        if line.startswith("```"):
            printed = line == "```console"
        yield glyphs.truncate(line, width) if printed and TABLE_LINE.search(line) else line


def render_svg(blocks: Iterable[Block], title: str, width: int | None = None) -> str:
    """Return blocks as an SVG of a terminal: the same text gives the same bytes, and nothing is fetched to show it."""
    lines = [list(_words(line)) for block in blocks for line in block.styled()]
    needed = max((sum(cells(text) for text, _ in line) for line in lines), default=1)
    made = console(io.StringIO(), color="always", width=width or needed)
    made.record = True
    made.print(StyledLines(lines), end="", crop=False)
    drawn = made.export_svg(title=title, unique_id="convcalc")
    return re.sub(r" *@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL).replace("Fira Code, monospace", FONTS)


def _words(line: Sequence[StyledText]) -> Iterator[StyledText]:
    """Cut a line where blanks are: each piece is then put at its own place, whatever font a viewer has."""
    for text, style in line:
        for piece in re.split(r"(^ +| {2,})", text):
            if piece:
                yield piece, style


@contextmanager
def progress_bar(
    stream: TextIO, title: str, steps: int | None, *, color: str = "auto"
) -> Iterator[Callable[[int], None]]:
    """Show a bar with share, rate, time gone and time left; call what is given with the steps that were done.

    Without a number of steps it shows how many are done, and how fast.
    """
    from rich import progress

    steps_done, times = progress.MofNCompleteColumn(), (progress.TimeElapsedColumn(), progress.TimeRemainingColumn())
    columns = (progress.TextColumn(title), progress.BarColumn(), steps_done, _rate(), *times)
    with progress.Progress(*columns, console=console(stream, color=color), transient=True) as shown:
        task = shown.add_task(title, total=steps)
        yield lambda done: shown.advance(task, done)


def _rate() -> ProgressColumn:
    """Return a column of steps per second."""
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f}/s" if speed else "")

    return Rate()


def console(stream: TextIO, *, color: str = "auto", width: int | None = None) -> Console:
    """Return a rich console that obeys us: colour and width are decided here, not guessed there.

    The height is given because rich ignores a width without one where ``TERM`` is ``dumb``.
    """
    from rich.console import Console

    on = surface(stream, color=color, width=width)
    return Console(
        file=stream,
        force_terminal=on.color,
        color_system="standard" if on.color else None,
        no_color=not on.color,
        width=on.width or 1_000_000,
        height=1000,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )


class StyledLines:
    """Lines as rich sees them: ready, with a segment for each change of style."""

    def __init__(self, lines: Iterable[Sequence[StyledText]]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        styles = _styles()
        end = Segment.line()
        for line in self.lines:
            for text, name in line:
                yield Segment(text, styles[name])
            yield end


@cache
def _escapes() -> dict[str, str]:
    """Return the escape sequence that begins each style."""
    return {name: f"\x1b[{';'.join(ESCAPES[word] for word in text.split())}m" for name, text in STYLES.items()}


@cache
def _styles() -> dict[str, Style | None]:
    from rich.style import Style

    return {"": None, **{name: Style.parse(text) for name, text in STYLES.items()}}
