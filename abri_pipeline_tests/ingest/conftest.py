"""One sandbox over a hand-made market, and a workbench: a fresh database, its archive and the loads on them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import stamina
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.model import Table
from abri_pipeline.ingest import credit, equity
from abri_pipeline.ingest.desk import Desk, Load, Window
from abri_pipeline.providers.transport import Transport
from abri_pipeline.sandbox.faults import Fault, Faults
from abri_pipeline.sandbox.server import running
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.reads import frame
from abri_pipeline_tests.ingest.small_market import SmallMarket
from abri_pipeline_tests.postgres import engine_at

MORNING = "2024-08-01T12:00:00Z"  # before the New York open: the newest closed session is 2024-07-31


@dataclass
class Workbench:
    """What a test loads with, and what it looks at afterwards."""

    engine: Engine
    archive: Archive
    settings: Settings
    market: SmallMarket
    faults: Faults
    move: Callable[[str], None]
    jobs: int = 0

    @contextmanager
    def desk(self, full_refresh: bool = False) -> Iterator[Desk]:
        self.jobs += 1
        with Transport(self.settings) as transport:
            job = f"job{self.jobs}"
            yield Desk(self.engine, self.archive, transport, self.settings, job, full_refresh=full_refresh)

    def bars(self, first: str, last: str, *symbols: str, full_refresh: bool = False) -> Load:
        window = Window(date.fromisoformat(first), date.fromisoformat(last))
        with self.desk(full_refresh) as desk:
            return equity.load(desk, window, symbols or ("NVDA",))

    def spreads(self, first: str, last: str, full_refresh: bool = False) -> Load:
        with self.desk(full_refresh) as desk:
            return credit.load(desk, Window(date.fromisoformat(first), date.fromisoformat(last)))

    def fault(self, upstream: str, kind: str, **more: Any) -> None:
        self.faults.switches.append(Fault.of({"upstream": upstream, "kind": kind, **more}))

    def rows(self, table: Table, **equal: Any) -> pd.DataFrame:
        where = [(name, "=", value) for name, value in equal.items()]
        with self.engine.connect() as connection:
            return frame(connection, table, where=where)

    def gaps(self, symbol: str) -> list[tuple[str, str, str, str]]:
        """The open gaps of a unit: first day, last day, state, cause."""
        found = self.rows(operations.GAPS, symbol=symbol)
        found = found[found["state"] != "filled"]
        return [(str(g.gap_start.date()), str(g.gap_end.date()), g.state, g.cause) for g in found.itertuples()]

    def asked(self) -> list[tuple[str, str]]:
        """The windows asked of Yahoo, by day."""
        book = self.rows(operations.AUDIT, dataset="price_history_daily").sort_values(["job_id", "window_start"])
        return [(str(r.window_start.date()), str(r.window_end.date())) for r in book.itertuples()]


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox with its market and switches, shared by the tests one after another."""

    url: str
    market: SmallMarket
    faults: Faults


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    market, faults = SmallMarket(), Faults()
    with running(market, faults=faults) as url:
        yield Sandbox(url, market, faults)


@pytest.fixture(autouse=True)
def tried_once() -> Iterator[None]:
    """Retries have their own tests (providers); here a failure is a failure at once."""
    with stamina.set_testing(True):
        yield


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Moves the frozen clock."""
    monkeypatch.setenv("ABRI_NOW", MORNING)
    return lambda instant: monkeypatch.setenv("ABRI_NOW", instant)


def _bench(sandbox: Sandbox, engine: Engine, home: Path, move: Callable[[str], None]) -> Workbench:
    sandbox.market.__init__()
    sandbox.faults.switches.clear()
    settings = Settings({"ABRI_UPSTREAM_URL": sandbox.url, "ABRI_HOME": str(home)}, {})
    return Workbench(engine, Archive(home / "archive"), settings, sandbox.market, sandbox.faults, move)


@pytest.fixture
def bench(sandbox: Sandbox, sqlite_template: Path, tmp_path: Path, move: Callable[[str], None]) -> Iterator[Workbench]:
    """A workbench on SQLite; it is eight in the morning in New York on 2024-08-01."""
    shutil.copy(sqlite_template, tmp_path / "abri.db")
    engine = engine_at(f"sqlite:///{tmp_path / 'abri.db'}")
    yield _bench(sandbox, engine, tmp_path, move)
    engine.dispose()


@pytest.fixture
def any_bench(sandbox: Sandbox, warehouse: Engine, tmp_path: Path, move: Callable[[str], None]) -> Workbench:
    """A workbench on each kind of database."""
    return _bench(sandbox, warehouse, tmp_path, move)
