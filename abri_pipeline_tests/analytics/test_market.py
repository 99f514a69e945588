"""Market metrics: known values, missing inputs, and rows that no other row can move by a bit."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abri_pipeline.analytics.market import BASKET, INDEX, WEIGHT_LINES, market_metrics, rolling_correlation
from abri_pipeline.calendars import sessions as nyse

SYMBOLS = (*WEIGHT_LINES, INDEX)


def closing_instants(first: str, last: str) -> pd.Series:
    days = nyse.sessions(date.fromisoformat(first), date.fromisoformat(last))
    return pd.Series(pd.DatetimeIndex(nyse.close_instants(days)), index=pd.DatetimeIndex(days))


def random_walk(closes_at: pd.Series, seed: int = 7) -> pd.DataFrame:
    steps = np.random.default_rng(seed).normal(0, 0.02, (len(closes_at), len(SYMBOLS)))
    steps += steps[:, [-1]]  # everything moves with the index a little
    return pd.DataFrame(100 * np.exp(steps.cumsum(axis=0)), index=closes_at.index, columns=list(SYMBOLS))


def anchor(effective: str, available: str, weight: float = 0.03, **lines: float | None) -> pd.DataFrame:
    """Eight lines of `weight` and the two sector lines; keywords replace a line, None leaves it out."""
    weights: dict[str, float | None] = dict.fromkeys(WEIGHT_LINES, weight)
    weights |= {"IT_SECTOR": 0.26, "IT_SECTOR_GICS2023": 0.23} | lines
    rows = [
        (pd.Timestamp(effective), line, value, pd.Timestamp(available, tz="UTC"))
        for line, value in weights.items()
        if value is not None
    ]
    return pd.DataFrame(rows, columns=["effective_date", "line", "weight", "available_at"])


@pytest.fixture(scope="module")
def closes_at() -> pd.Series:
    return closing_instants("2021-12-01", "2022-12-30")


@pytest.fixture(scope="module")
def closes(closes_at: pd.Series) -> pd.DataFrame:
    return random_walk(closes_at)


@pytest.fixture(scope="module")
def anchors() -> pd.DataFrame:
    quarters = [("2021-12-31", "2022-01-03"), ("2022-03-31", "2022-04-01"), ("2022-06-30", "2022-07-01")]
    return pd.concat([anchor(on, known, 0.02 + n / 100) for n, (on, known) in enumerate(quarters)])


@pytest.fixture(scope="module")
def metrics(closes: pd.DataFrame, anchors: pd.DataFrame, closes_at: pd.Series) -> pd.DataFrame:
    return market_metrics(closes, anchors, closes_at)


def test_a_weight_moves_with_the_price_relative_to_the_index(closes, metrics):
    on, today = "2022-03-31", "2022-05-17"
    growth = closes.loc[today] / closes.loc[on]
    expected = sum(0.03 * growth[line] / growth[INDEX] for line in WEIGHT_LINES)
    assert metrics.at[today, "mag7_weight"] == pytest.approx(expected, rel=1e-14)
    assert metrics.at[today, "weights_anchor_on"] == pd.Timestamp(on)


def test_an_anchor_rules_from_the_first_close_that_could_know_it(closes, anchors, closes_at):
    bell = closes_at.loc["2022-04-01"]
    later = anchors.assign(available_at=anchors["available_at"].mask(anchors["effective_date"] == "2022-03-31", bell))
    assert market_metrics(closes, later, closes_at).at["2022-04-01", "weights_anchor_on"] == pd.Timestamp("2022-03-31")
    later["available_at"] += pd.Timedelta(microseconds=1)
    assert market_metrics(closes, later, closes_at).at["2022-04-01", "weights_anchor_on"] == pd.Timestamp("2021-12-31")


def test_before_any_anchor_there_is_no_weight(metrics):
    early = metrics.loc[:"2021-12-31"]
    assert early[["mag7_weight", "tech_weight", "tech_weight_gics2023", "weights_anchor_on"]].isna().all(axis=None)
    assert metrics.loc["2022-01-03":, "mag7_weight"].notna().all()


def test_an_anchor_published_late_never_displaces_a_newer_one(closes, anchors, closes_at, metrics):
    late = pd.concat([anchors, anchor("2022-02-28", "2022-08-15", 0.09)])
    pd.testing.assert_frame_equal(market_metrics(closes, late, closes_at), metrics, check_exact=True)


def test_sector_weights_are_held_not_drifted(metrics):
    assert set(metrics["tech_weight"].dropna()) == {0.26}
    assert set(metrics["tech_weight_gics2023"].dropna()) == {0.23}


@pytest.mark.parametrize("symbol", [*WEIGHT_LINES, INDEX])
def test_a_missing_price_today_or_at_the_anchor_leaves_no_partial_weight(symbol, closes, anchors, closes_at, metrics):
    gap = closes.copy()
    gap.loc[["2022-05-17", "2022-06-30"], symbol] = np.nan
    found = market_metrics(gap, anchors, closes_at)["mag7_weight"]
    missing = found.index[found.isna() & metrics["mag7_weight"].notna()]
    expected = ["2022-05-17", "2022-06-30", *closes_at.loc["2022-07-01":].index.astype(str)]
    assert missing.astype(str).tolist() == expected


def test_a_missing_row_or_column_is_missing_not_zero(closes, anchors, closes_at):
    no_row = market_metrics(closes.drop(pd.Timestamp("2022-05-17")), anchors, closes_at)
    assert np.isnan(no_row.at["2022-05-17", "mag7_weight"])
    assert no_row.at["2022-05-17", "tech_weight"] == 0.26
    no_column = market_metrics(closes.drop(columns="META"), anchors, closes_at)
    assert no_column[["mag7_weight", "mag7_spy_corr"]].isna().all(axis=None)
    assert no_column["nvda_spy_corr"].notna().any()


def test_a_line_without_a_weight_leaves_the_whole_weight_missing(closes, closes_at):
    found = market_metrics(closes, anchor("2021-12-31", "2022-01-03", AMZN=None, IT_SECTOR=None), closes_at)
    assert found[["mag7_weight", "tech_weight"]].isna().all(axis=None)
    assert found["tech_weight_gics2023"].notna().any()


def test_an_anchor_older_than_the_prices_gives_no_weight(closes, closes_at):
    found = market_metrics(closes, anchor("2021-09-30", "2021-10-01"), closes_at)
    assert found["mag7_weight"].isna().all()
    assert (found["tech_weight"] == 0.26).all()


@pytest.mark.parametrize("before_joining", [None, 0.0])
def test_tesla_counts_from_its_first_day_in_the_index(before_joining):
    instants = closing_instants("2020-09-01", "2021-03-01")
    prices = random_walk(instants)
    prices.loc["2020-11-02":"2020-12-18", "TSLA"] = np.nan  # its price is not needed before
    quarters = pd.concat([anchor("2020-09-30", "2020-10-01", TSLA=before_joining), anchor("2020-12-31", "2021-01-01")])
    found = market_metrics(prices, quarters, instants)["mag7_weight"]
    growth = prices.loc["2020-12-18"] / prices.loc["2020-09-30"]
    seven = sum(0.03 * growth[line] / growth[INDEX] for line in WEIGHT_LINES if line != "TSLA")
    assert found["2020-12-18"] == pytest.approx(seven, rel=1e-14)
    assert found["2020-12-21":"2020-12-31"].isna().all()  # in the index, its weight not yet known
    assert found["2021-01-04":].notna().all()


def test_a_correlation_needs_61_sessions_and_54_pairs(closes, anchors, closes_at, metrics):
    assert metrics["nvda_spy_corr"].notna().to_numpy().nonzero()[0][0] == 60
    gap = closes.copy()
    gap.loc[closes.index[70:76], "NVDA"] = np.nan  # 6 prices, 7 returns: 53 pairs where all are in the window
    found = market_metrics(gap, anchors, closes_at)["nvda_spy_corr"]
    assert found.index[found.isna()].tolist() == [*closes.index[:60], *closes.index[76:130]]


def test_the_basket_needs_all_seven_on_a_day(closes, anchors, closes_at):
    gap = closes.copy()
    gap.loc[closes.index[100], "TSLA"] = np.nan
    found = market_metrics(gap, anchors, closes_at)["mag7_spy_corr"]
    returns = np.log(gap / gap.shift())
    pairs = pd.DataFrame({"basket": returns[list(BASKET)].mean(axis=1, skipna=False), "index": returns[INDEX]})
    window = pairs.iloc[61:121].dropna()
    assert len(window) == 58
    assert found.iloc[120] == pytest.approx(np.corrcoef(window["basket"], window["index"])[0, 1], abs=1e-12)


@pytest.mark.parametrize("price", [0.0, -1.0])
def test_a_price_that_is_no_price_is_missing(price, closes, anchors, closes_at):
    broken, gap = closes.copy(), closes.copy()
    broken.loc["2022-05-17", "NVDA"] = price
    gap.loc["2022-05-17", "NVDA"] = np.nan
    expected = market_metrics(gap, anchors, closes_at)
    pd.testing.assert_frame_equal(market_metrics(broken, anchors, closes_at), expected, check_exact=True)


@pytest.mark.parametrize("length", [1, 2, 60, 61, 62, 63, 64, 65, 100, 199])
def test_later_rows_do_not_move_a_bit(length, closes, anchors, closes_at, metrics):
    found = market_metrics(closes.iloc[:length], anchors, closes_at.iloc[:length])
    pd.testing.assert_frame_equal(found, metrics.iloc[:length], check_exact=True, check_freq=False)


@pytest.mark.parametrize("first", [1, 2, 3, 5, 8, 13, 22, 100])
def test_older_rows_do_not_move_a_bit(first, closes, anchors, closes_at, metrics):
    found = market_metrics(closes.iloc[first:], anchors, closes_at.iloc[first:])
    whole = ["nvda_spy_corr", "mag7_spy_corr", "tech_weight", "weights_anchor_on"]
    expected = metrics[whole].iloc[first + 60 :]
    pd.testing.assert_frame_equal(found[whole].iloc[60:], expected, check_exact=True, check_freq=False)
    kept = metrics["weights_anchor_on"] >= closes.index[first]  # the anchor's own prices are still there
    assert found["mag7_weight"][kept].tolist() == metrics["mag7_weight"][kept].tolist()
    assert kept.sum() > 100


def test_repeated_anchor_lines_and_unknown_instants_are_refused(closes, anchors, closes_at):
    with pytest.raises(ValueError, match="duplicate"):
        market_metrics(closes, pd.concat([anchors, anchors.head(1)]), closes_at)
    with pytest.raises(ValueError, match="available_at"):
        market_metrics(closes, anchors.assign(available_at=pd.NaT), closes_at)
    with pytest.raises(ValueError, match="must rise"):
        market_metrics(closes, anchors, closes_at.iloc[::-1])


def test_no_anchors_and_no_sessions_are_empty_answers(closes, anchors, closes_at, metrics):
    bare = market_metrics(closes, anchors.iloc[:0], closes_at)
    assert bare["mag7_weight"].isna().all()
    assert bare["nvda_spy_corr"].tolist()[60:] == metrics["nvda_spy_corr"].tolist()[60:]
    empty = market_metrics(closes, anchors, closes_at.iloc[:0])
    assert (len(empty), list(empty.columns)) == (0, list(metrics.columns))


def test_a_series_that_does_not_move_has_no_correlation():
    moving = np.random.default_rng(1).normal(size=80)
    assert np.isnan(rolling_correlation(np.zeros(80), moving)).all()
    assert np.isnan(rolling_correlation(np.full(80, 0.1), moving)).all()
    assert rolling_correlation(moving, moving)[60:].tolist() == pytest.approx([1.0] * 20)


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.2), st.floats(-2, 2))
@settings(max_examples=30, deadline=None)
def test_correlations_equal_numpy_s_own_window_by_window(seed, share_missing, slope):
    rng = np.random.default_rng(seed)
    x = rng.normal(0.001, 0.02, 150)
    y = slope * x + rng.normal(0, 0.01, 150)
    x[rng.random(150) < share_missing] = np.nan
    found = rolling_correlation(x, y)
    for end in range(60, 150):
        span = slice(end - 59, end + 1)
        pair = np.isfinite(x[span])
        expected = np.corrcoef(x[span][pair], y[span][pair])[0, 1] if pair.sum() >= 54 else np.nan
        np.testing.assert_allclose(found[end], expected, atol=1e-12, rtol=0)


@pytest.fixture(scope="module")
def recorded(shared: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Closes, anchors and closing instants of 2021-01-19 to 2026-01-16 from the recorded market."""
    data = shared / "data"
    columns = {
        file.stem: pd.read_csv(file, index_col="date", parse_dates=True)["close"]
        for file in (data / "equity_daily").glob("*.csv")
    }
    universe = pd.read_parquet(data / "universe/sp500_half_daily.parquet", columns=["date", "symbol", "close"])
    google = universe[universe["symbol"] == "GOOG"]
    columns["GOOG"] = google.set_index(pd.to_datetime(google["date"]))["close"]
    wide = pd.read_csv(data / "weights/sp500_weights_quarterly.csv", parse_dates=["effective_date"])
    wide = wide.rename(columns={"IT_sector_asof": "IT_SECTOR", "IT_sector_gics2023": "IT_SECTOR_GICS2023"})
    lines = [*WEIGHT_LINES, "IT_SECTOR", "IT_SECTOR_GICS2023"]
    anchors = wide.melt(["effective_date", "available_at"], lines, "line", "weight")
    anchors["weight"] /= 100
    anchors["available_at"] = pd.to_datetime(anchors["available_at"], utc=True)
    return pd.DataFrame(columns).loc["2021-01-19":], anchors, closing_instants("2021-01-19", "2026-01-16")


@pytest.mark.realdata
def test_the_known_weights_of_four_year_ends(recorded):
    found = market_metrics(*recorded)["mag7_weight"]
    known = {"2022-12-30": 0.200, "2023-12-29": 0.280, "2024-12-31": 0.335, "2025-12-31": 0.349}
    assert {day: found[day] for day in known} == pytest.approx(known, abs=0.005)
    # The anchor of 2020-12-31 lies before the window's prices; from 2021-04-01 nothing is missing.
    assert found.index[found.isna()].tolist() == list(found.loc[:"2021-03-31"].index)


@pytest.mark.realdata
@pytest.mark.parametrize("column", ["nvda_spy_corr", "mag7_spy_corr"])
def test_recorded_correlations_equal_an_independent_computation(recorded, column):
    closes = recorded[0]
    returns = np.log(closes / closes.shift())
    left = returns["NVDA"] if column == "nvda_spy_corr" else returns[list(BASKET)].mean(axis=1)
    expected = [
        np.corrcoef(left.iloc[end - 59 : end + 1], returns[INDEX].iloc[end - 59 : end + 1])[0, 1]
        for end in range(60, len(closes))
    ]
    found = market_metrics(*recorded)[column]
    assert len(found) == 1256
    assert found.iloc[:60].isna().all()
    np.testing.assert_allclose(found.iloc[60:], expected, atol=1e-12, rtol=0)
