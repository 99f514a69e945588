"""Rebuilding a stored table from the archive alone, comparing the two, and putting the stored one right.

What is stored must be a pure function of the accepted payloads: 0 rows may differ. Bookkeeping that says when a row
was written (`recorded_at`) is the one exception.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.model import RECORDED_AT, Dataset
from abri_pipeline.ingest import replay
from abri_pipeline.ingest.replay import FILLS, Replayed, Story
from abri_pipeline.ingest.revise import CELLS
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import sql_table
from abri_pipeline.warehouse.upsert import upsert

TABLES = tuple(table for tables in FILLS.values() for table in tables)
CHANGED, LACKING, UNPROVEN = "changed", "not stored", "no payload"
MENDABLE = (CHANGED, LACKING)


class NoSuchTable(LookupError):
    """No table of that name is made from archived payloads."""


class LoadedMeanwhile(Exception):
    """A load landed between the comparison and the writing; nothing was written."""


@dataclass(frozen=True)
class Rebuilt:
    """A table read again from the archive, against the stored one.

    Attributes:
        table: its contract.
        deliveries: payloads replayed.
        rows: rows that they make.
        differing: one row a differing cell: the key in words (`row`), `kind` (`changed`, `not stored`, or `no payload`
            where nothing archived gives the stored row), `field`, `stored` and `rebuilt` in words; and the key.
        missing_objects: deliveries whose payload the archive cannot give, in words.
        unlike: deliveries that ended otherwise when they were replayed, in words.
        through: the newest delivery that was replayed.
        content: the rows that the deliveries make.
    """

    table: Dataset
    deliveries: int
    rows: int
    differing: pd.DataFrame
    missing_objects: tuple[str, ...]
    unlike: tuple[str, ...]
    through: str
    content: pd.DataFrame

    @property
    def equal(self) -> bool:
        """Whether the stored table is what its payloads make, every one of them read."""
        return self.differing.empty and not self.missing_objects and not self.unlike

    def lines(self) -> list[str]:
        """One line a differing cell, a payload that is not there, and a delivery that ended otherwise."""
        cells = [
            f"{row.row}: {row.kind}"
            + (f", {row.field} is {row.stored}, by its payload {row.rebuilt}" if row.field else "")
            for row in records(self.differing)
        ]
        return [*cells, *self.missing_objects, *self.unlike]

    def keys(self, *kinds: str) -> pd.DataFrame:
        """The keys of the rows that differ in these ways, each once."""
        chosen = self.differing[self.differing["kind"].isin(kinds)]
        return chosen[list(self.table.key)].drop_duplicates(ignore_index=True)


def rebuild(engine: Engine, archive: Archive, settings: Settings, table: str) -> Rebuilt:
    """Read a table again from the archive and compare it with the stored one; nothing is changed.

    Raises:
        NoSuchTable: the table is not made from payloads.
    """
    wanted = contract(table)
    dataset = next(name for name, tables in FILLS.items() if wanted in tables)
    return next(one for one in rebuild_all(engine, archive, settings, dataset) if one.table is wanted)


def rebuild_all(engine: Engine, archive: Archive, settings: Settings, *datasets: str) -> list[Rebuilt]:
    """Every table that the deliveries of these datasets fill, each dataset replayed once."""
    found = []
    with _snapshot(engine) as connection:
        told = [replay.story(connection, dataset) for dataset in datasets]
        stored = {table.name: frame(connection, table) for name in datasets for table in FILLS[name]}
    with replay.scratch(settings, archive) as desk:
        for one in told:
            came = replay.replay(desk, one)
            with desk.engine.connect() as connection:
                made = [(table, frame(connection, table)) for table in FILLS[one.dataset]]
            found += [_compared(table, stored[table.name], rows, one, came) for table, rows in made]
    return found


def contract(table: str) -> Dataset:
    """The contract of a table that can be rebuilt.

    Raises:
        NoSuchTable: the table is not made from payloads.
    """
    for one in TABLES:
        if one.name == table:
            return one
    known = ", ".join(one.name for one in TABLES)
    raise NoSuchTable(f"{table!r} is not made from archived payloads; those that are: {known}")


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the database throughout, whatever is committed meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def _compared(table: Dataset, stored: pd.DataFrame, made: pd.DataFrame, told: Story, came: Replayed) -> Rebuilt:
    unread = {*came.missing, *came.unlike}
    return Rebuilt(
        table=table,
        deliveries=len(told.deliveries) - len(unread),
        rows=len(made),
        differing=differences(table, stored, made, unread),
        missing_objects=tuple(came.missing.values()),
        unlike=tuple(came.unlike.values()),
        through=told.through,
        content=made,
    )


def differences(table: Dataset, stored: pd.DataFrame, made: pd.DataFrame, unread: set[str]) -> pd.DataFrame:
    """The cells in which stored and rebuilt rows differ, as `Rebuilt.differing` describes.

    A stored row that rests on a payload among `unread` is not judged by older payloads: it is one without proof.
    """
    key = list(table.key)
    if stored.drop(columns=RECORDED_AT.name, errors="ignore").equals(
        made.drop(columns=RECORDED_AT.name, errors="ignore")
    ):
        return pd.DataFrame(columns=["row", "kind", "field", "stored", "rebuilt", *key])
    both = stored.merge(made, on=key, how="inner", suffixes=("", "_made"))
    parts = []
    for name in (n for n in table.columns if n not in key and n != RECORDED_AT.name):
        ours, theirs = both[name], both[f"{name}_made"]
        apart = ours.ne(theirs).fillna(True).astype(bool) & ~(ours.isna() & theirs.isna())
        if apart.any():
            told = both.loc[apart, [*key, "raw_hash"]].assign(field=name, kind=CHANGED)
            parts.append(told.assign(stored=ours[apart].map(_words), rebuilt=theirs[apart].map(_words)))
    found = pd.concat([*parts, _alone(table, stored, made, UNPROVEN), _alone(table, made, stored, LACKING)])
    values = found["field"].isin(table.values)
    valued = pd.MultiIndex.from_frame(found[key]).isin(pd.MultiIndex.from_frame(found.loc[values, key]))
    # A row whose values agree may take the payload that is there; one whose values do not keeps what it has.
    found["kind"] = found["kind"].mask(found["raw_hash"].isin(unread) & valued & (found["kind"] == CHANGED), UNPROVEN)
    found = found.sort_values([*key, "field"], ignore_index=True)
    found["row"] = found[key].map(_words).agg(" ".join, axis=1) if len(found) else pd.Series(dtype=object)
    return found[["row", "kind", "field", "stored", "rebuilt", *key]]


def _alone(table: Dataset, these: pd.DataFrame, others: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The rows that only one side has."""
    key = list(table.key)
    known = pd.MultiIndex.from_frame(others[key])
    own = these[~pd.MultiIndex.from_frame(these[key]).isin(known)]
    return own[[*key, "raw_hash"]].assign(field="", kind=kind, stored="", rebuilt="")


def _words(value: Any) -> str:
    if isinstance(value, pd.Timestamp) and value == value.normalize() and value.tzinfo is None:
        return f"{value:%Y-%m-%d}"
    return "null" if pd.isna(value) else str(value)


def put_right(engine: Engine, rebuilt: Rebuilt) -> int:
    """Write the rows that differ as the archive has them, in one transaction; returns how many.

    Rows without a payload are left as they are. A changed final bar is booked in `price_revisions`.

    Raises:
        LoadedMeanwhile: a load landed since the table was compared.
    """
    table, keys = rebuilt.table, rebuilt.keys(*MENDABLE)
    if keys.empty:
        return 0
    rows = rebuilt.content.merge(keys, on=list(table.key))
    source = sql_table(table)
    matches = sa.and_(*(source.c[name] == sa.bindparam(f"of_{name}") for name in table.key))
    bound = [{f"of_{name}": _python(value) for name, value in row.items()} for row in keys.to_dict("records")]
    with begin(engine) as connection:
        if connection.dialect.name == "postgresql":  # a load that is at work ends first, and no other begins
            connection.execute(sa.text(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE'))
        dataset = next(name for name, tables in FILLS.items() if table in tables)
        if replay.story(connection, dataset).through != rebuilt.through:
            raise LoadedMeanwhile(f"a load of {dataset} landed meanwhile; run `abri rebuild {table.name}` again")
        if table is BARS:
            _book(connection, rebuilt)
        connection.execute(source.delete().where(matches), bound)
        return upsert(connection, table, rows).inserted


def _python(value: object) -> object:
    return value.date() if isinstance(value, pd.Timestamp) and value.tzinfo is None else value


def _book(connection: Connection, rebuilt: Rebuilt) -> None:
    """Each change of a final bar, with the payload that says so."""
    key = list(BARS.key)
    changed = rebuilt.differing[(rebuilt.differing["kind"] == CHANGED) & rebuilt.differing["field"].isin(CELLS)]
    status = frame(connection, BARS, columns=[*key, "bar_status"], where=[("bar_status", "=", "final")])
    final = changed.merge(status, on=key).merge(rebuilt.content[[*key, "raw_hash"]], on=key)
    if len(final):
        rows = pd.DataFrame(
            {
                **{name: final[name] for name in [*key, "field", "raw_hash"]},
                "old": pd.to_numeric(final["stored"].replace("null", None)).astype("float64"),
                "new": pd.to_numeric(final["rebuilt"].replace("null", None)).astype("float64"),
                "reason": "put right from the archive",
                "recorded_at": clock.now(),
            }
        )
        upsert(connection, operations.REVISIONS, rows)


def oracle(engine: Engine, archive: Archive, settings: Settings | None = None) -> list[str]:
    """What breaks the standing oracle: one line a violation, none where all holds.

    Every table equals what its accepted payloads make; every hash a table names is archived and recomputes; every
    journal agrees with the audit.

    Args:
        engine: the warehouse.
        archive: its raw archive, in the home.
        settings: of the home; those of the archive's parent folder by default.
    """
    from abri_pipeline.ingest.journal import disagreements
    from abri_pipeline.ingest.upkeep import verify

    own = settings or Settings({"ABRI_HOME": str(archive.root.parent)}, {})
    found: list[str] = []
    for one in rebuild_all(engine, archive, own, *FILLS):
        found += [f"{one.table.name}: {line}" for line in one.lines()]
    return found + verify(engine, archive).lines() + disagreements(engine, own.home)
