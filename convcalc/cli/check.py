"""``convcalc check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from convcalc.claims import finding, judge
from convcalc.cli import FINDING, FINE, UNUSABLE
from convcalc.cli._designs import DesignType, lib_option, spec_files
from convcalc.cli._group import DESIGNS, Command, Settings
from convcalc.cli._output import Target, output_options, write
from convcalc.designs import Design, open_spec, parse_design
from convcalc.errors import SpecErrors
from convcalc.findings import Verdict
from convcalc.render import VERDICTS
from convcalc.render.layout.verdict import verdict_text
from convcalc.spec.claims import Claim


@click.command("check", cls=Command, epilog=DESIGNS, short_help="Judge the claims of specs against the arithmetic.")
@click.argument("designs", nargs=-1, type=DesignType(), metavar="[PATH…]")
@lib_option
@output_options(VERDICTS)
@click.pass_obj
def command(settings: Settings, designs: tuple[str, ...], lib: tuple[str, ...], targets: list[Target]) -> int:
    """Judge every claim of specs: files, designs and folders; the current folder by default.

    A printed number agrees when the exact value rounds or truncates to its digits. A claim that is marked
    `expect: disagrees` must disagree. All claims are judged; -v lists them.
    The exit code is 1 when a claim does not hold, 2 when something could not be judged.

    \b
    Examples:
      convcalc check specs
      convcalc check zoo:resnet50@101 -v
      convcalc check model.yaml -f concise
    """
    verdict = _verdict(spec_files(designs or (".",)), lib)
    write(settings, targets, lambda format_, surface: (
        verdict_text(verdict, every=True) if format_ == "text" and settings.verbose
        else VERDICTS[format_].verdict(verdict, surface)
    ))  # fmt: skip
    return UNUSABLE if verdict.errors else FINDING if verdict.findings else FINE


def _verdict(texts: Iterable[str], libraries: tuple[str, ...]) -> Verdict:
    files, judged, errors = 0, [], []
    for text in texts:
        design = parse_design(text)
        files += 1
        try:
            spec = open_spec(design.file, libraries=libraries)
            if spec.variants or design.variant or design.part:  # else it is a library of blocks
                spec.network(design.variant, design.part)  # whether there is such a design, and all of it stands
        except SpecErrors as found:
            errors += found.errors
            continue
        holding, faults = judge(spec, _of(design, spec.document.claims))
        judged += holding
        errors += faults
    findings = [finding(judgement) for judgement in judged if not judgement.holds]
    return Verdict(files, judged, findings, errors)


def _of(design: Design, claims: Iterable[Claim]) -> Iterator[Claim]:
    """Give the claims that are about a design: those of its variant, at its part or below."""
    for claim in claims:
        at = f"{claim.texts.get('at', '')}."
        if design.variant in (None, claim.texts.get("variant")) and at.startswith(f"{design.part or at[:-1]}."):
            yield claim
