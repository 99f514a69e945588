"""The desk: what every load needs at hand, and what every load hands back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from threading import Event

from sqlalchemy import Engine

from abri_pipeline.ingest.arms import Arms
from abri_pipeline.ingest.journal import Journal
from abri_pipeline.ingest.metrics import Metrics
from abri_pipeline.providers.registry import Registry
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.usage import Usage

FETCHERS = 4
MOST_FETCHERS = 6  # each holds two connections, and a database lends fifteen to a process
FAILED = frozenset({"transient", "permanent", "malformed", "refused"})


@dataclass(frozen=True, slots=True)
class Window:
    """Days asked for, both ends included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"the window ends ({self.end}) before it starts ({self.start})")


@dataclass(frozen=True, slots=True)
class UnitResult:
    """What came of one unit (a symbol, a series, a company, a table) in a load."""

    unit: str
    outcome: str
    rows: int = 0
    inserted: int = 0
    changed: int = 0
    rejected: int = 0
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether the unit failed, as opposed to stored, unchanged, empty or absent."""
        return self.outcome in FAILED


@dataclass
class Load:
    """The outcome of one dataset's load: a result a unit, and the calls it took."""

    dataset: str
    results: list[UnitResult] = field(default_factory=list)
    calls: int = 0
    beaten_at: datetime | None = None  # last sign of life in `backfill_runs`

    @property
    def failed(self) -> list[UnitResult]:
        """The units that failed."""
        return [r for r in self.results if r.failed]

    def total(self, what: str) -> int:
        """Sum of `rows`, `inserted`, `changed` or `rejected` over the units."""
        return sum(int(getattr(r, what)) for r in self.results)


Progress = Callable[[str, str, int, int], None]  # dataset, unit, done, of


def silent(_dataset: str, _unit: str, _done: int, _of: int) -> None:
    """Report nothing."""


def _nowhere(_step: str) -> None:
    """Do nothing at a step."""


def _pause(seconds: float) -> None:
    Event().wait(seconds)


@dataclass(frozen=True)
class Desk:
    """Database, archive, transport and settings of one job.

    `at` is told each step of a unit (fetch, archive, stage, merge, audit, commit): tests kill the process there.
    `pause` waits, for a quota that frees soon.
    """

    engine: Engine
    archive: Archive
    transport: Transport
    settings: Settings
    job_id: str
    progress: Progress = silent
    full_refresh: bool = False
    reread: int = 0  # newest sessions that are asked for again though stored: what `sync` does, and backfill never
    fetchers: int = FETCHERS  # symbols that are worked on at once
    at: Callable[[str], None] = _nowhere
    pause: Callable[[float], None] = _pause

    @cached_property
    def registry(self) -> Registry:
        """The providers under these settings.

        Raises:
            RegistryError: `providers.yaml` cannot be used.
        """
        return Registry.load(self.settings)

    @cached_property
    def arms(self) -> Arms:
        """What is known of each provider."""
        return Arms(self.engine)

    @cached_property
    def metrics(self) -> Metrics:
        """What each provider did today."""
        return Metrics(self.engine)

    @cached_property
    def usage(self) -> Usage:
        """Calls charged to each provider's quota."""
        return Usage(self.engine)

    @cached_property
    def journal(self) -> Journal:
        """The job's audit as lines of JSON, beside the table."""
        return Journal(self.settings.home, self.job_id)

    def report(self, load: Load, of: int) -> None:
        """Tell the watcher that one more unit of a load is done."""
        done: Sequence[UnitResult] = load.results
        self.progress(load.dataset, done[-1].unit if done else "", len(done), of)
