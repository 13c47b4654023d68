"""``diff``: what changed since a revision, in every format, and what it is when something cannot be read."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import jsonschema
import pytest

from convcalc import schemas
from convcalc.git.ci import VARIABLES
from convcalc.render import DIFFS
from tests.budget.repositories import Sandbox, created, net, params
from tests.conftest import Command
from tests.importers.test_keras import entering, layer, model

LIBRARY = "blocks:\n  Unit: {params: {c}, layers: [conv: [c, 1]]}\n"
USING = "import: {lib: lib.yaml}\ninput: [3, 8, 8]\nlayers: [lib.Unit: [5]]\n"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A repository with four specs and YAML of other programs, in the current folder."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    made = created(tmp_path / "repo")
    made.commit({
        "models/a.yaml": net(4), "models/b.yaml": net(5), "models/c.yaml": USING, "models/lib.yaml": LIBRARY,
        "compose.yaml": "services: {web: {image: x}}\n", ".hidden/x.yaml": net(1),
    })  # fmt: skip
    monkeypatch.chdir(made.folder)
    return made


def found(cli: Command, *arguments: str) -> tuple[dict[str, tuple[str, str]], int]:
    """Design → change and former name; and how many are unchanged."""
    result = cli("diff", *arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(schemas.schema("diff")))
    return {one["design"]: (one["change"], one["was"]) for one in document["designs"]}, document["unchanged"]


@pytest.mark.parametrize("glob", ["models/[ad]*.yaml", "**/[ad].yaml", "*/a.y*ml", "mod*"])
def test_globs_choose_files_of_both_sides(cli: Command, sandbox: Sandbox, glob: str) -> None:
    """One that is changed, and one that a glob matches at the revision alone."""
    sandbox.commit({"models/d.yaml": net(6)})
    sandbox.write("models/a.yaml", net(40))
    sandbox.write("models/convcalc-budget.yaml", "version: 1\nbudgets: []\n")
    (sandbox.folder / "models" / "d.yaml").unlink()
    changes = {"models/a.yaml": ("changed", ""), **({"models/d.yaml": ("removed", "")} if "a.y" not in glob else {})}
    assert found(cli, "HEAD", glob)[0] == changes


@pytest.mark.parametrize("path", ["nowhere.yaml", "models/x*.yaml", "-"])
def test_a_path_without_specs_is_an_error(cli: Command, sandbox: Sandbox, path: str) -> None:
    result = cli("diff", "HEAD", path)
    assert result.exit_code == 2
    assert f"error CC705: no spec at '{path}', neither here nor at " in result.stderr


@pytest.mark.parametrize("design", ["a.yaml@wide", "a.yaml#conv1"])
def test_a_variant_or_a_part_is_no_file(cli: Command, sandbox: Sandbox, design: str) -> None:
    sandbox.commit({"a.yaml": net(6)})
    result = cli("diff", "HEAD", design)
    assert result.exit_code == 2
    assert "\n  hint: diff takes files, and compares every variant: a.yaml\n" in result.stderr


def test_nothing_changed(cli: Command, sandbox: Sandbox) -> None:
    assert found(cli) == ({}, 3)
    commit = sandbox.git("rev-parse", "HEAD")[:7]
    result = cli("diff")
    assert result.stdout == f"Changes since {commit} (merge-base with main): 3 unchanged\n"


def test_all_kinds_of_changes(cli: Command, sandbox: Sandbox) -> None:
    sandbox.write("models/a.yaml", net(6))
    sandbox.git("mv", "models/b.yaml", "models/b2.yaml")
    sandbox.write("models/new.yaml", net(7).replace("stem", "other"))
    (sandbox.folder / "models/c.yaml").unlink()
    assert found(cli) == (
        {
            "models/a.yaml": ("changed", ""), "models/b2.yaml": ("renamed", "models/b.yaml"),
            "models/c.yaml": ("removed", ""), "models/new.yaml": ("added", ""),
        },
        0,
    )  # fmt: skip


def test_a_spec_whose_library_changed(cli: Command, sandbox: Sandbox) -> None:
    sandbox.write("models/lib.yaml", LIBRARY.replace("[c, 1]", "[c, 3]"))
    assert found(cli) == ({"models/c.yaml": ("changed", "")}, 2)


@pytest.mark.parametrize("named", [[], ["models/a.yaml"], ["models/a.yaml", "models/b.yaml"]])
def test_a_spec_that_became_a_link_to_one_that_is_as_it_was(cli: Command, sandbox: Sandbox, named: list[str]) -> None:
    (sandbox.folder / "models/a.yaml").unlink()
    (sandbox.folder / "models/a.yaml").symlink_to("b.yaml")
    assert found(cli, "HEAD", *named)[0] == {"models/a.yaml": ("changed", "")}


def test_a_library_that_is_another_file_with_the_content_that_it_had(cli: Command, sandbox: Sandbox) -> None:
    """A link to another one, or the one of a folder of libraries."""
    sandbox.commit({"models/other.yaml": LIBRARY.replace("1]", "3]"), "lib/lib.yaml": LIBRARY.replace("1]", "5]")})
    (sandbox.folder / "models/lib.yaml").unlink()
    assert found(cli, "HEAD", "--lib", "lib") == ({"models/c.yaml": ("changed", "")}, 2)
    (sandbox.folder / "models/lib.yaml").symlink_to("other.yaml")
    assert found(cli, "HEAD") == ({"models/c.yaml": ("changed", "")}, 2)


def test_a_folder_in_the_place_of_a_spec(cli: Command, sandbox: Sandbox) -> None:
    (sandbox.folder / "models/a.yaml").unlink()
    (sandbox.folder / "models/a.yaml").mkdir()
    assert found(cli, "HEAD")[0] == {"models/a.yaml": ("removed", "")}
    sandbox.write("models/a.yaml/x.yaml", net(4))
    assert found(cli, "HEAD")[0] == {"models/a.yaml/x.yaml": ("renamed", "models/a.yaml")}


def test_words_without_numbers_are_no_change(cli: Command, sandbox: Sandbox) -> None:
    sandbox.write("models/a.yaml", "note: a comment\n" + net(4))
    assert found(cli) == ({}, 3)


def test_every_variant_counts(cli: Command, sandbox: Sandbox) -> None:
    sandbox.commit({"models/a.yaml": "vars: {w: 4}\nvariants: {x: {w: 8}, y: {w: 9}}\n" + net(4).replace("[4", "[w")})
    sandbox.write("models/a.yaml", "vars: {w: 4}\nvariants: {x: {w: 7}, z: {w: 9}}\n" + net(4).replace("[4", "[w"))
    assert found(cli) == (
        {
            "models/a.yaml@x": ("changed", ""),
            "models/a.yaml@y": ("removed", ""),
            "models/a.yaml@z": ("added", ""),
        },
        3,
    )


def test_numbers(cli: Command, sandbox: Sandbox) -> None:
    sandbox.write("models/a.yaml", net(6))
    (one,) = json.loads(cli("diff", "--json").stdout)["designs"]
    assert (one["totals"]["before"]["params"], one["totals"]["after"]["params"]) == (params(4), params(6))
    stem, head = one["layers"]
    assert (stem["change"], stem["before"]["params"], stem["after"]["params"]) == ("grew", 112, 168)
    assert (head["change"], head["before"]["params"], head["after"]["params"]) == ("grew", 10, 14)


def test_text(cli: Command, sandbox: Sandbox) -> None:
    """122 params become 182: 60 more, 49.2 %. 27 weights and 2 of head on 6×6 places: 1,044 multiplies a channel."""
    sandbox.write("models/a.yaml", net(6))
    lines = cli("diff").stdout.splitlines()
    assert lines[0].endswith(": 1 changed, 2 unchanged")
    assert lines[2] == "models/a.yaml  changed"
    assert ["Params", "122", "182", "+60", "+49.2"] in [line.split() for line in lines]
    assert ["Multiplies", "4,176", "6,264", "+2,088", "+50"] in [line.split() for line in lines]
    assert ["stem", "grew", "+56", "+50", "+1,944", "+50"] in [line.split() for line in lines]


@pytest.mark.parametrize("width", [30, 40, 60])
def test_text_fits(cli: Command, sandbox: Sandbox, width: int) -> None:
    sandbox.write("models/a.yaml", net(6).replace("stem", "a_name_that_goes_on_for_a_while_and_then_some"))
    result = cli("diff", "--width", str(width))
    assert max(map(len, result.stdout.splitlines())) <= width


def test_revisions_and_paths(cli: Command, sandbox: Sandbox) -> None:
    sandbox.commit({"models/a.yaml": net(6), "more/d.yaml": net(8)})
    assert found(cli, "HEAD") == ({}, 4)
    assert found(cli, "HEAD~1") == ({"models/a.yaml": ("changed", ""), "more/d.yaml": ("added", "")}, 2)
    assert found(cli, "HEAD~1", "more") == ({"more/d.yaml": ("added", "")}, 0)
    assert found(cli, "HEAD~1", "models/a.yaml") == ({"models/a.yaml": ("changed", "")}, 0)
    assert found(cli, "models") == ({}, 3)


def test_from_a_folder_below(cli: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.commit({"more/d.yaml": net(8)})
    sandbox.write("more/d.yaml", net(9))
    monkeypatch.chdir(sandbox.folder / "more")
    assert found(cli) == ({"d.yaml": ("changed", "")}, 0)
    assert found(cli, "HEAD", "../models") == ({}, 3)


def test_what_git_ignores_is_passed_over(cli: Command, sandbox: Sandbox) -> None:
    sandbox.commit({".gitignore": "venv/\n"})
    sandbox.write("venv/x.yaml", net(3))
    sandbox.write("seen.yaml", net(3))
    assert found(cli) == ({"seen.yaml": ("added", "")}, 3)


def test_a_broken_spec(cli: Command, sandbox: Sandbox) -> None:
    sandbox.write("models/a.yaml", net(6))
    sandbox.write("models/b.yaml", net(6).replace("conv", "convv", 1))
    result = cli("diff", "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(schemas.schema("diff")))
    assert [one["design"] for one in document["designs"]] == ["models/a.yaml"]
    assert [one["source"]["file"] for one in document["errors"]] == ["models/b.yaml"]
    assert result.stderr == ""  # the document has it
    assert "models/b.yaml:3:6: error CC" in cli("diff").stderr


def test_a_spec_that_is_as_broken_as_it_was(cli: Command, sandbox: Sandbox) -> None:
    """It has not changed, so there is nothing to say of it, unless it is asked for."""
    sandbox.commit({"models/b.yaml": net(6).replace("conv", "convv", 1)})
    assert found(cli) == ({}, 2)
    assert cli("diff").stdout.endswith(": 2 unchanged; 1 file invalid in both revisions\n")
    assert cli("diff", "HEAD", "models/b.yaml").exit_code == 2
    sandbox.write("models/b.yaml", net(6).replace("conv", "convvv", 1))
    assert cli("diff").exit_code == 2


def test_a_library_that_breaks_what_uses_it(cli: Command, sandbox: Sandbox) -> None:
    sandbox.write("models/lib.yaml", LIBRARY.replace("Unit", "Part"))
    result = cli("diff")
    assert result.exit_code == 2
    assert "models/c.yaml:3:" in result.stderr


def test_a_spec_that_was_broken(cli: Command, sandbox: Sandbox) -> None:
    commit = sandbox.commit({"models/a.yaml": net(6).replace("conv", "convv", 1)})
    sandbox.write("models/a.yaml", net(6))
    result = cli("diff")
    assert result.exit_code == 2
    assert f"{commit[:7]}:models/a.yaml:3:6: error" in result.stderr


@pytest.mark.parametrize("arguments", [["nowhere"], ["--", "-x"], ["--base", "nowhere"]])
def test_an_unknown_revision(cli: Command, sandbox: Sandbox, arguments: list[str]) -> None:
    result = cli("diff", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "error CC642" in result.stderr


def test_outside_a_repository(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    result = cli("diff")
    assert result.exit_code == 2
    assert "error CC644" in result.stderr


def test_a_branch_without_any_other_is_compared_with_its_head(cli: Command, sandbox: Sandbox) -> None:
    sandbox.git("branch", "-m", "main", "lonely")
    sandbox.write("models/a.yaml", net(6))
    assert found(cli) == ({"models/a.yaml": ("changed", "")}, 2)


def test_markdown_is_cut_worst_first(cli: Command, sandbox: Sandbox) -> None:
    sandbox.commit({f"many/{number:03}.yaml": net(number) for number in range(100, 300)})
    for number in range(100, 300):
        sandbox.write(f"many/{number:03}.yaml", net(2 * number if number == 250 else number + 1))
    text = cli("diff", "-f", "markdown").stdout
    assert len(text) <= 60_000
    sections = [line for line in text.splitlines() if line.startswith("#### ")]
    assert "250.yaml" in sections[0]
    assert text.splitlines()[-1] == f"{200 - len(sections)} designs more, cut here: a comment has no room for them."


def test_markdown_calls_nobody_and_is_no_markup(cli: Command, sandbox: Sandbox) -> None:
    name = "<b>@all *x* `y` |z|.yaml"
    sandbox.commit({name: net(4)})
    sandbox.write(name, net(5))
    text = cli("diff", "-f", "markdown").stdout
    outside = "".join(part for place, part in enumerate(text.replace("``", "`").split("`")) if place % 2 == 0)
    assert "<b>" not in outside.replace("\\<b\\>", "")
    assert "@all" not in outside


@pytest.mark.parametrize("format_", list(DIFFS))
def test_every_format_when_there_is_nothing_to_say(cli: Command, sandbox: Sandbox, format_: str) -> None:
    result = cli("diff", "HEAD", "-f", format_)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.strip()


def test_formats() -> None:
    assert {"text", "json", "markdown"} <= set(DIFFS)


def darknet(filters: int) -> str:
    sizes = "[net]\nwidth=8\nheight=8\nchannels=3\n"
    return f"{sizes}[convolutional]\nfilters={filters}\nsize=3\nstride=1\npad=1\nactivation=linear\n"


def keras(units: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps(model(entering(3), layer("dense", "Dense", "x", units=units))))
    return file.getvalue()


def test_models_are_compared_with_their_past(cli: Command, sandbox: Sandbox) -> None:
    """A convolution 3×3 of 3 channels has 28 weights for each filter, a dense layer of 3 inputs 4 for each unit."""
    (sandbox.folder / "net.keras").write_bytes(keras(2))
    sandbox.commit({"net.cfg": darknet(2), "same.cfg": darknet(1)})
    sandbox.write("net.cfg", darknet(5))
    (sandbox.folder / "net.keras").write_bytes(keras(7))
    document = json.loads(cli("diff", "HEAD", "net.cfg", "same.cfg", "net.keras", "--json").stdout)
    params = {
        one["design"]: [one["totals"][side]["params"] for side in ("before", "after")] for one in document["designs"]
    }
    assert params == {"net.cfg": [56, 140], "net.keras": [8, 28]}
    assert document["unchanged"] == 1
    check = cli("check", "net.keras", "--baseline", "git:HEAD")
    assert check.exit_code == 0, check.stdout


def test_a_model_that_could_not_be_read_in_the_past(cli: Command, sandbox: Sandbox) -> None:
    (sandbox.folder / "net.keras").write_bytes(b"nothing")
    sandbox.commit({})
    (sandbox.folder / "net.keras").write_bytes(keras(7))
    result = cli("diff", "HEAD", "net.keras")
    assert result.exit_code == 2
    assert "(HEAD): net.keras: error CC760: the zip is damaged" in result.stderr
