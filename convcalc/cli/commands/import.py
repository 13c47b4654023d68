"""``convcalc import``."""

from __future__ import annotations

from itertools import chain

import click

from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, print_warnings
from convcalc.cli.options.reading import DesignOptions, source_options
from convcalc.cli.output.targets import one_target, output_option, write
from convcalc.errors import format_error

WHY = "attention is one layer in it without views beside it, branches are in another order, or checkpoints are left out"


@click.command("import", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Write a model as a readable spec.")
@click.argument("source", type=DesignType(), metavar="SOURCE")
@click.option("--flat", is_flag=True, help="Write every layer, without blocks and repeats.")
@click.option("--check", is_flag=True, help="Verify that a spec can be written, and print nothing.")
@source_options
@output_option("Write to a .yaml file.")
@click.pass_obj
def command(
    settings: GeneralOptions, source: str, reading: DesignOptions, flat: bool, check: bool, output: str | None
) -> None:
    """Write SOURCE, a model or a design, as a spec with blocks, repeats and defaults.

    Blocks are named after the classes of the model's code, where the file has
    their names. The spec is read again and compared with the model layer by
    layer, before it is printed: kinds, arguments, shapes, params, multiplies
    and shared weights are equal.

    \b
    Examples:
      convcalc import model.onnx
      convcalc import torch:torchvision.models:resnet18 --input 3,224,224
      convcalc import torch:models:encoder --input ids:int64=128 -o encoder.yaml
      convcalc import zoo:resnet50@101 --flat
      convcalc import model.keras --check
    """
    if check and output is not None:
        raise click.UsageError("--check writes nothing: leave out -o")
    target = one_target("yaml", output, [source])
    (network,) = reading.networks([source])
    from convcalc.recovery import changed_metrics, recover  # names that are wrong need it not
    from convcalc.recovery.reading.rewriting import separate

    graph = separate(network.graph)
    text = recover(graph, flat=flat)
    if not check:
        write(settings, [target], lambda *_: text)
    changed = ", ".join(changed_metrics(graph, text))
    notes = [f"note: the spec has other {changed}: {WHY}"] if changed else []
    print_warnings(settings, chain(map(format_error, graph.warnings), notes))
