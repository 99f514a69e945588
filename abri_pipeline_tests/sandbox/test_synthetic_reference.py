"""Reference tables of the synthetic world: layout, and consistency with its prices and filings."""

import numpy as np
import pandas as pd
import pytest

from abri_pipeline.calendars import publication, sessions
from abri_pipeline.sandbox.synthetic import SyntheticMarket
from abri_pipeline.sandbox.synthetic_companies import BY_TICKER, quarters

market = SyntheticMarket()
LINES = ["AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "TSLA"]
RECORDED = {
    "weights": "weights/sp500_weights_quarterly.csv",
    "gpu_prices": "gpu/gpu_prices_weekly.csv",
    "deals": "deals/deals.csv",
    "segment_revenue": "sec/segment_revenue.csv",
}


def table(name: str) -> pd.DataFrame:
    frame = market.reference(name)
    assert frame is not None
    return frame


def weights() -> pd.DataFrame:
    frame = table("weights").set_index("effective_date")
    frame.index = pd.to_datetime(frame.index)
    return frame[[*LINES, "MAG7", "IT_sector_asof", "IT_sector_gics2023"]].astype(float)


@pytest.mark.realdata
@pytest.mark.parametrize("name", RECORDED)
def test_columns_are_those_of_the_recorded_layout(name: str, shared):
    header = (shared / "data" / RECORDED[name]).read_text().splitlines()[0]
    assert ",".join(table(name).columns) == header


@pytest.mark.parametrize("name", RECORDED)
def test_every_cell_is_text_and_every_row_says_synthetic(name: str):
    frame = table(name)
    assert all(isinstance(cell, str) for column in frame for cell in frame[column])
    assert frame.apply(lambda row: "synthetic" in " ".join(row).lower(), axis=1).all()


def test_weights_stand_on_the_last_session_of_each_quarter():
    days = [day.date() for day in weights().index]
    assert all(sessions.is_session(day) for day in days)
    assert len(days) == 35
    following = table("weights")["available_at"].tolist()
    assert following == [publication.next_business_day(day).isoformat() for day in days]


def test_weights_add_up_and_stay_plausible():
    frame = weights()
    np.testing.assert_allclose(frame[LINES].sum(axis=1), frame["MAG7"], atol=1e-3 / 2)
    assert frame["MAG7"].between(10, 40).all()
    assert frame["MAG7"]["2025"].mean() > 1.5 * frame["MAG7"]["2021"].mean()
    assert (frame["IT_sector_gics2023"] > frame[["AAPL", "MSFT", "NVDA"]].sum(axis=1)).all()
    moved = frame["IT_sector_asof"] - frame["IT_sector_gics2023"]
    assert (moved[:"2023-03-19"] > 1).all()
    assert (moved["2023-03-20":].abs() < 1e-9).all()
    assert (frame.loc[:"2020-12-20", "TSLA"] == 0).all()
    assert (frame.loc["2020-12-21":, "TSLA"] > 0).all()


@pytest.mark.parametrize("line", LINES)
def test_weights_drift_by_price_relative_to_the_index(line: str):
    frame = weights()
    closes = {symbol: market.bars(symbol) for symbol in (line, "SPY")}
    price = {s: f.set_index("date")["close"] for s, f in closes.items() if f is not None}
    relative = (price[line] / price["SPY"]).loc[frame.index]
    drifted = (frame[line].shift(1) * relative / relative.shift(1)).iloc[1:]
    stated = frame[line].iloc[1:]
    known = (drifted > 0) & (stated > 0)
    error = np.log(stated[known] / drifted[known])
    rounding = 0.001 / stated[known].min()
    assert error.abs().max() < 0.008 + rounding  # the rebalancing steps
    assert error.abs().max() > 0  # and they are there


def test_gpu_prices_fall_and_keep_kinds_apart():
    frame = table("gpu_prices").assign(price=lambda f: f["price_usd_per_gpu_hour"].astype(float))
    key = ["date", "provider", "gpu_model", "is_spot", "variant"]
    assert not frame.duplicated(key).any()
    assert (frame["price"] > 0).all()
    h100 = frame[frame["gpu_model"] == "H100"]
    assert set(h100["memory_gb"]) == {"80"}
    median = h100[h100["is_spot"] == "False"].groupby("date")["price"].median()
    assert 7 < median.iloc[0] < 9
    assert 1.7 < median["2025-06-01":"2025-12-31"].mean() < 2.5
    spot = h100[h100["is_spot"] == "True"].groupby("date")["price"].median()
    assert (spot < median).mean() > 0.95
    assert h100[h100["date"] > "2024-01-01"].groupby("date")["provider"].nunique().min() >= 3
    assert {"A100", "H200"} <= set(frame["gpu_model"])
    weeks = pd.to_datetime(frame["date"]).dt.strftime("%G-W%V")
    assert (weeks == frame["iso_week"]).all()


def test_deals_are_invented_and_plain_about_it():
    frame = table("deals")
    assert len(frame) >= 60
    assert frame["source_url"].is_unique
    assert frame["source_url"].str.fullmatch(r"https://example\.invalid/synthetic/deal-\d\d").all()
    assert frame["company"].str.startswith("Synthetic ").all()
    assert frame["counterparty"].str.startswith("Synthetic ").all()
    assert (frame["amount_usd_millions"].astype(float) > 0).all()
    assert (frame.loc[frame["is_circular"] == "true", "circularity_reason"] != "").all()
    assert frame["announced_date"].is_monotonic_increasing
    # Every half year of the index's history has a base to be compared with.
    halves = pd.to_datetime(frame["announced_date"]).dt.to_period("2Q")
    assert halves.nunique() >= 10
    assert set(frame["structure_type"]) <= {"equity", "corporate_debt", "spv", "vendor_financing", "lease", "other"}


@pytest.mark.parametrize(
    ("ticker", "segment"),
    [("AMZN", "AWS"), ("GOOGL", "Google Cloud"), ("MSFT", "Azure"), ("NVDA", "Data Center")],
)
def test_segments_are_part_of_the_filed_revenue(ticker: str, segment: str):
    frame = table("segment_revenue").query("ticker == @ticker")
    assert set(frame["segment"]) == {segment}
    assert BY_TICKER[ticker].ticker == ticker
    revenue = {f"FY{q.fiscal_year}Q{q.number}": (q.end, q.figures["revenue"] / 1e6) for q in quarters(ticker)}
    for row in frame.itertuples():
        end, whole = revenue[row.fiscal_period]
        assert row.period_end == end.isoformat()
        assert 0 < float(row.revenue_usd_millions) < whole
    assert frame["fiscal_period"].is_unique
    assert len(frame) > 40
