"""GitHub-flavoured Markdown: tables, and texts in which nothing is markup, a link or a call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from convcalc.render.tables.blocks import Table
from convcalc.render.tables.characters import Characters

SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#$])")
LEADING = re.compile(r"^(\s*\d*)([-+=]+|[.)])(?=\s|$)")
"""What makes a list, a rule or a heading of a line that begins with it."""
CALLING = re.compile(r"[@#]|://|[!$%&~^]\w|\bwww\.|\b(?=\d*[a-f])[0-9a-f]{7,}\b|\bGH-\d", re.IGNORECASE)
"""What GitHub and GitLab make a link or a call of, escaped or not: people, issues, addresses, commits, labels."""


def text(text: str) -> str:
    """Escape what Markdown or HTML would read as markup; a word that would call or link stands as code."""
    text = text.strip(" ")  # four blanks would begin a block of code
    if not CALLING.search(text):
        return _plain(text)
    return " ".join(cell(word) if CALLING.search(word) else _plain(word) for word in text.split(" "))


def _plain(text: str) -> str:
    return LEADING.sub(r"\1\\\2", SPECIAL.sub(r"\\\1", text))


def code(text: str) -> str:
    """Return a code span, fenced by more backticks than it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{space}{text}{space}{fence}" if text else ""


def cell(text: str) -> str:
    """Return a code span for a table: a bar would end the cell even in there."""
    return code(text).replace("|", "\\|")


def line(cells: Sequence[str]) -> str:
    """Return one row of a table."""
    return f"| {' | '.join(cells)} |"


def head(headings: Sequence[str], numbers: Sequence[bool]) -> list[str]:
    """Return the two lines above a table's rows; numbers stand to the right."""
    return [line(headings), line(["--:" if right else ":--" for right in numbers])]


def table(grid: Table) -> str:
    """Return a table: names as code, numbers to the right, the total in bold."""
    headings = head([text(column.heading) for column in grid.columns], [column.right for column in grid.columns])
    return "\n".join([*headings, *_body(grid)])


def _body(grid: Table) -> Iterator[str]:
    named = grid.footer_rows > 0
    for kind, first, *others in zip(grid.kinds, *(column.texts for column in grid.columns), strict=True):
        if kind == "total":
            yield line([f"**{text(one)}**" if one else "" for one in (first, *others)])
        else:
            yield line([_name(first) if named else text(first), *map(text, others)])


def _name(text: str) -> str:
    """A path as code, indented by its depth."""
    bare = text.lstrip(" ")
    return "&emsp;" * ((len(text) - len(bare)) // 2) + cell(bare)


def small(note: str, glyphs: Characters) -> str:
    """Return a note in small print."""
    return f"<sub>{text(glyphs.text(note))}</sub>"
