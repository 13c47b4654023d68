"""Real processes: pipes that close, streams that are closed or full, locales, and what a command loads."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.conftest import Command

ASCII = (
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": None},
    {"PYTHONIOENCODING": "ascii"},
)


@pytest.mark.parametrize("command", ["report zoo:vit", "schema spec", "-h", "report zoo:vit --json", "completion zsh"])
def test_a_closed_pipe_ends_quietly(shell: Shell, command: str) -> None:
    result = shell(f"convcalc {command} | head -1")
    assert result.exit_code in (0, 141)
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 1


def test_a_pipe_that_is_closed_from_the_beginning(shell: Shell) -> None:
    result = shell("convcalc report zoo:vit | true")
    assert (result.exit_code in (0, 141), result.stderr) == (True, "")


@pytest.mark.parametrize("command", ["report tiny.yaml", "compare pair.yaml", "schema spec", "--help", "--version"])
def test_output_that_cannot_be_written(shell: Shell, command: str) -> None:
    full = shell(f"convcalc {command} > /dev/full")
    assert (full.exit_code, full.stderr) == (2, "convcalc: cannot read or write: No space left on device\n")
    closed = shell(f"convcalc {command} >&-")
    assert (closed.exit_code, closed.stderr) == (2, "convcalc: cannot read or write: not writable\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["report zoo:resnet50", "batch zoo:vit zoo:resnet50 -f json --variants all"])
def test_output_that_can_be_written_in_part(shell: Shell, command: str, unbuffered: str) -> None:
    """A file may hold 1 KiB here: that much is written of the first text, and would be of Python's compiled files."""
    variables = f"PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED={unbuffered}"
    cut = shell(f"(ulimit -f 1; {variables} convcalc {command} > out); echo $?; wc -c < out")
    assert cut.stdout.split() == ["2", "1024"]
    assert cut.stderr == "convcalc: cannot read or write: File too large\n"


def test_a_closed_standard_output_is_no_matter_for_a_file(shell: Shell) -> None:
    result = shell("convcalc report tiny.yaml -o out.json >&- && cat out.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert '"Tiny"' in result.stdout


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_errors_that_cannot_be_said(shell: Shell, stderr: str) -> None:
    for line, code in (("report broken.yaml", 2), ("reprot", 2), ("report tiny.yaml", 0), ("report warns.yaml", 0)):
        result = shell(f"convcalc {line} {stderr}")
        assert result.exit_code == code
        assert bool(result.stdout) is (code == 0)


def test_a_closed_standard_input(shell: Shell) -> None:
    result = shell("convcalc report - <&-")
    assert result.exit_code == 2
    assert result.stderr.startswith("<stdin>:1:1: error CC115: the spec is empty")


def test_devices_and_pipes_are_written_through(shell: Shell) -> None:
    printed = shell("convcalc report tiny.yaml").stdout
    assert shell("convcalc report tiny.yaml -o /dev/stdout | cat").stdout == printed
    assert shell("convcalc report tiny.yaml -f text=/dev/null").stdout == ""
    assert shell("mkfifo p; cat p & convcalc report tiny.yaml -o p; wait; test -p p").stdout == printed


@pytest.mark.parametrize("environment", ASCII)
def test_any_locale(run: Command, environment: dict[str, str | None]) -> None:
    for line in ("report zoo:lenet", "compare zoo:lenet zoo:nin", "explain conv", "-h", "schema spec"):
        result = run(*line.split(), env=environment)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.isascii()


def test_names_that_ascii_lacks(run: Command) -> None:
    text = "name: Größe\ninput: [3, 8, 8]\nlayers: [{conv: [4, 3], name: größe}]\n"
    environment = {"PYTHONIOENCODING": "ascii"}
    report = run("report", "-", input=text, env=environment).stdout
    assert report.isascii()
    assert report.startswith("Gr")
    result = run("report", "größe.yaml", env=environment)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "gr\\xf6\\xdfe.yaml: error CC001: no such file\n"


def test_the_language_of_the_machine_is_read_and_written_as_utf_8(shell: Shell) -> None:
    result = shell(
        "printf 'input: [1, 9]\\nlayers: [{relu: , name: größe}]\\n' > ö.yaml; LC_ALL=C convcalc report ö.yaml"
    )
    assert (result.exit_code, "größe" in result.stdout) == (0, True)


def test_a_folder_that_is_gone(shell: Shell) -> None:
    result = shell("mkdir gone && cd gone && rmdir ../gone && convcalc report zoo:lenet -f csv | head -1")
    assert (result.exit_code in (0, 141), result.stderr) == (True, "")


@pytest.mark.parametrize(
    "command",
    ["report zoo:resnet50", "report zoo:resnet50 --color always", "compare zoo:resnet50 zoo:vgg", "validate tiny.yaml"],
)
def test_no_array_or_symbol_is_loaded(shell: Shell, command: str) -> None:
    program = (
        f"from convcalc.cli import main; main({command.split()}); import sys; print(*sys.modules, file=sys.stderr)"
    )
    loaded = set(shell(f'"$PYTHON" -c "{program}"').stderr.split())
    assert "yaml" in loaded
    assert not loaded & {"numpy", "sympy", "rich", "asyncio", "pathlib"}


@pytest.mark.parametrize("options", ["", " --depth 1", " --json", " -f csv", " -f markdown"])
def test_a_report_loads_what_a_report_needs(shell: Shell, options: str) -> None:
    command = f"report zoo:resnet50{options}"
    program = (
        f"from convcalc.cli import main; main({command.split()}); import sys; print(*sys.modules, file=sys.stderr)"
    )
    loaded = set(shell(f'"$PYTHON" -c "{program}"').stderr.split())
    rooms = {name.split(".")[1] for name in loaded if name.startswith("convcalc.")}
    assert {"spec", "report", "render"} <= rooms
    assert not rooms & {"batch", "budget", "explain", "findings", "formula", "profiles", "sweep"}
    assert not loaded & {"convcalc.designs.claims", "convcalc.designs.zoo"}


def test_the_list_of_commands_loads_none_of_them(shell: Shell) -> None:
    program = "from convcalc.cli import main; main(['--help']); import sys; print(*sys.modules, file=sys.stderr)"
    loaded = set(shell(f'"$PYTHON" -c "{program}"').stderr.split())
    assert [name for name in loaded if name.startswith("convcalc.cli.commands")] == []
    assert not loaded & {"yaml", "locale", "rich"}


@pytest.mark.parametrize("command", ["report zoo:resnet50", "report zoo:resnet50 --depth 1 --batch 2"])
def test_nothing_that_most_reports_do_without_is_loaded(shell: Shell, command: str) -> None:
    program = (
        f"from convcalc.cli import main; main({command.split()}); import sys; print(*sys.modules, file=sys.stderr)"
    )
    loaded = set(shell(f'"$PYTHON" -c "{program}"').stderr.split())
    assert not loaded & {"locale", "signal", "string", "tempfile", "convcalc.cli.output.atomic_files", "convcalc.paths"}


def test_the_version_is_said_without_reading_anything(shell: Shell) -> None:
    program = "from convcalc.cli import main; main(['--version']); import sys; print(*sys.modules, file=sys.stderr)"
    loaded = set(shell(f'"$PYTHON" -c "{program}"').stderr.split())
    assert not loaded & {"yaml", "rich", "convcalc.ops", "convcalc.render"}


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("-c 'import atexit; atexit.register(print, 42); {run}'", "42"),
        ("-c 'import threading, time; threading.Timer(1, print, [43]).start(); {run}'", "43"),
        ("-m cProfile -m convcalc report zoo:lenet", "function calls"),
        ("-m trace --count --summary -C . --module convcalc report zoo:lenet", "lines   cov%"),
        ("-i -m convcalc report zoo:lenet <<< 'print(44)'", "44"),
    ],
    ids=["at exit", "a thread", "a profile", "a trace", "interactive"],
)
def test_a_process_ends_after_what_others_wait_for(shell: Shell, python: str, said: str) -> None:
    run = 'import sys; sys.argv[1:] = ["report", "zoo:lenet"]; from convcalc.cli import run_process; run_process()'
    result = shell(f'"$PYTHON" {python.format(run=run)}')
    assert "61,706" in result.stdout
    assert said in result.stdout.partition("Convention")[2]
