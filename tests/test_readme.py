"""The README and the guides tell the truth: commands print what is shown, Python runs, the set-up is what CI runs.

Fenced blocks, in the order of a document, in one empty folder that holds the repository's ``specs``; for the guide that
adds files to the program, in a folder with a copy of both:

- ``console``: lines that begin with ``$ `` are commands; what follows each, up to the next, is exactly what it prints.
  A line that is only ``…`` stands for any number of lines.
- ``yaml`` or ``python`` whose first line is ``# file: NAME``: written into the folder under that name.
- other ``python``: run, as a doctest where it has prompts; all blocks share one namespace.
- ``py``: for machines that are not here; compiled.
- ``bash``: setting up. Not run here: ``.ci/run`` runs every such block, word for word.

``pytest --update-golden tests/test_readme.py`` puts what the commands print now in the place of what is wrong.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HANG, ROOT

FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and the line of the document on which the text begins."""

    language: str
    text: str
    line: int


def blocks(document: str) -> list[Block]:
    return [
        Block(found["language"], found["text"], document.count("\n", 0, found.start("text")) + 1)
        for found in FENCE.finditer(document)
    ]


def rewritten(document: str, texts: Mapping[int, str]) -> str:
    """The document with other texts in the blocks that begin on these lines."""
    for found in reversed(list(FENCE.finditer(document))):
        start, end = found.span("text")
        text = texts.get(document.count("\n", 0, start) + 1, found["text"])
        document = document[:start] + text + document[end:]
    return document


def session(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block (``\\`` continues it) with the output that the block shows for it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:.*\\\n)*.*", part)
        assert command is not None
        yield command[0], part[command.end() :].removeprefix("\n")


def same(shown: str, printed: str) -> bool:
    """Whether the output is the one shown, blanks at line ends and a line ``…`` aside."""
    parts = [r"(?:.*\n)*" if line.strip() == "…" else re.escape(line.rstrip()) + "\n" for line in _lines(shown)]
    return re.fullmatch("".join(parts), "".join(f"{line.rstrip()}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    return text.rstrip().split("\n")


class Reader:
    """Somebody who does in a folder what a document says, from top to bottom, and notes where it is wrong."""

    def __init__(self, folder: Path, *, clone: bool = False) -> None:
        self.folder = folder
        self.wrong: list[str] = []
        self.corrected: dict[int, str] = {}
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.status = 0
        if clone:
            for name in ("convcalc", "specs"):
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / "specs").symlink_to(ROOT / "specs")
        programs = folder / ".programs"
        programs.mkdir()
        convcalc = programs / "convcalc"
        convcalc.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m convcalc "$@"\n', encoding="utf-8")
        convcalc.chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "TMPDIR"}},
            "PATH": os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"])),
            "PYTHONPATH": str(folder if clone else ROOT),
            "PYTHONUTF8": "1",
        }

    def follow(self, block: Block) -> None:
        follow = {"console": self.type, "yaml": self.write, "python": self.execute, "py": self.compile}
        if block.language in follow:
            follow[block.language](block)

    def type(self, block: Block) -> None:
        corrected = ""
        for command, shown in session(block.text):
            process = subprocess.run(
                ["bash", "-c", f"(exit {self.status})\n{command}"],  # so that `echo $?` tells of the command before
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=HANG,
                check=False,
            )
            self.status = process.returncode
            printed = process.stdout.decode()
            corrected += f"$ {command}\n{shown if same(shown, printed) else printed}"
            if not same(shown, printed):
                self.wrong.append(f"line {block.line}: $ {command}\n--- shown\n{shown}--- printed\n{printed}")
        self.corrected[block.line] = corrected

    def write(self, block: Block) -> bool:
        """Write the file that a block names, if it does."""
        named = re.match(r"# file: (\S+)\n", block.text)
        if named:
            path = self.folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        return named is not None

    def compile(self, block: Block) -> None:
        compile(block.text, f"line {block.line}", "exec")

    def execute(self, block: Block) -> None:
        name = f"line {block.line}"
        if self.write(block):
            return
        if ">>> " not in block.text:
            exec(compile(block.text, name, "exec"), self.namespace)  # noqa: S102 - the README is ours
            return
        example = doctest.DocTestParser().get_doctest(block.text, {}, name, "the document", block.line - 1)
        example.globs = self.namespace
        report: list[str] = []
        doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(
            example, out=report.append, clear_globs=False
        )
        self.wrong += ["".join(report)] if report else []


README = ROOT / "README.md"
GUIDES = sorted((ROOT / "convcalc" / "guide").glob("*.md"))
CI = ROOT / "convcalc" / "guide" / "ci.md"
REFERENCE = ROOT / "specs" / "README.md"
DOCUMENTS = [README, *GUIDES]
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_a_document_shows_what_happens(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    text = document.read_text(encoding="utf-8")
    reader = Reader(tmp_path, clone="# file: convcalc/" in document.read_text(encoding="utf-8"))
    for block in blocks(text):
        reader.follow(block)
    if request.config.getoption("--update-golden"):
        document.write_text(rewritten(text, reader.corrected), encoding="utf-8")
    else:
        assert not reader.wrong, "\n\n".join(reader.wrong)


@pytest.mark.parametrize("document", GUIDES, ids=lambda document: document.stem)
def test_every_block_of_a_guide_is_run(document: Path) -> None:
    """But for the drawing of the rooms, which is generated."""
    languages = [block.language for block in blocks(document.read_text(encoding="utf-8"))]
    assert set(languages) - {"console", "yaml", "python", "py"} <= (
        {"text"} if document.stem == "contributing" else set()
    )
    assert {"console", "python"} & set(languages)


def anchors(document: Path) -> set[str]:
    """The places of a Markdown page that links may name, as GitHub makes them of its headings."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "document",
    [*DOCUMENTS, REFERENCE, *sorted((ROOT / ".github").glob("*.md"))],
    ids=lambda document: f"{document.parent.name}-{document.stem}",
)
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        file, _, anchor = link.partition("#")
        if "://" not in link:
            target = (document.parent / file).resolve() if file else document
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_the_places_of_the_guide_to_contributing_are_there() -> None:
    text = FENCE.sub("", (ROOT / "convcalc" / "guide" / "contributing.md").read_text(encoding="utf-8"))
    named = re.findall(r"`((?:convcalc|specs|tests)/[\w./]*\w/?)`", text)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 250
    assert [path.name for path in GUIDES if len(path.read_text(encoding="utf-8").splitlines()) > 300] == []


def test_ci_runs_the_set_up_that_the_readme_shows() -> None:
    shown = [block.text for block in blocks(README.read_text(encoding="utf-8")) if block.language == "bash"]
    listed = subprocess.run(["bash", ".ci/run", "--list"], cwd=ROOT, capture_output=True, check=True)
    assert listed.stdout.decode() == "".join(shown)
    commands = "".join(shown).splitlines()
    assert len(commands) == 2, "one command for the main job, one for the tests"
    assert all(command.startswith("python3 -m venv .venv && .venv/bin/pip install ") for command in commands)
    assert commands[1].endswith(" && .venv/bin/pytest")


# --- the reader himself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a\nb\n", "a  \nb\n\n", True),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("a\n…\n", "a\nb\n", True),
        ("", "", True),
        ("a\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
        ("a\n…\nd\n", "b\nd\n", False),
        ("a\n", "", False),
    ],
)
def test_same(shown: str, printed: str, expected: bool) -> None:
    assert same(shown, printed) is expected


def test_a_console_block_is_read_as_commands_and_outputs() -> None:
    text = "$ echo a \\\n  b\na b\n$ true\n\n$ false\n"
    assert list(session(text)) == [("echo a \\\n  b", "a b\n"), ("true", "\n"), ("false", "")]


DOCUMENT = """\
```yaml
# file: sub/a.yaml
input: 1
```

```console
$ head -1 sub/a.yaml; ls specs >/dev/null && false
# file: sub/a.yaml
$ echo $?
1
$ echo wrong
right
```

```python
x = 1
```

```python
>>> x + 1
2
>>> x + 2
4
```
"""


def test_a_wrong_line_is_noticed_and_can_be_mended(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(DOCUMENT):
        reader.follow(block)
    console, python = reader.wrong
    assert console == "line 7: $ echo wrong\n--- shown\nright\n--- printed\nwrong\n"
    assert "Expected:\n    4\nGot:\n    3\n" in python
    assert rewritten(DOCUMENT, reader.corrected) == DOCUMENT.replace("right", "wrong")
