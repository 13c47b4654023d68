"""For a comment on a pull request: the Markdown of a step summary, cut at what a comment may hold."""

from __future__ import annotations

from convcalc.findings import Verdict
from convcalc.render.layout.summary import COMMENT, summarized
from convcalc.render.surface import Surface


def verdict(verdict: Verdict, surface: Surface) -> str:
    """Return the verdict in at most 60,000 characters."""
    return summarized(verdict, COMMENT, ascii_only=surface.ascii_only)
