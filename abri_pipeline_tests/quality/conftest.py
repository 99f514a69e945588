"""An empty SQLite warehouse at a frozen instant."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from abri_pipeline_tests.postgres import engine_at
from abri_pipeline_tests.quality.planting import NOW


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABRI_NOW", NOW.isoformat())


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """For questions in which the two databases cannot differ; the others take `warehouse`."""
    path = tmp_path / "abri.db"
    shutil.copy(sqlite_template, path)
    engine = engine_at(f"sqlite:///{path}")
    yield engine
    engine.dispose()
