"""What the benchmarks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

Show: TypeAlias = Callable[[str], None]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    """Prints a line although pytest captures."""

    def write(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}")

    return write
