"""Replaying accepted deliveries from the archive alone, through the code that stored them, into a scratch database.

Belongs here: which deliveries there were, in which order, and how each is read and stored again. Does not belong
here: what is made of the outcome (rebuild).
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from abri_pipeline.contracts import credit as credit_contract
from abri_pipeline.contracts import filings as filings_contract
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.contracts.model import Dataset
from abri_pipeline.ingest import credit, equity, filings, reference, watchlist
from abri_pipeline.ingest.ask import Answer, Asked, parse_pages
from abri_pipeline.ingest.delivery import Delivery, read_pages
from abri_pipeline.ingest.desk import FAILED, Desk, Window
from abri_pipeline.ingest.plan import TIMEFRAME, Need
from abri_pipeline.ingest.stamp import REAL, held
from abri_pipeline.ingest.watchlist import Carried, Listed
from abri_pipeline.providers.bars import BarQuery
from abri_pipeline.providers.errors import Refused, UpstreamError
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive, PayloadCorrupt, PayloadMissing
from abri_pipeline.warehouse.engine import open_engine
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import metadata

ACCEPTED = ("stored", "unchanged", "empty")
QUARANTINED = "malformed"  # whole, read, and refused by the rules: it must be refused again
SPREADS, FILINGS, FACTS = credit_contract.SPREADS, filings_contract.FILINGS, filings_contract.FACTS
CURATED = {curated.table.name: curated for curated in reference.CURATED}
# Datasets as they are asked for, each with the tables that its deliveries fill.
FILLS: Mapping[str, tuple[Dataset, ...]] = MappingProxyType(
    {
        BARS.name: (BARS, ACTIONS),
        SPREADS.name: (SPREADS,),
        FILINGS.name: (FILINGS, FACTS),
        **{name: (curated.table,) for name, curated in CURATED.items()},
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery as the audit and the stored rows tell of it."""

    audit_id: str
    symbol: str
    provider: str
    window: Window | None
    outcome: str
    raw_hash: str
    pulled_at: datetime

    @property
    def words(self) -> str:
        """The delivery for a person: what, from whom, until when."""
        span = f" {self.window.start} to {self.window.end}" if self.window else ""
        return f"{self.symbol}{span} from {self.provider} ({self.raw_hash[:12]})"


@dataclass(frozen=True)
class Story:
    """All that a rebuild of one dataset needs to know from the stored database."""

    dataset: str
    deliveries: list[Told]
    market: str
    labels: list[Carried]
    listed: dict[str, Listed]

    @property
    def through(self) -> str:
        """The newest delivery's audit id; empty where there is none."""
        return self.deliveries[-1].audit_id if self.deliveries else ""

    def instrument(self, symbol: str, at: datetime) -> Listed:
        """The instrument that went by a ticker at an instant, under its ticker of today."""
        own = [label for label in self.labels if label.symbol == symbol]
        then = [label for label in own if label.on(at.date())] or own
        found = self.listed.get(then[-1].instrument_id) if then else None
        return found or next(one for one in self.listed.values() if one.symbol == symbol)


@dataclass
class Replayed:
    """What came of a replay: payloads the archive could not give, and deliveries that ended otherwise than then."""

    missing: dict[str, str] = field(default_factory=dict)  # hash of a delivery -> what is wrong, in words
    unlike: dict[str, str] = field(default_factory=dict)


def story(connection: Connection, dataset: str) -> Story:
    """The deliveries of a dataset in the order in which they were stored, and who they were for."""
    where = [("dataset", "=", dataset), ("raw_hash", "is not", None), ("outcome", "in", [*ACCEPTED, QUARANTINED])]
    audit = frame(connection, operations.AUDIT, where=where)
    deliveries = []
    for row in records(audit):
        span = None if pd.isna(row.window_start) else Window(row.window_start.date(), row.window_end.date())
        at = row.recorded_at if pd.isna(row.pulled_at) else row.pulled_at
        told = (row.audit_id, row.symbol, row.provider, span, row.outcome, row.raw_hash, at.to_pydatetime())
        deliveries.append(Told(*told))
    listed = {one.instrument_id: one for one in _instruments(connection)}
    return Story(dataset, deliveries, held(connection) or REAL, watchlist.carried(connection), listed)


def _instruments(connection: Connection) -> Iterator[Listed]:
    for row in records(frame(connection, operations.INSTRUMENTS)):
        yield Listed(row.instrument_id, row.symbol, watchlist.as_day(row.listed_on), watchlist.as_day(row.delisted_on))


class NoUpstream(Transport):
    """A transport that refuses: a rebuild reads the archive and nothing else, so it opens no connection either."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calls = Counter()

    def close(self) -> None:
        """Close nothing."""

    def get(self, upstream: str, path: str, *_args: object, **_options: object) -> Payload:
        """Refuse.

        Raises:
            Refused: always.
        """
        raise Refused(upstream, f"a rebuild asks no upstream, and {path} was asked for")


@contextmanager
def scratch(settings: Settings, archive: Archive) -> Iterator[Desk]:
    """A desk over an empty SQLite database in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="abri-rebuild-") as folder:
        home = Path(folder)
        own = home / "providers.yaml"
        if (declared := settings.home / own.name).is_file():
            own.write_bytes(declared.read_bytes())
        values = {**settings.values, "ABRI_HOME": folder, "DATABASE_URL": f"sqlite:///{home / 'scratch.db'}"}
        alone = Settings(values, {})
        engine = open_engine(alone)
        sa.event.listen(engine, "connect", _volatile)
        engine.dispose()  # the connection that tried the file knows nothing of the listener
        metadata.create_all(engine)
        try:
            with NoUpstream(alone) as transport:
                yield Desk(engine, archive, transport, alone, "rebuild")
        finally:
            engine.dispose()


def _volatile(raw: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    raw.execute("PRAGMA synchronous=OFF")  # nothing here must last


def replay(desk: Desk, told: Story) -> Replayed:
    """Store every delivery again, in order; what cannot be, or ends otherwise, is named in the result."""
    outcome = Replayed()
    again = _replayer(told)
    for one in told.deliveries:
        try:
            came = again(desk, one, _delivery(desk, told, one))
        except (PayloadMissing, PayloadCorrupt) as error:
            gone = f"is not in the archive: {error.args[0]}" if isinstance(error, PayloadMissing) else str(error)
            outcome.missing[one.raw_hash] = f"{one.words}: {gone}"
            continue
        except UpstreamError as error:
            came = error.kind
        except KeyError as error:
            outcome.unlike[one.raw_hash] = f"{one.words}: {error} is declared no longer, so nobody can read it"
            continue
        if (came in FAILED) != (one.outcome in FAILED):
            outcome.unlike[one.raw_hash] = f"{one.words}: {one.outcome} when it came, {came} when it is replayed"
    return outcome


Replayer = Callable[[Desk, Told, Delivery], str]


def _replayer(told: Story) -> Replayer:
    if told.dataset == BARS.name:
        return partial(_bars, told)
    return {SPREADS.name: _spreads, FILINGS.name: _filings}.get(told.dataset) or partial(_curated, told.dataset)


def _delivery(desk: Desk, told: Story, one: Told) -> Delivery:
    """The delivery as it was, with its body."""
    timeframe = TIMEFRAME if told.dataset == BARS.name else told.dataset
    body = desk.archive.get(one.raw_hash)
    return Delivery(
        one.symbol, timeframe, one.provider, one.window, one.raw_hash, one.pulled_at, told.market, 0.0, body
    )


def _bars(told: Story, desk: Desk, one: Told, delivery: Delivery) -> str:
    """Bars are asked for by the ticker of then, and stored under that of today."""
    provider = desk.registry[one.provider]
    span = one.window or _day(one)
    listed = told.instrument(one.symbol, one.pulled_at)
    pages = read_pages(desk.archive, one.raw_hash, BarQuery(one.symbol, span.start, span.end, TIMEFRAME))
    bars, actions = parse_pages(provider, pages)
    if bars.empty:
        return "empty"
    answer = Answer(provider.name, provider.adjustment, delivery, bars, actions)
    need = Need(listed, span, (), frozenset(), {}, None, span)
    asked = Asked(answer, [provider.name], why=["replayed from the archive"])
    return equity.store(desk, need, asked, answer, span).outcome


def _spreads(desk: Desk, one: Told, delivery: Delivery) -> str:
    return credit.store(desk, _day(one), delivery, credit.read(desk.archive, one.raw_hash), set()).outcome


def _filings(desk: Desk, one: Told, delivery: Delivery) -> str:
    return filings.store(desk, delivery, *filings.read(desk.archive, one.raw_hash)).outcome


def _curated(dataset: str, desk: Desk, _one: Told, delivery: Delivery) -> str:
    return reference.store(desk, CURATED[dataset], delivery).outcome


def _day(one: Told) -> Window:
    day: date = one.pulled_at.date()
    return Window(day, day)
