"""The raw archive's upkeep: whether all that the tables rest on is there and whole, and what nobody needs any more.

Belongs here: who refers to which payload, and what is to be read again where one is lost. Does not belong here:
keeping bytes (archive), what rows a payload makes (replay).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.catalog import DATASETS, RECORDS, TABLES
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.universe import TIMEFRAMES
from abri_pipeline.ingest import watchlist
from abri_pipeline.ingest.delivery import MANIFEST
from abri_pipeline.ingest.plan import TIMEFRAME
from abri_pipeline.warehouse.archive import Archive, PayloadCorrupt, PayloadMissing
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lock
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import sql_table
from abri_pipeline.warehouse.upsert import upsert

NAMES = ("raw_hash", "payload_hash")  # columns that name a payload
OLDER_THAN = timedelta(days=1)  # what was put less long ago may belong to a load that is still at work
# A list of hashes (filings), or hashes by series (credit); pages of bars say so themselves.
_LISTED = re.compile(rb'\s*(\[|\{\s*"[^"]{1,60}"\s*:)\s*"[0-9a-f]{64}"')
_HASH = re.compile(r"[0-9a-f]{64}")
_BOOKS = frozenset(table.name for table in RECORDS)


class ArchiveDamaged(Exception):
    """Payloads that tables rest on are lost, so nobody can say what else is needed."""


@dataclass(frozen=True, order=True)
class Loss:
    """One delivery that must be read again: `start` and `end` are None where it comes whole."""

    dataset: str
    symbol: str
    start: date | None = None
    end: date | None = None

    def __str__(self) -> str:
        return f"{self.dataset} {self.symbol}" + (f" {self.start} to {self.end}" if self.start else "")


@dataclass
class Verified:
    """What a verification found.

    Attributes:
        objects: payloads kept.
        corrupt: those whose bytes are not what their name says, each with the cause.
        missing: hashes that a table names, or a manifest of one, and nobody keeps.
        needed_by: for each corrupt or missing hash, the tables that rest on it.
        losses: for each, the deliveries to be read again.
    """

    objects: int = 0
    corrupt: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    needed_by: dict[str, set[str]] = field(default_factory=dict)
    losses: dict[str, set[Loss]] = field(default_factory=dict)

    @property
    def lost(self) -> list[str]:
        """Every hash that is corrupt or missing."""
        return sorted({*self.corrupt, *self.missing})

    @property
    def unproven(self) -> list[str]:
        """The lost hashes that rows of data rest on; of the others only a book of past loads speaks."""
        return [digest for digest in self.lost if self.needed_by.get(digest, set()) - _BOOKS]

    def lines(self) -> list[str]:
        """One line a lost payload: its hash, what is wrong, who needs it."""
        return [
            f"{digest}: {self.corrupt.get(digest, 'missing')}; "
            f"needed by {', '.join(sorted(self.needed_by.get(digest, ()))) or 'no table'}"
            for digest in self.lost
        ]


def parts(body: bytes) -> list[str]:
    """The hashes that a manifest names, in its order; none where the payload is no manifest."""
    if not body.startswith(MANIFEST) and not _LISTED.match(body):
        return []
    try:
        told = json.loads(body)
    except ValueError:
        return []  # an answer that only begins like one
    if isinstance(told, dict) and "abri_manifest" in told:
        return [digest for part in told["abri_manifest"] for digest in part["pages"]]
    listed = list(told.values()) if isinstance(told, dict) else list(told)
    return [one for one in listed if isinstance(one, str) and _HASH.fullmatch(one)]


def named(connection: Connection) -> dict[str, set[str]]:
    """Every hash that a table names, with the tables that do."""
    found: dict[str, set[str]] = {}
    for table in TABLES:
        for name in NAMES:
            if name in table.columns:
                column = sql_table(table).c[name]
                for digest in connection.execute(sa.select(column).where(column.is_not(None)).distinct()).scalars():
                    found.setdefault(digest, set()).add(table.name)
    return found


def verify(engine: Engine, archive: Archive) -> Verified:
    """Read every payload and compare it with its name, and resolve every hash that a table names."""
    with engine.connect() as connection:
        names = named(connection)
    found, manifests = Verified(), {}
    for digest in archive:
        found.objects += 1
        try:
            manifests[digest] = parts(archive.get(digest))
        except PayloadCorrupt as error:
            found.corrupt[digest] = str(error)
    within: dict[str, set[str]] = {}  # a part, and the manifests that name it
    needed = {digest: set(tables) for digest, tables in names.items()}
    for digest, tables in names.items():
        for part in manifests.get(digest, ()):
            needed.setdefault(part, set()).update(tables)
            within.setdefault(part, set()).add(digest)
    found.missing = {digest for digest in needed if digest not in archive}
    found.needed_by = {digest: needed.get(digest, set()) for digest in found.lost}
    with engine.connect() as connection:
        for digest in found.lost:
            found.losses[digest] = set(_losses(connection, {digest, *within.get(digest, ())}))
    return found


def _losses(connection: Connection, hashes: set[str]) -> Iterator[Loss]:
    """The deliveries that rest on these payloads, under the symbols of today."""
    today = {one.instrument_id: one.symbol for one in records(frame(connection, operations.INSTRUMENTS))}
    labels = {label.symbol: today.get(label.instrument_id, label.symbol) for label in watchlist.carried(connection)}
    columns = ["dataset", "symbol", "window_start", "window_end"]
    for row in records(frame(connection, operations.AUDIT, columns=columns, where=[("raw_hash", "in", hashes)])):
        symbol = labels.get(row.symbol, row.symbol) if row.dataset == BARS.name else row.symbol
        yield Loss(row.dataset, symbol, watchlist.as_day(row.window_start), watchlist.as_day(row.window_end))


def reopen(engine: Engine, archive: Archive, found: Verified) -> list[Loss]:
    """Throw away the corrupt payloads, and let the next backfill read again what rested on them or on missing ones.

    Rows stay as they are: they are right until something else is proven. Returns what will be read again.
    """
    losses = sorted({loss for digest in found.lost for loss in found.losses[digest]}, key=str)
    with begin(engine) as connection:
        for loss in losses:
            _forget(connection, loss)
    for digest in found.corrupt:
        archive.discard(digest)
    return losses


def _forget(connection: Connection, loss: Loss) -> None:
    """Cut a delivery's days out of what is known, so that they count as never asked for."""
    for timeframe in _timeframes(loss.dataset):
        _cut_out(connection, loss, timeframe)


def _timeframes(dataset: str) -> tuple[str, ...]:
    """Under what the coverage of a dataset is kept; a table of several timeframes has its loads told by none."""
    if dataset == BARS.name:
        return (TIMEFRAME,)
    several = any(one.name == dataset and "timeframe" in one.columns for one in DATASETS)
    return (dataset, *(t for t in TIMEFRAMES if t != TIMEFRAME)) if several else (dataset,)


def _cut_out(connection: Connection, loss: Loss, timeframe: str) -> None:
    unit_lock(connection, f"{timeframe}:{loss.symbol}")
    where = [("symbol", "=", loss.symbol), ("timeframe", "=", timeframe)]
    known = frame(connection, operations.COVERAGE, where=where)
    if loss.start and loss.end:
        first, last = pd.Timestamp(loss.start), pd.Timestamp(loss.end)
        known = known[(known["range_start"] <= last) & (known["range_end"] >= first)]
        day = timedelta(days=1)
        rests = [
            known[known["range_start"] < first].assign(range_end=first - day),
            known[known["range_end"] > last].assign(range_start=last + day),
        ]
    else:
        rests = []
    book = sql_table(operations.COVERAGE)
    gone = book.delete().where(book.c.symbol == loss.symbol, book.c.timeframe == timeframe)
    starts = [start.date() for start in known["range_start"]]
    connection.execute(gone.where(book.c.range_start.in_(starts)))
    for rest in rests:
        upsert(connection, operations.COVERAGE, rest)


@dataclass(frozen=True)
class Collected:
    """What nobody needs: payloads, files of killed writers, and their bytes on the disk."""

    objects: tuple[str, ...]
    temporaries: int
    bytes: int


def collect(
    engine: Engine, archive: Archive, older_than: timedelta = OLDER_THAN, *, dry_run: bool = False
) -> Collected:
    """Remove payloads that no table names, directly or through a manifest, and what killed writers left.

    Younger ones stay: they may belong to a load that has not committed yet. With `dry_run` nothing is removed.

    Raises:
        ArchiveDamaged: a payload that a table names cannot be read, so its parts are not known. Nothing was removed.
    """
    before = clock.wall() - older_than
    needed = needed_hashes(engine, archive)
    swept = archive.temporaries(before)
    freed = sum(path.stat().st_size for path in swept)
    removed = []
    for digest in [one for one in archive if one not in needed]:
        if size := archive.disposable(digest, before) if dry_run else archive.discard(digest, before):
            removed.append(digest)
            freed += size
    if not dry_run:
        archive.sweep(before)
    return Collected(tuple(removed), len(swept), freed)


def needed_hashes(engine: Engine, archive: Archive) -> set[str]:
    """Every hash that a table names, and every part of the manifests among them.

    Raises:
        ArchiveDamaged: rows of data rest on one that cannot be read.
    """
    with engine.connect() as connection:
        names = named(connection)
    needed = set(names)
    for digest, tables in names.items():
        try:
            needed.update(parts(archive.get(digest)))
        except (PayloadCorrupt, PayloadMissing) as error:
            if tables - _BOOKS:
                raise ArchiveDamaged(
                    f"{digest} cannot be read ({error}), so nobody knows which others belong to it; nothing was "
                    "removed; run `abri archive verify --refetch` first"
                ) from error
    return needed
