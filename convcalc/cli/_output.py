"""Where results go: standard output, or files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import click

from convcalc.cli._group import Settings, Word
from convcalc.render.surface import Surface, surface

ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex", ".html": "html", ".txt": "text", ".svg": "svg"}
STANDARD = "-"


class Target(NamedTuple):
    """One result to write: a format, and a file or standard output."""

    format: str
    path: str | None = None


def output_options(formats: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``-f``, ``-o`` and ``--json``, as one list of ``targets``."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def collected(*args: Any, format_: tuple[str, ...], output: str | None, json_: bool, **kwargs: Any) -> Any:
            return command(*args, targets=_targets(formats, format_, output, json_=json_), **kwargs)

        collected.__doc__, collected.__name__ = command.__doc__, command.__name__
        collected.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
        collected = click.option("--json", "json_", is_flag=True, help="Short for -f json.")(collected)
        collected = click.option("-o", "--output", metavar="PATH", help="Write to a file; its ending tells the format.")(collected)
        return click.option(
            "-f", "--format", "format_", multiple=True, metavar="FMT[=PATH]",
            help=f"{', '.join(formats)}; repeatable, each to standard output or its own file.",
        )(collected)  # fmt: skip

    return decorate


def _targets(formats: Sequence[str], written: Sequence[str], output: str | None, *, json_: bool) -> list[Target]:
    targets = []
    for text in [*written, *(["json"] if json_ else [])]:
        name, equals, path = text.partition("=")
        Word(formats).convert(name, None, click.get_current_context(silent=True))
        if equals and not path:
            raise click.UsageError(f"-f {text}: the path behind '=' is missing")
        targets.append(Target(name, path if equals and path != STANDARD else None))
    if not targets:
        ending = os.path.splitext(output or "")[1].lower()
        guess = ENDINGS.get(ending, "text")
        targets = [Target(guess if guess in formats else "text")]
    if output is not None and output != STANDARD:
        free = [target for target in targets if target.path is None]
        if len(free) != 1:
            raise click.UsageError("-o names one file: give every other format its own with -f FMT=PATH")
        targets = [Target(target.format, target.path or output) for target in targets]
    return list(dict.fromkeys(targets))


def screen(settings: Settings) -> Surface:
    """Return what standard output is."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    return surface(sys.stdout, color=settings.color, width=settings.width)


def write(settings: Settings, targets: Sequence[Target], render: Callable[[str, Surface], str]) -> None:
    """Render every target, then write all: nothing is touched when one of them fails to render."""
    plain = Surface(width=settings.width)
    texts = [(target, render(target.format, plain if target.path else screen(settings))) for target in targets]
    files = [(target.path, text) for target, text in texts if target.path]
    _write_files(files)
    for target, text in texts:
        if target.path is None:
            assert sys.stdout is not None
            sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def _write_files(files: Sequence[tuple[str, str]]) -> None:
    """Write all files beside their places first, then move each there."""
    ready: list[tuple[str, str]] = []
    try:
        for path, text in files:
            ready.append((_staged(path, text), path))
        for staged, path in ready:
            if staged:
                os.replace(staged, path)
    except OSError as error:
        raise click.UsageError(f"cannot write {error.filename or path}: {error.strerror}") from None
    finally:
        for staged, _ in ready:
            with contextlib.suppress(OSError):
                os.unlink(staged)


def _staged(path: str, text: str) -> str:
    """Write a text to a new file beside ``path`` and return its name; a device or pipe is written at once."""
    data = (text if text.endswith("\n") else f"{text}\n").encode("utf-8", "backslashreplace")
    path = os.path.realpath(path)
    with contextlib.suppress(FileNotFoundError):
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            with open(path, "wb") as file:
                file.write(data)
            return ""
    import tempfile  # costs start-up time, and only files need it

    handle, staged = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path))
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(staged, 0o666 & ~umask)
    return staged
