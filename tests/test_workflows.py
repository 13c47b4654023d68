"""What lies under ``.github``: workflows that actionlint accepts, notes of a release, forms for issues."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import convcalc
from tests.conftest import ROOT
from tests.test_action import linted

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
NEEDED = {
    "ci": {},
    "playground": {"publish": {"pages": "write", "id-token": "write"}},
    "release": {"publish": {"id-token": "write"}, "release": {"contents": "write"}},
}
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def read(path: Path) -> Any:
    return yaml.BaseLoader(path.read_text("utf-8")).get_single_data()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actionlint_finds_nothing(path: Path) -> None:
    assert linted(path.read_text("utf-8")) == ""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_job_gets_no_more_rights_than_it_needs(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    writing = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    assert writing == NEEDED[path.stem]
    checkouts = [
        step for job in workflow["jobs"].values() for step in job["steps"] if "checkout" in step.get("uses", "")
    ]
    assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


def test_ci_covers_systems_and_pythons() -> None:
    everything, tests = read(GITHUB / "workflows" / "ci.yml")["jobs"].values()
    assert everything["steps"][-1]["run"] == ".ci/run"
    assert everything["steps"][1]["with"]["python-version"].split()[-1] == "3.11", "the last one is python3"
    matrix = tests["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]


def notes(tag: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """The step of the release that takes a version's notes from the changelog, run for a tag."""
    steps = read(GITHUB / "workflows" / "release.yml")["jobs"]["build"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name") == "Notes of this version"]
    (folder / "CHANGELOG.md").write_bytes((ROOT / "CHANGELOG.md").read_bytes())
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=folder, env={**os.environ, "TAG": tag}, check=False
    )


def test_a_release_has_the_notes_of_its_version(tmp_path: Path) -> None:
    assert notes(f"v{convcalc.__version__}", tmp_path).returncode == 0
    text = (tmp_path / "notes.md").read_text("utf-8")
    assert text in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert text.count("\n## ") == 0
    assert text.count("\n### ") >= 3


def test_a_release_without_notes_fails(tmp_path: Path) -> None:
    assert notes("v99.0.0", tmp_path).returncode != 0


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_is_one(path: Path) -> None:
    """https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema"""
    form = read(path)
    assert form["name"]
    assert form["description"]
    assert {field["type"] for field in form["body"]} <= {"input", "textarea", "dropdown", "checkboxes", "markdown"}
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert all(field["attributes"]["label"] for field in form["body"])
    assert "spec" in {field["id"] for field in form["body"]}


def test_a_wrong_number_is_reported_with_spec_number_and_source() -> None:
    fields = {field["id"]: field for field in read(GITHUB / "ISSUE_TEMPLATE" / "wrong-number.yml")["body"]}
    required = {name for name, field in fields.items() if field.get("validations", {}).get("required") == "true"}
    assert required >= {"spec", "number", "expected", "source", "version"}
