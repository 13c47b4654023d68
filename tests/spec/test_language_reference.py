"""The reference of the language tells the truth: its examples load, count what stands above them, print what they show.

Every ``yaml`` block of ``specs/README.md`` is a spec, or a part of one that is made whole here. A list right above a
block says what the block counts, one line a design (``@variant``, ``#path``, ``--set``). A comment ``# error CC410``
expects that error on its line. ``console`` and ``python`` blocks are those of the README: see ``tests/test_readme.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import convcalc
from convcalc.designs.sources import open_spec
from convcalc.errors import Source, SpecError, SpecErrors, format_errors
from convcalc.spec.yaml import nodes
from tests import tables
from tests.conftest import ROOT
from tests.test_readme import Block, Reader, blocks, rewritten

REFERENCE = ROOT / "specs" / "README.md"
TEXT = REFERENCE.read_text(encoding="utf-8")
EXAMPLES = [block for block in blocks(TEXT) if block.language == "yaml"]

FILE = re.compile(r"# file: (\S+)\n")
ERROR = re.compile(r"# error (CC\d+)$")
COUNTED = re.compile(r"- (?:`(?P<design>[^`]+)`: )?(?P<params>[\d,]+) parameters?, (?P<multiplies>[\d,]+) multiplies")


class Counted(NamedTuple):
    """What the document says that a design of an example counts."""

    design: str
    """What stands behind the name of the file: ``@variant``, ``#path``, ``--set name=expression``."""
    params: int
    multiplies: int


def counted(document: str, block: Block) -> Iterator[Counted]:
    """The list right above a block: all of it, so that no line of it is passed over."""
    above = document.splitlines()[: block.line - 2]
    while above and not above[-1]:
        above.pop()
    while above and above[-1].startswith("- "):
        line = above.pop()
        found = COUNTED.fullmatch(line)
        assert found, f"not the counts of a design: {line}"
        yield Counted(found["design"] or "", _number(found["params"]), _number(found["multiplies"]))


def _number(text: str) -> int:
    number = int(text.replace(",", ""))
    assert text == f"{number:,}"
    return number


def whole(text: str) -> str:
    """A part of a spec as a whole one: items become its layers, and what is missing is put beside what is there."""
    root = nodes.parse_yaml(Source("<example>", text))
    if isinstance(root, nodes.ListNode):
        return f"input: [192, 32, 32]\nlayers:\n{text}"
    assert isinstance(root, nodes.MapNode)
    keys = {key.text for key, _ in root.pairs}
    shape = "" if keys & {"input", "inputs"} else "input: [64, 32, 32]\n"
    return text + shape + ("" if "layers" in keys else "layers: [relu]\n")


def is_whole(block: Block) -> bool:
    return whole(block.text) == block.text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of the document."""
    for block in EXAMPLES:
        if named := FILE.match(block.text):
            (tmp_path / named[1]).write_text(block.text, encoding="utf-8")
    return tmp_path


def file(folder: Path, block: Block) -> str:
    path = folder / f"line_{block.line}.yaml"
    path.write_text(whole(block.text), encoding="utf-8")
    return str(path)


def line_of(block: Block) -> str:
    return f"line {block.line}"


def faults(path: str) -> tuple[list[SpecError], list[SpecError]]:
    """The errors and the warnings of a spec and all its variants."""
    try:
        spec = open_spec(path)
        return [], [warning for variant in spec.variants for warning in spec.expand(variant).graph.warnings]
    except SpecErrors as found:
        return list(found.errors), []


@pytest.mark.parametrize("block", EXAMPLES, ids=line_of)
def test_every_example_loads_with_all_its_variants(block: Block, folder: Path) -> None:
    expected = [
        f"{number}: {found[1]}"
        for number, line in enumerate(block.text.splitlines(), 1)
        if (found := ERROR.search(line))
    ]
    errors, warnings = faults(file(folder, block))
    assert [f"{error.span and error.span.line}: {error.code}" for error in errors] == expected, format_errors(errors)
    assert not (warnings and is_whole(block)), format_errors(warnings)


COUNTS = [pytest.param(block, count, id=f"{line_of(block)} {count.design}")
          for block in EXAMPLES for count in counted(TEXT, block)]  # fmt: skip


@pytest.mark.parametrize(("block", "count"), COUNTS)
def test_examples_count_what_stands_above_them(block: Block, count: Counted, folder: Path) -> None:
    suffix, _, overrides = count.design.partition("--set ")
    variables = dict(override.split("=") for override in overrides.split(",") if override)
    totals = convcalc.load(file(folder, block) + suffix.strip(), set=variables).report().totals
    assert (totals["params"], totals["macs"]) == (count.params, count.multiplies)


def test_every_worked_example_is_whole_and_counted() -> None:
    _, worked = TEXT.split("## Worked examples\n")
    examples = [block for block in EXAMPLES if block.text in worked]
    assert len(examples) == worked.count("\n### ") >= 12
    assert all(is_whole(block) and list(counted(TEXT, block)) for block in examples)


def test_the_reference_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path)
    for block in blocks(TEXT):
        reader.follow(block)
    if request.config.getoption("--update-golden"):
        REFERENCE.write_text(rewritten(TEXT, reader.corrected), encoding="utf-8")
    else:
        assert not reader.wrong, "\n\n".join(reader.wrong)


def test_all_limits_are_listed() -> None:
    assert tables.limits_table().count("\n") == 2 + len(tables._LIMITS)


# --- the checks themselves --------------------------------------------------------------------------------------------

DOCUMENT = """\
- not the counts

text
- `@a`: 1,000 parameters, 20 multiplies
- 1 parameter, 0 multiplies

```yaml
conv: 1
```
"""


def test_the_list_above_a_block_is_read_from_the_block_upwards() -> None:
    (block,) = blocks(DOCUMENT)
    assert list(counted(DOCUMENT, block)) == [Counted("", 1, 0), Counted("@a", 1000, 20)]


@pytest.mark.parametrize("line", ["- 1 parameters", "- 1000 parameters, 20 multiplies", "- about 1 parameter"])
def test_a_line_that_says_something_else_is_no_count(line: str) -> None:
    document = DOCUMENT.replace("- 1 parameter, 0 multiplies", line)
    with pytest.raises(AssertionError):
        list(counted(document, *blocks(document)))


def test_parts_are_made_whole() -> None:
    assert whole("- relu\n") == "input: [192, 32, 32]\nlayers:\n- relu\n"
    assert whole("vars: {}\n") == "vars: {}\ninput: [64, 32, 32]\nlayers: [relu]\n"
    assert whole("inputs: {a: 1}\n") == "inputs: {a: 1}\nlayers: [relu]\n"
    assert whole("input: 1\nlayers: []\n") == "input: 1\nlayers: []\n"
