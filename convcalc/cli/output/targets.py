"""Where results go: standard output, or files that are written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

import click

from convcalc.cli.group import GeneralOptions
from convcalc.cli.types import FilePath, TextParamType, WordType, texts_of
from convcalc.errors import escape, quoted
from convcalc.records import NamedTuple
from convcalc.render.tables.surface import Surface, is_terminal, surface

EXTENSIONS = {
    ".txt": "text", ".log": "text", ".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex",
    ".html": "html", ".svg": "svg", ".py": "python", ".jsonl": "jsonl", ".parquet": "parquet", ".sarif": "sarif",
    ".xml": "junit", ".yaml": "yaml", ".yml": "yaml", ".png": "png", ".vl.json": "vega", ".mmd": "mermaid",
    ".dot": "dot", ".gv": "dot",
}  # fmt: skip
"""File extension → format."""
STDOUT = "-"
BINARY = ("parquet", "png")
"""Formats that are no text."""
PDF = {
    "png": "; for PDF print the SVG in a browser, or convert it with rsvg-convert or Inkscape",
    "html": "; for PDF print it in a browser",
}
"""Format of a command → what to do for a PDF."""


class OutputTarget(NamedTuple):
    """One result to write: a format, and a file or standard output."""

    format: str
    path: str | None = None


def shows_errors(targets: Sequence[OutputTarget], formats: Collection[str]) -> bool:
    """Whether standard output gets a format that has the errors in it; then standard error does without."""
    return any(target.path is None and target.format in formats for target in targets)


# --- options ----------------------------------------------------------------------------------------------------------


def output_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``-o``."""
    return click.option("-o", "--output", metavar="PATH", type=FilePath(), callback=_require_path, help=text)


def output_options(formats: Iterable[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``-f``, ``-o`` and ``--json``, as one list of ``targets``."""
    words = tuple(formats)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def collected(
            *args: Any, format_: Sequence[OutputTarget], output: str | None, json_: bool = False, **kwargs: Any
        ) -> Any:
            targets = _targets(words, [*format_, OutputTarget("json")] if json_ else format_, output)
            require_not_read(targets, list(texts_of(kwargs.values())))
            return command(*args, targets=targets, **kwargs)

        with_json = click.option("--json", "json_", is_flag=True, help="Same as -f json.")
        decorated = with_json(collected) if "json" in words else collected
        output = output_option(f"Write to a file; the extension selects the format, default: {words[0]}.")
        return click.option(
            "-f", "--format", "format_", type=TargetType(words), multiple=True, metavar="FMT[=PATH]",
            help=f"Output format: {', '.join(words)}; FMT=PATH writes to a file. Repeatable.",
        )(output(decorated))  # fmt: skip

    return decorate


class TargetType(TextParamType):
    """``FMT`` or ``FMT=PATH``."""

    def __init__(self, formats: Sequence[str]) -> None:
        self.formats = formats

    def read(self, text: str) -> OutputTarget:
        name, equals, path = text.partition("=")
        WordType(self.formats).read(name)
        if equals and not path:
            raise click.BadParameter(f"{quoted(text)} has no path after the =")
        return OutputTarget(name, path if equals and path != STDOUT else None)

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        return self.formats


def one_target(format_: str, output: str | None, named: Sequence[str] = ()) -> OutputTarget:
    """Return the target of a command of one format, which replaces no file that is named to be read."""
    target = OutputTarget(format_of_path((format_,), output), None if output == STDOUT else output)
    require_not_read([target], named)
    return target


def _require_path(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value == "":
        raise click.BadParameter("the path is empty")
    return value


def _targets(formats: Sequence[str], written: Sequence[OutputTarget], output: str | None) -> list[OutputTarget]:
    """Return what is to be written where; ``-o`` gives its path to the one format that has none."""
    targets = list(dict.fromkeys(written or [OutputTarget(format_of_path(formats, output))]))
    if output not in (None, STDOUT):
        if [target.path for target in targets].count(None) != 1:
            raise click.UsageError("-o names one file: give every other format its own with -f FMT=PATH")
        targets = [OutputTarget(target.format, target.path or output) for target in targets]
    seen = set[str]()
    for path in [target.path for target in targets if target.path]:
        real = os.path.realpath(path)
        if real in seen:
            raise click.UsageError(f"two formats are to be written to {quoted(path)}")
        seen.add(real)
    return targets


def require_not_read(targets: Sequence[OutputTarget], named: Sequence[str]) -> None:
    """No output replaces a file that the same line names to be read, whatever its ending."""
    for path in [target.path for target in targets if target.path]:
        if any(os.path.isfile(name) and os.path.isfile(path) and os.path.samefile(name, path) for name in named):
            raise click.UsageError(f"cannot write {quoted(path)}: it is read, and would be lost; give another name")


def format_of_path(formats: Sequence[str], output: str | None) -> str:
    """Return the format of a file extension; the first one for a name without an extension, for a device and for
    standard output.

    Raises:
        UsageError: if the extension is that of none of these formats.
    """
    name = os.path.basename(output or STDOUT)
    stem, ending = os.path.splitext(name)
    ending = (ending or (stem if stem.startswith(".") else "")).lower()
    double = os.path.splitext(stem)[1].lower() + ending
    ending = double if EXTENSIONS.get(double) in formats else ending
    if not ending:
        return formats[0]
    from convcalc.cli.output.atomic_files import is_device  # most runs write no file

    if is_device(str(output)):
        return formats[0]
    if EXTENSIONS.get(ending) not in formats:
        known = ", ".join(each for each, name in EXTENSIONS.items() if name in formats)
        pdf = next((way for name, way in PDF.items() if name in formats and ending == ".pdf"), "")
        wrong = f"no format for files with the extension {escape(ending)}"
        if len(formats) == 1:  # there is no -f
            raise click.UsageError(f"{wrong}; name the file with {known.replace(', ', ' or ')}{pdf}")
        raise click.UsageError(f"{wrong}; name one with -f: {', '.join(formats)} (known extensions: {known}){pdf}")
    return EXTENSIONS[ending]


# --- writing ----------------------------------------------------------------------------------------------------------


def surface_of(settings: GeneralOptions, target: OutputTarget) -> Surface:
    """Return what a target is written on.

    Raises:
        UsageError: for a format that is no text, on a terminal.
    """
    if target.path:
        return Surface(settings.width, color=settings.color == "always")
    if target.format in BINARY and is_terminal(sys.stdout):
        raise click.UsageError(f"{target.format} cannot be shown on a terminal; write to a file with -o")
    return surface(sys.stdout, color=settings.color, width=settings.width)


def write(
    settings: GeneralOptions, targets: Sequence[OutputTarget], render: Callable[[str, Surface], str | bytes]
) -> None:
    """Render every target, then write all: nothing is touched when one of them fails to render."""
    drawn = [(target.path, render(target.format, surface_of(settings, target))) for target in targets]
    ended = [(path, _ended(text) if isinstance(text, str) else text) for path, text in drawn]
    _write_files({path: text for path, text in ended if path})
    for path, text in ended:
        if not path and isinstance(text, str):
            sys.stdout.write(text)
        elif not path:
            from convcalc.cli.output.atomic_files import open_destination

            open_destination(None).write(text)


def _ended(text: str) -> str:
    """Return a text whose last line has an end."""
    return text if text.endswith("\n") or not text else f"{text}\n"


def write_file(path: str, text: str) -> None:
    """Write a file whole, or not at all."""
    _write_files({path: text})


def _write_files(files: Mapping[str, str | bytes]) -> None:
    """Write all of some files, or none."""
    if not files:  # as most runs: the module that writes them costs start-up time
        return
    from convcalc.cli.output.atomic_files import Destinations, open_destination

    with Destinations() as places:
        for path, text in files.items():
            places.add(open_destination(path)).write(text)
        places.commit()
