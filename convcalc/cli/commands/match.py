"""``convcalc match``."""

from __future__ import annotations

import click

from convcalc.cli import FINDINGS, SUCCESS
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, print_warnings
from convcalc.cli.options.reading import DesignOptions, reading_options
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.errors import format_error, quoted
from convcalc.render import MATCHES

IGNORABLE = ("norm", "act")


def _ignored(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    kinds = tuple(filter(None, (kind.strip() for kind in value.split(","))))
    for kind in kinds:
        if kind not in IGNORABLE:
            raise click.BadParameter(f"{quoted(kind)} is not norm or act; layers that multiply are always compared")
    return kinds


@click.command("match", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Show where two designs differ.")
@click.argument("first", type=DesignType(), metavar="SPEC")
@click.argument("second", type=DesignType(), metavar="SOURCE")
@click.option("--ignore", default="", metavar="norm,act", callback=_ignored, help="Kinds of layers not to compare.")
@click.option("--names", is_flag=True, help="Demand equal paths of layers, too.")
@reading_options
@output_options(MATCHES)
@click.pass_obj
def command(
    settings: GeneralOptions, first: str, second: str, ignore: tuple[str, ...], names: bool,
    reading: DesignOptions, targets: list[OutputTarget],
) -> int:  # fmt: skip
    """Compare two designs layer by layer, from whatever sources, such as a spec and the model in the code.

    Compared are the layers that multiply, norms, activations, all parameters
    and shared weights, and what all of them and the outputs read: other layers,
    joins and pools; not the names of layers. Exit code 1: they differ.

    \b
    Examples:
      convcalc match model.yaml model.onnx
      convcalc match model.yaml torch:package.module:Net --arg width=64
      convcalc match zoo:resnet50 zoo:resnet50@101
      convcalc match model.yaml@small model.yaml@large --ignore norm,act
      convcalc match model.yaml model.onnx -f github
    """
    from convcalc.match.match import match

    one, two = reading.networks([first, second])
    designs, graphs = (one.design.text, two.design.text), (one.graph, two.graph)
    specs = one.spec is not None and two.spec is not None
    found = match(designs, graphs, ignored=ignore, by_name=names, specs=specs)
    write(settings, targets, lambda format_, surface: MATCHES[format_].match(found, surface))
    print_warnings(settings, map(format_error, (*one.graph.warnings, *two.graph.warnings)))
    return SUCCESS if found.is_equal else FINDINGS
