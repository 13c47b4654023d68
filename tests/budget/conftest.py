"""Git as it is where nothing is configured and no continuous integration runs."""

from __future__ import annotations

import pytest

from convcalc.budget.git import ELSEWHERE, TARGETS


@pytest.fixture(autouse=True)
def _outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*TARGETS, *ELSEWHERE):
        monkeypatch.delenv(name, raising=False)
