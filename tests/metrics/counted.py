"""Totals and rows of a network that is written in a test."""

from __future__ import annotations

import textwrap

import convcalc
from convcalc.report.report import Report


def report(layers: str, *, batch: int = 1, **inputs: str) -> Report:
    """Count a network: its layers as YAML, and its input (``input=``) or several inputs by name."""
    head = f"input: {inputs['input']}" if "input" in inputs else f"inputs: {{{named(inputs)}}}"
    return convcalc.load(text=f"{head}\nlayers:\n{textwrap.dedent(layers)}\n").report(batch=batch)


def named(inputs: dict[str, str]) -> str:
    return ", ".join(f"{name}: {shape}" for name, shape in inputs.items())
