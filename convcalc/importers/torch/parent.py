"""In the process of the program: starts the child, reads what it tells, and builds the graph. PyTorch is not loaded.

A module that Python has already made is traced in this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from tempfile import TemporaryFile
from typing import IO, Any

import convcalc
from convcalc.arith import Number, is_plain
from convcalc.errors import Source, Span, SpecError, did_you_mean, escape, quoted
from convcalc.graph.graph import Graph
from convcalc.importers.model import CodeOptions, Model
from convcalc.importers.torch import aten
from convcalc.importers.torch.failure import CLOSED, Failure
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.parts import with_parts
from convcalc.importers.torch.recording import Recording
from convcalc.records import dataclass

PREFIX = "torch:"
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
AXES = re.compile(r"\[?\s*((?:\d+(?:\s*,\s*\d+)*\s*,?)?)\s*\]?")
"""Sizes with commas; none for a tensor that has the batch axis alone."""
MODULE = "convcalc.importers.torch.child"
LAST_LINES = 5
MAX_LINE = 200
MAX_OUTPUT = 64 * 1024
"""Bytes of what a model writes that are shown: the last ones."""
PATIENCE = 5
"""Seconds for reading the rest of it, once the process has ended."""
MAX_NAMES = 5
ARGUMENTS = "a callable has neither variants nor variables: give its arguments with --arg NAME=VALUE"
INSTALL = "pip install 'convcalc[torch]', or from a clone pip install -e '.[torch]'"


def read(source: Source, inputs: Mapping[str, str], code: CodeOptions) -> Model:
    """Run the child process once, and return the model that it traced.

    Raises:
        SpecError: CC771 for the name, CC762 for sizes that are missing, CC772 to CC774 for what its code does.
    """
    name = source.name.removeprefix(PREFIX)
    if not NAME.fullmatch(name):
        hint = "torch:package.module:callable, such as torch:torchvision.models:resnet18"
        raise SpecError("CC771", f"{quoted(name)} is not MODULE:ATTR", hint=hint)
    if code.inputs and not NAME.fullmatch(code.inputs):
        raise SpecError("CC771", f"{quoted(code.inputs)} of --inputs is not MODULE:FUNCTION")
    module, _, attribute = name.partition(":")
    shapes = [shape_of(key, text) for key, text in inputs.items()]
    request = {
        "module": module, "attribute": attribute, "arguments": {key: _argument(text) for key, text in code.arguments},
        "shapes": shapes, "inputs": code.inputs, "train": code.train, "batch": 1,
    }  # fmt: skip
    recording = recorded(request, code.timeout)
    return built(recording, source, lambda: _is_per_sample(recording, {**request, "batch": 2}, code.timeout, source))


def _is_per_sample(recording: Recording, request: Mapping[str, Any], timeout: float, source: Source) -> bool:
    """Whether two samples take twice the multiplies of one, so that nothing works across the batch."""
    if not request["shapes"]:
        return False
    try:
        one, two = (graph_of(each, source)[0] for each in (recording, recorded(request, timeout)))
    except SpecError:  # a model may be for one sample alone
        return False
    return sum(node.facts.multiplies for node in two.layers) == 2 * sum(node.facts.multiplies for node in one.layers)


def shape_of(key: str, text: str) -> dict[str, Any]:
    """Return an input for the child process: its name, the name of its data type, and its axes.

    Raises:
        SpecError: CC762.
    """
    name, _, dtype = key.partition(":")
    written = AXES.fullmatch(text.strip())
    if written is None:
        raise SpecError("CC762", f"--input {quoted(f'{key}={text}' if key else text)} is not a list of sizes",
                        hint="write them with commas, without the batch axis: --input 3,224,224")  # fmt: skip
    return {"name": name, "dtype": dtype, "axes": [int(size) for size in written[1].split(",") if size.strip()]}


def _argument(text: str) -> Any:
    """Return a value of ``--arg``: what JSON reads, or a word of Python, or the text."""
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    try:
        return json.loads(text)
    except ValueError:
        return text


def built(recording: Recording, source: Source, is_per_sample: Callable[[], bool] = lambda: False) -> TorchModel:
    """Return the model of a recording. ``is_per_sample`` is asked where an operation may work across the batch."""
    graph, unread, mixing = graph_of(recording, source)
    notes = list(recording.notes)
    if unread:
        modules = [*dict.fromkeys(name.rpartition(".")[0] or name for name in unread)]
        notes.append(f"no operation reads the parameters of the row unused: {_some(modules)}")
    if mixing and not is_per_sample():
        notes.append(f"counts hold for a batch of 1 alone, since these work across the batch: {_some(mixing)}")
    shapes = ((name, shape[1:] if len(shape) > 1 and shape[0] == 1 else shape) for name, shape in
              recording.inputs.items())  # fmt: skip
    return TorchModel(source, dict(shapes), recording.name, "; ".join(notes), choices=ARGUMENTS, traced=graph)


@dataclass(frozen=True, eq=False)
class TorchModel(Model):
    """A traced model. Its sizes are those that it was traced with."""

    traced: Graph | None = None

    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        for name, shape in inputs.items():
            if not all(map(is_plain, shape)) or tuple(shape) != self.inputs.get(name):
                hint = "count each size by a command of its own: --input 3,224,224"
                raise SpecError("CC774", "a traced model has fixed sizes: it has no symbols and no sweeps", hint=hint)
        assert self.traced is not None
        return self.traced


def graph_of(
    recording: Recording, source: Source, shared: frozenset[str] = frozenset()
) -> tuple[Graph, list[str], list[str]]:
    """Build the graph of a recording; name parameters that nothing reads, and operations that mix samples.

    Where layers share a part of their weights, it is built a second time with these weights apart.
    """
    lowering = Lowering(with_parts(recording), source, shared)
    lowering.run(aten.rule)
    outputs, unread = lowering.outputs(), lowering.finish()
    if lowering.split_parameters and not shared:
        return graph_of(recording, source, lowering.split_parameters)
    for path, class_name in recording.scopes.items():
        lowering.builder.scope(path, class_name)
    if not outputs:
        raise SpecError("CC773", "no output of the model depends on its inputs or parameters", Span(source))
    return lowering.builder.graph(outputs, name=recording.name), unread, list(lowering.mixing)


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - MAX_NAMES
    return ", ".join((*names[:MAX_NAMES], *([f"and {more:,} more"] if more > 0 else [])))


def trace_module(module: Any, inputs: Mapping[str, str]) -> Graph:
    """Trace a ``torch.nn.Module`` of this process in evaluation; its weights, device and modes stay as they are.

    Raises:
        TypeError: for anything else.
        SpecError: CC762 for inputs that are missing, CC773 where it cannot be traced.
    """
    name, torch = type(module).__name__, sys.modules.get("torch")  # it is loaded where there is a module of it
    if torch is None or not isinstance(module, torch.nn.Module):
        raise TypeError(f"load() takes the name of a design or a torch.nn.Module, not {name}")
    from convcalc.importers.torch.trace import traced

    recording, modes = Recording(name), {each: each.training for each in module.modules()}
    try:
        module.eval()
        for line in traced(module, [shape_of(key, text) for key, text in inputs.items()]):
            recording.add(line)
    except Failure as failure:
        raise error_of(failure.facts) from None
    finally:
        for each, training in modes.items():
            each.training = training
    return built(recording, Source(name)).graph(None, {}, {})


# --- the child process ------------------------------------------------------------------------------------------------


def recorded(request: Mapping[str, Any], timeout: float) -> Recording:
    """Run the child process, and read its lines.

    Raises:
        SpecError: what it found wrong, or how it ended.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(convcalc.__file__)))
    paths = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), package)))
    with TemporaryFile() as told:  # a process that the model leaves behind may keep a pipe
        child = subprocess.Popen(
            [sys.executable, "-u", "-m", MODULE], stdin=subprocess.PIPE, stdout=told, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths}, start_new_session=True,
        )  # fmt: skip
        late, said = False, Tail(child.stderr)
        try:
            assert child.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # it stays open for as long as this process lives
                child.stdin.write(json.dumps(request).encode() + b"\n")
                child.stdin.flush()
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            late = True
        finally:
            _kill(child)
        told.seek(0)
        out, text = told.read(), said.text()
    if text:  # it has nothing of ours, and goes where the model by itself would write it
        os.write(2, "".join(f"{escape(line)}\n" for line in text.splitlines()).encode("utf-8", "replace"))
    if late:
        raise SpecError("CC772", f"the model took longer than {timeout:g} seconds{_last(text)}",
                        hint="allow more with --timeout SECONDS")  # fmt: skip
    return _parsed(out, child.returncode, text)


class Tail(threading.Thread):
    """Reads what a model writes, which may be without end, and keeps the last of it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        assert pipe is not None
        self.pipe, self.kept, self.left_out = pipe, b"", 0
        self.start()

    def run(self) -> None:
        """Read until the pipe is closed."""
        with self.pipe, contextlib.suppress(OSError):
            while part := os.read(self.pipe.fileno(), MAX_OUTPUT):
                self.kept += part
                self.left_out += max(0, len(self.kept) - MAX_OUTPUT)
                self.kept = self.kept[-MAX_OUTPUT:]

    def text(self) -> str:
        """Return the end of what has been written, when the process has ended; another may keep the pipe."""
        self.join(PATIENCE)
        text = self.kept.decode("utf-8", "replace")
        return f"… {self.left_out:,} bytes before are left out\n{text}" if self.left_out else text


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a process and what it has started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()
    assert child.stdin is not None
    with contextlib.suppress(OSError):
        child.stdin.close()


def _parsed(out: bytes, status: int, said: str) -> Recording:
    recording, lines = Recording(), out.splitlines()
    try:
        facts = [json.loads(line) for line in lines]
        if facts and facts[-1] == {"is": "end"}:
            for line in facts[:-1]:
                if line["is"] == "error":
                    raise error_of(line)
                recording.add(line)
            return recording
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    how = f"was killed by signal {-status}" if status < 0 else f"ended with exit code {status}"
    how = "has closed the pipe of its results" if status == CLOSED else how
    also = ", perhaps for want of memory" if status == -getattr(signal, "SIGKILL", 9) else ""
    raise SpecError("CC772", f"the process of the model {how}{also}{_last(said)}")


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()][-LAST_LINES:]
    return f"; its last lines: {' | '.join(line[:MAX_LINE] for line in lines)}" if lines else ""


def error_of(line: Mapping[str, Any]) -> SpecError:
    """Return the error that the child process found."""
    known: Sequence[str] = [str(each) for each in line.get("known", ())]
    code, text, hint = str(line["code"]), str(line["text"]), str(line.get("hint", ""))
    text += did_you_mean(str(line["word"]), known) if line.get("word") else ""
    return SpecError(code, text, hint=INSTALL if code == "CC719" else hint)
