"""The ops: one file each, named after the kind, found by walking the folder.

``find("conv")`` imports ``conv.py`` alone; ``every()`` imports all. Each file is checked when it is loaded, and one
that is malformed is refused with its name and line. Files that begin with ``_`` hold what ops share.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from convcalc.errors import Source, Span, SpecError
from convcalc.ops import kinds as operations
from convcalc.ops.op import Op, arguments_of

REQUIRED_SECTIONS = ("Formula:", "Shapes:", "Source:", "Examples:")
"""Sections that the docstring of every op must have."""


@cache
def kind_files() -> dict[str, str]:
    """Return the file of every kind; two files of one name are an error that names both."""
    found: dict[str, str] = {}
    for folder in operations.__path__:
        for name in sorted(os.listdir(folder)):
            kind, ending = os.path.splitext(name)
            if ending == ".py" and not kind.startswith("_"):
                path = os.path.join(folder, name)
                if kind in found:
                    raise _definition_error(
                        path, 1, f"the op '{kind}' is defined twice; the other file is {found[kind]}"
                    )
                found[kind] = path
    return found


def kinds() -> tuple[str, ...]:
    """Return the words of all kinds, sorted, without loading any."""
    return tuple(sorted(kind_files()))


@cache
def find_op(kind: str) -> type[Op] | None:
    """Return the op of a kind, loading its file alone; ``None`` for an unknown kind."""
    path = kind_files().get(kind)
    return _load(kind, path) if path else None


def load_all() -> dict[str, type[Op]]:
    """Load all ops and return them by kind."""
    return {kind: op for kind in kinds() if (op := find_op(kind))}


def choices_of(kind: str) -> Iterator[str]:
    """Yield the words that the arguments of a kind take."""
    op = find_op(kind)
    for argument in arguments_of(op).values() if op else ():
        yield from argument.type.words


@cache
def activation_names() -> frozenset[str]:
    """Return the names that alone are a layer: ``relu`` is ``act: relu``."""
    from convcalc.ops.kinds.act import TYPES

    return frozenset(TYPES)


def _load(kind: str, path: str) -> type[Op]:
    try:
        module = importlib.import_module(f"{operations.__name__}.{kind}")
    except Exception as error:
        raise _definition_error(path, _line_in(path, error), f"{type(error).__name__}: {error}") from error
    try:
        return _op_of_module(module, kind, path)
    except SpecError:
        del sys.modules[module.__name__]  # so that it is read again once it is fixed
        raise


def _op_of_module(module: ModuleType, kind: str, path: str) -> type[Op]:
    """Return the op of a file, which must define exactly one, well formed."""
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    ops = [value for value in classes if issubclass(value, Op) and value.__module__ == module.__name__]
    if len(ops) != 1:
        raise _definition_error(path, 1, f"an op file defines exactly one op, this one {len(ops)}")
    _require_well_formed(ops[0], kind, path)
    return ops[0]


def _require_well_formed(op: type[Op], kind: str, path: str) -> None:
    """Raise an error for an op whose docstring, methods or arguments are incomplete."""
    wanted = REQUIRED_SECTIONS if __doc__ else ()  # python -OO keeps no docstrings: networks are counted without
    faults = [f"its docstring has no '{heading}'" for heading in wanted if heading not in (op.__doc__ or "")]
    if getattr(op, "kind", None) != kind:
        faults.append(f"its kind is {getattr(op, 'kind', None)!r}, its file says '{kind}'")
    if op.output is Op.output:
        faults.append("it states no output shape (a method 'output')")
    params = getattr(op, "__dataclass_params__", None)
    if params is None or not params.frozen:
        faults.append("it is not a frozen dataclass")
    elif any("argument" not in field.metadata for field in op.__dataclass_fields__.values()):
        faults.append("a field is not made by argument()")
    if faults:
        raise _definition_error(path, _class_line(op, path), f"the op {op.__name__} is malformed: {'; '.join(faults)}")


def _class_line(op: type[Op], path: str) -> int:
    with open(path, encoding="utf-8") as file:
        lines = [number for number, line in enumerate(file, 1) if line.startswith(f"class {op.__name__}")]
    return lines[0] if lines else 1


def _line_in(path: str, error: BaseException) -> int:
    import traceback  # costs start-up time, and only faulty files need it

    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno or 1
    lines = [frame.lineno or 1 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return lines[-1] if lines else 1


def _definition_error(path: str, line: int, text: str) -> SpecError:
    with open(path, encoding="utf-8", errors="replace") as file:
        return SpecError("CC901", text, Span(Source(path, file.read()), line, 1))
