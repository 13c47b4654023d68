"""For a comment on a pull request: the Markdown of a step summary, cut at what a comment may hold."""

from __future__ import annotations

from convcalc.findings import CheckResult
from convcalc.render.check.markdown_summary import COMMENT, markdown_summary
from convcalc.render.tables.surface import Surface


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return the verdict in at most 60,000 characters."""
    return markdown_summary(verdict, COMMENT, surface.glyphs)
