"""``convcalc graph``."""

from __future__ import annotations

from collections.abc import Iterable

import click

from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, PathType, print_warnings
from convcalc.cli.options.reading import DesignOptions, design_options
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.cli.types import TextParamType, WordType
from convcalc.errors import quoted
from convcalc.quantities import parse_positive_integer
from convcalc.render import GRAPHS
from convcalc.render.pictures.graph.graph import BY, DEPTHS, REPEATS, View, graph
from convcalc.render.pictures.graph.nesting import DIRECTIONS
from convcalc.render.pictures.modules import module_tree
from convcalc.render.pictures.svg import THEMES

GLOB = "GLOB"


class DepthType(TextParamType):
    """A number of levels, or a word."""

    def read(self, text: str) -> int | str:
        depth = text if text in DEPTHS else parse_positive_integer(text.strip())
        if depth is None:
            raise click.BadParameter(f"{quoted(text)} is not a positive integer, {' or '.join(DEPTHS)}")
        return depth

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        return DEPTHS


@click.command("graph", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Draw what reads what in a design.")
@click.argument("design", type=DesignType())
@click.option("--depth", type=DepthType(), default="auto", show_default=True, metavar="N|auto|all",
              help="Levels of modules that are shown: auto shows as many as have at most 96 boxes.")  # fmt: skip
@click.option("--open", "opened", type=PathType(), multiple=True, metavar=GLOB,
              help="Open modules by their paths at any depth: 'stage3.*', 'head.**'; repeatable.")  # fmt: skip
@click.option(
    "--close", "closed", type=PathType(), multiple=True, metavar=GLOB, help="Close modules by their paths; repeatable."
)
@click.option("--by", type=WordType(BY), default="macs", show_default=True,
              metavar="METRIC",
              help="Metric of tints: macs, params, output_elements, traffic_bytes or none.")  # fmt: skip
@click.option("--direction", type=WordType(DIRECTIONS), default="down", show_default=True, metavar="WAY",
              help="Where lines lead: down or right.")  # fmt: skip
@click.option("--repeats", type=WordType(REPEATS), default="fold", show_default=True, metavar="HOW",
              help="Equal neighbours: fold (once, ×n) or show (each).")  # fmt: skip
@click.option("--theme", type=WordType(THEMES), default="auto", show_default=True, metavar="THEME",
              help="auto (that of the reader's system), light or dark.")  # fmt: skip
@design_options
@output_options(GRAPHS)
@click.pass_obj
def command(
    settings: GeneralOptions, design: str, reading: DesignOptions, targets: list[OutputTarget], depth: int | str,
    opened: tuple[str, ...], closed: tuple[str, ...], by: str, direction: str, repeats: str, theme: str,
) -> None:  # fmt: skip
    """Draw DESIGN as boxes in frames: modules in modules, what each layer reads, equal neighbours once.

    In globs * is within a part of a path, ** across parts. Formats: text, svg, png (with the extra png), mermaid
    (.mmd), dot (.dot, .gv), json (places and edges). At most 400 boxes are drawn; more are folded, and the output says
    so.

    \b
    Examples:
      convcalc graph zoo:resnet50
      convcalc graph zoo:googlenet -o googlenet.svg
      convcalc graph zoo:resnet50 --depth 1 --open 'stage3.*' -o stage3.svg
      convcalc graph model.yaml --direction right --theme dark -o model.svg
      convcalc graph zoo:unet -f mermaid -o unet.mmd
    """
    (network,) = reading.networks([design])
    report = reading.report(network)
    view = View(depth, opened, closed, by, direction, repeats, theme)  # type: ignore[arg-type] # words of options
    try:
        drawn = graph(module_tree(report), report, view)
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    write(settings, targets, lambda format_, surface: GRAPHS[format_].graph(drawn, surface))
    print_warnings(settings, report.warnings)
