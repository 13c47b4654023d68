"""Closed forms of counts in the symbols of sizes."""

from __future__ import annotations

from convcalc.extras import E_MISSING_PACKAGE, require


def require_symbols() -> None:
    """Demand SymPy, which the modules of this room import.

    Raises:
        SpecError: CC719, where it is not installed or cannot be loaded.
    """
    require("sympy", code=E_MISSING_PACKAGE, needed="formulas need SymPy", hint="pip install 'convcalc[formula]'")
