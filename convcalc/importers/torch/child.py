"""The child process: builds a model on the meta device, traces it, and prints what it found as lines of JSON.

It alone loads PyTorch and runs the code of the model. Lines go to the pipe that was its standard output; what the
model prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from convcalc.importers.torch.failure import CLOSED, Failure, reason, run


def main() -> None:
    """Read the request from standard input, and answer it."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with, args=(os.dup(0),), daemon=True).start()
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    sys.path.insert(0, os.getcwd())
    try:
        lines = answered(request)
    except Failure as failure:
        lines = [{"is": "error", **failure.facts}]
    except MemoryError:
        lines = [{"is": "error", **Failure("CC772", "there is too little memory for it").facts}]
    except BaseException as error:  # noqa: BLE001 - whatever code of other people raises: nobody interrupts this process
        lines = [{"is": "error", **Failure("CC772", f"the code of the model raised {reason(error)}").facts}]
    try:
        for line in (*lines, {"is": "end"}):
            pipe.write(json.dumps(line) + "\n")
        pipe.flush()
    except OSError:
        os._exit(CLOSED)
    os._exit(0)  # threads of the model do not keep it


def _end_with(pipe: int) -> None:
    """End this process, and what it has started, when the program ends, however that does: then the pipe is closed."""
    os.read(pipe, 1)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def answered(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of a model."""
    warnings.simplefilter("ignore")
    try:
        import torch
    except ImportError as error:
        raise Failure("CC719", f"PyTorch cannot be loaded: {error}") from None
    from convcalc.importers.torch.build import built, has_little_state
    from convcalc.importers.torch.trace import traced

    name = request["module"] + ":" + request["attribute"]
    target = attribute(request["module"], request["attribute"])
    with torch.no_grad():
        model, notes = built(target, request["arguments"], name, training=bool(request["train"]))
        given = attribute(*request["inputs"].split(":", 1)) if request["inputs"] else None
        try:
            lines = traced(model, request["shapes"], given, request["batch"])
        except Failure as failure:
            if failure.facts["code"] != "CC773" or model is target or not has_little_state(model):
                raise
            try:  # some constructors leave out what they cannot compute without values
                model, notes = built(target, request["arguments"], name, training=bool(request["train"]), values=True)
                lines = traced(model, request["shapes"], given, request["batch"])
            except Failure:
                raise failure from None
    return [{"is": "model", "name": type(model).__name__}, *notes, *lines]


def attribute(module: str, path: str) -> Any:
    """Return what a module has under a name, with dots in it.

    Raises:
        Failure: CC771, where there is none; CC772, where the module fails.
    """
    found = run(lambda: importlib.import_module(module), f"importing {module}", missing=module)
    parts = path.split(".")
    for step, part in enumerate(parts):
        if hasattr(found, part):
            found = getattr(found, part)
        elif step and (isinstance(found, type) or (callable(found) and not hasattr(found, "named_parameters"))):
            return Behind(found, parts[step:])
        else:
            raise _no_attribute(found, f"{module}:{'.'.join(parts[:step])}" if step else f"the module {module}", part)
    return found


def _no_attribute(found: Any, name: str, part: str) -> Failure:
    known = [each for each in dir(found) if not each.startswith("_")]
    return Failure("CC771", f"{name} has no attribute '{part}'", word=part, known=known)


class Behind:
    """A submodule of what a callable returns: ``torch:module:build.backbone``."""

    def __init__(self, build: Callable[..., Any], path: list[str]) -> None:
        self.build, self.path = build, path

    def __call__(self, **arguments: Any) -> Any:
        found = self.build(**arguments)
        for part in self.path:
            if not hasattr(found, part):
                raise _no_attribute(found, type(found).__name__, part)
            found = getattr(found, part)
        return found


if __name__ == "__main__":
    main()
