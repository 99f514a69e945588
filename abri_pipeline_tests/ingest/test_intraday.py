"""Intraday bars through the sandbox: as recorded, to the bar, and honest about what no provider reaches."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
import stamina
from sqlalchemy import Engine

from abri_pipeline.analytics.resample import resample
from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.intraday import BARS
from abri_pipeline.contracts.model import Table
from abri_pipeline.ingest import intraday
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.intraday import UnknownTimeframe, closed_bars
from abri_pipeline.ingest.intraday_plan import kept
from abri_pipeline.ingest.watchlist import Listed, UnknownSymbol
from abri_pipeline.providers.transport import Transport
from abri_pipeline.quality.checks import run
from abri_pipeline.quality.intraday import hours
from abri_pipeline.quality.matrix import completeness_matrix
from abri_pipeline.sandbox.faults import Fault, Faults
from abri_pipeline.sandbox.recorded import RecordedMarket
from abri_pipeline.sandbox.server import running
from abri_pipeline.sandbox.synthetic import SyntheticMarket
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.reads import frame

CELLS = ["datetime", "open", "high", "low", "close", "volume"]
TUESDAY = "2026-01-20T02:00:00Z"


@dataclass
class Trader:
    """A database and an upstream, and the loads between them."""

    engine: Engine
    home: Path
    url: str
    faults: Faults
    move: Callable[[str], None]
    calls: list[int] = field(default_factory=list)

    def load(self, symbols: str, timeframes: str, first: str, last: str, *, reread: int = 0) -> list[UnitResult]:
        done = self.loaded(symbols.split(), timeframes.split(), first, last, reread=reread)
        self.calls.append(done.calls)
        return done.results

    def loaded(
        self, symbols: Collection[str], timeframes: Collection[str], first: str, last: str, *, reread: int = 0
    ) -> Load:
        settings = Settings({"ABRI_UPSTREAM_URL": self.url, "ABRI_HOME": str(self.home)}, {})
        window = Window(date.fromisoformat(first), date.fromisoformat(last))
        with Transport(settings) as transport:
            job = f"job{len(self.calls)}"
            desk = Desk(self.engine, Archive(self.home / "archive"), transport, settings, job, reread=reread)
            return intraday.load(desk, window, list(symbols), timeframes)

    def rows(self, table: Table, **equal: str) -> pd.DataFrame:
        with self.engine.connect() as connection:
            return frame(connection, table, where=[(name, "=", value) for name, value in equal.items()])

    def bars(self, symbol: str, timeframe: str) -> pd.DataFrame:
        return self.rows(BARS, symbol=symbol, timeframe=timeframe)

    def gaps(self, symbol: str, timeframe: str) -> list[tuple[str, str, str, str]]:
        """The open gaps: first day, last day, cause, reason."""
        found = self.rows(operations.GAPS, symbol=symbol, timeframe=timeframe)
        found = found[found["state"] != "filled"]
        return [(str(g.gap_start.date()), str(g.gap_end.date()), g.cause, g.reason) for g in found.itertuples()]


@dataclass(frozen=True)
class Upstream:
    url: str
    faults: Faults


@pytest.fixture(scope="session")
def recorded(shared: Path) -> Iterator[Upstream]:
    faults = Faults()
    with running(RecordedMarket(shared / "data"), faults=faults) as url:
        yield Upstream(url, faults)


@pytest.fixture(scope="session")
def synthetic() -> Iterator[Upstream]:
    faults = Faults()
    with running(SyntheticMarket(), faults=faults) as url:
        yield Upstream(url, faults)


@pytest.fixture(autouse=True)
def tried_once() -> Iterator[None]:
    with stamina.set_testing(True):
        yield


def at(upstream: Upstream, engine: Engine, home: Path, patch: pytest.MonkeyPatch) -> Trader:
    upstream.faults.switches.clear()
    patch.setenv("ABRI_NOW", TUESDAY)
    return Trader(engine, home, upstream.url, upstream.faults, lambda instant: patch.setenv("ABRI_NOW", instant))


@pytest.fixture
def trader(recorded: Upstream, warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trader:
    """The recorded market on both databases."""
    return at(recorded, warehouse, tmp_path, monkeypatch)


@pytest.fixture
def invented(synthetic: Upstream, warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trader:
    """The synthetic market, which holds no bar shorter than a day."""
    return at(synthetic, warehouse, tmp_path, monkeypatch)


def file(shared: Path, name: str, first: str, last: str) -> pd.DataFrame:
    """The recorded bars of some sessions; bar starts come in two text formats."""
    bars = pd.read_parquet(shared / "data" / "intraday" / f"{name}.parquet")
    bars["datetime"] = pd.to_datetime(bars["ts_utc"], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    days = bars["datetime"].dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d")
    return bars.loc[days.between(first, last), CELLS].sort_values("datetime", ignore_index=True)


def same(stored: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(stored[CELLS], expected[CELLS], check_dtype=False, check_exact=True)


@pytest.mark.realdata
def test_minutes_are_those_of_the_file_and_a_second_run_asks_nothing(trader: Trader, shared: Path):
    span = ("2025-12-23", "2026-01-16")
    assert trader.load("SPY", "1m", "2025-12-01", "2026-01-16")[0].outcome == "stored"
    same(trader.bars("SPY", "1m"), file(shared, "SPY_1m", *span))
    before = trader.rows(BARS)
    assert trader.load("SPY", "1m", "2025-12-01", "2026-01-16") == [UnitResult("SPY 1m", "unchanged")]
    assert trader.calls == [4, 0]  # 25 days in weeks, then none
    pd.testing.assert_frame_equal(trader.rows(BARS), before)
    quality = trader.rows(operations.QUALITY, symbol="SPY", timeframe="1m")
    assert (quality["rows"].item(), quality["expected"].item()) == (6428, 6450)  # Boxing Day lacks 22 minutes


@pytest.mark.realdata
def test_a_replay_of_the_same_payload_changes_nothing(trader: Trader):
    trader.load("AAPL", "5m 4h", "2026-01-05", "2026-01-16")
    before = trader.rows(BARS)
    (again,) = trader.load("AAPL", "5m 4h", "2026-01-05", "2026-01-16", reread=10)
    assert (again.outcome, again.inserted, again.changed) == ("unchanged", 0, 0)
    assert trader.calls == [1, 1]
    pd.testing.assert_frame_equal(trader.rows(BARS), before)


@pytest.mark.realdata
def test_what_no_provider_reaches_is_a_gap_that_says_so(trader: Trader):
    trader.load("SPY AAPL", "1m 5m", "2025-12-01", "2026-01-16")
    reason = "yahoo gives 1m bars for the last 29 days only"
    assert trader.gaps("SPY", "1m") == [("2025-12-01", "2025-12-22", "absent", reason)]
    assert trader.gaps("AAPL", "5m") == []
    trader.load("AAPL", "5m", "2025-11-03", "2025-11-21")  # all of it out of reach: nothing is asked
    assert trader.calls[-1] == 0
    assert trader.gaps("AAPL", "5m")[0][:3] == ("2025-11-03", "2025-11-21", "absent")
    with trader.engine.connect() as connection:
        verdict = run(connection, BARS, "complete")
    # that the recorded market has no 5m bars of SPY and no 1m bars of AAPL is explained too
    assert verdict.passed, verdict.summary


@pytest.mark.realdata
def test_a_half_day_is_short_and_whole(trader: Trader, shared: Path):
    trader.load("NVDA", "5m 4h", "2025-11-26", "2025-12-01")
    same(trader.bars("NVDA", "5m"), file(shared, "NVDA_5m", "2025-11-26", "2025-12-01"))
    counted = trader.bars("NVDA", "5m")["date"].dt.strftime("%m-%d").value_counts().to_dict()
    assert counted == {"11-26": 78, "11-28": 42, "12-01": 78}
    four = trader.bars("NVDA", "4h")
    assert [f"{t:%m-%d %H:%M}" for t in four["datetime"].dt.tz_convert("America/New_York")] == [
        "11-26 09:30", "11-26 13:30", "11-28 09:30", "12-01 09:30", "12-01 13:30"
    ]  # fmt: skip
    fives = trader.bars("NVDA", "5m").set_index("date")
    half, bar = fives.loc["2025-11-28"], four.iloc[2]
    assert (bar.open, bar.high, bar.low) == (half["open"].iloc[0], half["high"].max(), half["low"].min())
    assert (bar.close, bar.volume) == (half["close"].iloc[-1], half["volume"].sum())
    assert trader.gaps("NVDA", "5m") == trader.gaps("NVDA", "4h") == []


@pytest.mark.realdata
def test_hours_over_four_clock_changes(trader: Trader, shared: Path):
    trader.move("2025-06-02T11:00:00Z")
    assert trader.load("QQQ", "1h 4h", "2023-07-01", "2025-05-30")[0].outcome == "stored"
    hours_ = trader.bars("QQQ", "1h")
    same(hours_, file(shared, "QQQ_1h", "2023-07-01", "2025-05-30"))
    local = hours_["datetime"].dt.tz_convert("America/New_York")
    assert set(local.dt.strftime("%H:%M")) == {"09:30", "10:30", "11:30", "12:30", "13:30", "14:30", "15:30"}
    assert (local.dt.strftime("%F") == hours_["date"].dt.strftime("%F")).all()
    bells = trader.bars("QQQ", "4h")["datetime"].dt.tz_convert("America/New_York").dt.strftime("%H:%M")
    whole = len(sessions(date(2023, 7, 1), date(2025, 5, 30))) - 5
    assert bells.value_counts().to_dict() == {"09:30": whole, "13:30": whole}
    # The vendor leaves out the last half hour of a half day: the session stands, four hours cannot be put together.
    assert trader.gaps("QQQ", "1h") == []
    told = "too few of its 1h bars are there to put one together"
    halves = ["2023-07-03", "2023-11-24", "2024-07-03", "2024-11-29", "2024-12-24"]
    assert trader.gaps("QQQ", "4h") == [(day, day, "skipped", told) for day in halves]
    assert trader.load("QQQ", "1h 4h", "2023-07-01", "2025-05-30")[0].outcome == "unchanged"
    assert trader.calls == [1, 0]


@pytest.mark.realdata
def test_longer_bars_of_the_recorded_minutes_agree_whichever_way(trader: Trader):
    trader.load("SPY", "1m", "2025-12-23", "2026-01-16")
    bars, told = trader.bars("SPY", "1m"), hours(sessions(date(2025, 12, 23), date(2026, 1, 16)))
    until = pd.Timestamp(TUESDAY).to_pydatetime()

    def step(minutes: int) -> timedelta:
        return timedelta(minutes=minutes)

    fives = resample(bars, told, step(1), step(5), until, least=1e-9)
    once, twice = (
        resample(bars, told, step(1), step(60), until, least=1e-9),
        resample(fives, told, step(5), step(60), until, least=1e-9),
    )
    same(once, twice)
    assert once["volume"].sum() == bars["volume"].sum()
    assert len(once) == 16 * 7 + 4


@pytest.mark.realdata
def test_four_hours_that_are_wanted_later_are_put_together_from_what_is_stored(trader: Trader):
    trader.load("NVDA", "5m", "2025-11-26", "2025-12-05")
    assert trader.bars("NVDA", "4h").empty
    trader.load("NVDA", "5m 4h", "2025-11-26", "2025-12-05")
    late = trader.bars("NVDA", "4h")
    assert trader.calls == [1, 0]
    assert len(late) == 6 * 2 + 1
    assert set(late["raw_hash"]) == set(trader.bars("NVDA", "5m")["raw_hash"])
    trader.load("NVDA", "5m 4h", "2025-11-26", "2025-12-05")
    pd.testing.assert_frame_equal(trader.bars("NVDA", "4h"), late)


@pytest.mark.realdata
def test_a_running_session_is_read_by_a_sync_only_and_is_no_gap(trader: Trader):
    trader.move("2026-01-14T18:02:30Z")  # two and a half minutes past one in New York
    trader.load("AAPL", "5m 4h", "2026-01-12", "2026-01-18")
    assert set(trader.bars("AAPL", "5m")["date"].dt.strftime("%d")) == {"12", "13"}
    trader.load("AAPL", "5m 4h", "2026-01-12", "2026-01-18", reread=1)
    today = trader.bars("AAPL", "5m").set_index("date").loc["2026-01-14"]
    assert len(today) == 42  # 09:30 to 12:55; the bar of 13:00 is not over
    assert len(trader.bars("AAPL", "4h")) == 4
    assert trader.gaps("AAPL", "5m") == trader.gaps("AAPL", "4h") == []
    trader.move(TUESDAY)
    trader.load("AAPL", "5m 4h", "2026-01-12", "2026-01-18")
    assert len(trader.bars("AAPL", "5m")) == 5 * 78
    assert len(trader.bars("AAPL", "4h")) == 10
    assert trader.gaps("AAPL", "5m") == trader.gaps("AAPL", "4h") == []


@pytest.mark.realdata
def test_the_completeness_matrix_shows_each_timeframe(trader: Trader):
    trader.load("AAPL", "5m 4h", "2025-11-17", "2025-11-28")
    with trader.engine.connect() as connection:
        matrix = completeness_matrix(connection, sessions(date(2025, 11, 17), date(2025, 11, 28)), ["AAPL"])
    told = matrix.set_index("timeframe")[["expected", "stored", "explained", "missing"]]
    for timeframe in ("5m", "4h"):
        assert told.loc[timeframe].tolist() == [9, 4, 5, 0]


@pytest.mark.realdata
def test_an_outage_is_a_failure_that_is_named_and_made_good(trader: Trader):
    trader.faults.switches.append(Fault.of({"upstream": "yahoo", "kind": "status", "value": 500}))
    results = trader.load("AAPL NVDA", "5m", "2026-01-12", "2026-01-16")
    assert [(r.unit, r.outcome) for r in results] == [("AAPL 5m", "transient"), ("NVDA 5m", "transient")]
    runs_ = trader.rows(operations.RUNS)
    assert (runs_["status"].item(), runs_["symbols_failed"].item()) == ("failed", "AAPL 5m,NVDA 5m")
    assert [gap[2] for gap in trader.gaps("AAPL", "5m")] == ["failed"]
    trader.faults.switches.clear()
    assert [r.outcome for r in trader.load("AAPL NVDA", "5m", "2026-01-12", "2026-01-16")] == ["stored"] * 2
    assert trader.gaps("AAPL", "5m") == []


@pytest.mark.realdata
def test_an_empty_answer_is_no_proof_that_nothing_was_traded(trader: Trader):
    (result,) = trader.load("QQQ", "1h 4h", "2025-06-02", "2025-06-06")  # the recorded hours end with May
    assert (result.outcome, result.failed) == ("empty", False)
    told = "yahoo answered without a bar, and nobody confirmed it"
    assert trader.gaps("QQQ", "1h") == [("2025-06-02", "2025-06-06", "hole", told)]
    with trader.engine.connect() as connection:
        assert not run(connection, BARS, "complete").passed
    trader.load("QQQ", "1h 4h", "2025-06-02", "2025-06-06")
    assert trader.calls == [1, 0]  # not asked again for a day
    trader.move("2026-01-21T03:00:00Z")
    trader.load("QQQ", "1h 4h", "2025-06-02", "2025-06-06")
    assert trader.calls == [1, 0, 1]


@pytest.mark.realdata
def test_a_load_that_cannot_be_trusted_is_quarantined(trader: Trader):
    trader.faults.switches.append(Fault.of({"upstream": "yahoo", "kind": "corrupt"}))
    (result,) = trader.load("AAPL", "5m 4h", "2026-01-12", "2026-01-16")
    assert result.failed, result
    assert trader.rows(BARS).empty
    assert {gap[2] for gap in trader.gaps("AAPL", "5m") + trader.gaps("AAPL", "4h")} == {"rejected"}


def test_a_market_without_short_bars_explains_itself_and_is_not_asked_twice(invented: Trader):
    results = invented.load("SPY", "5m 4h", "2025-11-03", "2026-01-16")
    assert [(r.unit, r.outcome, r.failed) for r in results] == [("SPY 5m", "absent", False)]
    assert [gap[2] for gap in invented.gaps("SPY", "5m") + invented.gaps("SPY", "4h")] == ["absent"] * 4
    invented.load("SPY", "5m 4h", "2025-11-03", "2026-01-16")
    assert invented.calls == [1, 0]
    with invented.engine.connect() as connection:
        assert run(connection, BARS, "complete").passed


def test_unknown_names_are_refused(invented: Trader):
    with pytest.raises(UnknownSymbol, match="NOPE"):
        invented.load("NOPE", "5m", "2026-01-12", "2026-01-16")
    with pytest.raises(UnknownTimeframe, match="'2h' is no intraday timeframe; known: 1m, 5m, 15m, 30m, 1h, 4h"):
        invented.load("SPY", "2h", "2026-01-12", "2026-01-16")


@pytest.mark.parametrize(
    ("followed", "fetched"),
    [
        (("1d",), {}),
        (("1d", "1w"), {}),
        (("5m", "1d"), {"5m": ()}),
        (("1m", "1h", "4h", "1d"), {"1m": (), "1h": ("4h",)}),
        (("4h", "1d"), {"1h": ("4h",)}),
    ],
)
def test_what_is_fetched_for_the_timeframes_of_an_instrument(followed: tuple[str, ...], fetched: dict[str, object]):
    assert kept(Listed("XNYS:A", "A", None, None, "equity", followed)) == fetched


def test_a_half_days_afternoon_is_no_part_of_it():
    starts = pd.to_datetime(["2025-11-28 14:29", "2025-11-28 14:30", "2025-11-28 17:59", "2025-11-28 18:00"], utc=True)
    bars = pd.DataFrame({"datetime": starts, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1})
    found = closed_bars(bars, [date(2025, 11, 28)], "1m", pd.Timestamp(TUESDAY).to_pydatetime())
    assert [f"{t:%H:%M}" for t in found["datetime"]] == ["14:30", "17:59"]
