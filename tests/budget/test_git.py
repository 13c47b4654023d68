"""Git baselines on real repositories: which commit is meant, what is read at it, and what goes wrong."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from convcalc.budget.baseline.sources import Baseline, open_baseline
from convcalc.errors import SpecError, SpecErrors
from convcalc.git import ci
from convcalc.git import process as objects
from convcalc.git import repository as git
from convcalc.git.repository import Repository
from tests.budget.repositories import Sandbox, at, created, net, params

LIBRARY = "blocks:\n  Unit: {params: {c}, layers: [conv: [c, 1]]}\n"
USING = "import: {lib: parts/lib.yaml}\ninput: [3, 8, 8]\nlayers: [lib.Unit: [5]]\n"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return created(tmp_path / "repo")


def total(baseline: Baseline, design: str) -> int | None:
    past = baseline.counts(design)
    return past and past.totals["params"]


def refusal(call: object, *arguments: object) -> SpecError:
    with pytest.raises(SpecErrors) as raised:
        call(*arguments)  # type: ignore[operator]
    (error,) = raised.value.errors
    return error


# --- what is read -----------------------------------------------------------------------------------------------------


def test_designs_are_counted_as_they_were(sandbox: Sandbox) -> None:
    first = sandbox.commit({"models/a.yaml": net(4)})
    sandbox.commit({"models/a.yaml": net(8)})
    sandbox.write("models/a.yaml", net(16))
    folder = str(sandbox.folder)
    assert total(open_baseline(at(first), folder), "models/a.yaml") == params(4)
    assert total(open_baseline(at("HEAD"), folder), "models/a.yaml") == params(8)
    assert total(open_baseline(at("HEAD~1"), str(sandbox.folder / "models")), "a.yaml") == params(4)


def test_layers_are_those_of_the_past(sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": net(4)})
    sandbox.write("a.yaml", net(9))
    past = open_baseline(at("HEAD"), str(sandbox.folder)).counts("a.yaml")
    assert past is not None
    assert {path: values["params"] for path, values in past.layers.items()} == {"stem": 112, "head": 10}


def test_imports_are_read_at_the_revision_too(sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": USING, "parts/lib.yaml": LIBRARY})
    sandbox.write("parts/lib.yaml", LIBRARY.replace("[c, 1]", "[c, 3]"))
    baseline = open_baseline(at("HEAD"), str(sandbox.folder))
    assert total(baseline, "a.yaml") == 3 * 5 + 5
    (sandbox.folder / "parts/lib.yaml").unlink()
    assert total(open_baseline(at("HEAD"), str(sandbox.folder)), "a.yaml") == 20


def test_libraries_inside_are_of_the_revision_and_those_outside_as_they_are(sandbox: Sandbox, tmp_path: Path) -> None:
    using = USING.replace("parts/lib", "lib")
    sandbox.commit({"models/a.yaml": using, "parts/lib.yaml": LIBRARY})
    sandbox.write("parts/lib.yaml", LIBRARY.replace("[c, 1]", "[c, 3]"))
    inside = open_baseline(at("HEAD"), str(sandbox.folder), libraries=[str(sandbox.folder / "parts")])
    assert total(inside, "models/a.yaml") == 20
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "lib.yaml").write_text(LIBRARY.replace("[c, 1]", "[c, 3]"))
    outside = open_baseline(at("HEAD"), str(sandbox.folder), libraries=[str(tmp_path / "other")])
    assert total(outside, "models/a.yaml") == 27 * 5 + 5


def test_an_import_that_is_only_in_the_work_tree_is_missing_at_the_revision(sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": USING})
    sandbox.write("parts/lib.yaml", LIBRARY)
    error = refusal(open_baseline(at("HEAD"), str(sandbox.folder)).counts, "a.yaml")
    short = sandbox.git("rev-parse", "HEAD")[:7]
    assert (error.code, str(error.span)) == ("CC209", f"{short}:a.yaml:1:15")


def test_a_spec_that_was_broken_is_shown_at_the_revision(sandbox: Sandbox) -> None:
    commit = sandbox.commit({"models/a.yaml": net(4).replace("stem", "stem, strid: 2")})
    sandbox.write("models/a.yaml", net(4))
    error = refusal(open_baseline(at("HEAD"), str(sandbox.folder)).counts, "models/a.yaml")
    assert str(error.span).startswith(f"{commit[:7]}:models/a.yaml:3:")


def test_variants_and_parts_that_were_not_there_yet_are_new(sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": net(4)})
    sandbox.write("a.yaml", "vars: {w: 4}\nvariants: {wide: {w: 8}}\n" + net(4).replace("[4,", "[w,") + "  - relu\n")
    baseline = open_baseline(at("HEAD"), str(sandbox.folder))
    assert [baseline.counts(name) for name in ("a.yaml@wide", "a.yaml#tail", "b.yaml")] == [None] * 3
    assert total(baseline, "a.yaml#head") == 10
    assert total(baseline, "a.yaml#..head") == 112 + 10
    assert baseline.counts("a.yaml#..tail") is None


def test_a_shipped_design_has_no_other_past(sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": net(4)})
    assert total(open_baseline(at("HEAD"), str(sandbox.folder)), "zoo:resnet50") == 25557032


def test_links_are_followed_as_they_were(sandbox: Sandbox) -> None:
    sandbox.commit({"parts/old.yaml": LIBRARY, "a.yaml": USING})
    (sandbox.folder / "parts/lib.yaml").symlink_to("old.yaml")
    sandbox.commit()
    (sandbox.folder / "parts/lib.yaml").unlink()
    sandbox.write("parts/lib.yaml", LIBRARY.replace("[c, 1]", "[c, 3]"))
    assert total(open_baseline(at("HEAD"), str(sandbox.folder)), "a.yaml") == 20


def test_a_link_out_of_the_repository_reads_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(net(4))
    (sandbox.folder / "a.yaml").symlink_to(tmp_path / "secret.yaml")
    sandbox.commit()
    assert refusal(open_baseline(at("HEAD"), str(sandbox.folder)).counts, "a.yaml").code == "CC644"


def test_a_ring_of_links_ends(sandbox: Sandbox) -> None:
    (sandbox.folder / "a.yaml").symlink_to("b.yaml")
    (sandbox.folder / "b.yaml").symlink_to("a.yaml")
    sandbox.commit()
    assert open_baseline(at("HEAD"), str(sandbox.folder)).counts("a.yaml") is None


HOSTILE = ["a \"q\" 's'.yaml", "-n.yaml", "a\nb.yaml", "a\tb.yaml", "*.yaml", ":(top)x.yaml", "a b\\.yaml", "ä.yaml"]


@pytest.mark.parametrize("name", [*HOSTILE, os.fsdecode(b"\xff\xfe.yaml")])
def test_names_of_any_kind_survive(sandbox: Sandbox, name: str) -> None:
    sandbox.commit({name: net(4)})
    sandbox.write(name, net(8))
    assert total(open_baseline(at("HEAD"), str(sandbox.folder)), name) == params(4)


@pytest.mark.parametrize("name", [*HOSTILE, os.fsdecode(b"\xff\xfe.yaml")])
def test_renamed_files_are_followed(sandbox: Sandbox, name: str) -> None:
    sandbox.commit({name: net(4)})
    sandbox.git("mv", "--", name, "new.yaml")
    sandbox.write("new.yaml", net(5))
    past = open_baseline(at("HEAD"), str(sandbox.folder)).counts("new.yaml")
    assert past is not None
    assert (past.totals["params"], past.old_name) == (params(4), name)


def test_a_rename_that_git_was_not_told_of(sandbox: Sandbox) -> None:
    sandbox.commit({"old.yaml": net(4), "kept.yaml": net(6)})
    (sandbox.folder / "old.yaml").rename(sandbox.folder / "new.yaml")
    sandbox.write("copy.yaml", net(6))
    baseline = open_baseline(at("HEAD"), str(sandbox.folder))
    past = baseline.counts("new.yaml")
    assert past is not None
    assert (past.totals["params"], past.old_name) == (params(4), "old.yaml")
    assert baseline.counts("copy.yaml") is None


def test_one_process_reads_all(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.commit({f"{number}.yaml": net(number) for number in range(1, 30)})
    begun: list[list[str]] = []
    popen = subprocess.Popen

    def counted(line: list[str], **options: object) -> object:
        begun.append(line)
        return popen(line, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", counted)
    baseline = open_baseline(at("HEAD"), str(sandbox.folder))
    assert [total(baseline, f"{number}.yaml") for number in range(1, 30)] == [params(number) for number in range(1, 30)]
    assert len([line for line in begun if "cat-file" in line]) == 1
    assert len(begun) < 8


def test_a_huge_file_is_refused_and_the_next_is_read(sandbox: Sandbox) -> None:
    sandbox.commit({"big.yaml": "# " + "x" * (3 << 20), "a.yaml": net(4)})
    baseline = open_baseline(at("HEAD"), str(sandbox.folder))
    assert refusal(baseline.counts, "big.yaml").code == "CC003"
    assert total(baseline, "a.yaml") == params(4)


def test_accepted_values_come_from_the_work_tree(sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": net(4)})
    sandbox.write(
        "convcalc-baseline.json",
        '{"schema_version": 1, "convention": "convcalc/1", "batch": 1, "dtype": "float32", "designs": {}, "accepted": '
        '[{"budget": "b", "design": "a.yaml", "metric": "params", "value": 9, "reason": "r"}]}',
    )
    assert list(open_baseline(at("HEAD"), str(sandbox.folder)).accepted) == [("b", "a.yaml", "params", 9, "r")]


# --- which commit -----------------------------------------------------------------------------------------------------


def branched(sandbox: Sandbox) -> str:
    """main goes on after a branch left it; the work tree is that of the branch."""
    base = sandbox.commit({"a.yaml": net(4)})
    sandbox.git("checkout", "-q", "-b", "topic")
    sandbox.commit({"a.yaml": net(5)})
    sandbox.git("checkout", "-q", "main")
    sandbox.commit({"a.yaml": net(7)})
    sandbox.git("checkout", "-q", "topic")
    return base


def test_the_merge_base_is_where_the_branch_left(sandbox: Sandbox) -> None:
    base = branched(sandbox)
    baseline = open_baseline(at("merge-base"), str(sandbox.folder))
    assert baseline.label == f"{base[:7]} (merge-base with main)"
    assert total(baseline, "a.yaml") == params(4)


@pytest.mark.parametrize("variable", ci.CI_TARGET_VARIABLES)
def test_continuous_integration_says_the_target(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    base = branched(sandbox)
    sandbox.git("branch", "-m", "main", "release/1")
    sandbox.git("clone", "-q", sandbox.folder, tmp_path / "clone")
    monkeypatch.setenv(variable, "release/1")
    assert Repository(str(tmp_path / "clone")).merge_base().label == f"{base[:7]} (merge-base with origin/release/1)"
    monkeypatch.setenv(variable, "gone")
    error = refusal(Repository(str(tmp_path / "clone")).merge_base)
    assert (error.code, error.hint) == ("CC642", "git fetch origin gone")
    monkeypatch.setenv(variable, "")
    assert Repository(str(tmp_path / "clone")).merge_base().label.endswith("(merge-base with origin/HEAD)")


def test_the_usual_branches_in_their_order(sandbox: Sandbox) -> None:
    commit = sandbox.commit({"a.yaml": net(4)})
    sandbox.git("branch", "-m", "main", "topic")
    repository = Repository(str(sandbox.folder))
    error = refusal(repository.merge_base)
    assert (error.code, repository.has_no_target_branch()) == ("CC642", True)
    for full, short in reversed(git.DEFAULT_BRANCHES):
        sandbox.git("update-ref", full, commit)
        assert repository.merge_base().label == f"{commit[:7]} (merge-base with {short})"


def test_base_goes_before_all(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    base = branched(sandbox)
    monkeypatch.setenv("GITHUB_BASE_REF", "gone")
    assert Repository(str(sandbox.folder)).merge_base("main").hash == base


@pytest.mark.parametrize("revision", ["-n", "--output=x", "--all"])
def test_a_revision_that_would_be_an_option_is_refused(sandbox: Sandbox, revision: str) -> None:
    sandbox.commit({"a.yaml": net(4)})
    error = refusal(open_baseline, at(revision), str(sandbox.folder))
    assert error.code == "CC642"
    assert "begins with `-`" in error.text
    assert not (sandbox.folder / "x").exists()


@pytest.mark.parametrize(
    "revision",
    [
        "nowhere", "", "HEAD~9", "a b", "x\0y", "main..HEAD", "HEAD:a.yaml", "$(id)", "ä", "\ud800", "x" * 200_000,
        "f" * 40, "f" * 64, "^HEAD", "^main", "HEAD^@", "HEAD^!", "HEAD..", "main...HEAD", "HEAD^{tree}", "HEAD\nHEAD",
        "a blob 5", "@{u}", "@{-1}", ":/nothing", ":a.yaml",
    ],
    ids=lambda text: ascii(text[:12]),
)  # fmt: skip
def test_a_revision_that_git_does_not_know(sandbox: Sandbox, revision: str) -> None:
    sandbox.commit({"a.yaml": net(4)})
    error = refusal(open_baseline, at(revision), str(sandbox.folder))
    assert error.code == "CC642"
    assert error.hint


@pytest.mark.parametrize(
    ("revision", "text", "hint"),
    [
        ("", "'' names no revision", "name a branch, a tag or a commit, or leave it out"),
        ("  ", "'  ' names no revision", "name a branch, a tag or a commit, or leave it out"),
        ("main..topic", "'main..topic' is a range", "write main, with topic checked out"),
        ("..topic", "'..topic' is a range", "write HEAD, with topic checked out"),
        ("main..", "'main..' is a range", "write main, with HEAD checked out"),
        ("main...topic", "is a range", "write what `git merge-base main topic` prints, with topic checked out"),
    ],
)
def test_what_no_fetch_would_bring(sandbox: Sandbox, revision: str, text: str, hint: str) -> None:
    sandbox.commit({"a.yaml": net(4)})
    error = refusal(open_baseline, at(revision), str(sandbox.folder))
    assert (error.code, text in error.text, error.hint) == ("CC642", True, hint)


def test_a_repository_without_commits(sandbox: Sandbox) -> None:
    sandbox.write("a.yaml", net(4))
    error = refusal(open_baseline, at("HEAD"), str(sandbox.folder))
    assert (error.code, error.text) == ("CC642", "the repository has no commit yet")


def test_branches_without_a_common_commit(sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": net(4)})
    sandbox.git("checkout", "-q", "--orphan", "topic")
    sandbox.commit({"a.yaml": net(5)})
    error = refusal(Repository(str(sandbox.folder)).merge_base)
    assert (error.code, error.text) == ("CC642", "HEAD and main have no commit in common")


@pytest.mark.parametrize("revision", ["merge-base", "HEAD~1"])
def test_a_shallow_clone_says_how_to_deepen(sandbox: Sandbox, tmp_path: Path, revision: str) -> None:
    branched(sandbox)
    sandbox.git("checkout", "-q", "main")
    clone = tmp_path / "clone"
    sandbox.git("clone", "-q", "--depth=1", "--no-single-branch", "--branch=topic", f"file://{sandbox.folder}", clone)
    error = refusal(open_baseline, at(revision), str(clone))
    assert error.code == "CC643"
    assert "fetch-depth: 0" in error.hint
    assert "git fetch --unshallow" in error.hint
    Sandbox(clone).git("fetch", "-q", "--unshallow")
    assert total(open_baseline(at(revision), str(clone)), "a.yaml") == params(4)


# --- where ------------------------------------------------------------------------------------------------------------


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    error = refusal(open_baseline, at("HEAD"), str(tmp_path))
    assert error.code == "CC644"
    assert "is not in a git repository" in error.text


def test_no_git(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.commit({"a.yaml": net(4)})
    monkeypatch.setenv("PATH", str(sandbox.folder))
    error = refusal(open_baseline, at("HEAD"), str(sandbox.folder))
    assert (error.code, error.text) == ("CC644", "cannot run git: No such file or directory")


def test_a_spec_outside_the_repository(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.commit({"a.yaml": net(4)})
    (tmp_path / "b.yaml").write_text(net(4))
    error = refusal(open_baseline(at("HEAD"), str(sandbox.folder)).counts, "../b.yaml")
    assert error.code == "CC644"
    assert "lies outside the repository" in error.text


def test_work_trees_and_submodules(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.commit({"a.yaml": net(4)})
    linked = tmp_path / "linked"
    sandbox.git("worktree", "add", "-q", "-b", "topic", linked)
    Sandbox(linked).write("a.yaml", net(9))
    assert total(open_baseline(at("HEAD"), str(linked)), "a.yaml") == params(4)
    outer = created(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", sandbox.folder, "sub")
    outer.commit({"b.yaml": net(6)})
    outer.write("sub/a.yaml", net(9))
    assert total(open_baseline(at("HEAD"), str(outer.folder / "sub")), "a.yaml") == params(4)
    error = refusal(open_baseline(at("HEAD"), str(outer.folder)).counts, "sub/a.yaml")
    assert (error.code, "submodule 'sub'" in error.text) == ("CC644", True)


def test_variables_of_a_hook_lead_nowhere_else(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.commit({"a.yaml": net(4)})
    other = created(tmp_path / "other")
    other.commit({"a.yaml": net(9)})
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert total(open_baseline(at("HEAD"), str(sandbox.folder)), "a.yaml") == params(4)


def test_a_folder_reached_by_a_link(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.commit({"models/a.yaml": net(4)})
    (tmp_path / "link").symlink_to(sandbox.folder / "models")
    assert total(open_baseline(at("HEAD"), str(tmp_path / "link")), "a.yaml") == params(4)


def test_nothing_is_written(sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": net(4)})
    sandbox.write("a.yaml", net(5))
    before = {path: path.stat().st_mtime_ns for path in sandbox.folder.rglob("*")}
    assert total(open_baseline(at("merge-base"), str(sandbox.folder)), "a.yaml") == params(4)
    assert open_baseline(at("HEAD"), str(sandbox.folder)).counts("new.yaml") is None
    assert {path: path.stat().st_mtime_ns for path in sandbox.folder.rglob("*")} == before


def test_the_content_name_is_that_of_git(sandbox: Sandbox) -> None:
    sandbox.write("a.yaml", net(4))
    assert objects.blob_hash(net(4).encode(), 40) == sandbox.git("hash-object", "a.yaml")
