"""Where results go: standard output, or files that are written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import wraps
from typing import Any, NamedTuple

import click

from convcalc.cli.group import Settings
from convcalc.cli.output.atomic_files import Places, is_device, place
from convcalc.cli.types import ParamType, Word
from convcalc.errors import escape, quoted
from convcalc.render.tables.surface import Surface, is_terminal, surface

ENDINGS = {
    ".txt": "text", ".log": "text", ".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex",
    ".html": "html", ".svg": "svg", ".py": "python", ".jsonl": "jsonl", ".parquet": "parquet", ".sarif": "sarif",
    ".xml": "junit",
}  # fmt: skip
"""File extension → format."""
STANDARD = "-"


class Target(NamedTuple):
    """One result to write: a format, and a file or standard output."""

    format: str
    path: str | None = None


def shows_errors(targets: Sequence[Target], formats: Collection[str]) -> bool:
    """Whether standard output gets a format that has the errors in it; then standard error does without."""
    return any(target.path is None and target.format in formats for target in targets)


# --- options ----------------------------------------------------------------------------------------------------------


def output_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``-o``."""
    return click.option("-o", "--output", metavar="PATH", type=click.Path(), callback=_named_path, help=text)


def output_options(formats: Iterable[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``-f``, ``-o`` and ``--json``, as one list of ``targets``."""
    words = tuple(formats)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def collected(*args: Any, format_: Sequence[Target], output: str | None, json_: bool, **kwargs: Any) -> Any:
            targets = _targets(words, [*format_, Target("json")] if json_ else format_, output)
            _require_unread(targets, list(_named(kwargs.values())))
            return command(*args, targets=targets, **kwargs)

        decorated = click.option("--json", "json_", is_flag=True, help="Same as -f json.")(collected)
        output = output_option("Write to a file; the extension selects the format, default: text.")
        return click.option(
            "-f", "--format", "format_", type=TargetType(words), multiple=True, metavar="FMT[=PATH]",
            help=f"Output format: {', '.join(words)}; FMT=PATH writes to a file. Repeatable.",
        )(output(decorated))  # fmt: skip

    return decorate


class TargetType(ParamType[Target]):
    """``FMT`` or ``FMT=PATH``."""

    name = "target"

    def __init__(self, formats: Sequence[str]) -> None:
        self.formats = Word(formats)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        name, equals, path = value.partition("=")
        self.formats.convert(name, param, ctx)
        if equals and not path:
            self.fail(f"{quoted(value)} has no path after the =", param, ctx)
        return Target(name, path if equals and path != STANDARD else None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        return self.formats.shell_complete(ctx, param, incomplete)


def _named_path(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value == "":
        raise click.BadParameter("the path is empty")
    return value


def _targets(formats: Sequence[str], written: Sequence[Target], output: str | None) -> list[Target]:
    """Return what is to be written where; ``-o`` gives its path to the one format that has none."""
    targets = list(dict.fromkeys(written or [Target(guessed(formats, output))]))
    if output not in (None, STANDARD):
        if [target.path for target in targets].count(None) != 1:
            raise click.UsageError("-o names one file: give every other format its own with -f FMT=PATH")
        targets = [Target(target.format, target.path or output) for target in targets]
    seen = set[str]()
    for path in [target.path for target in targets if target.path]:
        real = os.path.realpath(path)
        if real in seen:
            raise click.UsageError(f"two formats are to be written to {quoted(path)}")
        seen.add(real)
    return targets


def _require_unread(targets: Sequence[Target], named: Sequence[str]) -> None:
    """No output replaces a file that the same line names to be read, whatever its ending."""
    for path in [target.path for target in targets if target.path]:
        if any(os.path.isfile(name) and os.path.isfile(path) and os.path.samefile(name, path) for name in named):
            raise click.UsageError(f"cannot write {quoted(path)}: it is read, and would be lost; give another name")


def _named(values: Iterable[Any]) -> Iterator[str]:
    """Every text among a command's arguments: names of designs and budgets, and others."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | list):
            yield from _named(value)


def guessed(formats: Sequence[str], output: str | None) -> str:
    """Return the format of a file extension; the first one for a name without an extension, for a device and for
    standard output.

    Raises:
        UsageError: if the extension is that of none of these formats.
    """
    stem, ending = os.path.splitext(os.path.basename(output or STANDARD))
    ending = (ending or (stem if stem.startswith(".") else "")).lower()
    if not ending or is_device(str(output)):
        return formats[0]
    if ENDINGS.get(ending) not in formats:
        known = ", ".join(each for each, name in ENDINGS.items() if name in formats)
        raise click.UsageError(
            f"no format for files with the extension {escape(ending)}; name one with -f: {', '.join(formats)} "
            f"(known extensions: {known})"
        )
    return ENDINGS[ending]


# --- writing ----------------------------------------------------------------------------------------------------------


def surface_of(settings: Settings, target: Target) -> Surface:
    """Return what a target is written on.

    Raises:
        UsageError: for Parquet on a terminal.
    """
    if target.path:
        return Surface(settings.width, color=settings.color == "always")
    if target.format == "parquet" and is_terminal(sys.stdout):
        raise click.UsageError("parquet cannot be shown on a terminal; write to a file with -o")
    return surface(sys.stdout, color=settings.color, width=settings.width)


def write(settings: Settings, targets: Sequence[Target], render: Callable[[str, Surface], str]) -> None:
    """Render every target, then write all: nothing is touched when one of them fails to render."""
    texts = [(target.path, render(target.format, surface_of(settings, target))) for target in targets]
    texts = [(path, text if text.endswith("\n") or not text else f"{text}\n") for path, text in texts]
    with Places() as places:
        for path, text in texts:
            if path:
                places.add(place(path)).write(text)
        places.keep()
    for path, text in texts:
        if not path:
            sys.stdout.write(text)


def write_file(path: str, text: str) -> None:
    """Write a file whole, or not at all."""
    with Places() as places:
        places.add(place(path)).write(text)
        places.keep()
