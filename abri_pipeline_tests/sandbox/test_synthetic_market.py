"""The synthetic market as a whole and its prices."""

import hashlib
import json
import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.calendars import sessions
from abri_pipeline.sandbox import synthetic_companies, synthetic_macro, synthetic_world
from abri_pipeline.sandbox.market import Market
from abri_pipeline.sandbox.synthetic import SyntheticMarket
from abri_pipeline.sandbox.synthetic_instruments import CHIPS, INSTRUMENTS, LEVERAGED, SYMBOLS

LISTED_LATE = {"CRWV": "2025-03-28", "PATH": "2021-04-21", "PLTR": "2020-09-30", "AI": "2020-12-09"}
REFERENCE = ("weights", "gpu_prices", "deals", "segment_revenue")
PAYERS = [each.symbol for each in INSTRUMENTS if each.dividend and each.symbol != CHIPS] + ["GOOG"]

market: Market = SyntheticMarket()


def closes(symbol: str) -> pd.Series:
    frame = market.bars(symbol)
    assert frame is not None
    return frame.set_index("date")["close"]


def digest_of_everything() -> str:
    made = SyntheticMarket()
    whole = hashlib.sha256()
    frames = [made.bars(symbol) for symbol in SYMBOLS]
    frames += [made.fred(series_id) for series_id in synthetic_macro.SERIES]
    frames += [made.reference(name) for name in REFERENCE]
    for frame in frames:
        assert frame is not None
        whole.update(frame.to_csv().encode())
    for cik in synthetic_companies.BY_CIK:
        whole.update(json.dumps([made.companyfacts(cik), made.submissions(cik)]).encode())
    return whole.hexdigest()


def test_two_processes_make_the_same_bits_in_any_order_and_at_any_hour():
    # The other process asks for the references first and lives at another frozen now.
    program = (
        "import importlib.util as u, sys\n"
        "from abri_pipeline.sandbox.synthetic import SyntheticMarket\n"
        "SyntheticMarket().reference('weights')\n"
        "spec = u.spec_from_file_location('t', sys.argv[1]); t = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(t)\n"
        "sys.stdout.write(t.digest_of_everything())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, __file__],
        capture_output=True,
        text=True,
        check=True,
        env={"ABRI_NOW": "2021-06-01T00:00:00Z", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"},
    )
    assert other.stdout == digest_of_everything()


def test_it_says_that_it_is_synthetic():
    assert market.label == "synthetic"
    assert "no forecast" in (sys.modules[SyntheticMarket.__module__].__doc__ or "")


KNOWN = {*SYMBOLS, *synthetic_macro.SERIES, "weights", "gpu_prices", "deals", "segment_revenue"}


@given(st.text(max_size=8).filter(lambda text: text not in KNOWN))
def test_any_other_name_is_unknown_and_no_error(symbol: str):
    assert market.bars(symbol) is None
    assert market.fred(symbol) is None
    assert market.reference(symbol) is None


@pytest.mark.parametrize("symbol", ["FB", "GE", "BTC-USD", "", CHIPS, "spy"])
def test_unknown_symbols_are_unknown(symbol: str):
    assert market.bars(symbol) is None


def test_other_unknown_things_are_none():
    assert market.fred("DFF10") is None
    assert market.companyfacts(1) is None
    assert market.submissions(1) is None
    assert market.reference("passwords") is None
    assert market.intraday("SPY", "1m") is None


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_bars_stand_on_every_session_since_the_listing_and_on_no_other_day(symbol: str):
    frame = market.bars(symbol)
    assert frame is not None
    first = date.fromisoformat(LISTED_LATE.get(symbol, "2018-01-02"))
    assert tuple(frame["date"].dt.date) == sessions.sessions(first, date(2026, 12, 31))
    if symbol not in LISTED_LATE:
        assert frame["date"].between("2021-01-19", "2026-01-16").sum() == 1256


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_bars_are_positive_and_inside_their_envelope(symbol: str):
    frame = market.bars(symbol)
    assert frame is not None
    assert not frame.isna().any().any()
    body = frame[["open", "close"]]
    assert (frame["low"] > 0).all()
    assert (frame["low"] <= body.min(axis=1)).all()
    assert (frame["high"] >= body.max(axis=1)).all()
    assert (frame["high"] > frame["low"]).mean() > 0.999
    assert frame["volume"].dtype == np.int64
    assert (frame["volume"] > 0).all()
    assert (frame["adj_close"] <= frame["close"]).all()


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_adjusted_returns_are_price_return_and_dividend(symbol: str):
    frame = market.bars(symbol)
    assert frame is not None
    price, paid = frame["close"].to_numpy(), frame["dividends"].to_numpy()
    adjusted = frame["adj_close"].to_numpy()
    # Six decimals bound how exactly a ratio of two prices can hold.
    tolerance = 4e-6 / adjusted.min()
    np.testing.assert_allclose(adjusted[1:] / adjusted[:-1], price[1:] / (price[:-1] - paid[1:]), rtol=tolerance)
    total = price[1:] + paid[1:]
    np.testing.assert_allclose(adjusted[1:] / adjusted[:-1], total / price[:-1], atol=4e-4)
    assert adjusted[-1] == price[-1]


def test_payers_pay_four_times_a_year_and_the_others_never():
    for symbol in SYMBOLS:
        frame = market.bars(symbol)
        assert frame is not None
        paid = frame[frame["dividends"] > 0]
        in_2025 = (paid["date"].dt.year == 2025).sum()
        assert in_2025 == (4 if symbol in PAYERS else 0), symbol


def test_splits_are_whole_and_leave_a_step_as_traded_but_none_in_adjusted_prices():
    found = 0
    for symbol in SYMBOLS:
        frame = market.bars(symbol)
        assert frame is not None
        ratios = frame["splits"].replace(0.0, 1.0)
        later = ratios[::-1].cumprod()[::-1] / ratios  # splits after the day are still to come
        adjusted, traded = np.log(frame["close"]).diff(), np.log(frame["close"] * later).diff()
        for at in np.flatnonzero(frame["splits"].to_numpy()):
            assert 2 <= ratios[at] <= 20
            assert ratios[at] == int(ratios[at])
            assert abs(adjusted[at]) < 0.25
            assert traded[at] == pytest.approx(adjusted[at] - np.log(ratios[at]))
            found += 1
        assert (frame["close"] * later).iloc[0] > 3.0  # a believable price as traded
    declared = sum(len(each.splits) for each in (*INSTRUMENTS, *LEVERAGED)) + 1  # and GOOG's, with GOOGL's
    assert found == declared > 10


def test_some_splits_are_still_to_come_in_early_2026():
    # A chart asked as of 2026-01-20 must not know them: that is what the sandbox re-bases.
    frames = {symbol: market.bars(symbol) for symbol in ("NVDA", "META")}
    for frame in frames.values():
        assert frame is not None
        assert (frame.loc[frame["splits"] > 0, "date"] > "2026-01-20").any()


@pytest.mark.parametrize("fund", [each for each in LEVERAGED if each.underlying != CHIPS], ids=lambda f: f.symbol)
def test_leveraged_funds_return_three_times_the_day(fund):
    below, above = closes(fund.underlying).pct_change(), closes(fund.symbol).pct_change()
    gap = (above - 3.0 * below).dropna()
    assert gap.abs().max() < 5e-5
    assert gap.mean() < 0  # the fee


def test_google_lines_move_together_but_are_not_the_same():
    a, c = closes("GOOGL"), closes("GOOG")
    assert abs(np.log(c / a)).max() < 0.02
    assert np.log(a).diff().corr(np.log(c).diff()) > 0.99
    assert (a != c).all()


def test_spy_is_the_market_factor():
    spy = market.bars("SPY")
    assert spy is not None
    state = synthetic_world.world()
    factor = pd.Series(np.cumsum(state.market), index=pd.DatetimeIndex(state.days)).loc[spy["date"]]
    total = np.log(spy.set_index("date")["adj_close"])
    assert total.diff().corr(factor.diff()) > 0.999
    np.testing.assert_allclose(total.diff().sum(), factor.diff().sum(), atol=0.03)


def test_half_days_trade_less():
    frame = market.bars("SPY")
    assert frame is not None
    half = frame["date"].dt.date.map(sessions.is_half_day)
    assert half.sum() > 15
    assert frame.loc[half, "volume"].median() < 0.6 * frame.loc[~half, "volume"].median()


def test_returns_look_like_a_market():
    returns = pd.DataFrame({s: np.log(closes(s)).diff() for s in ("SPY", "NVDA", "AAPL", "TSLA")}).dropna()
    volatility = returns.std() * np.sqrt(252)
    assert 0.12 < volatility["SPY"] < 0.25 < volatility["NVDA"] < 0.6
    assert returns["SPY"].kurt() > 2  # fat tails
    calm_or_not = returns["SPY"].abs()
    assert calm_or_not.autocorr(5) > 0.1  # volatility clusters
    rolling = returns["NVDA"].rolling(60).corr(returns["SPY"]).dropna()
    assert rolling.min() < 0.45
    assert rolling.max() > 0.80  # the correlation component must be able to move
