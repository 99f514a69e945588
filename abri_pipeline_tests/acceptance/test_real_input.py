"""Five years of real input: what must be stored, what must be missing, and why. Figures are those of the files."""

import gzip
import hashlib
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.contracts.filings import HYPERSCALERS
from abri_pipeline.contracts.market import METRICS

pytestmark = [pytest.mark.realdata, pytest.mark.timeout(900)]

WHOLE = (
    "AAPL", "AI", "AMZN", "GOOG", "GOOGL", "META", "MSFT", "NVDA", "PLTR", "QQQ", "SOXL", "SPY", "TECL", "TQQQ",
    "TSLA", "XLK",
)  # fmt: skip
# New York closes at 13:00 on these days; source: NYSE holidays and trading hours.
HALF_DAYS = (
    "2021-11-26", "2022-11-25", "2023-07-03", "2023-11-24", "2024-07-03", "2024-11-29", "2024-12-24", "2025-07-03",
    "2025-11-28", "2025-12-24",
)  # fmt: skip


def recorded(files, symbol):
    bars = pd.read_csv(files / "equity_daily" / f"{symbol}.csv", parse_dates=["date"])
    return bars[bars["date"].between("2021-01-19", "2026-01-16")].set_index("date")


def stored(done, symbol):
    bars = done.rows(BARS)
    return bars[bars["symbol"] == symbol].set_index("date")


def test_the_command_succeeds_both_times(done):
    assert done.succeeded == [True, True]


def test_each_ticker_listed_throughout_has_every_session(done, files):
    sessions = recorded(files, "SPY").index
    assert len(sessions) == 1256
    for symbol in WHOLE:
        assert stored(done, symbol).index.equals(sessions.astype("datetime64[s]")), symbol
    assert set(done.rows(BARS)["symbol"]) == {*WHOLE, "CRWV"}


def test_crwv_begins_with_its_listing(done):
    bars = stored(done, "CRWV")
    assert (str(bars.index[0].date()), len(bars)) == ("2025-03-28", 203)
    gaps = done.rows(operations.GAPS)
    assert gaps[gaps["symbol"] == "CRWV"].empty


def test_path_is_a_gap_with_its_reason(done, files):
    gaps = done.rows(operations.GAPS)
    gap = gaps[(gaps["symbol"] == "PATH") & (gaps["state"] != "filled")].iloc[0]
    sessions = recorded(files, "SPY").index
    assert (str(gap["gap_start"].date()), str(gap["gap_end"].date())) == ("2021-04-21", "2026-01-16")
    assert gap["sessions"] == (sessions >= "2021-04-21").sum()
    assert (gap["state"], gap["cause"]) == ("missing", "absent")
    assert "does not know PATH" in gap["reason"]
    rejected = done.rows(operations.REJECTED)
    assert rejected[rejected["symbol"] == "PATH"].empty


def test_no_bar_stands_twice(done):
    assert done.scalar("SELECT count(*) - count(DISTINCT symbol || ' ' || \"date\") FROM price_history_daily") == 0


def test_no_false_gap(done):
    gaps = done.rows(operations.GAPS)
    bars = gaps[(gaps["timeframe"] == "1d") & (gaps["state"] != "filled")]
    assert set(bars["symbol"]) == {"PATH"}
    days = set(stored(done, "NVDA").index.strftime("%Y-%m-%d"))
    assert "2025-01-09" not in days  # the day of mourning: no session, hence no gap
    assert set(HALF_DAYS) <= days
    spreads = gaps[(gaps["timeframe"] == "credit_spreads") & (gaps["state"] != "filled")]
    assert set(spreads["cause"]) <= {"skipped"}


@pytest.mark.parametrize("column", ["close", "adj_close", "volume"])
@pytest.mark.parametrize("symbol", ["NVDA", "TSLA", "GOOGL", "TQQQ"])
def test_prices_are_those_of_the_file_across_splits(done, files, symbol, column):
    expected, found = recorded(files, symbol)[column], stored(done, symbol)[column]
    assert np.abs(found.to_numpy(float) - expected.to_numpy(float)).max() <= 1e-6


def test_alphabets_other_class_comes_from_the_universe(done, files):
    path = next((files / "universe").glob("*.parquet"))
    wide = pd.read_parquet(path, filters=[("symbol", "==", "GOOG")]).sort_values("date")
    found = stored(done, "GOOG")
    assert found.index.strftime("%Y-%m-%d").tolist() == pd.to_datetime(wide["date"]).dt.strftime("%Y-%m-%d").tolist()
    assert np.abs(found["close"].to_numpy() - wide["close"].to_numpy(float)).max() <= 1e-6


def test_the_splits_of_nvidia_are_stored(done):
    actions = done.rows(ACTIONS)
    splits = actions[(actions["symbol"] == "NVDA") & (actions["action"] == "split")]
    assert [(str(r.date.date()), r.value) for r in splits.itertuples()] == [("2021-07-20", 4.0), ("2024-06-10", 10.0)]


def test_the_spread_stands_on_every_date_both_series_have(done, files):
    legs = {
        name: pd.read_csv(files / "fred" / f"{name}.csv", parse_dates=["date"], na_values=".").dropna()
        for name in ("BAMLH0A0HYM2", "BAMLC0A4CBBB")
    }
    both = legs["BAMLH0A0HYM2"].merge(legs["BAMLC0A4CBBB"], on="date", suffixes=("_hy", "_bbb"))
    # Friday's observation is published on the next business day, Tuesday 20 January 17:00: after ABRI_NOW.
    both = both[both["date"] <= "2026-01-15"].set_index("date")
    spreads = done.rows(SPREADS).dropna(subset=["hy_ig_diff"]).set_index("date")
    assert spreads.index.equals(both.index.astype("datetime64[s]"))
    assert np.abs(spreads["hy_ig_diff"] - (both["value_hy"] - both["value_bbb"]) * 100).max() < 1e-6
    month_ends = spreads["2018-01-01":]
    assert (month_ends.index.day_of_week >= 5).sum() == 27  # weekends since 2018
    assert spreads["substitute"].isna().all()


@pytest.mark.parametrize(
    ("day", "weight"), [("2022-12-30", 0.200), ("2023-12-29", 0.280), ("2024-12-31", 0.335), ("2025-12-31", 0.349)]
)
def test_mag7_weight_at_the_year_ends(done, day, weight):
    assert done.rows(METRICS).set_index("date").loc[day, "mag7_weight"] == pytest.approx(weight, abs=0.005)


def test_the_correlation_equals_an_independent_one(done, files):
    returns = pd.DataFrame({s: np.log(recorded(files, s)["close"]).diff() for s in ("NVDA", "SPY")})
    metrics = done.rows(METRICS).set_index("date")["nvda_spy_corr"].dropna()
    # the history begins with the window: the first sixty returns are there at its 61st session
    expected = {
        returns.index[end]: np.corrcoef(returns.iloc[end - 59 : end + 1].to_numpy().T)[0, 1]
        for end in range(60, len(returns))
    }
    assert list(metrics.index) == list(expected)
    assert np.abs(metrics.to_numpy() - np.array(list(expected.values()))).max() <= 1e-12


def test_the_quarters_of_nvidia_are_those_of_its_filings(done):
    rows = done.rows(HYPERSCALERS).query("ticker == 'NVDA'").sort_values("filed_on")
    latest = rows.groupby("fiscal_period").last()
    capex = latest["capex"]
    first = rows.groupby("fiscal_period").first()["capex"]
    for known in (first, capex):
        assert known[["FY2025Q1", "FY2025Q2", "FY2025Q3", "FY2025Q4"]].tolist() == [369, 977, 813, 1077]
    for period in ("FY2020Q4", "FY2021Q4", "FY2023Q1", "FY2023Q2", "FY2023Q3"):
        assert pd.isna(capex.get(period)), period
    assert not (capex == 0).any()


def test_filing_days_are_those_of_the_sec(done, files):
    filed = {}
    for path in (files / "sec" / "companyfacts").glob("CIK*.json"):
        for concepts in json.loads(path.read_bytes())["facts"].values():
            for concept in concepts.values():
                for facts in concept["units"].values():
                    filed.update({fact["accn"]: fact["filed"] for fact in facts})
    rows = done.rows(HYPERSCALERS)
    assert {filed[a] for a in rows["accession"]} == set(rows["filed_on"].dt.strftime("%Y-%m-%d"))
    assert all(filed[r.accession] == f"{r.filed_on:%Y-%m-%d}" for r in rows.itertuples())
    assert (rows["filed_on"] > rows["period_end"]).all()
    # EDGAR dates an acceptance after 17:30 to the next business day: known at most a long weekend before its date
    opened = rows["filed_on"].dt.tz_localize("America/New_York")
    assert (rows["available_at"] > opened - pd.Timedelta(days=4)).all()
    undated = rows[rows["ticker"] != "MSFT"]  # only Microsoft's index is recorded; the others' day ends at 17:30
    closes = undated["filed_on"].dt.tz_localize("America/New_York") + pd.Timedelta(hours=17, minutes=30)
    assert (undated["available_at"] == closes).all()
    assert (rows["available_at"].dt.tz_convert("America/New_York").dt.tz_localize(None) > rows["period_end"]).all()


def test_every_row_resolves_in_the_archive(done):
    digests = set()
    for table in DATASETS:
        if "raw_hash" in table.columns:
            rows = done.rows(table)
            assert rows["raw_hash"].str.fullmatch("[0-9a-f]{64}").all(), table.name
            digests |= set(rows["raw_hash"])
    assert len(digests) >= len(WHOLE) + 5
    while digests:
        digest = digests.pop()
        path = done.archive.root / digest[:2] / digest[2:4] / f"{digest}.gz"
        body = gzip.decompress(path.read_bytes())
        assert hashlib.sha256(body).hexdigest() == digest
        if len(body) < 1000 and body[:1] in b"[{":  # a manifest: the payloads it names must be there too
            parts = json.loads(body)
            digests |= set(parts.values() if isinstance(parts, dict) else parts)


def test_the_same_command_again_asks_for_no_bars_and_changes_nothing(done):
    assert done.calls[0]["yahoo"] == len(WHOLE) + 2  # CRWV, and PATH in vain
    assert done.calls[1].get("yahoo", 0) == 0
    for table in DATASETS:
        assert done.twice[table.name].equals(done.once[table.name]), table.name
    assert len(done.once["abri_history"]) == 211


@pytest.mark.postgres
def test_both_databases_hold_the_same_rows(through_dagster, on_postgres):
    for table in DATASETS:
        kept = [name for name in table.columns if name not in ("recorded_at", "pulled_at")]
        order = list(table.key)
        one, other = (
            found.rows(table)[kept].sort_values(order, ignore_index=True) for found in (through_dagster, on_postgres)
        )
        pd.testing.assert_frame_equal(one, other, check_exact=True, obj=table.name)


def test_every_week_is_complete_after_one_run(through_dagster):
    closed = pd.date_range("2021-01-18", "2026-01-12", freq="7D").strftime("%Y-%m-%d")
    assert through_dagster.complete == set(closed)
    assert date.fromisoformat(closed[-1]) == date(2026, 1, 12)
