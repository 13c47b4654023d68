"""Exit codes are frozen: 0 fine, 2 could not compute, 3 a bug, 130 interrupted; 1 is left to findings."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import convcalc
from convcalc.designs import sources as designs
from tests.conftest import HANG, ROOT, Command

COMMANDS = ("compare", "completion", "explain", "report", "schema", "validate")


# --- 0 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "report tiny.yaml",
        "compare tiny.yaml pair.yaml",
        "compare pair.yaml",
        "validate tiny.yaml",
        "schema spec",
        "explain conv",
        "completion bash",
    ],
)
def test_fine(cli: Command, folder: Path, line: str) -> None:
    result = cli(*line.split())
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("\n")


def test_version(cli: Command) -> None:
    result = cli("--version")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"convcalc {convcalc.__version__}\n", "")


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(cli: Command, command: str, option: str) -> None:
    result = cli(*command.split(), option)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: convcalc {command}".rstrip())


# --- 2 ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def deleted_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is one that is no longer there."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()


@pytest.mark.parametrize(
    "line",
    [
        "report x.yaml", "check", "check zoo:resnet50", "diff", "diff HEAD", "compare x.yaml zoo:resnet50",
        "match x.yaml zoo:resnet50",
        "validate x.yaml", "batch .", "batch zoo:resnet50 -o o.csv", "sweep x.yaml w=1..3", "formula x.yaml",
        "baseline write", "zoo vgg -o z.txt", "reconcile x.yaml", "explain x.yaml a", "report zoo:resnet50 -o r.txt",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("deleted_folder")
def test_a_current_folder_that_was_deleted(cli: Command, line: str) -> None:
    result = cli(*line.split())
    assert result.exit_code == 2
    assert result.stderr == "convcalc: the current folder no longer exists: change into one that does\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [("report zoo:vgg@q", "no variant 'q'"), ("report --nope", "no option '--nope'"), ("explain cnov", "mean 'conv'?")],
)
@pytest.mark.usefixtures("deleted_folder")
def test_other_errors_there_are_told_alone(cli: Command, line: str, said: str) -> None:
    result = cli(*line.split())
    assert (result.exit_code, said in result.stderr, "folder" in result.stderr) == (2, True, False)


@pytest.mark.usefixtures("deleted_folder")
def test_what_needs_no_folder_runs_without_one(cli: Command) -> None:
    for line in ("report zoo:resnet50", "--version", "zoo", "report zoo:deeplabv3", "explain macs"):
        assert (cli(*line.split()).exit_code, line) == (0, line)


def test_no_arguments_show_the_help(cli: Command) -> None:
    result = cli()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == cli("--help").stdout


@pytest.mark.parametrize("option", ["-q", "--color=never", "--debug"])
def test_options_alone_are_no_command(cli: Command, option: str) -> None:
    result = cli(option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Missing command" in result.stderr


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "explain"])
def test_a_command_without_its_argument(cli: Command, command: str) -> None:
    result = cli(command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Missing argument" in result.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("reprot tiny.yaml", "no command 'reprot'; did you mean 'report'?"),
        ("frobnicate", "no command 'frobnicate' (commands: baseline, batch, check,"),
        ("tiny.yaml", "no command 'tiny.yaml'; did you mean 'report tiny.yaml'?"),
        ("zoo:vgg", "did you mean 'report zoo:vgg'?"),
        ("report tiny.yaml --dpeth 1", "no option '--dpeth'; did you mean '--depth'?"),
        ("report tiny.yaml --Depth=1", "did you mean '--depth'?"),
        ("--quite report tiny.yaml", "did you mean '--quiet'?"),
        ("baseline accept x --resaon y", "did you mean '--reason'?"),
        ("explain macs --columns params", "no option '--columns'\n"),
        ("report tiny.yaml -x", "no option '-x'\n"),
        ("zoo densnet", "no bundled network matches 'densnet'; did you mean 'densenet'?"),
        ("zoo nothing", "no bundled network matches 'nothing'; `convcalc zoo` lists all"),
        ("zoo resnet nothing", "no bundled network matches 'resnet nothing'; `convcalc zoo` lists all"),
        ("report tiny.yaml -f jsn", "'jsn' is not one of text, "),
        ("report tiny.yaml -f jsn", "did you mean 'json'?"),
        ("compare pair.yaml -f markdwon", "did you mean 'markdown'?"),
        ("validate tiny.yaml -f markdown", "'markdown' is not one of text, concise, json"),
        ("report tiny.yaml --sort parms", "did you mean 'params'?"),
        ("report tiny.yaml --columns params,mac", "did you mean 'macs'?"),
        ("report tiny.yaml --columns ,", "'' is not one of params, "),
        ("report tiny.yaml --by blokc", "did you mean 'block'?"),
        ("report tiny.yaml --color nver", "did you mean 'never'?"),
        ("report tiny.yaml --dtype flaot16", "did you mean 'float16'?"),
        ("schema sepc", "did you mean 'spec'?"),
        ("completion basch", "did you mean 'bash'?"),
        ("explain cnov", "did you mean 'conv'?"),
        ("explain zzz", "`convcalc explain` lists the words"),
        ("report tiny.yaml --width -1", "'-1' is not a positive integer"),
        ("report tiny.yaml --width wide", "'wide' is not a positive integer"),
        ("report tiny.yaml --depth -1", "'-1' is not a positive integer"),
        ("report tiny.yaml --depth 0", "'0' is not a positive integer"),
        ("report tiny.yaml --top 0", "'0' is not a positive integer"),
        ("report tiny.yaml --batch 0", "'0' is not a positive integer"),
        ("report tiny.yaml --batch 1.5", "'1.5' is not a positive integer"),
        ("report tiny.yaml --set width", "'width' is not name=expression: write 'width=64'"),
        ("report tiny.yaml --set =4", "'=4' is not name=expression: write 'width=4'"),
        ("report tiny.yaml --lib nowhere", "nowhere"),
        ("report tiny.yaml pair.yaml", "unexpected extra argument"),
        ("compare tiny.yaml", "'tiny.yaml' has one output; name a second design"),
    ],
)
def test_usage_errors(cli: Command, folder: Path, line: str, said: str) -> None:
    result = cli(*line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_word_is_shown_as_it_is_and_not_obeyed(cli: Command) -> None:
    result = cli("\x1b[31mred\u202e")
    assert result.exit_code == 2
    assert r"'\x1b[31mred\u202e'" in result.stderr
    for line in (("--set", "\x1b[31mred"), ("--max", "5\x1b[31m"), ("--max", "\x1b[31m5")):
        assert "\x1b" not in cli("check" if "--max" in line else "report", "zoo:lenet", *line).stderr
    assert len(cli("report", "x" * 5000).stderr) < 6000
    assert len(cli("x" * 5000).stderr) < 500


@pytest.mark.parametrize(
    "line", ["report broken.yaml", "compare tiny.yaml broken.yaml", "report nowhere.yaml", "report tiny.yaml@thin"]
)
def test_a_spec_that_cannot_be_read(cli: Command, folder: Path, line: str) -> None:
    result = cli(*line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.match(r"\S+: error CC\d\d\d: ", result.stderr)


def test_all_broken_designs_are_said_at_once(cli: Command, folder: Path) -> None:
    result = cli("compare", "broken.yaml", "nowhere.yaml", "tiny.yaml#nothing")
    codes = re.findall(r"error (CC\d\d\d)", result.stderr)
    assert (result.exit_code, len(codes)) == (2, 3)


# --- 3 and 130 --------------------------------------------------------------------------------------------------------


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes the reading of designs raise an exception."""

    def arrange(error: BaseException) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise error

        monkeypatch.setattr(designs, "open_design", fail)

    return arrange


def test_a_bug(cli: Command, failing: Callable[[BaseException], None]) -> None:
    failing(ZeroDivisionError("a\x1bb"))
    result = cli("report", "tiny.yaml")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "convcalc: internal error: ZeroDivisionError: a\\x1bb\nThis is a bug in convcalc; --debug shows where it is.\n"
    )


@pytest.mark.parametrize("line", ["--debug report tiny.yaml", "report tiny.yaml --debug"])
def test_a_bug_with_debug(cli: Command, failing: Callable[[BaseException], None], line: str) -> None:
    failing(ZeroDivisionError("oh"))
    result = cli(*line.split())
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("Traceback (most recent call last)")
    assert "convcalc: internal error: ZeroDivisionError: oh\n" in result.stderr


def test_running_out_of_stack_is_a_bug(cli: Command, failing: Callable[[BaseException], None]) -> None:
    failing(RecursionError("deep"))
    assert cli("report", "tiny.yaml").exit_code == 3


def test_running_out_of_memory_is_none(cli: Command, failing: Callable[[BaseException], None]) -> None:
    failing(MemoryError())
    result = cli("report", "tiny.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "convcalc: not enough memory\n")


def test_an_interrupt(cli: Command, failing: Callable[[BaseException], None]) -> None:
    failing(KeyboardInterrupt())
    result = cli("report", "tiny.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "interrupted\n")


def test_control_c() -> None:
    """A real signal, while standard input is awaited: more of it has been taken than a pipe holds."""
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a job's child may ignore it
    program = f"{listening}; import sys; from convcalc.cli import main; sys.exit(main(['report', '-']))"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    process.stdin.write(b"#" * (1 << 18))
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=HANG)
    assert (process.returncode, stdout, stderr) == (130, b"", b"interrupted\n")


@pytest.mark.parametrize(
    "line",
    [
        ("report", "zoo:lenet", "--columns", "+depth", "--columns", "+flops"),
        ("report", "zoo:lenet", "--sort", "macs", "--sort", "params"),
        ("batch", "zoo:lenet", "--where", "params > 1", "--where", "params < 9"),
        ("sweep", "zoo:mobilenet_v2", "alpha=0.5", "--top", "1", "--top", "2"),
    ],
)
def test_an_option_that_takes_one_value_is_given_once(cli: Command, line: tuple[str, ...]) -> None:
    result = cli(*line)
    assert result.exit_code == 2
    assert f"{line[-2]} is given twice" in result.stderr


@pytest.mark.parametrize("command", [("report",), ("explain",), ("compare", "zoo:vgg")])
def test_one_number_format_for_all_layers(cli: Command, command: tuple[str, ...]) -> None:
    result = cli(*command, "zoo:lenet", "--dtype", "int8", "--dtype", "float16")
    assert result.exit_code == 2
    assert "--dtype int8 and float16" in result.stderr
    assert cli("report", "zoo:lenet", "--dtype", "int8", "--dtype", "conv*=float16").exit_code == 0


@pytest.mark.parametrize("metric", ["fvcore", "receptive_field", "arithmetic_intensity"])
def test_solve_limits_what_it_can_count(cli: Command, metric: str) -> None:
    result = cli("solve", "zoo:resnet18", "--for", "classes=1..9", "--max", f"{metric}=20M")
    assert result.exit_code == 2
    assert f"'{metric}' cannot be limited here; limit one of params, " in result.stderr
