"""The recorded market: ranks of real spreads, real prices and real deals, against pandas."""

from datetime import date

import pandas as pd
import pytest

from abri_pipeline.analytics.abri import WeeklyScorer, load_method
from abri_pipeline_tests.analytics.abri_samples import at, changed, inputs

pytestmark = pytest.mark.realdata


def spreads(shared):
    legs = [pd.read_csv(shared / "data" / "fred" / f"{name}.csv") for name in ("BAMLH0A0HYM2", "BAMLC0A4CBBB")]
    frame = legs[0].merge(legs[1], on="date", suffixes=("_hy", "_bbb"))
    days = pd.to_datetime(frame["date"])
    return frame.assign(
        hy_ig_diff=(frame["value_hy"] - frame["value_bbb"]) * 100,
        available_at=(days + pd.offsets.BDay(1) + pd.Timedelta(hours=14)).dt.tz_localize("UTC"),
    )


@pytest.mark.parametrize("as_of", [date(2020, 3, 20), date(2022, 10, 14), date(2023, 3, 17), date(2026, 1, 16)])
def test_real_spreads_rank_as_pandas_ranks_them(shared, as_of):
    frame = spreads(shared)
    known = at(as_of, 22)
    found = WeeklyScorer(changed(inputs(), credit=frame)).readings(load_method("spec-1.1"), as_of, known)
    rank = found["hy_ig_diff_percentile"]
    days = pd.to_datetime(frame["date"])
    window = (days > pd.Timestamp(as_of) - pd.DateOffset(years=5)) & (days.dt.day_of_week < 5)
    history = frame[window & (frame["available_at"] <= pd.Timestamp(known))].dropna(subset=["hy_ig_diff"])
    assert rank.value == history["hy_ig_diff"].rank(pct=True, method="max").iloc[-1]
    assert rank.observed_on < as_of  # published one business day late


def test_the_widest_real_spread_of_2020_reads_one(shared):
    scorer = WeeklyScorer(changed(inputs(), credit=spreads(shared)))
    found = scorer.readings(load_method("spec-1.1"), date(2020, 3, 23), at("2020-03-25"))
    assert found["hy_ig_diff_percentile"].value == 1.0


def test_the_gap_in_real_gpu_prices_shows_its_age(shared):
    raw = pd.read_csv(shared / "data" / "gpu" / "gpu_prices_weekly.csv")
    frame = raw.assign(
        observed_on=raw["date"],
        gpu_model=raw["gpu_model"] + "-" + raw["memory_gb"].astype(str) + "GB",
        source=raw["provider"],
        price_kind=raw["is_spot"].map({"False": "on_demand", "True": "spot", "mixed": "spot"}),
        price_per_gpu_hour=raw["price_usd_per_gpu_hour"],
        available_at=pd.to_datetime(raw["date"]).dt.tz_localize("UTC"),
    )
    scorer = WeeklyScorer(changed(inputs(), gpu=frame))
    price = scorer.readings(load_method("spec-1.1"), date(2025, 8, 8), at("2025-08-11"))["h100_price"]
    assert price.observed_on <= date(2025, 4, 17)
    week = frame[frame["iso_week"] == raw[raw["date"] == str(price.observed_on)]["iso_week"].iloc[0]]
    h100 = week[(week["gpu_model"] == "H100-80GB") & (week["price_kind"] == "on_demand")]
    assert price.value == h100["price_per_gpu_hour"].median()
