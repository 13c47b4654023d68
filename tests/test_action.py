"""``action.yml``: its bash steps, run as GitHub's runner runs them, against a server that answers as GitHub does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import ROOT
from tests.runner import ACTION, STEPS, Runner
from tests.test_readme import CI, blocks

GIVEN = (
    "GITHUB_ACTION_PATH", "GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_JOB", "GITHUB_OUTPUT", "GITHUB_REPOSITORY",
    "GITHUB_STEP_SUMMARY", "GITHUB_WORKFLOW", "RUNNER_TEMP",
)  # fmt: skip
"""What a runner sets."""
NET = """\
input: [3, 8, 8]
layers:
  - {conv: [4, 3], name: stem}
  - [avgpool: global, flatten, linear: 10]
"""
BUDGET = """\
version: 1
budgets:
  - {id: small, designs: ["*.yaml"], max: {params: 200}}
"""
BUG = "from convcalc.ops import find\n\nfind('conv').weights = lambda *_: 1 // 0\n"
"""The network has 3·3·3·4 + 4 = 112 params in its stem and 4·10 + 10 = 50 in its classifier, 162 in all."""
GROWN = NET.replace("[4, 3]", "[8, 3]")
"""With eight kernels there are 224 and 90, 314 in all."""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """In a workspace with a network inside its budget."""
    workspace = tmp_path / "models of the team"
    workspace.mkdir()
    (workspace / "net.yaml").write_text(NET, encoding="utf-8")
    (workspace / "convcalc-budget.yaml").write_text(BUDGET, encoding="utf-8")
    return Runner(workspace, tmp_path / "temp", installed=True)


def grow(runner: Runner) -> None:
    (runner.workspace / "net.yaml").write_text(GROWN, encoding="utf-8")


# --- its form ---------------------------------------------------------------------------------------------------------


def test_it_is_a_composite_action_of_bash_steps() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert {step["shell"] for step in STEPS if "run" in step} == {"bash"}


def test_no_input_is_text_of_a_script() -> None:
    """Whoever names a branch or a file must not write commands: expressions stand in `env`, `with` and `if` alone."""
    assert [step["name"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_every_input_is_described_and_used() -> None:
    used = set(re.findall(r"\binputs\.([\w-]+)", (ROOT / "action.yml").read_text("utf-8")))
    assert used == set(ACTION["inputs"])
    assert all(one["description"] and "default" in one for one in ACTION["inputs"].values())


@pytest.mark.parametrize("step", [step for step in STEPS if "run" in step], ids=lambda step: step["name"])
def test_shellcheck_finds_nothing(step: dict[str, Any]) -> None:
    """Of all that it looks for, a variable that nobody sets among it, `[[`, braces and masked exit codes left out."""
    given = " ".join([*step.get("env", {}), *GIVEN])
    process = subprocess.run(
        ["shellcheck", "--shell=bash", "--enable=all", "--exclude=SC2250,SC2292,SC2312", "-"],
        input=f"export {given}\n{step['run']}".encode(),
        capture_output=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout.decode()


def linted(workflow: str) -> str:
    """What actionlint finds, and shellcheck in its scripts."""
    process = subprocess.run(
        ["actionlint", "-no-color", "-pyflakes=", "-"], input=workflow.encode(), capture_output=True, check=False
    )
    return (process.stdout + process.stderr).decode()


def as_workflow() -> str:
    """The action as a workflow that is called with its inputs: actionlint knows no actions."""
    inputs = {name: {"type": "string", "default": one["default"]} for name, one in ACTION["inputs"].items()}
    inputs["token"]["default"] = ""
    jobs = {"action": {"runs-on": "ubuntu-latest", "steps": STEPS}}
    return json.dumps({"name": "action", "on": {"workflow_call": {"inputs": inputs}}, "jobs": jobs})


def test_actionlint_finds_nothing() -> None:
    assert linted(as_workflow()) == ""


@pytest.mark.parametrize(("old", "new"), [("inputs.sarif", "inputs.serif"), ("steps.check.", "steps.chek.")])
def test_actionlint_finds_what_is_wrong(old: str, new: str) -> None:
    assert linted(as_workflow().replace(old, new))


@pytest.mark.parametrize("name", ["models", "ratchet"])
def test_actionlint_finds_nothing_in_the_workflows_of_the_guide(name: str) -> None:
    begin = f"# file: .github/workflows/{name}.yml\n"
    (text,) = (block.text for block in blocks(CI.read_text("utf-8")) if block.text.startswith(begin))
    assert linted(text) == ""


# --- the check --------------------------------------------------------------------------------------------------------


def test_inside_the_budget(runner: Runner) -> None:
    run = runner()
    assert (run.exit_code, run.outputs["exit-code"]) == (0, "0"), run.log
    assert [command for command in run.commands if command[0] in {"error", "warning"}] == []
    assert "net.yaml" in run.summary


def test_beyond_the_budget(runner: Runner) -> None:
    grow(runner)
    run = runner()
    assert (run.exit_code, run.outputs["exit-code"]) == (1, "1"), run.log
    (error,) = [command for command in run.commands if command[0] == "error"]
    assert "file=net.yaml" in error[1]
    assert "line=" in error[1]
    assert "CC611" in run.log
    for text in (run.log, run.summary):
        assert "314" in text
        assert "200" in text
        assert "stem" in text


def test_a_broken_spec_is_no_finding(runner: Runner) -> None:
    (runner.workspace / "net.yaml").write_text("layers: [cnov: 3]\n", encoding="utf-8")
    run = runner()
    assert (run.exit_code, run.outputs["exit-code"]) == (2, "2")
    assert "error" in {name for name, _, _ in run.commands}
    assert run.summary


def test_wrong_arguments_are_explained(runner: Runner) -> None:
    run = runner(args="--frobnicate")
    assert run.exit_code == 2
    assert "--frobnicate" in run.log
    assert "Nothing could be judged (exit code 2)" in run.summary
    assert [text for name, _, text in run.commands if name == "error"] == [
        "convcalc ended with exit code 2: the log says why"
    ]


def test_a_bug_is_no_finding(runner: Runner) -> None:
    runner.temp.mkdir()
    (runner.temp / "sitecustomize.py").write_text(BUG, encoding="utf-8")
    runner.environment["PYTHONPATH"] = str(runner.temp)
    run = runner()
    assert (run.exit_code, run.outputs["exit-code"]) == (3, "3"), run.log
    assert run.summary
    assert "error" in {name for name, _, _ in run.commands}


def test_what_a_spec_says_is_no_command(runner: Runner) -> None:
    text = 'input: [3, 8, 8]\nlayers:\n  - "::error::x\\n ::warning file=a::y ##[error]z"\n::add-mask::net\n'
    (runner.workspace / "net.yaml").write_text(text, encoding="utf-8")
    run = runner(annotations="false")
    assert run.exit_code == 2
    assert "add-mask" in run.log
    assert [name for name, _, _ in run.commands] == ["error"]
    assert run.commands[0][2].startswith("convcalc ended")


def test_paths_and_arguments_are_words(runner: Runner) -> None:
    grow(runner)
    (runner.workspace / "a b").mkdir()
    shutil.copy(runner.workspace / "net.yaml", runner.workspace / "a b" / "$(touch pwned);*.yaml")
    (runner.workspace / "convcalc-budget.yaml").rename(runner.workspace / "a b" / "limits of ours.yaml")
    run = runner(
        paths="'a b/$(touch pwned);*.yaml'", budget="a b/limits of ours.yaml", args="--fail-on 'error'\n--width 100"
    )
    assert run.exit_code == 1, run.log
    assert "touch pwned" in run.log
    assert not (runner.workspace / "pwned").exists()


@pytest.mark.parametrize("where", ["args", "paths"])
@pytest.mark.parametrize("text", ["it's", '--width "1', "a\\"])
def test_a_quote_that_is_not_closed(runner: Runner, where: str, text: str) -> None:
    run = runner(**{where: text})
    assert (run.exit_code, run.outputs["exit-code"]) == (2, "2")
    said = [text for name, _, text in run.commands if name == "error"]
    assert said == [f"a quote or a backslash is left open in: {text}"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n\t ", []),
        ("''", [""]),
        ("a '' \"\"", ["a", "", ""]),
        ("a''b", ["ab"]),
        ("'a b' c\\ d\ne", ["a b", "c d", "e"]),
        ("\"it's\" '$HOME' `id` * #x", ["it's", "$HOME", "`id`", "*", "#x"]),
        ("ä '\U0001f600'", ["ä", "\U0001f600"]),
        ("-e -n %s \\\\0", ["-e", "-n", "%s", "\\0"]),
    ],
)
def test_words_arrive_as_they_are_meant(runner: Runner, text: str, words: list[str]) -> None:
    """Quotes as in a shell; an empty word is one too."""
    handed = instead(runner, "import json; print('HANDED', json.dumps(sys.orig_argv)); sys.stdout.flush(); os._exit(0)")
    run = runner(args=text, paths=text)
    (line,) = [line for line in run.log.splitlines() if line.startswith("HANDED")]
    call = json.loads(line.removeprefix("HANDED"))
    end = call.index("--")
    assert (call[end - len(words) : end], call[end + 1 :]) == (words, words)
    assert handed.exists()


def instead(runner: Runner, program: str) -> Path:
    """Run a program in the place of convcalc, in the same process."""
    runner.temp.mkdir(exist_ok=True)
    path = runner.temp / "sitecustomize.py"
    path.write_text(f"import os, sys\nif 'convcalc' in sys.orig_argv:\n    {program}\n", encoding="utf-8")
    runner.environment["PYTHONPATH"] = str(runner.temp)
    return path


@pytest.mark.parametrize("end", ["", "\\n", "\\n\\n", "::error::x", "::stop-commands::x", "\\r"])
def test_a_log_that_is_cut(runner: Runner, end: str) -> None:
    """Commands are obeyed again behind a line that has no end: a killed program leaves such a one."""
    instead(runner, f"os.write(1, b'::error::y\\nhalf a line{end}'); os._exit(9)")
    run = runner()
    assert (run.exit_code, run.outputs["exit-code"]) == (9, "9")
    assert [(name, text) for name, _, text in run.commands] == [
        ("error", "convcalc ended with exit code 9: the log says why")
    ]


def test_what_other_steps_say_begins_on_a_line_of_its_own(runner: Runner) -> None:
    assert runner().summary.endswith("\n\n")


def test_no_path_is_an_option(runner: Runner) -> None:
    run = runner(paths="--help")
    assert run.exit_code == 2
    assert "Usage: convcalc check [OPTIONS]\n" not in run.log


def test_a_sarif_file(runner: Runner) -> None:
    grow(runner)
    assert runner(sarif="out.sarif").exit_code == 1
    document = json.loads((runner.workspace / "out.sarif").read_text("utf-8"))
    assert document["version"] == "2.1.0"
    assert [result["ruleId"] for result in document["runs"][0]["results"]] == ["CC611"]


def test_summary_and_annotations_can_be_left_out(runner: Runner) -> None:
    grow(runner)
    run = runner(summary="false", annotations="false")
    assert (run.exit_code, run.summary) == (1, "")
    assert [(name, text) for name, _, text in run.commands] == [
        ("error", "convcalc ended with exit code 1: the log says why")
    ]


# --- installing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("", str(ROOT)),
        ("1.2.0", "convcalc==1.2.0"),
        (">=1.2,<2", "convcalc>=1.2,<2"),
        ("~=1.2", "convcalc~=1.2"),
        ("./wheels/convcalc.whl", "./wheels/convcalc.whl"),
        ("convcalc @ git+https://example.org/a.git", "convcalc @ git+https://example.org/a.git"),
        ("--index-url=https://example.org", "--index-url=https://example.org"),
    ],
)
def test_what_pip_is_asked_for(runner: Runner, version: str, wanted: str) -> None:
    runner.installed = False
    calls = stub_python(runner, "exit 0")
    runner(version=version)
    (call,) = [line for line in calls.read_text("utf-8").splitlines() if line.startswith("-I -m pip")]
    assert call == f"-I -m pip install -q --disable-pip-version-check -- {wanted}"


@pytest.mark.parametrize(
    ("failing", "said"),
    [("-I -c", "older than 3.11"), ("-I -m venv", "virtual environment"), ("-I -m pip", "not be installed")],
)
def test_an_installation_that_fails_is_no_finding(runner: Runner, failing: str, said: str) -> None:
    runner.installed = False
    stub_python(runner, f'case "$*" in "{failing}"*) exit 1 ;; esac')
    run = runner()
    assert run.exit_code == 2
    ((name, _, text),) = run.commands
    assert (name, said in text) == ("error", True)


def stub_python(runner: Runner, line: str) -> Path:
    """Put a python3 on the path that writes down its arguments, runs the line, and makes hollow environments."""
    programs = runner.temp / "programs"
    programs.mkdir(parents=True)
    calls, python = runner.temp / "calls.txt", programs / "python3"
    python.write_text(
        f'#!/bin/sh\necho "$*" >> "{calls}"\n{line}\n'.replace("exit 0\n", "")
        + 'case "$3" in venv) mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; cp "$0" "$4/bin/convcalc" ;; esac\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    runner.environment["PATH"] = f"{programs}:/usr/bin:/bin"
    return calls


def test_the_action_installs_what_it_came_with(runner: Runner) -> None:
    runner.installed = False
    run = runner()
    assert (run.exit_code, run.outputs["exit-code"]) == (0, "0"), run.log


# --- the comment ------------------------------------------------------------------------------------------------------


BOT = "github-actions[bot]"
"""Who comments with the token that a workflow is given."""


class Api(ThreadingHTTPServer):
    """The comments of one pull request, as GitHub's REST interface keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.comments: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.refused: tuple[str, ...] = ()
        self.logins = {"s3cret": BOT, "personal": "somebody"}
        """Whose the tokens are."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Api

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error clean."""

    def answer(self) -> None:
        url = urlsplit(self.path)
        self.server.calls.append(f"{self.command} {url.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.login = self.server.logins.get(self.headers["Authorization"].removeprefix("Bearer "), "")
        if not self.login:
            return self.say(401, {})
        if url.path == "/graphql":
            return self.say(*self.asked(json.loads(body)["query"]))
        if self.command in self.server.refused:
            return self.say(403, {"message": "Resource not accessible by integration"})
        return self.say(*self.dealt(url.path, {name: int(one[0]) for name, one in parse_qs(url.query).items()}, body))

    def asked(self, query: str) -> tuple[int, Any]:
        if "graphql" in self.server.refused:
            return 200, {"data": None, "errors": [{"message": "Resource not accessible by integration"}]}
        assert query == "{viewer {login}}"
        return 200, {"data": {"viewer": {"login": self.login}}}

    def dealt(self, path: str, query: dict[str, int], body: bytes) -> tuple[int, Any]:
        comments = self.server.comments
        of_the_pull = path == "/repos/team/models/issues/7/comments"
        if self.command == "GET" and of_the_pull:
            begin = (query["page"] - 1) * query["per_page"]
            return 200, comments[begin : begin + query["per_page"]]
        if self.command == "POST" and of_the_pull:
            comments.append({"id": 1000 + len(comments), "user": {"login": self.login}, **json.loads(body)})
            return 201, comments[-1]
        for comment in comments:
            if self.command == "PATCH" and path == f"/repos/team/models/issues/comments/{comment['id']}":
                comment.update(json.loads(body))
                return 200, comment
        return 404, {}

    def say(self, status: int, document: Any) -> None:
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the names that http.server calls


@pytest.fixture
def api(runner: Runner) -> Iterator[Api]:
    """Of the repository that the runner works for, with its token; the run is for pull request 7."""
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        runner.environment |= {"GITHUB_API_URL": server.url, "GITHUB_GRAPHQL_URL": f"{server.url}/graphql"}
        runner.environment["NO_PROXY"] = "*"
        runner.github |= {"token": "s3cret", "event": {"pull_request": {"number": 7}}}
        yield server
        server.shutdown()
        thread.join()


def test_no_comment_unless_wanted(runner: Runner, api: Api) -> None:
    assert runner().exit_code == 0
    assert api.calls == []


def test_one_comment_is_kept_up_to_date(runner: Runner, api: Api) -> None:
    assert runner(comment="true").exit_code == 0
    first = [dict(comment) for comment in api.comments]
    grow(runner)
    assert runner(comment="true").exit_code == 1
    assert [call.split()[0] for call in api.calls if "graphql" not in call] == ["GET", "POST", "GET", "PATCH"]
    (comment,) = api.comments
    assert comment["id"] == first[0]["id"]
    assert "stem" in comment["body"]
    assert "314" in comment["body"]
    assert "314" not in first[0]["body"]


def test_only_its_own_comment_is_changed(runner: Runner, api: Api) -> None:
    runner(comment="true")
    (mine,) = api.comments
    quotes = [{"id": n, "user": {"login": BOT}, "body": f"> {mine['body']}" if n % 2 else None} for n in range(150)]
    api.comments[:] = [*quotes, mine]
    runner(comment="true")
    assert len(api.comments) == 151
    assert api.calls[-3:] == [
        "GET /repos/team/models/issues/7/comments",
        "GET /repos/team/models/issues/7/comments",
        f"PATCH /repos/team/models/issues/comments/{mine['id']}",
    ]


@pytest.mark.parametrize("author", ["stranger", "github-actions", "GitHub-Actions[bot]", "app[bot]", "somebody", None])
def test_a_comment_of_somebody_else_is_left_alone(runner: Runner, api: Api, author: str | None) -> None:
    """Anybody can write one that begins like ours, before ours is there; of a deleted account there is no author."""
    runner(comment="true")
    (mine,) = api.comments
    theirs = {"id": 1, "user": author and {"login": author}, "body": f"{mine['body']}, they said"}
    api.comments[:] = [dict(theirs)]
    assert runner(comment="true").exit_code == 0
    assert (len(api.comments), api.comments[0]) == (2, theirs)
    grow(runner)
    runner(comment="true")
    assert (len(api.comments), api.comments[0]) == (2, theirs)
    assert "314" in api.comments[1]["body"]


def test_the_comment_of_a_token_of_ones_own(runner: Runner, api: Api) -> None:
    """A person's token, or an app's, comments in another name; ours of before are another's then."""
    runner(comment="true")
    runner.github |= {"token": "personal"}
    runner(comment="true")
    runner(comment="true")
    assert [comment["user"]["login"] for comment in api.comments] == [BOT, "somebody"]


def test_jobs_and_budgets_have_comments_of_their_own(runner: Runner, api: Api) -> None:
    runner(comment="true")
    runner(comment="true", budget="convcalc-budget.yaml")
    runner.environment["GITHUB_JOB"] = "others"
    runner(comment="true")
    assert len({comment["body"].partition("\n")[0] for comment in api.comments}) == len(api.comments) == 3


@pytest.mark.parametrize("grown", [False, True])
@pytest.mark.parametrize(
    ("degraded", "said"),
    [
        ("fork", "the token may not write comments"),
        ("hidden", "the token may not read comments"),
        ("no token", "there is no token"),
        ("wrong token", "the token does not say whose it is"),
        ("nobody's token", "the token does not say whose it is"),
        ("push", "this run is for none"),
        ("no server", "the token does not say whose it is"),
    ],
)
def test_without_a_comment_the_verdict_is_the_same(
    runner: Runner, api: Api, degraded: str, said: str, grown: bool
) -> None:
    if grown:
        grow(runner)
    api.refused = {"fork": ("POST", "PATCH"), "hidden": ("GET",), "nobody's token": ("graphql",)}.get(degraded, ())
    without: dict[str, dict[str, Any]] = {
        "no token": {"token": ""},
        "wrong token": {"token": "x"},
        "push": {"event": {}},
    }
    runner.github |= without.get(degraded, {})
    if degraded == "no server":
        runner.environment |= {"GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_GRAPHQL_URL": "http://127.0.0.1:9"}
    run = runner(comment="true")
    assert run.exit_code == grown, run.log
    (notice,) = [text for name, _, text in run.commands if name == "notice"]
    assert said in notice
    assert api.comments == []
    assert run.summary


def test_the_token_is_on_no_command_line(runner: Runner, api: Api) -> None:
    """Other processes of a machine see command lines."""
    programs = runner.temp / "programs"
    programs.mkdir(parents=True)
    calls = runner.temp / "calls.txt"
    curl = programs / "curl"
    curl.write_text(f'#!/bin/sh\necho "$*" >> "{calls}"\nexec {shutil.which("curl")} "$@"\n', encoding="utf-8")
    curl.chmod(0o755)
    runner.environment["PATH"] = f"{programs}:/usr/bin:/bin"
    run = runner(comment="true")
    assert len(api.comments) == 1
    assert len(calls.read_text("utf-8").splitlines()) == 3
    assert "s3cret" not in calls.read_text("utf-8") + run.log


@pytest.mark.parametrize("module", ["secrets", "shlex"])
def test_no_module_of_the_work_tree_is_imported(runner: Runner, module: str) -> None:
    """A pull request comes with a file that is named like a module of the standard library."""
    runner.temp.mkdir()
    canary = runner.temp / "ran"
    (runner.workspace / f"{module}.py").write_text(f"open({str(canary)!r}, 'w').close()\n")
    subprocess.run([sys.executable, "-c", f"import {module}"], cwd=runner.workspace, check=True)
    assert canary.exists(), "it is live"
    canary.unlink()
    assert runner(args="--exit-zero").exit_code == 0
    assert not canary.exists()


def test_every_call_of_python_is_isolated() -> None:
    calls = [call for step in STEPS for call in re.findall(r'python" (.*)', step.get("run", ""))]
    assert len(calls) >= 8
    assert [call for call in calls if not call.startswith("-I ")] == []
