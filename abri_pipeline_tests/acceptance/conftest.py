"""Five years of the recorded market, backfilled once into each kind of database, and once more on top.

SQLite goes through Dagster: one run over the whole partition range, as `abri backfill` starts it. PostgreSQL goes
through the same loads and derivations without Dagster; the tests then hold both databases to the same rows.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx
import pandas as pd
import pytest
from sqlalchemy import Engine

from abri_pipeline.calendars import weeks
from abri_pipeline.contracts.catalog import TABLES
from abri_pipeline.contracts.model import Table
from abri_pipeline.derive import abri, market
from abri_pipeline.derive import filings as quarters
from abri_pipeline.ingest import credit, equity, filings, reference
from abri_pipeline.ingest.desk import Desk, Window
from abri_pipeline.providers.transport import Transport
from abri_pipeline.sandbox.recorded import RecordedMarket
from abri_pipeline.sandbox.server import running
from abri_pipeline.settings import NAMES, PROJECT_ROOT, Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.reads import frame
from abri_pipeline_tests.postgres import BOTH, engine_at, fresh_database

NOW = "2026-01-20T02:00:00Z"
START, END = date(2021, 1, 19), date(2026, 1, 16)
Snapshot = dict[str, pd.DataFrame]
CURATED = (reference.WEIGHTS_TABLE, reference.GPU_TABLE, reference.SEGMENTS_TABLE, reference.DEALS_TABLE)


@dataclass
class Backfilled:
    """A database after the command, and after the same command again."""

    engine: Engine
    archive: Archive
    once: Snapshot
    twice: Snapshot
    calls: list[dict[str, int]]
    succeeded: list[bool]
    complete: set[str] = field(default_factory=set)

    def rows(self, table: Table) -> pd.DataFrame:
        return self.once[table.name].copy()

    def scalar(self, sql: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql(sql).scalar_one())


@pytest.fixture(scope="session")
def files(shared: Path) -> Path:
    """The recorded market's folder."""
    return shared / "data"


@contextmanager
def upstream(files: Path, home: Path) -> Iterator[str]:
    """The recorded market on loopback, with the settings of a machine that has nothing else; all undone at the end."""
    with pytest.MonkeyPatch.context() as patch, running(RecordedMarket(files)) as url:
        for name in NAMES:
            patch.delenv(name, raising=False)
        patch.setenv("ABRI_NOW", NOW)
        patch.setenv("ABRI_UPSTREAM_URL", url)
        patch.setenv("ABRI_HOME", str(home))
        patch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
        yield url


def calls_of(url: str) -> dict[str, int]:
    """Requests since the last look, by upstream."""
    counted: dict[str, int] = httpx.get(f"{url}/_calls").json()
    httpx.delete(f"{url}/_calls")
    return counted


def snapshot(engine: Engine) -> Snapshot:
    with engine.connect() as connection:
        return {table.name: frame(connection, table) for table in TABLES}


def twice(url: str, engine: Engine, home: Path, command: Callable[[str], bool]) -> Backfilled:
    """Run the command two times and look at the tables and the sandbox's counts after each."""
    calls_of(url)
    succeeded, calls, shots = [], [], []
    for job in ("first", "second"):
        succeeded.append(command(job))
        calls.append(calls_of(url))
        shots.append(snapshot(engine))
    return Backfilled(engine, Archive(home / "archive"), shots[0], shots[1], calls, succeeded)


def by_function(engine: Engine, home: Path) -> Callable[[str], bool]:
    """The command without Dagster."""
    settings, window = Settings.load(), Window(START, END)

    def command(job: str) -> bool:
        with Transport(settings) as transport:
            desk = Desk(engine, Archive(home / "archive"), transport, settings, job)
            loads = [equity.load(desk, window), credit.load(desk, window), filings.load(desk, window)]
            loads += [reference.load(desk, curated, window) for curated in CURATED]
        quarters.derive(engine)
        market.derive(engine, START, END)
        abri.derive(engine, weeks.weeks(START, END))
        return not any(load.failed for load in loads)

    return command


def by_dagster() -> tuple[Callable[[str], bool], Callable[[], set[str]]]:
    """The command as one real Dagster run on the instance of `ABRI_HOME`, and the weeks it found complete."""
    import dagster as dg

    from abri_pipeline.definitions import defs

    instance = dg.DagsterInstance.get()
    job = defs.resolve_implicit_global_asset_job_def()
    keys = weeks.weeks(START, END)
    span = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}

    def command(_job: str) -> bool:
        return job.execute_in_process(instance=instance, raise_on_error=False, tags=span).success

    return command, lambda: set(instance.get_materialized_partitions(dg.AssetKey("completeness")))


@pytest.fixture(scope="session")
def through_dagster(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfilled]:
    home = tmp_path_factory.mktemp("home")
    engine = engine_at(f"sqlite:///{home / 'abri.db'}")
    with upstream(files, home) as url, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster warns of its own beta parameters and old datetime calls
        command, complete = by_dagster()
        done = twice(url, engine, home, command)
        done.complete = complete()
    yield done
    engine.dispose()


@pytest.fixture(scope="session")
def on_postgres(
    files: Path, postgres_url: str, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backfilled]:
    home = tmp_path_factory.mktemp("home")
    with fresh_database(postgres_url, postgres_template) as address:
        engine = engine_at(address)
        with upstream(files, home) as url:
            done = twice(url, engine, home, by_function(engine, home))
        yield done
        engine.dispose()


@pytest.fixture(scope="session", params=BOTH)
def done(request: pytest.FixtureRequest) -> Backfilled:
    """The backfilled database, SQLite and then PostgreSQL."""
    name = "through_dagster" if request.param == "sqlite" else "on_postgres"
    found: Backfilled = request.getfixturevalue(name)
    return found
