"""Steps and outliers: one planted oddity fails, the same market without it passes."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.filings import HYPERSCALERS
from abri_pipeline.contracts.model import Dataset
from abri_pipeline.quality.checks import run
from abri_pipeline.quality.checks_series import MAD_TO_SD
from abri_pipeline.quality.checks_verdict import Verdict
from abri_pipeline_tests.quality import planting
from abri_pipeline_tests.quality.planting import WEEK


def verdict(engine: Engine, dataset: Dataset, name: str) -> Verdict:
    with engine.connect() as connection:
        return run(connection, dataset, name)


def test_a_forgotten_split_is_a_step(warehouse: Engine):
    planting.bars(warehouse, "NVDA", WEEK[:3], 1000.0)
    planting.bars(warehouse, "AAPL", WEEK[3:], 100.0)  # another instrument is no neighbour
    assert verdict(warehouse, BARS, "continuous").passed
    planting.bars(warehouse, "NVDA", WEEK[3:], 100.0)
    found = verdict(warehouse, BARS, "continuous")
    assert (found.passed, found.severity) == (False, "warn")
    step = found.figures["steps"][0]
    assert (step["what"], step["from"], step["to"]) == ("NVDA close", "2026-01-14", "2026-01-15")
    assert float(step["step"]) == pytest.approx(np.log(0.1), abs=1e-4)


@pytest.mark.parametrize(("step", "passed"), [(0.59, True), (-0.59, True), (0.61, False), (-0.61, False)])
def test_prices_step_in_logs(engine: Engine, step: float, passed: bool):
    planting.bars(engine, "NVDA", WEEK[:1], 50.0)
    planting.bars(engine, "NVDA", WEEK[1:2], 50.0 * float(np.exp(step)))
    assert verdict(engine, BARS, "continuous").passed is passed


def test_weeks_loaded_apart_are_no_neighbours(engine: Engine):
    planting.bars(engine, "NVDA", sessions(date(2018, 1, 2), date(2018, 1, 5)), 5.0)
    planting.bars(engine, "NVDA", WEEK, 180.0)
    assert verdict(engine, BARS, "continuous").passed


@pytest.mark.parametrize(("column", "allowed"), [("hy_oas", 150), ("ig_bbb_oas", 60)])
def test_spreads_step_in_basis_points(warehouse: Engine, column: str, allowed: int):
    def store(day: date, value: float) -> None:
        planting.plant(warehouse, SPREADS, planting.row(SPREADS, date=day, **{column: value}))

    store(WEEK[0], 400.0)
    store(WEEK[1], 400.0 + allowed)
    assert verdict(warehouse, SPREADS, "continuous").passed
    store(WEEK[2], 399.0)
    found = verdict(warehouse, SPREADS, "continuous")
    assert (found.passed, found.severity) == (False, "warn")
    assert f"{column} {400 + allowed} to 399 on {WEEK[2]}" in found.summary


def test_a_weekend_month_end_is_left_out(engine: Engine):
    friday = date(2025, 5, 30)
    for day, value in [(friday, 300.0), (friday + timedelta(days=1), 900.0), (friday + timedelta(days=3), 301.0)]:
        planting.plant(engine, SPREADS, planting.row(SPREADS, date=day, hy_oas=value))
    assert verdict(engine, SPREADS, "continuous").passed


def quarters(engine: Engine, ticker: str, capex: list[float], filed: timedelta = timedelta(days=30)) -> list[date]:
    """Calendar quarters from 2019 on; a capex of 0 leaves the quarter out."""
    ends = [date(2019 + (i + 1) // 4, (i + 1) % 4 * 3 + 1, 1) - timedelta(days=1) for i in range(len(capex))]
    rows = [
        planting.row(
            HYPERSCALERS,
            ticker=ticker,
            fiscal_period=f"FY{end.year}Q{(end.month + 2) // 3}",
            period_end=end,
            filed_on=end + filed,
            capex=value,
        )
        for end, value in zip(ends, capex, strict=True)
        if value
    ]
    planting.plant(engine, HYPERSCALERS, *rows)
    return ends


GROWTH = [0.10, 0.12, 0.08, 0.11, 0.09, 0.13, 0.10, 0.07, 0.12, 0.10]  # on the year, in logs


def grown(last: float) -> list[float]:
    """Four quarters of 1,000 and then what `GROWTH` makes of them, one more growing by `last`."""
    capex = [1000.0] * 4
    for growth in [*GROWTH, last]:
        capex.append(capex[-4] * float(np.exp(growth)))
    return capex


def test_growth_like_its_own_past_is_no_outlier(warehouse: Engine):
    quarters(warehouse, "MSFT", grown(0.11))
    found = verdict(warehouse, HYPERSCALERS, "outliers")
    assert found.passed, found.summary
    assert found.figures["judged"] == 3  # the first with eight changes before it, and two more


def test_growth_far_from_its_own_past_is_named_by_the_formula(warehouse: Engine):
    ends = quarters(warehouse, "MSFT", grown(0.60))
    quarters(warehouse, "META", grown(0.11))
    found = verdict(warehouse, HYPERSCALERS, "outliers")
    assert (found.passed, found.severity) == (False, "warn")
    (odd,) = found.figures["outliers"]
    assert (odd["what"], odd["period"]) == ("MSFT capex", ends[-1].isoformat())
    past = np.array(GROWTH)
    scale = max(MAD_TO_SD * np.median(np.abs(past - np.median(past))), 0.05)
    assert odd["deviations"] == f"{(0.60 - np.median(past)) / scale:+.1f}"


def test_three_times_the_mean_is_no_outlier_where_it_is_the_trend(engine: Engine):
    capex = [1000.0] * 4
    for _ in range(12):
        capex.append(capex[-4] * 2)  # doubles each year: the last quarter is far above three times the mean
    assert capex[-1] > 3 * np.mean(capex[:-4])
    quarters(engine, "NVDA", capex)
    assert verdict(engine, HYPERSCALERS, "outliers").passed


def test_a_short_past_judges_nobody(engine: Engine):
    quarters(engine, "MSFT", [*grown(0.11)[:11], 90_000.0])
    found = verdict(engine, HYPERSCALERS, "outliers")
    assert found.passed
    assert found.figures["judged"] == 0


def test_a_missing_quarter_has_no_growth(engine: Engine):
    capex = grown(0.60)
    capex[-5] = 0.0  # the quarter a year before the last: nothing to compare the last one with
    quarters(engine, "MSFT", capex)
    assert verdict(engine, HYPERSCALERS, "outliers").passed


def test_the_newest_filing_of_a_quarter_counts(engine: Engine):
    quarters(engine, "MSFT", grown(0.60))
    assert not verdict(engine, HYPERSCALERS, "outliers").passed
    quarters(engine, "MSFT", grown(0.11), filed=timedelta(days=60))
    assert verdict(engine, HYPERSCALERS, "outliers").passed


@pytest.mark.realdata
def test_recorded_closes_hold_no_step(engine: Engine, shared: Path):
    import pandas as pd

    for ticker in ("NVDA", "TSLA", "AI", "CRWV"):
        recorded = pd.read_csv(shared / "data" / "equity_daily" / f"{ticker}.csv", parse_dates=["date"])
        rows = [
            planting.row(BARS, symbol=ticker, date=day.date(), close=float(close), bar_status="final")
            for day, close in zip(recorded["date"], recorded["close"], strict=True)
        ]
        planting.plant(engine, BARS, *rows)
    found = verdict(engine, BARS, "continuous")
    assert found.passed, found.summary
    assert found.figures["pairs"] > 5_000
