"""Where reliability is tried: a database, an archive and a vendor; loads in this process or in a child that dies."""

import os
import random
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, event

from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.model import Table
from abri_pipeline.contracts.operations import COVERAGE, GAPS
from abri_pipeline.ingest import equity
from abri_pipeline.ingest.desk import Desk, Load, Window
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline_tests.postgres import engine_at
from abri_pipeline_tests.reliability.wire import Vendor, Wire

STEPS = ("fetch", "archive", "stage", "merge", "audit", "commit")


@dataclass
class Stage:
    """One database with what feeds it."""

    url: str
    home: Path
    market: Vendor = field(default_factory=Vendor)
    jobs: int = 0

    def __post_init__(self) -> None:
        self.engine: Engine = engine_at(self.url)
        self.archive = Archive(self.home / "archive")
        self.settings = Settings({"ABRI_HOME": str(self.home), "DATABASE_URL": self.url}, {})
        self.wire = Wire(self.market, self.settings, self.home / "calls.log")

    def desk(self, *, engine: Engine | None = None, job: str = "", **more: object) -> Desk:
        """A desk of a job of its own."""
        self.jobs += 1
        kept = (engine or self.engine, self.archive, self.wire, self.settings, job or f"job{self.jobs}")
        return Desk(*kept, **more)  # type: ignore[arg-type] # the wire stands in for the transport

    def load(self, window: Window, symbols: Sequence[str], **more: object) -> Load:
        """A load in this process."""
        return equity.load(self.desk(**more), window, symbols)

    def forked(self, work: Callable[[Engine], object]) -> int:
        """Run something in a child over an engine of its own, wait, and return its exit code, minus the signal."""
        self.engine.dispose()
        child = os.fork()
        if child == 0:
            try:
                work(engine_at(self.url))
                os._exit(0)
            except BaseException as error:  # noqa: BLE001 - a child must never return into the test runner
                (self.home / "child.txt").write_text(f"{type(error).__name__}: {error}")
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def rows(self, table: Table, *columns: str) -> pd.DataFrame:
        """All rows of a table."""
        with self.engine.connect() as connection:
            return frame(connection, table, columns=list(columns) or None)

    def stored(self, symbol: str) -> dict[date, tuple[float, float, int]]:
        """Close, adjusted close and volume of each stored day."""
        rows = self.rows(BARS)
        own = rows[rows["symbol"] == symbol]
        cells = zip(own["date"].dt.date, own["close"], own["adj_close"], own["volume"], strict=True)
        found = {day: (float(close), float(adjusted), int(volume)) for day, close, adjusted, volume in cells}
        assert len(found) == len(own), "one bar is stored twice"
        return found

    def unresolved(self) -> list[str]:
        """Hashes of bars whose payload is not archived, and payloads that are not what their name says."""
        named = set(self.rows(BARS, "raw_hash")["raw_hash"])
        return sorted(set(self.archive.verify()) | {digest for digest in named if digest not in self.archive})

    def have(self, symbol: str, days: Sequence[date]) -> set[date]:
        """The days that coverage calls stored."""
        rows = self.rows(COVERAGE)
        own = rows[(rows["symbol"] == symbol) & (rows["state"] == "have")]
        return set(days_in(zip(own["range_start"].dt.date, own["range_end"].dt.date, strict=True), days))

    def waiting(self, symbol: str, days: Sequence[date], now: datetime) -> dict[date, datetime]:
        """The days that are not to be asked for before an instant to come."""
        rows = self.rows(COVERAGE)
        own = rows[(rows["symbol"] == symbol) & (rows["state"] != "have") & (rows["next_attempt_at"] > now)]
        return {
            day: row.next_attempt_at.to_pydatetime()
            for row in records(own)
            for day in days_in([(row.range_start.date(), row.range_end.date())], days)
        }

    def missing(self, symbol: str, days: Sequence[date]) -> set[date]:
        """The days of the open gaps; a day in two of them fails."""
        rows = self.rows(GAPS)
        own = rows[(rows["symbol"] == symbol) & (rows["state"] != "filled")]
        spans = list(zip(own["gap_start"].dt.date, own["gap_end"].dt.date, strict=True))
        found = [day for span in spans for day in days_in([span], days)]
        assert len(found) == len(set(found)), f"{symbol}: two open gaps overlap"
        return set(found)


def die() -> None:
    """What a power cut does."""
    os.kill(os.getpid(), signal.SIGKILL)


def dying_at(step: str, nth: int = 1) -> Callable[[str], None]:
    """A desk's `at` that kills the process when a step is reached for the nth time."""
    left = [nth]

    def at(reached: str) -> None:
        if reached == step:
            left[0] -= 1
            if left[0] == 0:
                die()

    return at


def dying_before_statement(engine: Engine, nth: int) -> None:
    """Kill the process before the nth statement it sends."""
    left = [nth]

    @event.listens_for(engine, "before_cursor_execute")
    def count(*_of_the_statement: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            die()


def seeded(number: int) -> random.Random:
    """The dice of one numbered trial."""
    return random.Random(number)  # noqa: S311 - a trial that can be repeated, no secret
