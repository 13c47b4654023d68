"""The command line. ``main`` turns every way a run can end into one of the exit codes 0, 1, 2, 3 and 130."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import sys
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import NoReturn, TextIO

from convcalc.memory import NOT_ENOUGH_MEMORY, is_limited, is_memory_error, is_near_limit, with_stack

SUCCESS, FINDINGS, ERROR, INTERNAL_ERROR, INTERRUPTED = 0, 1, 2, 3, 130

PROGRAM = "convcalc"
FOLDER_DELETED = f"{PROGRAM}: the current folder no longer exists: change into one that does"
FILE_ERRORS = ("CC001", "CC002", "CC641", "CC644", "CC705")
"""Errors that a deleted current folder causes: nothing is found from there."""
COMPLETION_VARIABLE = "_CONVCALC_COMPLETE"
"""The environment variable with which a shell's completion script asks for completions."""
OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""So many that the modules and layers of most commands need no search for cycles, in which there are none."""
WIDTH: ContextVar[int | None] = ContextVar("width", default=None)
"""``--width`` of this run: errors are printed after the context that has it."""


def run_process() -> NoReturn:
    """Run the command of this process, and end the process with its exit code."""
    _allow_warnings()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    code = main()
    if sys.flags.inspect or threading.active_count() > 1 or _is_observed():
        sys.exit(code)
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does before it ends a fork
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # the interpreter would free every object by itself, which takes a tenth of a report's time


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 0 success, 1 a finding, 2 an error of usage or of a spec, 3 a bug, 130 interrupted.
    """
    if main.__doc__ is None:
        print_error(
            f"{PROGRAM}: python -OO takes away the docstrings that helps and pages are made of: run it with -O at most"
        )
        return ERROR
    try:
        return _main(list(sys.argv[1:] if argv is None else argv))
    except (MemoryError, SystemError):  # too little memory even for what is done about it
        print_error(f"{PROGRAM}: {NOT_ENOUGH_MEMORY}")
        return ERROR


def _is_observed() -> bool:
    """Whether a debugger, a profiler or a measurement of coverage waits for the process to end."""
    if sys.gettrace() or sys.getprofile():
        return True
    return sys.version_info >= (3, 12) and any(map(sys.monitoring.get_tool, range(6)))


def _main(arguments: list[str]) -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy adds and multiplies: threads would only take memory
    WIDTH.set(None)
    try:
        _prepare_streams()
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        code = SUCCESS
        _discard_output()
    except KeyboardInterrupt:
        code = INTERRUPTED
        print_error("interrupted")
    except Exception as error:
        try:
            code = _report_failure(error, debug="--debug" in arguments)
        except ImportError as failed:  # not even the sentence about another error can be loaded
            raise MemoryError from failed
    return code


def _report_failure(error: Exception, *, debug: bool) -> int:
    """Print why a run failed, and return its exit code."""
    refused = isinstance(error, ImportError | SystemError) and is_limited()
    if is_memory_error(error) or refused or (not isinstance(error, OSError) and is_near_limit()):
        print_error(f"{PROGRAM}: {NOT_ENOUGH_MEMORY}")
    elif isinstance(error, OSError):
        print_error(
            FOLDER_DELETED
            if _is_folder_deleted()
            else f"{PROGRAM}: cannot read or write{_quoted_path(error)}: {error.strerror or error}"
        )
    else:
        _print_internal_error(error, debug=debug)
        return INTERNAL_ERROR
    _discard_output()
    return ERROR


def _is_folder_deleted() -> bool:
    """Whether the current folder has been deleted: nothing can be found from it."""
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def _quoted_path(error: OSError) -> str:
    from convcalc.errors import quoted

    return f" {quoted(os.fsdecode(error.filename))}" if isinstance(error.filename, str | bytes) else ""


@with_stack
def _run(arguments: list[str]) -> int:
    import click

    from convcalc.cli.group import convcalc
    from convcalc.errors import SpecError, SpecErrors, format_errors

    if COMPLETION_VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        return (
            ERROR
            if shell_complete(convcalc, {}, PROGRAM, COMPLETION_VARIABLE, os.environ[COMPLETION_VARIABLE])
            else SUCCESS
        )
    try:
        with convcalc.make_context(PROGRAM, [*arguments]) as context:
            code: int = convcalc.invoke(context) or SUCCESS
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        print_error(shown.getvalue().removesuffix("\n"))
        if isinstance(error, click.UsageError):
            return ERROR
        code = ERROR
    except (SpecErrors, SpecError) as raised:
        errors = raised.errors if isinstance(raised, SpecErrors) else [raised]
        is_of_folder = _is_folder_deleted() and all(error.code in FILE_ERRORS for error in errors)
        print_error(FOLDER_DELETED if is_of_folder else format_errors(errors))
        return ERROR
    if code == ERROR and _is_folder_deleted():
        print_error(FOLDER_DELETED)
    return code


def _allow_warnings() -> None:
    """Keep warnings from ending a run or a worker: they are about the code of dependencies."""
    if any(option.lstrip().startswith("e") for option in sys.warnoptions):  # -W error, PYTHONWARNINGS=error
        import warnings

        warnings.simplefilter("default")  # they are shown
        sys.warnoptions.append("default")  # what workers are started with


def _prepare_streams() -> None:
    """Replace streams that are closed, and make every encoding accept every text."""
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):  # writing to a closed standard output fails
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for as long as we run
    if isinstance(sys.stdout, io.TextIOWrapper) and isinstance(sys.stdout.buffer, io.RawIOBase):
        # python -u: what a signal or a full disk keeps from being written would be lost without a word
        encoding = sys.stdout.encoding
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(sys.stdout.detach()), encoding)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # standard error escapes by itself what it cannot encode


def print_error(text: str) -> None:
    """Print on standard error, if that is possible; at a terminal no line is wider."""
    with contextlib.suppress(OSError, ValueError):
        print(fitted(text, sys.stderr), file=sys.stderr, flush=True)


def fitted(text: str, stream: TextIO) -> str:
    """Return a message or a help text as it fits a stream; as it is where there is no memory to load what does that."""
    if WIDTH.get() is None and not stream.isatty():
        return text
    try:
        from convcalc.render.tables.blocks import fit_message
        from convcalc.render.tables.characters import Characters
        from convcalc.render.tables.surface import surface
    except (ImportError, MemoryError, SystemError):
        return text
    on = surface(stream, width=WIDTH.get())
    return fit_message(text, on.width, Characters(on.ascii_only))


def _print_internal_error(error: Exception, *, debug: bool) -> None:
    from convcalc.errors import escape

    if debug:
        import traceback

        print_error(traceback.format_exc())
    print_error(f"{PROGRAM}: internal error: {type(error).__name__}: {escape(str(error))}")
    print_error(f"This is a bug in {PROGRAM}{'' if debug else '; --debug shows where it is'}.")


def _discard_output() -> None:
    """Keep the interpreter from flushing into a broken standard output once more when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
