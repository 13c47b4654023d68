"""The group of commands: each is a file of ``commands/``, loaded when it is called; general options."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import click

from convcalc import __version__
from convcalc.cli import ERROR, WIDTH, fitted
from convcalc.cli.types import OptionalWord, OptionOfAll, PositiveInt, WordType
from convcalc.errors import closest_match, did_you_mean, quoted
from convcalc.records import NamedTuple

COLORS = ("auto", "always", "never")
COMMANDS = os.path.join(os.path.dirname(__file__), "commands")


class GeneralOptions(NamedTuple):
    """The general options, before or after the command."""

    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    width: int | None = None
    no_progress: bool = False
    debug: bool = False


def _general_options() -> list[click.Option]:
    """Return the general options; they may stand before or after the command."""
    return [
        _general_option("quiet", "-q", is_flag=True, help="Suppress notes and warnings."),
        _general_option("verbose", "-v", is_flag=True, help="Show all metrics and all claims."),
        _general_option(
            "color",
            type=WordType(COLORS),
            metavar="WHEN",
            help="auto, always or never; overrides NO_COLOR and FORCE_COLOR.",
        ),
        _general_option(
            "width",
            type=PositiveInt(),
            is_eager=True,
            metavar="N",
            help="Width of text output; default: that of the terminal.",
        ),
        _general_option("no_progress", is_flag=True, help="Hide progress bars."),
        _general_option("debug", is_flag=True, help="Print the traceback of internal errors."),
    ]


def _general_option(name: str, *short: str, **kwargs: Any) -> click.Option:
    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        if name == "width":
            WIDTH.set(value)
        context.obj = context.obj._replace(**{name: value})

    return OptionOfAll([*short, f"--{name.replace('_', '-')}"], expose_value=False, callback=keep, **kwargs)


def _eager_option(*names: str, text: str, shown: Callable[[click.Context], str]) -> click.Option:
    """Return a flag that shows something in place of the command."""

    def callback(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            click.echo(shown(context), color=context.color)
            context.exit()

    return OptionOfAll(names, is_flag=True, expose_value=False, is_eager=True, help=text, callback=callback)


FORMER_NAMES = {"metrics": "columns"}
"""Options of earlier releases that scripts may use → their present names."""


class _Context(click.Context):
    """The context of a command, with the parser of its arguments: they are parsed twice, and it is made once."""

    parser: Any = None


class Command(click.Command):
    """A command that takes ``-h`` and the general options too, with a section of their own in its help."""

    context_class = _Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["context_settings"] = {
            "help_option_names": ["-h", "--help"], "token_normalize_func": lambda name: FORMER_NAMES.get(name, name),
        }  # fmt: skip
        super().__init__(*args, **kwargs)
        taken = {name for parameter in self.params for name in parameter.opts}  # --color of a plot is a column
        self.params.extend(option for option in _general_options() if taken.isdisjoint(option.opts))
        self._help = _eager_option("-h", "--help", text="Show this message and exit.", shown=click.Context.get_help)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        assert isinstance(ctx, _Context)
        ctx.obj = ctx.find_object(GeneralOptions) or GeneralOptions()
        if not ctx.resilient_parsing:
            for option in self.params:
                args = option.written_out(args) if isinstance(option, OptionalWord) else args
            try:
                _, _, given = self.make_parser(ctx).parse_args(list(args))
            except click.NoSuchOption as error:
                known = [name.lstrip("-") for option in self.get_params(ctx) for name in option.opts if name[:1] == "-"]
                guess = closest_match(error.option_name.lstrip("-"), known)
                ctx.fail(f"no option {quoted(error.option_name)}" + (f"; did you mean '--{guess}'?" if guess else ""))
            for option in given:
                if not isinstance(option, click.Option) or option.multiple or option.is_flag or _is_general(option):
                    continue
                if given.count(option) > 1:
                    ctx.fail(f"{option.opts[-1]} is given twice")
        try:
            return super().parse_args(ctx, args)
        finally:
            ctx.parser = None  # it knows the context: a cycle is freed by a search alone

    def make_parser(self, ctx: click.Context) -> Any:
        assert isinstance(ctx, _Context)
        ctx.parser = ctx.parser or super().make_parser(ctx)
        return ctx.parser

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return all parameters; click's own looks each time for names that are there twice, as a test of ours does."""
        return [*self.params, self._help]

    def get_help_option(self, ctx: click.Context) -> click.Option:
        """Return the option of the help; click's own costs start-up time, as it looks for translations of its text."""
        return self._help

    def get_help(self, ctx: click.Context) -> str:
        from convcalc.render.tables.surface import USUAL_WIDTH, surface  # --version does without

        width = surface(sys.stdout, width=WIDTH.get()).width
        if width is not None:  # click would take no less than 50
            ctx.terminal_width = min(width, USUAL_WIDTH) - 2
        return fitted(super().get_help(ctx), sys.stdout)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix="Usage: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)]
        for heading, general in (("Options", False), ("General options", True)):
            records = [option.get_help_record(ctx) for option in options if _is_general(option) is general]
            if any(records):
                with formatter.section(heading):
                    column = 30 if formatter.width > 60 else formatter.width // 3
                    formatter.write_dl([record for record in records if record], col_max=column)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            formatter.write_paragraph()
            formatter.write(self.epilog)


def _is_general(option: click.Option) -> bool:
    return option.name in GeneralOptions._fields or not {"--help", "--version"}.isdisjoint(option.opts)


class CommandGroup(Command, click.Group):
    """A command with commands of its own; without one it shows its help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:  # here, because releases of click end with different codes
            click.echo(ctx.get_help(), err=True)
            ctx.exit(ERROR)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known:
            guess = self.suggest(args[0]) or did_you_mean(args[0], known) or f" (commands: {', '.join(known)})"
            ctx.fail(f"no command {quoted(args[0])}{guess}")
        return super().resolve_command(ctx, args)

    def suggest(self, word: str) -> str:
        """Return what the writer of an unknown command may have meant beside a command."""
        return ""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


class _Main(CommandGroup):
    """Finds commands by the names of the files in ``commands/``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in commands():
            return None
        command: click.Command = importlib.import_module(f"convcalc.cli.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _short_help(name)) for name in commands()])

    def suggest(self, word: str) -> str:
        from convcalc.designs.names import NOT_FILES

        is_design = os.path.exists(word) or word.startswith(NOT_FILES)
        return f"; did you mean {quoted(f'report {word}')}?" if is_design else ""


@cache
def commands() -> tuple[str, ...]:
    """Return the names of all commands, sorted."""
    names = (os.path.splitext(name) for name in os.listdir(COMMANDS))
    return tuple(sorted(stem for stem, ending in names if ending == ".py" and not stem.startswith("_")))


def _short_help(command: str) -> str:
    """Return the ``short_help`` in the file of a command, which is not loaded: all take as long as many reports."""
    with open(os.path.join(COMMANDS, f"{command}.py"), encoding="utf-8") as file:
        return file.read().partition('short_help="')[2].partition('"')[0]


DESIGN_NAMES_HELP = """\
Designs:
  FILE          A spec, or a model: model.yaml, model.onnx, model.keras,
                config.json of transformers (hf:FOLDER), yolo11.yaml of
                Ultralytics, yolov3.cfg of Darknet.
  FILE@VARIANT  A variant of it: model.yaml@large.
  FILE#PATH     One layer or group, by path: model.yaml@large#stage2.block1.
  FILE#..PATH   All layers that lead to it, such as one of several outputs.
  zoo:NAME      A bundled spec: zoo:resnet50, zoo:resnet50@101.
  torch:MODULE:CALLABLE
                A PyTorch model in code, with --input 3,224,224; see
                `convcalc guide importing`.
  -             A spec from standard input.
"""
"""How designs are named, for the end of a help text."""


EXIT_CODES_HELP = """
Exit codes:
  0    Success; differences that `compare` or `diff` shows are no failure.
  1    check: a limit or claim does not hold, a budget matches nothing, or a
       waiver has expired; solve: no value is within the limits; match: the
       designs differ.
  2    Wrong usage, or an invalid spec, budget, baseline or git revision.
  3    A bug in convcalc.
  130  Interrupted.
"""


_VERSION = _eager_option("--version", text="Show the version and exit.", shown=lambda _: f"convcalc {__version__}")


@click.group(cls=_Main, epilog=DESIGN_NAMES_HELP + EXIT_CODES_HELP, params=[_VERSION])
def convcalc() -> None:
    """Count the parameters, multiplies, activations and depth of neural networks, exactly, from a YAML
    spec or a model file.

    \b
    Examples:
      convcalc report zoo:resnet50
      convcalc compare zoo:resnet50 zoo:mobilenet_v2
      convcalc COMMAND -h
    """
