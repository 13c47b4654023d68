"""The command line. ``main`` turns every way a run can end into one of the exit codes 0, 1, 2, 3 and 130."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

FINE, FINDING, UNUSABLE, BUG, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 fine, 1 a finding, 2 could not judge or compute, 3 a bug, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # what a locale cannot encode is replaced, never an exception
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = FINE
        _silence(sys.stdout)
    except KeyboardInterrupt:
        code = INTERRUPTED
        _say("interrupted")
    except OSError as error:
        code = UNUSABLE
        _say(f"convcalc: the output cannot be written: {error.strerror or error}")
        _silence(sys.stdout)
    except Exception as error:
        if "--debug" in arguments:
            raise
        code = BUG
        _say(f"convcalc: internal error: {type(error).__name__}: {error}\nThis is a bug in convcalc; --debug shows where it is.")
    return code


def _run(arguments: list[str]) -> int:
    import click

    from convcalc.cli._group import convcalc
    from convcalc.errors import SpecError, SpecErrors, describe

    try:
        result = convcalc.main(arguments, prog_name="convcalc", standalone_mode=False)
        return result if isinstance(result, int) else FINE
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        error.show()
    except SpecErrors as errors:
        _say(describe(errors.errors))
    except SpecError as error:
        _say(describe([error]))
    return UNUSABLE


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)


def _silence(stream: object) -> None:
    """Keep the interpreter from flushing into a closed pipe once more when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[attr-defined]
