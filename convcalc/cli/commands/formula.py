"""``convcalc formula``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcalc.cli.commands.report import METRICS
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, print_warnings
from convcalc.cli.options.metrics import ColumnChoice, MetricKeyType, columns_option
from convcalc.cli.options.reading import DesignOptions, design_options
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.cli.types import PositiveInt, SpecName
from convcalc.errors import quoted
from convcalc.formula import require_symbols
from convcalc.render import FORMULAS
from convcalc.report.fold import DEFAULT_COLUMNS

if TYPE_CHECKING:
    from convcalc.spec.document.syntax_tree import Document


def _symbols(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",")) if value is not None else ()
    if not all(names):
        raise click.BadParameter(f"{quoted(value or '')} is not a list of names with commas between")
    return names


def _possible_symbols(spec: Document) -> list[str]:
    from convcalc.formula.symbolic_design import input_axes

    return list(dict.fromkeys([*spec.vars, *input_axes(spec.inputs)]))


@click.command("formula", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Derive counts as closed-form formulas.")
@click.argument("design", type=DesignType())
@click.option("--symbols", type=SpecName(_possible_symbols, listed=True), metavar="NAME,…", callback=_symbols,
              help="Variables and axes to keep symbolic.")  # fmt: skip
@click.option(
    "--over", type=DesignType(), metavar="DESIGN", help="Also show the ratio to the totals of another design."
)
@columns_option(MetricKeyType(METRICS), "Metrics in place of params,macs; +KEY adds.")
@click.option("--depth", type=PositiveInt(), metavar="N", help="Group layers by the first N segments of their paths.")
@design_options
@output_options(FORMULAS)
@click.pass_obj
def command(
    settings: GeneralOptions, design: str, reading: DesignOptions, targets: list[OutputTarget],
    symbols: tuple[str, ...], over: str | None, columns: ColumnChoice, depth: int | None,
) -> None:  # fmt: skip
    """Write the counts of DESIGN as formulas in its sizes, for each layer and in total.

    Symbols are variables of the spec, or axes of the input: h, w, d, c or cin;
    tokens and features of a sequence. They are positive integers. Every other
    name in a --set is a symbol too: --set size=32*k removes the floor divisions.
    Variables that change the graph (a repeat, a condition, a rank) cannot be
    symbolic.

    Each formula has the form with the fewest operations: expanded, collected
    or factored. It is verified against an integer count before it is shown.

    \b
    Examples:
      convcalc formula zoo:resnet50 --symbols h,w
      convcalc formula zoo:mobilenet_v2 --set size=32*k --depth 1
      convcalc formula zoo:vit --symbols image,dim -f latex -o vit.tex
      convcalc formula specs/tutorials/resnet_bottleneck.yaml#bottleneck \\
        --set c=4*m --over specs/tutorials/resnet_bottleneck.yaml#single
    """
    require_symbols()
    from convcalc.formula.closed_form import derive
    from convcalc.formula.symbolic_design import FormulaRequest

    metrics = columns.over(METRICS if settings.verbose else DEFAULT_COLUMNS)
    found = derive(design, FormulaRequest(symbols, reading.count_options, metrics, depth), over=over)
    write(settings, targets, lambda format_, surface: FORMULAS[format_].formula(found, surface))
    print_warnings(settings, found.warnings)
