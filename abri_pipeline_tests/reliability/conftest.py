"""Stages on each kind of database, at a frozen morning, with every failure told at its first try."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina

from abri_pipeline.ingest import watchlist
from abri_pipeline_tests.reliability.stage import Stage

MORNING = "2024-08-01T12:00:00Z"  # before the New York open: the newest closed session is 2024-07-31


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Moves the frozen clock."""
    monkeypatch.setenv("ABRI_NOW", MORNING)
    return lambda instant: monkeypatch.setenv("ABRI_NOW", instant)


@pytest.fixture
def stage(warehouse_url: str, tmp_path: Path, move: Callable[[str], None]) -> Iterator[Stage]:
    """A fresh stage on each kind of database."""
    with stamina.set_testing(True):
        found = Stage(warehouse_url, tmp_path)
        watchlist.seed(found.engine)
        yield found
        found.engine.dispose()
