"""``convcalc compare``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from convcalc.cli.commands.report import METRICS, TOTAL_ONLY, by_option, depth_option
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import (
    DesignType,
    print_warnings,
    profile_option,
    require_use_of_variants,
    variants_option,
)
from convcalc.cli.options.metrics import ColumnChoice, MetricKeyType, columns_option, split_columns
from convcalc.cli.options.reading import DesignOptions, design_options
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.cli.types import PositiveInt
from convcalc.designs.names import parse_design
from convcalc.designs.sources import open_spec
from convcalc.errors import quoted
from convcalc.render import FORMATS
from convcalc.report.compare import compare
from convcalc.report.fold import TableOptions


@click.command("compare", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Compare designs: differences and ratios.")
@click.argument("designs", nargs=-1, required=True, type=DesignType(), metavar="DESIGN…")
@variants_option("All variants of each design given without one, or the variants named.")
@depth_option
@by_option
@click.option(
    "--top", type=PositiveInt(), metavar="N", help="Show only the N rows that differ most in the first metric."
)
@columns_option(
    MetricKeyType((*METRICS, *TOTAL_ONLY), profiles=True),
    f"Metrics in place of params,macs; +KEY adds: {', '.join(METRICS)}; any profile, e.g. fvcore; "
    f"in the totals: {', '.join(TOTAL_ONLY)}.",
)
@profile_option
@design_options
@output_options(FORMATS)
@click.pass_obj
def command(
    settings: GeneralOptions, designs: tuple[str, ...], reading: DesignOptions, targets: list[OutputTarget],
    profile: str | None, variants: tuple[str, ...] | None, depth: int | None, by: str, top: int | None,
    columns: ColumnChoice,
) -> None:  # fmt: skip
    """Compare designs with the first one. A single file with several outputs is compared output by output.

    \b
    Examples:
      convcalc compare zoo:resnet50 zoo:resnet50@101 zoo:mobilenet_v2
      convcalc compare specs/tutorials/googlenet_3a.yaml
      convcalc compare zoo:resnet50 zoo:mobilenet_v2 --columns +fvcore --depth 1
      convcalc compare zoo:resnet50 zoo:resnet50@101 --columns activations --top 5
      convcalc compare model.yaml@small model.yaml@large -f markdown -o compare.md
    """
    require_use_of_variants(designs, variants)
    networks = reading.networks(designs if variants is None else _every(designs, variants, reading))
    if len(networks) == 1:
        (only,) = networks
        networks = only.outputs()
        if len(networks) == 1:
            text = f"{quoted(only.design.text)} has one output; name a second design to compare it with"
            has_variants = only.spec is not None and only.spec.document.variants
            raise click.ClickException(f"{text}, or give --variants all" if has_variants else text)
    layers, whole = split_columns(columns, TOTAL_ONLY, profile)
    view = TableOptions(
        depth, by, top=top, columns=None if layers.adds else layers.keys, more=layers.keys if layers.adds else (),
        totals=whole, every=settings.verbose,
    )  # fmt: skip
    tools = set(layers.keys).difference(METRICS)
    reports = [reading.report(network, tools) for network in networks]
    comparison = compare(reports, view)
    write(settings, targets, lambda format_, surface: FORMATS[format_].comparison(comparison, surface))
    print_warnings(settings, (warning for report in reports for warning in report.warnings))


def _every(designs: Sequence[str], variants: tuple[str, ...], reading: DesignOptions) -> Iterator[str]:
    """Give the names of designs, in place of one without a variant those of its variants."""
    for design in designs:
        named = parse_design(design)
        spec = open_spec(named.file, libraries=reading.libraries, inputs=reading.inputs, code=reading.code)
        names = (variants or spec.variants) if named.variant is None else (named.variant,)
        yield from (spec.design(name, named.part).text for name in names)
