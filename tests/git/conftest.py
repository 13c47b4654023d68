"""Git as it is where no continuous integration runs."""

from __future__ import annotations

import pytest

from convcalc.git.ci import VARIABLES


@pytest.fixture(autouse=True)
def _outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
