"""Validation of spec files: their form, and the shapes of every variant."""

from __future__ import annotations

import os
from collections.abc import Sequence

from convcalc.designs.names import ZOO, parse_design, zoo_paths
from convcalc.designs.sources import MISSING_FILE, open_spec
from convcalc.errors import Source, Span, SpecError, SpecErrors, format_error
from convcalc.records import NamedTuple


class ValidationResult(NamedTuple):
    """What validating one file found, over all its variants."""

    file: str
    variants: tuple[str, ...] = ()
    errors: tuple[SpecError, ...] = ()
    warnings: tuple[str, ...] = ()


def validate_file(path: str, *, libraries: Sequence[str] = ()) -> ValidationResult:
    """Parse and shape-check a file with every variant; a file of blocks without layers is only parsed."""
    try:
        spec = open_spec(path, libraries=libraries)
    except SpecErrors as errors:
        file = parse_design(path).file
        exists = file == "-" or file.removeprefix(ZOO) in zoo_paths() or os.path.isfile(file)
        if errors.errors[0].code in MISSING_FILE and file != path and exists:
            text = "no such file: validate takes files, and checks every variant and layer of each"
            error = SpecError("CC001", text, Span(Source(path)), hint=f"did you mean {file}?")
            return ValidationResult(path, errors=(error,))
        return ValidationResult(path, errors=tuple(errors.errors))
    found: list[SpecError] = []
    warnings = dict.fromkeys(map(format_error, spec.document.warnings))
    for variant in spec.variants:
        try:
            graph = spec.expand(variant).graph
            warnings.update(dict.fromkeys(map(format_error, graph.warnings)))
        except SpecErrors as errors:
            found += errors.errors
            for fault in errors.errors:
                fault.hint = fault.hint or (f"in the variant {variant}" if variant else "")
    return ValidationResult(path, tuple(spec.document.variants), tuple(SpecErrors(found).errors), tuple(warnings))
