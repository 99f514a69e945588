"""The Yahoo wire over a hand-made market: what is seen when, and in which shape."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import httpx
import pytest

from abri_pipeline.sandbox.wires import yahoo_chart

CHART = "/yahoo/v8/finance/chart"


def asked(sandbox: httpx.Client, symbol: str = "UP", **query: Any) -> dict[str, Any]:
    window = {"period1": 0, "period2": 4_000_000_000} if "range" not in query else {}
    answer = sandbox.get(f"{CHART}/{symbol}", params={**window, "interval": "1d", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["chart"]["result"][0]


def days(result: dict[str, Any]) -> list[str]:
    return [f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d}" for stamp in result["timestamp"]]


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2024-06-07T19:59:59Z", "2024-06-06"),
        ("2024-06-07T20:00:00Z", "2024-06-07"),
        ("2024-06-09T12:00:00Z", "2024-06-07"),
        ("2024-07-03T16:59:59Z", "2024-07-02"),
        ("2024-07-03T17:00:00Z", "2024-07-03"),  # a half day closes at 13:00 New York
    ],
)
def test_the_newest_bar_is_the_last_closed_session(sandbox, at, now, newest):
    at(now)
    result = asked(sandbox)
    assert days(result)[-1] == newest
    assert days(asked(sandbox, range="1d")) == [newest]


def test_before_the_split_prices_and_volume_are_as_traded_then(sandbox, at):
    at("2024-06-07T21:00:00Z")
    before = asked(sandbox, events="div,splits")
    quote = before["indicators"]["quote"][0]
    assert quote["close"] == [1000.0, 1010.0, 1020.0, 1030.0, 1040.0]
    assert quote["volume"] == [100, 200, 300, 400, 500]
    assert before["indicators"]["adjclose"][0]["adjclose"] == pytest.approx(quote["close"], abs=1e-6)
    assert "events" not in before

    at("2024-06-10T21:00:00Z")
    after = asked(sandbox, events="div,splits")
    assert after["indicators"]["quote"][0]["close"] == [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]
    assert after["indicators"]["quote"][0]["volume"][:2] == [1000, 2000]
    assert list(after["events"]) == ["splits"]
    (split,) = after["events"]["splits"].values()
    assert split == {
        "date": epoch("2024-06-10T09:30-04:00"), "numerator": 10, "denominator": 1, "splitRatio": "10:1",
    }  # fmt: skip


def test_a_dividend_lowers_the_earlier_adj_close_from_its_ex_date_on(sandbox, at):
    at("2024-06-18T21:00:00Z")
    eve = asked(sandbox)
    assert eve["indicators"]["adjclose"][0]["adjclose"][-1] == eve["indicators"]["quote"][0]["close"][-1]

    at("2024-06-20T21:00:00Z")
    paid = asked(sandbox, events="div,splits")
    adjusted, close = paid["indicators"]["adjclose"][0]["adjclose"], paid["indicators"]["quote"][0]["close"]
    assert adjusted[-1] == close[-1]
    assert adjusted[0] == pytest.approx(close[0] * (1 - 0.10 / close[-2]), rel=1e-9)
    assert [event["amount"] for event in paid["events"]["dividends"].values()] == [0.1]


def test_a_dividend_before_a_split_is_served_in_the_shares_of_its_day(hand_market, at):
    bars = hand_market.bars("UP")
    bars.loc[1, "dividends"] = 0.02
    later = bars.assign(splits=[10.0 if row == 15 else 0.0 for row in range(len(bars))])

    from abri_pipeline.sandbox import asof

    seen = asof.daily(later, datetime(2024, 6, 7, 21, tzinfo=UTC))
    assert seen["dividends"].tolist() == [0, 0.2, 0, 0, 0]


def test_the_window_keeps_its_start_and_leaves_out_its_end(sandbox, at):
    at("2024-07-06T00:00:00Z")
    first, last = epoch("2024-06-04T09:30-04:00"), epoch("2024-06-06T09:30-04:00")
    result = asked(sandbox, period1=first, period2=last)
    assert days(result) == ["2024-06-04", "2024-06-05"]
    assert result["meta"]["chartPreviousClose"] == 100.0


def test_an_empty_window_has_no_timestamp(sandbox, at):
    at("2024-07-06T00:00:00Z")
    result = asked(sandbox, period1=epoch("2024-06-08T00:00-04:00"), period2=epoch("2024-06-10T00:00-04:00"))
    assert "timestamp" not in result
    assert "events" not in result
    assert result["indicators"] == {"quote": [{}], "adjclose": [{}]}
    assert result["meta"]["exchangeTimezoneName"] == "America/New_York"


def test_the_meta_tells_the_market_as_of_now(sandbox, at):
    at("2024-07-03T18:00:00Z")
    meta = asked(sandbox)["meta"]
    assert meta["firstTradeDate"] == epoch("2024-06-03T09:30-04:00")
    assert meta["regularMarketTime"] == epoch("2024-07-03T13:00-04:00")
    assert meta["regularMarketPrice"] == 121.0
    assert meta["currentTradingPeriod"]["regular"]["end"] == epoch("2024-07-03T13:00-04:00")
    assert (meta["timezone"], meta["gmtoffset"], meta["dataGranularity"]) == ("EDT", -14400, "1d")


def test_events_are_sent_only_when_asked_for(sandbox, at):
    at("2024-07-06T00:00:00Z")
    assert "events" not in asked(sandbox)
    assert list(asked(sandbox, events="div")["events"]) == ["dividends"]


@pytest.mark.parametrize("symbol", ["NOPE", "..%2F..%2Fetc%2Fpasswd", "U" * 300, "^GSPC"])
def test_an_unknown_symbol_is_yahoos_own_404(sandbox, at, symbol):
    at("2024-07-06T00:00:00Z")
    answer = sandbox.get(f"{CHART}/{symbol}", params={"range": "1d"})
    assert answer.status_code == 404


def test_a_symbol_is_unknown_until_it_lists(sandbox, at):
    at("2024-06-21T21:00:00Z")
    answer = sandbox.get(f"{CHART}/LATE", params={"range": "1d"})
    assert answer.status_code == 404
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    assert answer.json() == {"chart": {"result": None, "error": error}}
    at("2024-06-24T20:00:00Z")
    assert days(asked(sandbox, "LATE")) == ["2024-06-24"]


def test_intraday_bars_are_served_once_closed(sandbox, at):
    window = {"interval": "1h", "period1": epoch("2024-06-26T00:00Z"), "period2": epoch("2024-06-29T00:00Z")}
    at("2024-06-27T15:29:00Z")
    early = asked(sandbox, **window)
    assert len(early["timestamp"]) == 1
    assert "adjclose" not in early["indicators"]
    at("2024-06-27T20:00:00Z")  # the bell: the last bar of half an hour is complete
    whole = asked(sandbox, **window)
    assert len(whole["timestamp"]) == 7
    (session,) = whole["meta"]["tradingPeriods"]
    assert session[0]["start"] == epoch("2024-06-27T09:30-04:00")
    assert whole["meta"]["chartPreviousClose"] == 116.0


@pytest.mark.parametrize(
    ("interval", "span", "said"),
    [
        ("1m", ("2024-06-18T00:00Z", "2024-06-27T00:00Z"), "Only 8 days worth of 1m granularity data are allowed"),
        ("1m", ("2024-05-20T00:00Z", "2024-05-21T00:00Z"), "must be within the last 30 days"),
        ("1h", ("2021-05-20T00:00Z", "2021-05-21T00:00Z"), "must be within the last 730 days"),
        ("1wk", ("2024-05-20T00:00Z", "2024-05-21T00:00Z"), "interval=1wk is not supported"),
    ],
)
def test_windows_that_yahoo_refuses_are_422(sandbox, at, interval, span, said):
    at("2024-06-28T21:00:00Z")
    query = {"interval": interval, "period1": epoch(span[0]), "period2": epoch(span[1])}
    answer = sandbox.get(f"{CHART}/UP", params=query)
    assert answer.status_code == 422
    error = answer.json()["chart"]["error"]
    assert error["code"] == "Unprocessable Entity"
    assert said in error["description"]


def test_a_window_that_is_no_number_is_400(sandbox, at):
    at("2024-06-28T21:00:00Z")
    assert sandbox.get(f"{CHART}/UP", params={"period1": "soon"}).status_code == 400


@pytest.mark.parametrize("ratio", [10, 0.1, 1.175, 1.281, 1.5])
def test_a_split_ratio_survives_as_a_fraction(ratio):
    event = yahoo_chart._split(0, ratio)
    assert float(Fraction(event["numerator"], event["denominator"])) == pytest.approx(ratio, rel=1e-12)


def test_cookie_crumb_and_shares_answer_as_the_client_expects(sandbox, at):
    at("2024-07-06T00:00:00Z")
    assert "A3" in sandbox.get("/yahoo/").cookies
    assert sandbox.get("/yahoo/v1/test/getcrumb").text
    shares = sandbox.get("/yahoo/ws/fundamentals-timeseries/v1/finance/timeseries/UP?type=a,b").json()
    assert [entry["meta"]["type"] for entry in shares["timeseries"]["result"]] == [["a"], ["b"]]
