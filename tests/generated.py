"""What is generated from the program and stands in the repository: parts of its documents, and a picture.

``python -m tests.generated`` writes it, ``python -m tests.generated --check`` says what is not up to date and fails.
"""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import convcalc
from convcalc import render
from convcalc.cli import group as _group
from convcalc.guide import pages
from convcalc.report.compare import compare

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / ".github" / "googlenet_3a.svg"
PICTURED = "specs/tutorials/googlenet_3a.yaml"
PICTURE_WIDTH = 124


def picture() -> str:
    """The comparison of GoogLeNet's module 3a, as a terminal shows it."""
    with contextlib.chdir(ROOT):  # so that the picture names the file as a reader would
        reports = [network.report() for network in convcalc.load(PICTURED).outputs()]
    comparison = compare(reports)
    return render.FORMATS["svg"].comparison(comparison, render.Surface(width=PICTURE_WIDTH, color=True))


def commands() -> str:
    """The table of commands, from their own help."""
    lines = ["| command | does |", "| --- | --- |"]
    group = _group.convcalc
    context = group.context_class(group, info_name="convcalc")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        pieces = command.collect_usage_pieces(command.context_class(command, info_name=name, parent=context))
        usage = " ".join([name, *pieces]).replace(" [OPTIONS]", "").replace("|", "\\|")
        lines.append(f"| `{usage}` | {command.get_short_help_str(200)} |")
    return "\n".join(lines)


DOCUMENTS: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "README.md": {"ops": pages.ops_table, "commands": commands},
    ROOT / "specs" / "README.md": {
        "ops": pages.kinds_table,
        "arguments": pages.arguments_table,
        "functions": pages.functions_table,
        "words": pages.words_table,
        "codes": pages.codes_table,
        "limits": pages.limits_table,
    },
}
"""Document → section, between ``<!-- name -->`` and ``<!-- /name -->`` → what is written there."""


def renewed(document: Path) -> str:
    """A document with its generated sections renewed."""
    text = document.read_text(encoding="utf-8")
    for name, generate in DOCUMENTS[document].items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, _, rest = text.partition(start)
        _, found, tail = rest.partition(end)
        assert found, f"{document.relative_to(ROOT)} has no section {name}"
        text = f"{head}{start}{generate().strip()}\n{end}{tail}"
    return text


def outdated() -> Iterator[tuple[Path, str, str]]:
    """Every generated file that is not what the program gives: its path, what it holds, what it should hold."""
    for path, text in (*((path, renewed(path)) for path in DOCUMENTS), (PICTURE, picture())):
        held = path.read_text(encoding="utf-8") if path.exists() else ""
        if held != text:
            yield path, held, text


def main(arguments: list[str]) -> int:
    """Write what is outdated; with ``--check`` show it and fail."""
    found = list(outdated())
    for path, held, text in found:
        if "--check" in arguments:
            difference = difflib.unified_diff(
                held.splitlines(), text.splitlines(), "held", "generated", lineterm="", n=1
            )
            lines = [f"{path.relative_to(ROOT)} is outdated: run python -m tests.generated", *list(difference)[:40], ""]
            sys.stdout.write("\n".join(lines))
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int("--check" in arguments and bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
