"""FRED of the synthetic world: shapes, dates, and spreads that move against equities."""

import re

import numpy as np
import pandas as pd
import pytest

from abri_pipeline.calendars import publication, sessions
from abri_pipeline.sandbox import synthetic_macro
from abri_pipeline.sandbox.synthetic import SyntheticMarket

market = SyntheticMarket()
ICE = ("BAMLH0A0HYM2", "BAMLC0A4CBBB")
DAILY = (*ICE, "BAA10Y", "VIXCLS", "DGS10", "T10Y2Y", "DTWEXBGS", "DCOILWTICO")


def wire(series_id: str) -> pd.DataFrame:
    frame = market.fred(series_id)
    assert frame is not None
    return frame


def values(series_id: str) -> pd.Series:
    frame = wire(series_id)
    return pd.to_numeric(frame["value"].replace(".", None)).set_axis(frame["observed_on"])


@pytest.mark.parametrize("series_id", synthetic_macro.SERIES)
def test_every_series_is_text_on_rising_days_and_has_a_publication_rule(series_id: str):
    frame = wire(series_id)
    assert list(frame.columns) == ["observed_on", "value"]
    assert frame["observed_on"].is_monotonic_increasing
    assert frame["observed_on"].is_unique
    assert all(re.fullmatch(r"\.|-?\d+(\.\d+)?", text) for text in frame["value"])
    assert frame["observed_on"].iloc[0] <= pd.Timestamp("2015-01-01")
    assert frame["observed_on"].iloc[-1] <= pd.Timestamp("2026-12-31")
    days = frame["observed_on"].dt.date.tolist()
    assert len(publication.fred_published_instants(series_id, days)) == len(days)


@pytest.mark.parametrize("series_id", ["UNRATE", "CPIAUCSL"])
def test_the_month_that_was_never_surveyed_has_no_value(series_id: str):
    missing = values(series_id)
    assert missing.index[missing.isna()].tolist() == [pd.Timestamp("2025-10-01")]


@pytest.mark.parametrize("series_id", DAILY)
def test_daily_series_have_a_value_on_nearly_every_session(series_id: str):
    known = values(series_id).dropna().index
    traded = pd.DatetimeIndex(sessions.sessions(pd.Timestamp("2018-01-02").date(), pd.Timestamp("2026-12-31").date()))
    assert traded.isin(known).mean() > 0.98
    if series_id not in ICE:
        assert (known.day_of_week < 5).all()


@pytest.mark.parametrize("series_id", ICE)
def test_ice_series_are_also_struck_on_weekend_month_ends(series_id: str):
    days = values(series_id).index
    weekend = days[days.day_of_week > 4]
    assert len(weekend) > 40
    assert weekend.is_month_end.all()


def test_vix_rests_when_the_exchange_does():
    missing = values("VIXCLS")
    days = missing.index[missing.isna()].date
    assert pd.Timestamp("2025-01-09").date() in days
    assert not any(sessions.is_session(day) for day in days)


@pytest.mark.parametrize("series_id", [*ICE, "BAA10Y"])
def test_spreads_move_against_equities(series_id: str):
    spy = market.bars("SPY")
    assert spy is not None
    both = pd.DataFrame({"spread": values(series_id), "spy": np.log(spy.set_index("date")["close"])}).dropna()
    daily = both["spread"].diff().corr(both["spy"].diff())
    monthly = both["spread"].diff(20).corr(both["spy"].diff(20))
    assert daily < -0.5
    assert monthly < -0.5


def test_spreads_keep_their_order_and_range():
    high_yield, bbb = values(ICE[0]), values(ICE[1])
    assert (high_yield - bbb).min() > 0.5
    assert 2.0 < high_yield.min() < 4.0 < 8.0 < high_yield.max() < 16.0
    assert high_yield.idxmax().year == 2020  # the sudden stop


def test_growth_follows_from_the_level_of_output():
    level, growth = values("GDPC1"), values("A191RO1Q156NBEA")
    expected = (100 * (level / level.shift(4) - 1)).dropna()
    np.testing.assert_allclose(growth.loc[expected.index], expected, atol=0.051)
    assert growth.index.isin(level.index).all()


def test_weekly_series_fall_on_fridays():
    for series_id in ("NFCI", "STLFSI4"):
        days = values(series_id).index
        assert set(days.day_of_week) == {4}
        assert (np.diff(days) == np.timedelta64(7, "D")).all()
