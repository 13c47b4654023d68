"""``convcalc html``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from convcalc.batch.results import is_results_file, read_results
from convcalc.cli import ERROR, SUCCESS
from convcalc.cli.commands.plot import DESIGN_OPTIONS, counted, refuse
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import (
    DesignType,
    jobs_option,
    print_warnings,
    require_use_of_variants,
    variants_option,
)
from convcalc.cli.options.reading import DesignOptions, design_options
from convcalc.cli.output.targets import STDOUT, one_target, output_option, write
from convcalc.designs.names import parse_design
from convcalc.designs.patterns import MAGIC
from convcalc.errors import quoted
from convcalc.findings import CheckResult
from convcalc.render.tables.surface import is_terminal
from convcalc.report.compare import compare

METRICS = ("params", "macs", "weight_bytes", "peak_activation_bytes", "depth")
"""The columns of many designs."""


@click.command("html", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Make a page of designs, or of results.")
@click.argument("designs", nargs=-1, required=True, type=DesignType(), metavar="DESIGN…|FILE")
@variants_option("All variants of each design of a folder or glob, or the variants named.")
@jobs_option
@design_options
@output_option("Write to a file.")
@click.pass_context
def command(
    context: click.Context, designs: tuple[str, ...], reading: DesignOptions, output: str | None,
    variants: tuple[str, ...] | None, jobs: int,
) -> int:  # fmt: skip
    """Make a page of one file, to be looked at in a browser: pictures, tables, the spec and the numbers as JSON.

    One design gets its own page, several are compared with the first. A folder, a glob ('zoo:*') or a file of batch,
    sweep or zoo gives a picture with a point for each design, and a table. The page loads nothing from elsewhere, and
    can be read without its script; page.html#/stage3.block2.conv1 shows one layer.

    \b
    Examples:
      convcalc html zoo:resnet50 -o resnet50.html
      convcalc html zoo:resnet50 zoo:mobilenet_v2 -o both.html
      convcalc html model.yaml@small model.yaml@large --batch 8 -o models.html
      convcalc html 'zoo:*' --variants all -o zoo.html
      convcalc html results.csv -o results.html
    """
    settings = context.find_object(GeneralOptions) or GeneralOptions()
    target = one_target("html", output, designs)
    if target.path is None and is_terminal(sys.stdout):
        raise click.UsageError("a page is for a browser; write to a file with -o")
    tables = [design for design in designs if is_results_file(design)]
    many = [design for design in designs if MAGIC.search(design) or os.path.isdir(design)]
    failed = False
    if tables:
        if len(designs) > 1:
            raise click.UsageError("a table has a page of its own: name one file")
        refuse(context, DESIGN_OPTIONS, f"is for designs; {quoted(tables[0])} has its numbers")
        from convcalc.render.web_page.results import results_page

        text = results_page(read_results(tables[0]), os.path.basename(tables[0]))
    elif many:
        from convcalc.render.web_page.results import results_page

        require_use_of_variants(designs, variants)
        results, failed = counted(settings, designs, reading, variants, METRICS, jobs)
        text = results_page(results, " ".join(designs))
    else:
        if variants is not None:
            raise click.UsageError("--variants is for folders and globs; name the variants: FILE@NAME")
        text = _page(settings, designs, reading)
    write(settings, [target], lambda *_: text)
    return ERROR if failed else SUCCESS


def _page(settings: GeneralOptions, designs: Sequence[str], reading: DesignOptions) -> str:
    """Return the page of one design, or of several compared."""
    networks = reading.networks(designs)
    reports = [reading.report(network, ["peak"]) for network in networks]
    print_warnings(settings, (warning for report in reports for warning in report.warnings))
    from convcalc.render.web_page.verdict import verdict_sections

    verdict = _verdict([network.design.text for network in networks], reading)
    budgets = list(verdict_sections(verdict))
    if len(reports) == 1:
        from convcalc.render.web_page.design import design_page

        return design_page(reports[0], budgets)
    from convcalc.render.web_page.comparison import comparison_page

    return comparison_page(compare(reports), budgets)


def _verdict(designs: Sequence[str], reading: DesignOptions) -> CheckResult:
    """Return the verdict of the budgets of this folder on designs; with ``--set`` they are others, and have none."""
    from convcalc.budget.check.checker import check
    from convcalc.budget.check.file_judge import Options
    from convcalc.budget.file.reader import find_budget_file, read_budget_file

    path = find_budget_file(".")
    if path is None or reading.overrides or any(parse_design(design).file == STDOUT for design in designs):
        return CheckResult(0)
    options = Options(libraries=reading.libraries, inputs=reading.inputs, code=reading.code)
    verdict = check(read_budget_file(path), designs, options)
    return verdict._replace(claims=()) if verdict.limits or verdict.errors else CheckResult(0)
