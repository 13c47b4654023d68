"""PyTorch models: a callable of a module of Python, which is run in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping

from convcalc.errors import Source, SpecError
from convcalc.importers.model import CodeOptions, Importer, Model


def read(source: Source, data: bytes | None) -> Model:  # noqa: ARG001 - as other importers
    """Refuse: the code of a model is run by ``run`` alone."""
    raise SpecError("CC770", f"{source.name} is code, which is not run here")


def run(source: Source, inputs: Mapping[str, str], code: CodeOptions) -> Model:
    """Run the code of a model."""
    from convcalc.importers.torch.parent import read as read_in_child

    return read_in_child(source, inputs, code)


IMPORTER = Importer("PyTorch", read, prefix="torch:", runs_code=True, run=run)
