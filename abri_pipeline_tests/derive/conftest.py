"""A synthetic market, loaded once: a year of bars, every filing, price and deal known in July 2023."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from abri_pipeline.contracts.model import Table
from abri_pipeline.derive import filings as quarters
from abri_pipeline.ingest import credit, equity, filings, reference
from abri_pipeline.ingest.desk import Desk, Window
from abri_pipeline.providers.transport import Transport
from abri_pipeline.sandbox.server import running
from abri_pipeline.sandbox.synthetic import SyntheticMarket
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.reads import frame
from abri_pipeline_tests.postgres import engine_at

NOW = "2023-07-05T12:00:00Z"
WINDOW = Window(date(2022, 6, 1), date(2023, 6, 30))
CURATED = (reference.WEIGHTS_TABLE, reference.GPU_TABLE, reference.SEGMENTS_TABLE, reference.DEALS_TABLE)


@pytest.fixture(scope="session")
def loaded(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every ingested dataset and the hyperscalers' quarters; no metrics, no prints."""
    home = tmp_path_factory.mktemp("loaded")
    path = home / "abri.db"
    shutil.copy(sqlite_template, path)
    engine = engine_at(f"sqlite:///{path}")
    with pytest.MonkeyPatch.context() as patch, running(SyntheticMarket()) as url:
        patch.setenv("ABRI_NOW", NOW)
        settings = Settings({"ABRI_UPSTREAM_URL": url}, {})
        with Transport(settings) as transport:
            desk = Desk(engine, Archive(home / "archive"), transport, settings, "loaded")
            loads = [equity.load(desk, WINDOW), credit.load(desk, WINDOW), filings.load(desk, WINDOW)]
            loads += [reference.load(desk, curated, WINDOW) for curated in CURATED]
        assert not any(load.failed for load in loads)
        quarters.derive(engine)
    engine.dispose()  # also folds the write-ahead log back into the file
    return path


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Moves the frozen clock."""
    monkeypatch.setenv("ABRI_NOW", NOW)
    return lambda instant: monkeypatch.setenv("ABRI_NOW", instant)


@pytest.fixture
def copies(loaded: Path, tmp_path: Path, move: Callable[[str], None]) -> Iterator[Callable[[], Engine]]:
    """Makes a database of its own, as often as it is called."""
    engines: list[Engine] = []

    def copy() -> Engine:
        path = tmp_path / f"copy{len(engines)}.db"
        shutil.copy(loaded, path)
        engines.append(engine_at(f"sqlite:///{path}"))
        return engines[-1]

    yield copy
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(copies: Callable[[], Engine]) -> Engine:
    """A database of its own; it is eight in the morning in New York on 2023-07-05."""
    return copies()


def rows(engine: Engine, table: Table, without: tuple[str, ...] = ("recorded_at",)) -> pd.DataFrame:
    """A table's rows in the order of its key, less the columns that tell when we wrote them."""
    with engine.connect() as connection:
        return frame(connection, table, columns=[name for name in table.columns if name not in without])
