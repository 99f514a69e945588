"""The plan before a launch: sessions, requests and quota by hand, and what the launch then does."""

from datetime import date, timedelta

import pytest

from abri_pipeline.calendars import clock
from abri_pipeline.ingest import watchlist
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.forecast import Forecast, ProviderForecast, forecast
from abri_pipeline.ingest.watchlist import UnknownSymbol
from abri_pipeline.providers.registry import Registry
from abri_pipeline.settings import Settings

JULY = Window(date(2024, 7, 1), date(2024, 7, 31))  # 22 sessions


def ahead(bench, *symbols, keys=("MASSIVE_API_KEY", "ALPHAVANTAGE_API_KEY"), **more) -> Forecast:
    watchlist.seed(bench.engine)
    registry = Registry.load(Settings({**bench.settings.values, **dict.fromkeys(keys, "a-key")}, {}))
    return forecast(bench.engine, registry, more.pop("window", JULY), symbols or ("NVDA",), **more)


def of(found: Forecast, provider: str) -> ProviderForecast:
    return next(one for one in found.providers if one.provider == provider)


def test_what_is_stored_or_waiting_is_not_asked_for(bench):
    hole = date(2024, 7, 10)
    bench.market.holes = {("NVDA", hole)}
    bench.bars("2024-07-08", "2024-07-19")
    (symbol,) = ahead(bench).symbols
    assert (symbol.expected, symbol.stored, symbol.waiting, symbol.asked) == (22, 9, 1, 12)
    (symbol,) = ahead(bench, full_refresh=True).symbols
    assert (symbol.stored, symbol.waiting, symbol.asked) == (9, 0, 22)


def test_the_launch_makes_the_calls_that_were_forecast(bench):
    told = ahead(bench, "NVDA", "SPY", keys=())
    assert [one.provider for one in told.providers] == ["yahoo"]
    assert bench.bars("2024-07-01", "2024-07-31", "NVDA", "SPY").calls == told.providers[0].requests == 2
    done = ahead(bench, "NVDA", "SPY", keys=())
    assert (done.sessions, done.providers[0].requests, done.providers[0].seconds) == (0, 0, 0.0)


def test_what_lies_out_of_a_providers_reach_needs_no_request(bench):
    found = ahead(bench, window=Window(date(2019, 7, 1), date(2019, 7, 31)))
    assert of(found, "yahoo").requests == 1
    assert of(found, "massive").requests == 0  # two years on its free plan
    assert of(found, "alphavantage").requests == 0  # the newest hundred sessions


def test_a_quota_is_waited_for_a_window_at_a_time(bench):
    with bench.engine.connect() as connection:
        watchlist.seed(bench.engine)
        names = [one.symbol for one in watchlist.followed(connection)]
    massive = of(ahead(bench, *names), "massive")
    assert massive.requests == len(names) - 1 == 17  # CoreWeave was not listed yet
    assert (massive.limits[0].left, massive.waits) == (5, 180.0)  # 5 now, then 5, 5 and 2 in three more minutes
    with bench.desk() as desk:
        provider = Registry.load(Settings({"MASSIVE_API_KEY": "k"}, {}))["massive"]
        desk.usage.reserve("massive", provider.limits, 4, clock.wall())
    standing = of(ahead(bench, *names), "massive")
    assert (standing.limits[0].used, standing.limits[0].left, standing.waits) == (4, 1, 240.0)
    assert standing.limits[0].frees_at is None  # one more call fits now
    with bench.desk() as desk:
        desk.usage.reserve("massive", provider.limits, 1, clock.wall())
    frees = of(ahead(bench, *names), "massive").limits[0].frees_at
    assert clock.wall() < frees <= clock.wall() + timedelta(seconds=62)


def test_a_symbol_nobody_follows_is_refused(bench):
    with pytest.raises(UnknownSymbol):
        ahead(bench, "NOPE")


def test_shorter_timeframes_are_planned_as_far_back_as_they_reach(bench):
    found = ahead(bench, timeframes=("1d", "1h"), keys=())
    assert [(one.timeframe, one.asked) for one in found.symbols] == [("1d", 22), ("1h", 22)]
    assert found.providers[0].requests == 2
    (minutes,) = ahead(bench, timeframes=("1m",), keys=()).symbols
    assert minutes.start == date(2024, 7, 4) + timedelta(days=1)  # 29 days; 4 July is no session
