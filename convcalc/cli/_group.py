"""The group of commands: each is a file of this folder, loaded when it is called; all take the same general options."""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Any, NamedTuple

import click

from convcalc import __version__
from convcalc.errors import did_you_mean

COLORS = ("auto", "always", "never")


class Settings(NamedTuple):
    """The general options, wherever on the line they stand."""

    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    width: int | None = None
    progress: bool = True
    debug: bool = False


class Word(click.Choice[str]):
    """A choice that names the nearest word to a wrong one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            self.fail(f"{value!r} is not one of {', '.join(self.choices)}{did_you_mean(str(value), self.choices)}", param, ctx)
        return str(value)


def _general() -> list[click.Parameter]:
    """Return the general options; they may stand before or after the command."""
    return [
        click.Option(["-q", "--quiet"], is_flag=True, expose_value=False, callback=_set("quiet"), help="No notes and warnings."),
        click.Option(["-v", "--verbose"], is_flag=True, expose_value=False, callback=_set("verbose"), help="More detail."),
        click.Option(
            ["--color"], type=Word(COLORS), expose_value=False, callback=_set("color"), metavar="WHEN",
            help="auto, always or never; goes before NO_COLOR and FORCE_COLOR.",
        ),
        click.Option(["--width"], type=click.IntRange(1), expose_value=False, callback=_set("width"), help="Columns of text output."),
        click.Option(["--no-progress"], is_flag=True, expose_value=False, callback=_set("progress"), help="No progress bars."),
        click.Option(["--debug"], is_flag=True, expose_value=False, callback=_set("debug"), help="Show a traceback for an internal error."),
    ]  # fmt: skip


def _set(name: str) -> Any:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        settings = context.find_object(Settings) or Settings()
        if value not in (None, False):
            settings = settings._replace(**{name: not value if name == "progress" else value})
        context.obj = settings

    return callback


class Command(click.Command):
    """A command that takes the general options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, context_settings={"help_option_names": ["-h", "--help"]}, **kwargs)
        self.params.extend(_general())


class Group(click.Group):
    """Finds commands by the names of the files in this folder."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, **kwargs)
        self.params.extend(_general())

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in commands():
            return None
        command: click.Command = importlib.import_module(f"convcalc.cli.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in commands():
            ctx.fail(f"no command {args[0]!r}{did_you_mean(args[0], commands()) or '; --help lists them'}")
        return super().resolve_command(ctx, args)


@cache
def commands() -> tuple[str, ...]:
    """Return the names of all commands, sorted."""
    names = (os.path.splitext(name) for name in os.listdir(os.path.dirname(__file__)))
    return tuple(sorted(stem for stem, ending in names if ending == ".py" and not stem.startswith("_")))


@click.group(cls=Group, epilog="A DESIGN is FILE, FILE@variant, FILE#path, FILE@variant#path, zoo:NAME, or - for standard input.")
@click.version_option(__version__, "--version", prog_name="convcalc", message="%(prog)s %(version)s")
def convcalc() -> None:
    """Count the parameters, multiplies, activations and depth of neural networks, exactly, from a YAML spec.

    \b
    Try:  convcalc report zoo:resnet50
          convcalc compare zoo:resnet50 zoo:mobilenet_v2
    """
