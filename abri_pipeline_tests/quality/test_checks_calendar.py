"""Completeness and freshness: planted holes fail, explained ones pass, and only newer data is fresher."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.market import METRICS
from abri_pipeline.contracts.model import Dataset, Fresh
from abri_pipeline.contracts.operations import COVERAGE, EXPLAINED, GAP_CAUSES
from abri_pipeline.quality.checks import run
from abri_pipeline.quality.checks_verdict import Verdict
from abri_pipeline_tests.quality import planting
from abri_pipeline_tests.quality.planting import WEEK

CREDIT_UNIT = "FRED spreads"
OPEN = [c for c in GAP_CAUSES if c not in EXPLAINED]


def verdict(engine: Engine, dataset: Dataset, name: str) -> Verdict:
    with engine.connect() as connection:
        return run(connection, dataset, name)


@pytest.fixture
def market(warehouse: Engine) -> Engine:
    """Two instruments with every bar of one week, loaded by one run."""
    planting.instruments(warehouse, "NVDA", "SPY")
    for symbol in ("NVDA", "SPY"):
        planting.bars(warehouse, symbol, WEEK)
    planting.run(warehouse, BARS)
    return warehouse


def test_a_whole_week_is_complete(market: Engine):
    found = verdict(market, BARS, "complete")
    assert found.passed, found.summary
    assert (found.figures["expected"], found.figures["stored"]) == (10, 10)


@pytest.mark.parametrize("cause", OPEN)
def test_a_gap_nobody_explains_fails(market: Engine, cause: str):
    planting.gap(market, "NVDA", "1d", WEEK[1:3], cause)
    found = verdict(market, BARS, "complete")
    assert not found.passed
    assert found.severity == "error"
    assert found.summary == f"missing without an explanation: NVDA ({cause})"
    assert found.figures["unexplained"][0]["from"] == "2026-01-13"
    assert found.figures["unexplained"][0]["reason"] == f"planted as {cause}"


@pytest.mark.parametrize("cause", EXPLAINED)
def test_an_explained_gap_passes_and_is_listed(market: Engine, cause: str):
    planting.instruments(market, "PATH")
    planting.gap(market, "PATH", "1d", WEEK, cause)
    planting.run(market, BARS, 1, symbols_requested=3)
    found = verdict(market, BARS, "complete")
    assert found.passed, found.summary
    assert (found.figures["expected"], found.figures["stored"]) == (15, 10)
    assert found.figures["explained"][0]["what"] == "PATH"
    assert found.figures["recount"] == [
        {"symbol": "PATH", "expected": "5", "stored": "0", "explained": "5", "unbooked": "0"}
    ]


def test_a_filled_gap_is_over(market: Engine):
    planting.gap(market, "NVDA", "1d", WEEK, "hole", state="filled")
    assert verdict(market, BARS, "complete").passed


def test_a_hole_that_nobody_booked_is_found(market: Engine):
    planting.instruments(market, "TSLA")
    planting.bars(market, "TSLA", [*WEEK[:2], *WEEK[3:]])
    planting.run(market, BARS, 1, symbols_requested=3)
    found = verdict(market, BARS, "complete")
    assert not found.passed
    assert "1 sessions are neither stored nor booked as a gap" in found.summary
    assert found.figures["recount"][0] | {"symbol": "TSLA", "unbooked": "1"} == found.figures["recount"][0]


def test_a_bar_said_to_be_stored_and_gone_is_found(market: Engine):
    planting.instruments(market, "TSLA")  # followed since, and never asked for in a whole run
    assert verdict(market, BARS, "complete").passed
    have = planting.row(COVERAGE, symbol="TSLA", timeframe="1d", range_start=WEEK[0], range_end=WEEK[4], state="have")
    planting.plant(market, COVERAGE, have)
    planting.bars(market, "TSLA", WEEK[:4])
    found = verdict(market, BARS, "complete")
    assert not found.passed
    assert found.figures["recount"][0]["unbooked"] == "1"


def test_nothing_is_expected_before_a_listing_or_of_weeks_nobody_asked_for(market: Engine):
    planting.instruments(market, "NEW", listed_on=WEEK[3])
    planting.bars(market, "NEW", WEEK[3:])
    planting.run(market, BARS, 1, symbols_requested=3)
    planting.bars(market, "NVDA", sessions(date(2024, 7, 1), date(2024, 7, 5)))
    planting.run(market, BARS, 2, window_start=date(2024, 7, 1), window_end=date(2024, 7, 5), symbols_requested=1)
    found = verdict(market, BARS, "complete")
    assert found.passed, found.summary
    assert found.figures["expected"] == 12


def test_a_holiday_and_a_half_day_are_no_gaps(warehouse: Engine):
    days = sessions(date(2024, 12, 23), date(2025, 1, 10))
    assert date(2024, 12, 24) in days
    assert date(2025, 1, 9) not in days  # day of mourning
    planting.instruments(warehouse, "SPY")
    planting.bars(warehouse, "SPY", days)
    planting.run(warehouse, BARS, window_start=days[0], window_end=days[-1], symbols_requested=1)
    assert verdict(warehouse, BARS, "complete").passed
    assert verdict(warehouse, BARS, "complete").figures["expected"] == 12


@pytest.mark.parametrize("cause", GAP_CAUSES)
def test_gaps_of_spreads(engine: Engine, cause: str):
    assert verdict(engine, SPREADS, "complete").passed
    planting.gap(engine, CREDIT_UNIT, SPREADS.name, [WEEK[1]], cause)
    assert verdict(engine, SPREADS, "complete").passed is (cause in EXPLAINED)
    assert verdict(engine, BARS, "complete").passed  # nobody is followed, so nothing is expected


def observe(engine: Engine, dataset: Dataset, *days: date) -> None:
    if dataset is BARS:
        planting.bars(engine, "NVDA", days)
        return
    values = {"hy_oas": 300.0, "ig_bbb_oas": 100.0} if dataset is SPREADS else {}
    planting.plant(engine, dataset, *(planting.row(dataset, **{dataset.observed: day}, **values) for day in days))


@pytest.fixture(params=[BARS, SPREADS, METRICS, HISTORY], ids=lambda d: d.name)
def watched(request: pytest.FixtureRequest, engine: Engine) -> tuple[Engine, Dataset, int, int]:
    planting.instruments(engine, "NVDA")
    allowed = next(e for e in request.param.expectations if isinstance(e, Fresh))
    return engine, request.param, allowed.warn, allowed.error


def test_lag_is_counted_in_sessions(watched: tuple[Engine, Dataset, int, int]):
    engine, dataset, warn, error = watched
    days = sessions(date(2025, 11, 3), date(2026, 1, 16))
    for lag, passed, severity in [(error + 1, False, "error"), (error, False, "warn"), (warn + 1, False, "warn")]:
        observe(engine, dataset, days[-1 - lag])
        found = verdict(engine, dataset, "fresh")
        assert (found.passed, found.severity) == (passed, severity), found.summary
        assert found.figures["lag"] == lag
    observe(engine, dataset, days[-1 - warn])
    assert verdict(engine, dataset, "fresh").passed
    observe(engine, dataset, days[-1])
    assert verdict(engine, dataset, "fresh").figures["lag"] == 0  # the holiday of 19 January is no session


def test_backfilling_old_days_does_not_make_it_fresh(watched: tuple[Engine, Dataset, int, int]):
    engine, dataset, _, error = watched
    stale = sessions(date(2025, 10, 1), date(2026, 1, 16))[-2 - error]
    observe(engine, dataset, stale)
    observe(engine, dataset, *sessions(date(2024, 1, 2), date(2024, 1, 31)))
    planting.run(engine, BARS, started_at=planting.NOW)
    found = verdict(engine, dataset, "fresh")
    assert (found.passed, found.severity) == (False, "error")


def test_nothing_stored_is_an_error(watched: tuple[Engine, Dataset, int, int]):
    engine, dataset, _, _ = watched
    found = verdict(engine, dataset, "fresh")
    assert (found.passed, found.severity) == (False, "error")


def test_a_day_to_come_does_not_make_it_fresh(watched: tuple[Engine, Dataset, int, int]):
    engine, dataset, _, error = watched
    observe(engine, dataset, sessions(date(2025, 10, 1), date(2026, 1, 16))[-2 - error], date(2026, 2, 2))
    assert not verdict(engine, dataset, "fresh").passed


def test_the_instrument_furthest_behind_decides(market: Engine):
    planting.instruments(market, "OLD")
    planting.bars(market, "OLD", [WEEK[0] - timedelta(days=10)])
    found = verdict(market, BARS, "fresh")
    assert (found.passed, found.severity) == (False, "error")
    assert [late["what"] for late in found.figures["behind"]] == ["OLD"]


def test_absent_inactive_and_unlisted_instruments_are_not_waited_for(market: Engine):
    planting.instruments(market, "PATH")
    planting.gap(market, "PATH", "1d", WEEK, "absent")
    planting.instruments(market, "GONE", delisted_on=WEEK[0])
    planting.instruments(market, "SOON", listed_on=date(2026, 3, 2))
    found = verdict(market, BARS, "fresh")
    assert found.passed, found.summary


def test_a_followed_instrument_that_was_never_loaded_is_named(market: Engine):
    planting.instruments(market, "TSLA")
    found = verdict(market, BARS, "fresh")
    assert (found.passed, found.severity) == (False, "error")
    assert found.figures["behind"] == [{"what": "TSLA", "newest": "never"}]


def test_one_series_does_not_hide_that_another_has_stopped(warehouse: Engine):
    rows = [planting.row(SPREADS, date=day, hy_oas=300.0, ig_bbb_oas=100.0) for day in WEEK[:1]]
    rows += [planting.row(SPREADS, date=day, ig_bbb_oas=100.0, treasury_10y=4.1) for day in WEEK[1:]]
    planting.plant(warehouse, SPREADS, *rows)
    found = verdict(warehouse, SPREADS, "fresh")
    assert not found.passed
    assert [late["what"] for late in found.figures["behind"]] == ["hy_oas"]
