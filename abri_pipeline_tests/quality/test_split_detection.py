"""V4 and V6: a missed split is flagged, a known one and a real move are not, a unit flip is."""

import sys
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from abri_pipeline.quality.rules import assess
from abri_pipeline_tests.quality.market import actions, calm, recorded, unadjusted

BARS = calm()
DAY = BARS["date"][30]
RATIO_RULES = ["missed_split", "quiet_gap"]
# GameStop's closes as traded, 2021-01-22 to 01-29 (Yahoo); the four for one of 2022 came later.
GME = [65.01, 76.79, 147.98, 347.51, 193.60, 325.00]


def known(value: float, action: str = "split") -> pd.DataFrame:
    return pd.DataFrame({"symbol": ["CALM"], "date": [DAY], "action": [action], "value": [value]})


def rules(bars, *args, **options) -> list[str]:
    return list(assess(bars, *args, **options).flags["rule"])


@pytest.mark.parametrize("ratio", [2, 3, 4, 10, 20, 50, 1.5, 0.125, 0.05])
def test_v4_an_unknown_split_is_flagged_on_its_day(ratio):
    found = assess(unadjusted(BARS, DAY, ratio)).flags
    assert [(f.rule, f.date) for f in found.itertuples()] == [("missed_split", DAY)]


def test_v4_a_known_split_is_not_flagged():
    assert rules(BARS, known(4.0)) == []
    assert rules(unadjusted(BARS, DAY, 4.0), known(4.0), as_traded=True) == []


def test_v4_a_known_split_that_earlier_prices_do_not_carry_is_no_unknown_one():
    assert rules(unadjusted(BARS, DAY, 4.0), known(4.0)) == ["split_not_applied"]


def test_a_split_of_which_another_ratio_is_known_is_still_flagged():
    assert rules(unadjusted(BARS, DAY, 10.0), known(2.0)) == ["missed_split"]


def test_a_special_dividend_explains_a_gap():
    bars = unadjusted(BARS, DAY, 1.25)
    assert rules(bars) == ["missed_split"]
    assert rules(bars, known(float(bars["close"][29] * 0.2), "dividend")) == []


def test_a_real_fall_on_news_is_left_alone():
    bars = unadjusted(BARS, DAY, 2.0)
    bars["volume"] = BARS["volume"].astype(float)
    bars.loc[30, "volume"] *= 15
    assert rules(bars) == []


@pytest.mark.parametrize("opens", ["at the close before", "at its own close"])
@pytest.mark.parametrize("volume", ["steady", "tenfold"])
def test_v4_the_spike_of_gme_in_january_2021_is_left_alone(opens, volume):
    before, after = 40.0 * calm(rows=15)["close"].to_numpy() / 100, [225.0, 90.0, 92.41, 53.50, 63.77, 60.0, 50.31]
    close = np.concatenate([before, GME, after])
    opened = close if opens == "at its own close" else np.concatenate([close[:1], close[:-1]])
    busy = np.where(np.arange(len(close)) >= 15, 10.0 if volume == "tenfold" else 1.0, 1.0)
    bars = pd.DataFrame(
        {
            "symbol": "GME",
            "date": pd.bdate_range(end="2021-02-09", periods=len(close)),
            "open": opened,
            "high": np.maximum(opened, close) * 1.01,
            "low": np.minimum(opened, close) * 0.99,
            "close": close,
            "volume": 1e7 * busy,
        }
    )
    assert bars.loc[bars["close"] == 65.01, "date"].item() == pd.Timestamp("2021-01-22")
    assert rules(bars) == []


@pytest.mark.parametrize("factor", [100, 0.01])
@pytest.mark.parametrize("length", [1, 3, 12])
def test_v6_a_unit_flip_is_flagged_on_each_of_its_rows(factor, length):
    bars = BARS.copy()
    bars.loc[30 : 29 + length, ["open", "high", "low", "close"]] *= factor
    found = assess(bars).flags
    assert set(found["rule"]) == {"unit_flip"}
    assert list(found["position"]) == list(range(30, 30 + length))


def test_a_return_no_market_makes_is_flagged():
    bars = BARS.copy()
    bars.loc[30, ["high", "close"]] = [400.0, 390.0]
    assert set(rules(bars)) == {"extreme_return"}


@pytest.fixture(scope="module")
def market(shared):
    return recorded(shared)


def _called(bars: pd.DataFrame, dividends: pd.DataFrame, day: pd.Timestamp, names=RATIO_RULES) -> bool:
    flags = assess(bars, dividends).flags
    return bool(((flags["date"] == day) & flags["rule"].isin(names)).any())


@pytest.mark.realdata
def test_v4_precision_and_recall_on_the_recorded_market(market, capsys):
    """Positives: every recorded ratio, un-adjusted. Negatives: the 200 largest real one-day moves."""
    own = dict(list(market.groupby("symbol")))
    dividends = actions(market, "dividend")
    events = actions(market, "split")
    missed = []
    for event in events.itertuples():
        bars = unadjusted(own[event.symbol], event.date, event.value)
        if not _called(bars, dividends[dividends["symbol"] == event.symbol], event.date):
            missed.append(f"{event.symbol} {event.date:%Y-%m-%d} {event.value:g}")
    move = np.log(market["close"] / market.groupby("symbol")["close"].shift()).abs()
    largest = market.loc[move.nlargest(200).index, ["symbol", "date"]]
    flags = assess(market, actions(market, "split", "dividend")).flags
    ratio_like = flags[flags["rule"].isin(RATIO_RULES)]
    wrong = len(largest.merge(ratio_like, on=["symbol", "date"]))
    hits = len(events) - len(missed)
    precision, recall = hits / (hits + wrong), hits / len(events)
    with capsys.disabled():
        sys.stdout.write(
            f"\nratio events {len(events)}, flagged {hits}, not seen {missed or 'none'}; "
            f"200 largest moves from {move.nlargest(200).min():.3f} to {move.max():.3f}, flagged {wrong}; "
            f"precision {precision:.3f}, recall {recall:.3f}\n"
            f"flags on {len(market)} bars as recorded: {flags['rule'].value_counts().to_dict()}\n"
        )
    assert recall >= 0.95
    assert precision >= 0.95


@pytest.mark.realdata
def test_v6_a_hundred_seeded_injections(market, capsys):
    """Random symbol, day and ratio; reported by kind, since a small spin-off ratio drowns in noise."""
    rng = np.random.default_rng(20260116)
    own = dict(list(market.groupby("symbol")))
    symbols = sorted(own)
    dividends = actions(market, "dividend")
    told: dict[str, list[bool]] = {"split": [], "spin-off 1.15-1.30": [], "spin-off 1.025-1.15": [], "unit flip": []}
    for number in range(100):
        symbol = symbols[rng.integers(len(symbols))]
        bars = own[symbol].reset_index(drop=True)
        at = int(rng.integers(30, len(bars) - 10))
        day = bars["date"][at]
        if number % 4 == 0:
            kind, names, ratio = "unit flip", ["unit_flip"], float(rng.choice([100, 0.01]))
            bars.loc[at : at + int(rng.integers(0, 4)), ["open", "high", "low", "close"]] *= ratio
        elif number % 4 == 1:
            ratio = float(rng.uniform(1.025, 1.3))
            kind, names = "spin-off 1.15-1.30" if ratio >= 1.15 else "spin-off 1.025-1.15", RATIO_RULES
            bars = unadjusted(bars, day, ratio)
        else:
            kind, names = "split", RATIO_RULES
            bars = unadjusted(bars, day, float(rng.choice([1.5, 2, 3, 4, 5, 10, 20, 0.1, 0.125, 0.5])))
        told[kind].append(_called(bars, dividends[dividends["symbol"] == symbol], day, names))
    with capsys.disabled():
        said = ", ".join(f"{kind}: {sum(seen)} of {len(seen)}" for kind, seen in told.items())
        sys.stdout.write(f"\ninjections {said}\n")
    assert all(told["unit flip"])
    assert np.mean(told["split"]) >= 0.95
    assert np.mean(told["spin-off 1.15-1.30"]) >= 0.5


@pytest.mark.realdata
def test_a_load_of_the_whole_market_is_judged_at_once(market):
    assess(market)
    began = perf_counter()
    assess(market)
    assert perf_counter() - began < 1.0
