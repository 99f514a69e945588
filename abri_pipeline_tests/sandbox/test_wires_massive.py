"""Massive's wire in the sandbox: keys, paging, dated names, and the real client over it."""

from datetime import date
from typing import Any

import httpx
import pandas as pd
import pytest

from abri_pipeline.providers.bars import BarQuery
from abri_pipeline.providers.errors import Refused
from abri_pipeline.providers.massive import Massive
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.yahoo_bars import Yahoo
from abri_pipeline.sandbox import server
from abri_pipeline.sandbox.synthetic import SyntheticMarket
from abri_pipeline.settings import Settings

KEY = {"Authorization": "Bearer k"}
DAYS = "/massive/v2/aggs/ticker/UP/range/1/day/2024-06-03/2024-06-12"


def asked(sandbox: httpx.Client, path: str = DAYS, **query: Any) -> dict[str, Any]:
    answer = sandbox.get(path, params=query, headers=KEY)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_without_a_key_the_answer_is_its_401(sandbox, at):
    at("2024-07-06T00:00:00Z")
    answer = sandbox.get(DAYS)
    assert answer.status_code == 401
    assert answer.json()["error"] == "API Key was not provided"


def test_days_start_at_new_yorks_midnight_and_are_split_adjusted(sandbox, at):
    at("2024-07-06T00:00:00Z")
    page = asked(sandbox)
    assert page["resultsCount"] == len(page["results"]) == 8
    assert page["results"][0] | {"vw": 0} == {
        "t": 1717387200000, "o": 100.0, "c": 100.0, "h": 101.0, "l": 99.0, "v": 1000.0, "n": 1, "vw": 0,
    }  # fmt: skip
    raw = asked(sandbox, adjusted="false")["results"]
    assert [bar["c"] for bar in raw[:6]] == [1000.0, 1010.0, 1020.0, 1030.0, 1040.0, 105.0]
    assert raw[0]["v"] == 100.0


def test_pages_lead_from_one_to_the_next_until_the_window_ends(sandbox, at):
    at("2024-07-06T00:00:00Z")
    page, found = asked(sandbox, limit=3), []
    while True:
        found += [bar["t"] for bar in page["results"]]
        if "next_url" not in page:
            break
        assert page["next_url"].startswith("https://api.massive.com/v2/aggs/ticker/UP/")
        page = asked(sandbox, page["next_url"].replace("https://api.massive.com", "/massive"))
    assert found == [bar["t"] for bar in asked(sandbox)["results"]]


def test_an_unknown_ticker_and_an_empty_window_are_answered_alike(sandbox, at):
    at("2024-07-06T00:00:00Z")
    for path in (DAYS.replace("UP", "NOPE"), DAYS.replace("06-03", "06-08").replace("06-12", "06-09")):
        page = asked(sandbox, path)
        assert "results" not in page
        assert page["resultsCount"] == 0


def test_tomorrow_is_not_in_any_plan(sandbox, at):
    at("2024-06-10T21:00:00Z")
    answer = sandbox.get(DAYS, headers=KEY)
    assert answer.status_code == 403
    assert answer.json()["status"] == "NOT_AUTHORIZED"


@pytest.mark.parametrize("path", [DAYS.replace("day", "fortnight"), DAYS.replace("2024-06-03", "soon")])
def test_a_request_that_makes_no_sense_is_a_400(sandbox, at, path):
    at("2024-07-06T00:00:00Z")
    assert sandbox.get(path, headers=KEY).status_code == 400


def test_minutes_are_put_together_from_shorter_ones(sandbox, at):
    at("2024-06-28T00:00:00Z")
    page = asked(sandbox, "/massive/v2/aggs/ticker/UP/range/30/minute/2024-06-27/2024-06-27")
    assert [bar["v"] for bar in page["results"]] == [210.0] * 13


def test_facebook_is_fb_then_meta_and_meta_was_somebody_else(monkeypatch):
    monkeypatch.setenv("ABRI_NOW", "2024-01-06T00:00:00Z")
    with server.running(SyntheticMarket()) as base:
        settings = Settings({"ABRI_UPSTREAM_URL": base, "MASSIVE_API_KEY": "canary-massive"}, {})
        with Transport(settings) as transport:

            def bars(provider: Any, symbol: str, start: date, end: date) -> pd.DataFrame:
                query = BarQuery(symbol, start, end)
                return provider.parse([page.body for page in provider.fetch(transport, query)], query)

            start, renamed, end = date(2022, 5, 2), date(2022, 6, 9), date(2022, 7, 1)
            early, late = bars(Massive(), "FB", start, end), bars(Massive(), "META", renamed, end)
            yahoo = bars(Yahoo(), "META", start, end)
            columns = ["date", "open", "high", "low", "close", "volume"]
            both = pd.concat([early, late], ignore_index=True)
            pd.testing.assert_frame_equal(both[columns], yahoo[columns])
            foreign = bars(Massive(), "META", date(2021, 7, 1), date(2021, 7, 30))
            assert set(foreign["close"]) == {12.0}
            assert bars(Massive(), "META", date(2022, 2, 1), date(2022, 6, 8)).empty
            with pytest.raises(Refused, match="plan does not include"):
                bars(Massive(), "META", date(2024, 1, 2), date(2024, 2, 1))
