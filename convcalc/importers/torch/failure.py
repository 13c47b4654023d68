"""Why a model could not be traced: an error that travels from the child process as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

CLOSED = 74
"""The exit code of a child process whose pipe was closed."""


class Failure(Exception):
    """An error with a code; ``word`` is a name that is not among those known."""

    def __init__(self, code: str, text: str, hint: str = "", word: str = "", known: Iterable[str] = ()) -> None:
        super().__init__(text)
        self.facts: dict[str, Any] = {"code": code, "text": text, "hint": hint, "word": word, "known": [*known]}


def run(code: Callable[[], Any], what: str, missing: str = "") -> Any:
    """Run code of the model.

    Raises:
        Failure: CC772, with what it raised; CC771 for the module ``missing`` that is not there.
    """
    try:
        return code()
    except Failure:
        raise
    except ModuleNotFoundError as error:
        if missing and error.name and (missing == error.name or missing.startswith(f"{error.name}.")):
            raise Failure("CC771", f"there is no module {error.name} on the path of {sys.executable}") from None
        raise Failure("CC772", f"{what} failed: {reason(error)}") from None
    except SystemExit as error:
        raise Failure("CC772", f"{what} ended the process: exit({error.code})") from None
    except Exception as error:
        raise Failure("CC772", f"{what} failed: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Return the kind of an error and the first line of its text."""
    return f"{type(error).__name__}: {next(iter(str(error).strip().splitlines()), '')}".removesuffix(": ")
