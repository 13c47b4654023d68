"""The JSON Schemas, draft-07: those of specs and budget files are made, from the ops and the metrics; that of baselines
and those of machine output are files beside this."""

from __future__ import annotations

import json
import os
from typing import Any

ENDING = ".schema.json"
_FOLDER = os.path.dirname(__file__)
NAMES = ("spec", "budget", *sorted(name.removesuffix(ENDING) for name in os.listdir(_FOLDER) if name.endswith(ENDING)))
WIDTH = 120


def schema(name: str) -> str:
    """Return the text of a schema, one of ``NAMES``."""
    if name == "spec":
        from convcalc.spec.json_schema import spec_schema

        return f"{_laid_out(spec_schema())}\n"
    if name == "budget":
        from convcalc.budget.file.json_schema import budget_schema

        return f"{_laid_out(budget_schema())}\n"
    with open(os.path.join(_FOLDER, f"{name}{ENDING}"), encoding="utf-8") as file:
        return file.read()


def _laid_out(value: Any, start: int = 0, indent: str = "") -> str:
    """Return JSON in which whatever fits on a line stands on one; ``start`` is the column where it begins."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or start + len(line) < WIDTH:
        return line
    inner = f"{indent}  "
    pairs = value.items() if isinstance(value, dict) else (("", item) for item in value)
    held = [(f"{inner}{json.dumps(key, ensure_ascii=False)}: " if key else inner, item) for key, item in pairs]
    lines = [f"{lead}{_laid_out(item, len(lead), inner)}" for lead, item in held]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([opening, ",\n".join(lines), f"{indent}{closing}"])
