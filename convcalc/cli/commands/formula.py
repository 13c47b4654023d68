"""``convcalc formula``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcalc.cli.commands.report import METRICS
from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import DesignType, Reading, reading_options, warn
from convcalc.cli.options.metrics import MetricKey, Metrics, columns_option
from convcalc.cli.output.targets import Target, output_options, write
from convcalc.cli.types import ParamType, Positive, beginning
from convcalc.errors import SpecErrors, quoted
from convcalc.formula import require_symbols
from convcalc.render import FORMULAS
from convcalc.report.fold import DEFAULT_COLUMNS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Symbols(ParamType[tuple[str, ...]]):
    """Names with commas between; those of variables and axes are completed."""

    name = "names"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = tuple(name.strip() for name in value.split(","))
        if not all(names):
            self.fail(f"{quoted(value)} is not a list of names with commas between", param, ctx)
        return names

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        before, comma, _ = incomplete.rpartition(",")
        given = before.split(",")
        names = [name for name in _names(str(ctx.params.get("design") or "")) if name not in given]
        return beginning(incomplete, [f"{before}{comma}{name}" for name in names])


def _names(design: str) -> list[str]:
    """Return what can become a symbol in a design."""
    from convcalc.designs.names import parse_design
    from convcalc.designs.sources import open_spec
    from convcalc.formula.symbolic_design import input_axes

    try:
        document = open_spec(parse_design(design).file).document
    except SpecErrors:
        return []
    return list(dict.fromkeys([*document.vars, *input_axes(document)]))


@click.command("formula", cls=Command, epilog=DESIGNS, short_help="Closed forms in the symbols of its sizes.")
@click.argument("design", type=DesignType())
@click.option("--symbols", type=Symbols(), metavar="NAME,…", help="Variables and axes to leave open.")
@click.option("--over", type=DesignType(), metavar="DESIGN", help="Divide by the totals of another design.")
@columns_option(MetricKey(METRICS), "What to count, in place of params,macs or with + beside them.")
@click.option("--depth", type=Positive(), metavar="N", help="Fold layers to the first N segments of their path.")
@reading_options
@output_options(FORMULAS)
@click.pass_obj
def command(
    settings: Settings, design: str, reading: Reading, targets: list[Target], symbols: tuple[str, ...] | None,
    over: str | None, columns: Metrics, depth: int | None,
) -> None:  # fmt: skip
    """Write the counts of DESIGN as formulas in its sizes, layer by layer and in total.

    Symbols are variables of the spec, or axes of the input: h, w, d, c or cin,
    of a sequence tokens and features. They stand for positive integers. Every
    other name in a --set is a symbol too: --set size=32*k makes floors vanish.
    What shapes the graph (a repeat, a condition, a rank) cannot be a symbol.

    Each formula is in the form with the fewest operations: expanded, collected
    or factored. Before it is shown it is compared with a count in integers.

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

    request = FormulaRequest(symbols or (), reading.count_options, columns.over(DEFAULT_COLUMNS), depth)
    found = derive(design, request, over=over)
    write(settings, targets, lambda format_, surface: FORMULAS[format_].formula(found, surface))
    warn(settings, found.warnings)
