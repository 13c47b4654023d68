"""What is generated from the program and stands in the repository: parts of its documents, and a picture.

``python -m tests.generated`` writes it, ``python -m tests.generated --check`` says what is not up to date and fails.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import convcalc
from convcalc import profiles
from convcalc.cli import group as _group
from convcalc.report.compare import compare
from tests import tables

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / ".github" / "googlenet_3a.svg"
PICTURED = "specs/tutorials/googlenet_3a.yaml"


def picture() -> str:
    """GoogLeNet's module 3a without and with reductions, to one scale, as ``convcalc plot`` draws it."""
    with contextlib.chdir(ROOT):
        reports = [network.report() for network in convcalc.load(PICTURED).outputs()]
    return compare(reports).plot().to_svg()


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


def profile_table() -> str:
    """The table of profiles."""
    rows = [f"| `{each.key}` | {each.tool} | {each.unit} | {each.counts} |" for each in profiles.profiles()]
    return "\n".join(["| profile | tool | unit | counts |", "| --- | --- | --- | --- |", *rows])


def rooms() -> str:
    """The drawing of the rooms, from the contracts of import-linter: those above import those below."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contracts = {one["containers"][0]: one["layers"] for one in settings["contracts"] if one["type"] == "layers"}
    lines = [line for layer in contracts["convcalc"] for line in _level(layer, contracts)]
    return "\n".join(["```text", *lines, "```"])


def _level(layer: str, contracts: dict[str, list[str]]) -> Iterator[str]:
    """One level of the drawing: a line for each room, and the order inside those that have a contract of their own."""
    planned = [name.strip("()") for name in layer.split(" | ")]
    names = [name for name in planned if any((ROOT / "convcalc").glob(f"{name}*"))]
    for number, name in enumerate(names):
        yield f"{'│' if number else '├'} {name:13} {_purpose(name)}"
        if inner := contracts.get(f"convcalc.{name}"):
            yield f"│ {'':13} {' → '.join(inner)}"


def _purpose(room: str) -> str:
    """The first line of a room's docstring, up to where it goes into detail."""
    path = ROOT / "convcalc" / room
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return re.split(r"\. |; |\n", text.replace("``", ""))[0].rstrip(".")


GUIDES = ROOT / "convcalc" / "guide"
DOCUMENTS: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "README.md": {"commands": commands},
    GUIDES / "contributing.md": {"rooms": rooms},
    GUIDES / "metrics.md": {"ops": tables.ops_table},
    GUIDES / "profiles.md": {"profiles": profile_table},
    ROOT / "specs" / "README.md": {
        "ops": tables.kinds_table,
        "arguments": tables.arguments_table,
        "functions": tables.functions_table,
        "words": tables.words_table,
        "codes": tables.codes_table,
        "limits": tables.limits_table,
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
