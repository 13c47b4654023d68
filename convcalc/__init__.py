"""convcalc: exact parameters, multiplies, memory and depth of neural-network architectures, without a framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcalc.api import Network, Report, load
    from convcalc.errors import SpecError, SpecErrors

__version__ = "0.2.0"
__all__ = ["Network", "Report", "SpecError", "SpecErrors", "__version__", "load"]

_HOMES = {"load": "api", "Network": "api", "Report": "api", "SpecError": "errors", "SpecErrors": "errors"}


def __getattr__(name: str) -> Any:
    """Load what is asked for, so that ``convcalc --version`` pays for nothing else."""
    if name not in _HOMES:
        raise AttributeError(f"module 'convcalc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"convcalc.{_HOMES[name]}"), name)
