"""Intraday bars by year on PostgreSQL, and every timeframe under one roof."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from abri_pipeline.analytics.resample import weekly
from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts import equity
from abri_pipeline.contracts.intraday import BARS
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.partitions import declared, is_piece
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.tables import metadata
from abri_pipeline.warehouse.upsert import Outcome, upsert

PULLED = datetime(2026, 1, 1, tzinfo=UTC)
on_postgres = pytest.mark.parametrize(
    "warehouse_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


def bars(*starts: datetime, symbol: str = "SPY", close: float = 100.0) -> pd.DataFrame:
    made = pd.DataFrame({"datetime": pd.DatetimeIndex(starts), "close": close}).assign(volume=5)
    return made.assign(
        symbol=symbol, timeframe="1h", instrument_id=symbol, date=made["datetime"].dt.tz_localize(None).dt.normalize(),
        source_provider="yahoo", raw_hash="a" * 64, pulled_at=PULLED,
    )  # fmt: skip


def hourly(first: datetime, count: int) -> list[datetime]:
    return [first + timedelta(hours=n) for n in range(count)]


def pieces(engine: Engine) -> dict[str, int]:
    """Rows of each piece."""
    with engine.connect() as connection:
        query = "SELECT inhrelid::regclass::text FROM pg_inherits ORDER BY 1"
        names = connection.exec_driver_sql(query).scalars().all()
        named = [name for name in names if is_piece(name)]
        return {n: connection.exec_driver_sql(f"SELECT count(*) FROM {n}").scalar_one() for n in named}


@on_postgres
@pytest.mark.parametrize("count", [50, 500], ids=["by arrays", "by copy"])
def test_a_piece_is_made_for_each_utc_year(warehouse: Engine, count: int):
    rows = bars(*hourly(datetime(2024, 12, 31, 20, tzinfo=UTC), count))
    with begin(warehouse) as connection:
        assert upsert(connection, BARS, rows) == Outcome(inserted=count)
    assert pieces(warehouse) == {"price_history_intraday_y2024": 4, "price_history_intraday_y2025": count - 4}
    with begin(warehouse) as connection:
        changed = rows.assign(close=rows["close"].where(rows.index != 7, 99.0))
        assert upsert(connection, BARS, changed) == Outcome(changed=1, unchanged=count - 1)
    with begin(warehouse) as connection:
        assert upsert(connection, BARS, changed) == Outcome(unchanged=count)
        assert len(frame(connection, BARS)) == count


@on_postgres
def test_alembic_overlooks_the_pieces(warehouse: Engine):
    with begin(warehouse) as connection:
        upsert(connection, BARS, bars(PULLED))
    with warehouse.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": declared})
        assert compare_metadata(context, metadata) == []
    assert pieces(warehouse)


@on_postgres
def test_loads_that_need_the_same_new_year_do_not_lock_up(warehouse: Engine):
    ready = Barrier(4)

    def write(number: int) -> Outcome:
        with begin(warehouse) as connection:
            frame(connection, BARS, where=[("symbol", "=", f"S{number}")])  # what a load reads before it writes
            ready.wait(timeout=20)
            done = upsert(connection, BARS, bars(*hourly(PULLED, 60), symbol=f"S{number}"))
            return done + upsert(connection, BARS, bars(PULLED + timedelta(days=400), symbol=f"S{number}"))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, range(4))) == [Outcome(inserted=61)] * 4
    assert pieces(warehouse) == {"price_history_intraday_y2026": 240, "price_history_intraday_y2027": 4}


def test_a_load_that_is_undone_leaves_no_piece(warehouse: Engine):
    with pytest.raises(RuntimeError), begin(warehouse) as connection:
        upsert(connection, BARS, bars(PULLED))
        raise RuntimeError("undone")
    if warehouse.dialect.name == "postgresql":
        assert pieces(warehouse) == {}
    with begin(warehouse) as connection:
        assert upsert(connection, BARS, bars(PULLED)) == Outcome(inserted=1)


def daily(days: list[date], symbol: str) -> pd.DataFrame:
    made = pd.DataFrame({"date": days, "close": [100.0 + n for n in range(len(days))]})
    prices = {
        "open": made["close"] - 0.5,
        "high": made["close"] + 1,
        "low": made["close"] - 1,
        "adj_close": made["close"],
    }
    return made.assign(
        **prices, symbol=symbol, instrument_id=symbol, volume=10**9, bar_status="final", source_provider="yahoo",
        raw_hash="a" * 64, pulled_at=PULLED,
    )  # fmt: skip


def test_every_timeframe_is_under_one_roof(warehouse: Engine):
    days = list(sessions(date(2024, 12, 23), date(2025, 1, 7)))  # three weeks, the last of them open
    own = daily(days, "SPY")
    with begin(warehouse) as connection:
        upsert(connection, equity.BARS, pd.concat([own, daily(days[:-1], "QQQ")], ignore_index=True))
        upsert(connection, BARS, bars(*hourly(datetime(2025, 1, 6, 14, 30, tzinfo=UTC), 3)))
        columns = 'symbol, timeframe, "datetime", "date", "open", high, low, "close", adj_close, volume'
        found = connection.exec_driver_sql(f"SELECT {columns} FROM ohlc_bars ORDER BY 1, 2, 3").all()
    counted = pd.Series([(r[0], r[1]) for r in found]).value_counts().to_dict()
    assert counted == {
        ("SPY", "1d"): len(days), ("QQQ", "1d"): len(days) - 1, ("SPY", "1h"): 3, ("SPY", "1w"): 2, ("QQQ", "1w"): 2
    }  # fmt: skip
    weeks = [r for r in found if (r[0], r[1]) == ("SPY", "1w")]
    expected = weekly(own, date(2025, 1, 5))
    assert [str(r[3]) for r in weeks] == ["2024-12-23", "2024-12-30"]
    assert [tuple(r[4:]) for r in weeks] == [
        tuple(row) for row in expected[["open", "high", "low", "close", "adj_close", "volume"]].itertuples(index=False)
    ]
    assert {type(r[9]) for r in weeks} == {int}
    assert str(weeks[0][2]) in ("2024-12-23T00:00:00.000000Z", "2024-12-23 00:00:00+00:00")
