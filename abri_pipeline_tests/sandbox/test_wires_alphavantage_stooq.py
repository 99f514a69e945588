"""Alpha Vantage's and Stooq's wires in the sandbox: what they give, and how they refuse with status 200."""

from typing import Any

import httpx
import pytest

QUERY = "/alphavantage/query"
DAILY = {"function": "TIME_SERIES_DAILY", "symbol": "UP", "apikey": "k"}
MINUTES = {"function": "TIME_SERIES_INTRADAY", "symbol": "UP", "interval": "5min", "apikey": "premium-k"}
FILE = "/stooq/q/d/l/"


def said(sandbox: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = sandbox.get(QUERY, params=query)
    assert answer.status_code == 200
    return answer.json()


def test_days_are_as_traded_and_newest_first(sandbox, at):
    at("2024-06-11T21:00:00Z")
    found = said(sandbox, **DAILY)
    series = found["Time Series (Daily)"]
    assert list(series) == [
        "2024-06-11",
        "2024-06-10",
        "2024-06-07",
        "2024-06-06",
        "2024-06-05",
        "2024-06-04",
        "2024-06-03",
    ]
    assert series["2024-06-07"]["4. close"] == "1040.0000"
    assert series["2024-06-10"]["4. close"] == "105.0000"
    assert series["2024-06-03"]["5. volume"] == "100"
    assert found["Meta Data"]["5. Time Zone"] == "US/Eastern"


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"apikey": ""}, "Error Message", "apikey is invalid or missing"),
        ({"symbol": "NOPE"}, "Error Message", "Invalid API call"),
        ({"outputsize": "full"}, "Information", "outputsize=full parameter value is a premium feature"),
        ({"function": "TIME_SERIES_DAILY_ADJUSTED"}, "Information", "premium endpoint"),
        ({"function": "TIME_SERIES_INTRADAY", "interval": "5min"}, "Information", "premium endpoint"),
        ({"function": "NEWS"}, "Error Message", "Invalid API call"),
    ],
)
def test_every_refusal_is_a_text_with_status_200(sandbox, at, change, name, words):
    at("2024-07-06T00:00:00Z")
    found = said(sandbox, **{**DAILY, **change})
    assert list(found) == [name]
    assert words in found[name]


def test_a_paid_key_opens_minutes_in_new_yorks_wall_clock(sandbox, at):
    at("2024-06-28T00:00:00Z")
    series = said(sandbox, **MINUTES, month="2024-06", outputsize="full")["Time Series (5min)"]
    assert list(series)[-1] == "2024-06-27 09:30:00"
    assert next(iter(series)) == "2024-06-27 15:55:00"
    assert series["2024-06-27 09:30:00"]["5. volume"] == "35"
    assert said(sandbox, **MINUTES, month="2024-05", outputsize="full")["Time Series (5min)"] == {}


def test_stooq_adjusts_for_dividends_too(sandbox, at):
    at("2024-07-06T00:00:00Z")
    query = {"s": "up.us", "i": "d", "d1": "20240618", "d2": "20240620", "apikey": "k"}
    lines = sandbox.get(FILE, params=query).text.splitlines()
    assert lines[0] == "Date,Open,High,Low,Close,Volume"
    closes = {line.split(",")[0]: float(line.split(",")[4]) for line in lines[1:]}
    assert list(closes) == ["2024-06-18", "2024-06-20"]  # 2024-06-19 is a holiday
    assert closes["2024-06-18"] < 111.0
    assert closes["2024-06-20"] == 112.0


def test_stooq_refuses_with_status_200(sandbox, at):
    at("2024-07-06T00:00:00Z")
    page = sandbox.get(FILE, params={"s": "up.us", "i": "d"})
    assert page.status_code == 200
    assert "apikey" in page.text
    assert page.headers["content-type"].startswith("text/html")
    for query in ({"s": "nope.us"}, {"s": "up"}, {"s": "up.us", "d1": "19990101", "d2": "19990102"}):
        assert sandbox.get(FILE, params={"i": "d", "apikey": "k", **query}).text == "No data"
