"""Globs: against a matcher that simply tries everything, against the standard library's on a disk, and hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from glob import glob as find_files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convcalc.budget.file.types import Budget, Limit, LimitedMetric, Pattern
from convcalc.budget.select.match_designs import (
    SpecFinder,
    matches_by_pattern,
    matching_designs,
    pattern_matches,
    patterns_match,
)
from convcalc.designs.names import parse_pattern
from convcalc.errors import Source, Span, SpecErrors
from convcalc.paths import leaves_repository, matches, repository_root, syntax_error
from tests.work import limited_work

SPEC = "input: [3, 8, 8]\nvars: {w: 4}\nvariants: {wide: {w: 8}, wider: {w: 9}, thin: {w: 2}}\nlayers: [conv: [w, 3]]\n"
NOWHERE = Span(Source("budget"), 1, 1)

Tree: TypeAlias = Callable[..., Path]


def budget(*patterns: str) -> Budget:
    """A budget about these designs; the span tells the patterns apart."""
    given = tuple(
        Pattern(text.removeprefix("!"), NOWHERE._replace(column=number), text.startswith("!"))
        for number, text in enumerate(patterns, 1)
    )
    return Budget("a", NOWHERE, given, max=(Limit(LimitedMetric("params", ""), Fraction(1), "1", NOWHERE),))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Makes files below a folder and returns the folder."""

    def make(*files: str, text: str = SPEC) -> Path:
        for file in files:
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return make


# --- one glob, one path -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("a.yaml", "a.yaml", True),
        ("a.yaml", "b.yaml", False),
        ("a.yaml", "axyaml", False),
        ("*.yaml", "a.yaml", True),
        ("*.yaml", "m/a.yaml", False),
        ("m/*.yaml", "m/a.yaml", True),
        ("m/*.yaml", "m/n/a.yaml", False),
        ("m/**/*.yaml", "m/a.yaml", True),
        ("m/**/*.yaml", "m/n/o/a.yaml", True),
        ("m/**/*.yaml", "n/a.yaml", False),
        ("**/a.yaml", "a.yaml", True),
        ("**/a.yaml", "x/y/a.yaml", True),
        ("m/**", "m/a", True),
        ("m/**", "m/a/b", True),
        ("m/**", "m", False),
        ("**", "a/b/c", True),
        ("m/**/n/**/*", "m/n/a", True),
        ("m/**/n/**/*", "m/n/n/n", True),
        ("m/**/n/**/*", "m/n", False),
        ("?.yaml", "a.yaml", True),
        ("?.yaml", "ab.yaml", False),
        ("?.yaml", ".yaml", False),
        ("[abc].yaml", "b.yaml", True),
        ("[a-c].yaml", "d.yaml", False),
        ("[!a-c].yaml", "d.yaml", True),
        ("[^a-c].yaml", "b.yaml", False),
        ("[]].yaml", "].yaml", True),
        ("[!]].yaml", "].yaml", False),
        ("[a-].yaml", "-.yaml", True),
        ("[[]x].yaml", "[x].yaml", True),
        ("[z-a].yaml", "b.yaml", False),
        ("[!z-a].yaml", "b.yaml", True),
        ("[a.yaml", "[a.yaml", True),
        ("[*].yaml", "*.yaml", True),
        ("[*].yaml", "a.yaml", False),
        ("a+(b).yaml", "a+(b).yaml", True),
        ("a.*", "aXb", False),
        ("*a*b*c", "xaybzc", True),
        ("*a*b*c", "xbyazc", False),
        ("*ab", "aab", True),
        ("a*a", "a", False),
        ("*", ".hidden", False),
        ("**", ".git/config", False),
        ("**/*.yaml", "m/.venv/a.yaml", False),
        ("?hidden", ".hidden", False),
        ("[.]hidden", ".hidden", False),
        (".*", ".hidden", True),
        (".github/**/*.yaml", ".github/w/a.yaml", True),
        ("A.yaml", "a.yaml", False),
        ("gr\u00f6sse.yaml", "gro\u0308sse.yaml", True),
        ("*\n", "a\n", True),
        ("a*", "a\nb", True),
        ("", "", False),
    ],
)
def test_files(pattern: str, path: str, found: bool) -> None:
    assert matches(pattern, path, "/") is found


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("stage*.**", "stage1.block2.conv", True),
        ("stage*.**", "stage1.conv", True),
        ("stage*.**", "stage1", False),
        ("stage*", "stage1", True),
        ("stage*", "stage1.conv", False),
        ("stage?.block*", "stage1.block12", True),
        ("**.conv3", "stage1.block2.conv3", True),
        ("**.conv3", "conv3", True),
        ("stage1.*.conv", "stage1.block1.conv", True),
        ("stage1.*.conv", "stage1.block1.x.conv", False),
        ("stage1/conv", "stage1.conv", False),
        ("head", "headless", False),
    ],
)
def test_layers(pattern: str, path: str, found: bool) -> None:
    assert matches(pattern, path, ".") is found


def by_trying(pattern: str, path: str) -> bool:
    """The definition, word for word: try every way to share the path out."""

    @cache
    def segments(globs: tuple[str, ...], names: tuple[str, ...]) -> bool:
        if not globs:
            return not names
        if globs[0] == "**":
            least = 1 if len(globs) == 1 else 0
            return any(
                segments(globs[1:], names[count:]) and not any(name.startswith(".") for name in names[:count])
                for count in range(least, len(names) + 1)
            )
        return bool(names) and segment(globs[0], names[0]) and segments(globs[1:], names[1:])

    @cache
    def characters(glob: str, name: str) -> bool:
        if not glob:
            return not name
        if glob[0] == "*":
            return any(characters(glob[1:], name[count:]) for count in range(len(name) + 1))
        return bool(name) and glob[0] in ("?", name[0]) and characters(glob[1:], name[1:])

    def segment(glob: str, name: str) -> bool:
        if name.startswith(".") and not glob.startswith("."):
            return False
        return characters(glob, name)

    return segments(tuple(pattern.split("/")), tuple(path.split("/")))


SEGMENT = st.text("ab*?.", min_size=1, max_size=5).filter(lambda text: "**" not in text)


@given(
    st.lists(st.just("**") | SEGMENT, min_size=1, max_size=5).map("/".join),
    st.lists(st.text("ab.", min_size=1, max_size=4), min_size=1, max_size=5).map("/".join),
)
@example("**/**", "a")
@example("**/*/**", "a/b")
@example("a*ab", "aab")
def test_as_by_trying_everything(pattern: str, path: str) -> None:
    if not pattern.endswith("**/**"):  # the definition above wants one segment, and so does the shorter form of it
        assert matches(pattern, path, "/") is by_trying(pattern, path)
    else:
        assert matches(pattern, path, "/") is by_trying(pattern.removesuffix("/**"), path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*" * 1000, "a" * 100_000),
        ("*a" * 500, "a" * 100_000 + "b"),
        ("*a" * 499 + "*b", "a" * 100_000),
        ("*[ab]?" * 150 + "c", "ab" * 5_000),
        ("/".join(["**", "a"] * 200 + ["b"]), "/".join("a" * 2_000)),
        ("/".join(["**", "*a*"] * 150 + ["b"]), "/".join(["aaa"] * 2_000)),
        ("/".join(["**"] * 300 + ["b"]), "/".join("a" * 2_000)),
        ("[" * 1000, "[" * 1000),
    ],
)
def test_hostile_patterns_take_no_more_than_so_much_work(pattern: str, path: str) -> None:
    with limited_work():
        matches(pattern, path, "/")
        syntax_error(pattern, "/")


def test_many_layers_under_a_hostile_pattern() -> None:
    pattern = "**." + "*a*b" * 200
    paths = [f"stage{number % 7}.block{number}.{'ab' * 20}" for number in range(100_000)]
    with limited_work():
        assert not any(matches(pattern, path, ".") for path in paths)


@pytest.mark.parametrize("pattern", ["a.yaml", "**/*.yaml", "[]]", "[!]]", "[a-c][!x]", "a]b", "[[]", "**", "*/**/?"])
def test_well_formed(pattern: str) -> None:
    assert syntax_error(pattern, "/") == ""


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "empty part"),
        ("a//b", "empty part"),
        ("/a", "empty part"),
        ("a**", "must be a whole part"),
        ("a/**b", "must be a whole part"),
        ("***", "must be a whole part"),
        ("[a", "without its ]"),
        ("[]", "without its ]"),
        ("[z-a]", "later character"),
        ("[ab][c-a]", "later character"),
        ("a" * 1001, "1000 characters"),
    ],
)
def test_malformed(pattern: str, words: str) -> None:
    assert words in syntax_error(pattern, "/")


# --- designs by name --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m/a.yaml", ("m/a.yaml", None, None)),
        ("m/a.yaml@wide", ("m/a.yaml", "wide", None)),
        ("m/a.yaml@wide#stage1.conv", ("m/a.yaml", "wide", "stage1.conv")),
        ("m/*.yml#stem", ("m/*.yml", None, "stem")),
        ("m@2/a.yaml", ("m@2/a.yaml", None, None)),
        ("a@b.yaml@c", ("a@b.yaml", "c", None)),
        ("a#1.yaml#stem", ("a#1.yaml", None, "stem")),
        ("m/**@*", ("m/**", "*", None)),
        ("zoo:resnet50@101", ("zoo:resnet50", "101", None)),
        ("zoo:resnet50", ("zoo:resnet50", None, None)),
        ("a.yaml@", ("a.yaml", "", None)),
        ("net.onnx#x", ("net.onnx", None, "x")),
    ],
)
def test_a_pattern_in_its_parts(text: str, expected: tuple[str, str | None, str | None]) -> None:
    assert parse_pattern(text) == (text, *expected)


@pytest.mark.parametrize(
    ("pattern", "design", "found"),
    [
        ("m/*.yaml", "m/a.yaml", True),
        ("m/*.yaml", "m/a.yaml@wide", False),
        ("m/**", "m/n/a.yaml", True),
        ("m/**", "m/n/a.yaml@wide", False),
        ("m/**", "m/n/a.yaml#stem", False),
        ("m/**", "m/README.md", False),
        ("m/**", "m/convcalc-budget.yaml", False),
        ("m/convcalc-budget.yaml", "m/convcalc-budget.yaml", True),
        ("m/*.onnx", "m/a.onnx", True),
        ("m/**@w*", "m/a.yaml@wide", True),
        ("m/**@w*", "m/a.yaml@thin", False),
        ("m/**@w*", "m/a.yaml", False),
        ("m/*.yaml#stem", "m/a.yaml#stem", True),
        ("m/*.yaml#stem", "m/a.yaml#stem.conv", False),
        ("m/*.yaml@*#stem", "m/a.yaml@wide#stem", True),
        ("zoo:resnet50@101", "zoo:resnet50@101", True),
        ("zoo:resnet50", "zoo:resnet50@101", False),
        ("**", "zoo:resnet50", False),
        ("*/*.yaml", "zoo:resnet50", False),
    ],
)
def test_covers(pattern: str, design: str, found: bool) -> None:
    assert pattern_matches(pattern, design) is found


def test_includes_takes_away_what_is_excluded_in_any_order() -> None:
    for patterns in (("m/**", "!m/draft/**"), ("!m/draft/**", "m/**")):
        given = budget(*patterns).designs
        assert [patterns_match(given, name) for name in ("m/a.yaml", "m/draft/a.yaml", "n/a.yaml")] == [
            True,
            False,
            False,
        ]


# --- designs on the disk ----------------------------------------------------------------------------------------------


def test_designs_are_sorted_relative_and_without_those_taken_away(tree: Tree) -> None:
    folder = tree("m/b.yaml", "m/a.yaml", "m/draft/x.yaml", "m/deep/er/c.yml", "m/notes.txt", "n/z.yaml")
    found = matching_designs(budget("m/**/*.yaml", "n/z.yaml", "m/**", "!m/draft/**"), str(folder))
    assert found == ["m/a.yaml", "m/b.yaml", "m/deep/er/c.yml", "n/z.yaml"]


def test_what_each_pattern_matches(tree: Tree) -> None:
    folder = tree("m/a.yaml", "m/b.yaml")
    found = matches_by_pattern(budget("m/*.yaml", "m/c.yaml", "!m/b*", "!x/**"), SpecFinder(str(folder)))
    assert [(pattern.text, names) for pattern, names in found.items()] == [
        ("m/*.yaml", ["m/a.yaml"]),
        ("m/c.yaml", []),
    ]


def test_globs_pass_over_budget_files_hidden_ones_and_what_is_no_spec(tree: Tree) -> None:
    folder = tree("a.yaml", "convcalc-budget.yaml", "b.txt", ".c.yaml", ".d/e.yaml", "convcalc-baseline.json")
    assert matching_designs(budget("**"), str(folder)) == ["a.yaml"]
    assert matching_designs(budget("*.txt", ".d/*"), str(folder)) == [".d/e.yaml", "b.txt"]


def test_variants_are_found_in_the_specs(tree: Tree) -> None:
    folder = tree("m/a.yaml", "m/b.yaml")
    tree("m/blocks.yaml", text="blocks: {A: [relu]}\n")
    assert matching_designs(budget("m/a.yaml@wid*"), str(folder)) == ["m/a.yaml@wide", "m/a.yaml@wider"]
    assert matching_designs(budget("m/*.yaml@thin"), str(folder)) == [
        f"m/{name}.yaml@thin" for name in ("a", "b", "blocks")
    ]
    assert matching_designs(budget("m/*.yaml@t*#conv1", "m/a.yaml"), str(folder)) == [
        "m/a.yaml",
        "m/a.yaml@thin#conv1",
        "m/b.yaml@thin#conv1",
    ]
    assert matching_designs(budget("m/[ab].yaml@*", "!m/b.yaml@w*"), str(folder)) == [
        "m/a.yaml@thin",
        "m/a.yaml@wide",
        "m/a.yaml@wider",
        "m/b.yaml@thin",
    ]


def test_specs_are_opened_for_globs_of_variants_alone(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree("a.yaml", "b.yaml")
    opened = []
    monkeypatch.setattr("convcalc.budget.select.match_designs.open_spec", lambda path, **_: opened.append(path))
    assert len(matching_designs(budget("*.yaml", "a.yaml@wide", "b.yaml@wide#x", "zoo:resnet50@101"), str(folder))) == 5
    assert opened == []


def test_a_spec_that_cannot_be_read_stands_for_its_variants(tree: Tree) -> None:
    folder = tree("a.yaml")
    tree("b.yaml", text="layers: [")
    assert matching_designs(budget("*.yaml@w*"), str(folder)) == ["a.yaml@wide", "a.yaml@wider", "b.yaml@w*"]


def test_shipped_specs(tree: Tree) -> None:
    folder = tree("a.yaml")
    assert matching_designs(budget("zoo:resnet50@10?", "zoo:vgg16", "**"), str(folder)) == [
        "a.yaml",
        "zoo:resnet50@101",
        "zoo:vgg16",
    ]


def test_every_folder_is_listed_and_every_spec_opened_once(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree("m/a.yaml")
    disk = SpecFinder(str(folder))
    assert matching_designs(budget("**@wide*", "*/*@wide*"), str(folder), disk) == ["m/a.yaml@wide", "m/a.yaml@wider"]
    monkeypatch.setattr("os.scandir", None)
    monkeypatch.setattr("convcalc.budget.select.match_designs.open_spec", None)
    assert matching_designs(budget("**@t*", "m/*", "?/**"), str(folder), disk) == ["m/a.yaml", "m/a.yaml@thin"]


FOLDERS = st.lists(st.sampled_from(["a", "b", "ab", ".h"]), max_size=3)
FILES = st.sampled_from(["a.yaml", "b.yaml", "ab.yaml", ".a.yaml"])


@given(
    st.sets(st.builds(lambda folders, file: "/".join([*folders, file]), FOLDERS, FILES), min_size=1, max_size=8),
    st.lists(st.sampled_from(["**", "*", "a", "a*", "?", "[ab]", ".h", ".*"]), max_size=3),
    st.sampled_from(["*.yaml", "a.yaml", "?.yaml", "[!a]*.yaml", ".*.yaml"]),
)
def test_as_the_standard_library_finds_files(files: set[str], folders: list[str], last: str) -> None:
    pattern = "/".join([*folders, last])
    with TemporaryDirectory() as root:
        for file in files:
            path = Path(root, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        expected = set(find_files(pattern, root_dir=root, recursive=True))  # noqa: PTH207 pathlib's finds hidden files
        assert set(matching_designs(budget(pattern), root)) == expected


# --- what leads out ---------------------------------------------------------------------------------------------------


def codes(folder: Path, *patterns: str) -> list[tuple[str, int]]:
    with pytest.raises(SpecErrors) as raised:
        matching_designs(budget(*patterns), str(folder))
    return [(error.code, error.span.column) for error in raised.value.errors if error.span]


def test_upward_inside_the_repository(tree: Tree) -> None:
    folder = tree("repo/.git/HEAD", "repo/ci/b.yaml", "repo/m/a.yaml", "out.yaml")
    ci = folder / "repo" / "ci"
    assert repository_root(str(ci)) == str(folder / "repo")
    assert matching_designs(budget("../m/*.yaml", "*.yaml"), str(ci)) == ["../m/a.yaml", "b.yaml"]
    assert [leaves_repository(path, str(ci)) for path in ("../m/*.yaml", "../*", "../../*", "../..", "x/y")] == [
        False, False, True, True, False,
    ]  # fmt: skip
    assert codes(ci, "*.yaml", "../../*.yaml") == [("CC634", 2)]


def test_without_a_repository_the_folder_is_the_bound(tree: Tree) -> None:
    folder = tree("ci/b.yaml", "a.yaml")
    assert leaves_repository("../a.yaml", str(folder / "ci"))
    assert not leaves_repository("b.yaml", str(folder / "ci"))


def test_links_that_lead_out_are_refused(tree: Tree) -> None:
    folder = tree("repo/.git/HEAD", "repo/m/a.yaml", "out/secret.yaml")
    repo = folder / "repo"
    (repo / "m" / "link.yaml").symlink_to(folder / "out" / "secret.yaml")
    (repo / "outside").symlink_to(folder / "out")
    (repo / "m" / "same.yaml").symlink_to(repo / "m" / "a.yaml")
    (repo / "again").symlink_to(repo / "m")
    assert codes(repo, "m/*.yaml") == [("CC634", 1)]
    assert codes(repo, "m/a.yaml", "outside/*.yaml") == [("CC634", 2)]
    assert codes(repo, "m/link.yaml@wide") == [("CC634", 1)]
    assert matching_designs(budget("**", "!m/link.yaml"), str(repo)) == ["m/a.yaml", "m/same.yaml"]
    assert matching_designs(budget("again/*", "!again/link.yaml"), str(repo)) == ["again/a.yaml", "again/same.yaml"]


def test_a_linked_folder_of_the_budget_file_is_the_folder(tree: Tree) -> None:
    folder = tree("real/a.yaml")
    (folder / "link").symlink_to(folder / "real")
    assert matching_designs(budget("*.yaml"), str(folder / "link")) == ["a.yaml"]


def test_rings_of_links_end(tree: Tree) -> None:
    folder = tree("m/a.yaml")
    for name in ("x", "y", "z"):
        (folder / "m" / name).symlink_to(folder / "m")
    with limited_work():
        found = matching_designs(
            budget("**", "/".join(["m", *["*"] * 40, "*.yaml"]), "m/" + "x/" * 20 + "*"), str(folder)
        )
    assert found == ["m/a.yaml", "m/" + "x/" * 20 + "a.yaml"]


def test_many_patterns_on_many_files(tree: Tree) -> None:
    folder = tree(*(f"m{number % 40}/n{number}.yaml" for number in range(1000)))
    disk = SpecFinder(str(folder))
    with limited_work():
        for number in range(50):
            assert len(matching_designs(budget("**/*.yaml", f"**/*{number}.yaml", "!m1/**"), str(folder), disk)) == 975
