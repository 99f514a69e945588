"""yfinance over our transport, and the chart parser against yfinance itself."""

import json
import math
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers.errors import (
    Absent,
    BadRequest,
    Malformed,
    RateLimited,
    Refused,
    ServerFailed,
    UpstreamError,
)
from abri_pipeline.providers.yahoo import ChartQuery, fetch_chart, parse_chart

NEW_YORK = ZoneInfo("America/New_York")
WEEK = ChartQuery("NVDA", date(2024, 6, 5), date(2024, 6, 12))


def stamp(day: date, hour: int = 9, minute: int = 30, zone: ZoneInfo = NEW_YORK) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).timestamp())


def chart(days: list[date], closes: list[float | None], **more: Any) -> dict[str, Any]:
    """A chart of the recorded shape; every price of a bar is its close."""
    result = {
        "meta": {
            "currency": "USD",
            "symbol": "NVDA",
            "instrumentType": "EQUITY",
            "exchangeTimezoneName": "America/New_York",
            "validRanges": ["1d", "max"],
            "priceHint": 2,
        },
        "timestamp": [stamp(d) for d in days],
        "indicators": {
            "quote": [
                {
                    "open": list(closes),
                    "high": list(closes),
                    "low": list(closes),
                    "close": list(closes),
                    "volume": [None if c is None else 1000 for c in closes],
                }
            ],
            "adjclose": [{"adjclose": [None if c is None else c * 0.5 for c in closes]}],
        },
        **more,
    }
    return {"chart": {"result": [result], "error": None}}


SESSIONS = [date(2024, 6, d) for d in (5, 6, 7, 10, 11, 12)]
SPLIT = {"splits": {"1": {"date": stamp(date(2024, 6, 10)), "numerator": 10, "denominator": 1, "splitRatio": "10:1"}}}
DIVIDEND = {"dividends": {"2": {"date": stamp(date(2024, 6, 11)), "amount": 0.01}}}
PLAIN = chart(
    SESSIONS,
    [122.44000244140625, 120.99800109863281, 120.88800048828125, 121.79000091552734, 120.91000366210938, 125.2],
    events={**SPLIT, **DIVIDEND},
)


def body(found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()


def history(found: dict[str, Any], query: ChartQuery) -> pd.DataFrame:
    """What `Ticker.history` itself makes of a chart."""
    import yfinance
    from curl_cffi.requests import Session

    class Reply:
        status_code, url, text, content = 200, "https://query2.finance.yahoo.com/", "", b""

        def json(self) -> dict[str, Any]:
            return json.loads(json.dumps(found))

    class Fixed(Session):  # type: ignore[type-arg]
        def request(self, *_: Any, **__: Any) -> Any:
            return Reply()

    yfinance.config.debug.hide_exceptions = False
    yfinance.set_tz_cache_location("/dev/null/yfinance")
    ticker = yfinance.Ticker(query.symbol, session=Fixed())
    ticker._data.cache_get.cache_clear()
    end = pd.Timestamp(query.end) + pd.Timedelta(days=1)
    with warnings.catch_warnings():
        # yfinance still calls pandas with inplace=, which pandas 3.1 announces to remove; its code, not ours
        warnings.simplefilter("ignore", DeprecationWarning)
        return ticker.history(start=str(query.start), end=str(end.date()), auto_adjust=False, actions=True)


def assert_same(found: dict[str, Any], query: ChartQuery) -> None:
    ours = parse_chart(body(found), query)
    theirs = history(found, query)
    theirs.index = theirs.index.tz_localize(None)
    assert list(ours.bars["date"]) == list(theirs.index)
    for name, column in (
        ("open", "Open"),
        ("high", "High"),
        ("low", "Low"),
        ("close", "Close"),
        ("adj_close", "Adj Close"),
    ):
        np.testing.assert_array_equal(ours.bars[name], theirs[column], err_msg=name)
    np.testing.assert_array_equal(ours.bars["volume"].fillna(0), theirs["Volume"])
    for action, column in (("dividend", "Dividends"), ("split", "Stock Splits")):
        mine = ours.actions[ours.actions["action"] == action].set_index("date")["value"]
        yours = theirs.loc[theirs[column] != 0, column]
        assert dict(mine) == dict(yours)


def test_one_symbol_costs_one_request(upstream, transport, answer) -> None:
    upstream.will(answer(body(PLAIN), Content_Type="application/json"))
    payload = fetch_chart(transport, WEEK)
    assert payload.body == body(PLAIN)
    assert upstream.paths == ["/yahoo/v8/finance/chart/NVDA"]
    asked = upstream.seen[0][1]
    assert asked["period1"] == [str(stamp(WEEK.start, 0, 0))]
    assert asked["period2"] == [str(stamp(date(2024, 6, 13), 0, 0))]  # yfinance's end is exclusive
    assert asked["interval"] == ["1d"]
    assert "div" in asked["events"][0]
    assert "crumb" not in asked


def test_a_second_fetch_asks_again(upstream, transport, answer) -> None:
    upstream.will(answer(body(PLAIN)), answer(body(chart(SESSIONS[:1], [1.0]))))
    first, second = fetch_chart(transport, WEEK), fetch_chart(transport, WEEK)
    assert first.body != second.body
    assert transport.calls["yahoo"] == 2


def test_threads_do_not_mix_their_symbols(upstream, transport, answer) -> None:
    symbols = [f"T{n}" for n in range(24)]
    for s in symbols:
        upstream.routes[f"/yahoo/v8/finance/chart/{s}"] = answer(json.dumps({"me": s}).encode())
    queries = [ChartQuery(s, date(2024, 6, 5), date(2024, 6, 12)) for s in symbols]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda q: json.loads(fetch_chart(transport, q).body)["me"], queries))
    assert found == symbols
    assert transport.calls["yahoo"] == len(symbols)


def test_nothing_is_written_in_the_home(upstream, transport, answer, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    upstream.will(answer(body(PLAIN)))
    fetch_chart(transport, WEEK)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("status", "error", "branch", "words"),
    [
        (
            404,
            {"code": "Not Found", "description": "No data found, symbol may be delisted"},
            Absent,
            "check the symbol",
        ),
        (422, {"code": "Unprocessable Entity", "description": "1m data not available"}, BadRequest, "1m data not"),
        (400, {"code": "Bad Request", "description": "Data doesn't exist for startDate = 1"}, Absent, "no data for"),
    ],
)
def test_yahoos_errors_have_their_branch(upstream, transport, answer, status, error, branch, words) -> None:
    upstream.will(answer(body({"chart": {"result": None, "error": error}}), status))
    with pytest.raises(branch, match=words) as caught:
        fetch_chart(transport, WEEK)
    assert type(caught.value) is branch
    assert transport.calls["yahoo"] == 1


def test_a_web_page_is_refused(upstream, transport, answer) -> None:
    upstream.will(answer(b"<!DOCTYPE html><title>Consent</title>", Content_Type="text/html"))
    with pytest.raises(Refused, match="web page"):
        fetch_chart(transport, WEEK)


@pytest.mark.parametrize("symbol", ["../../etc", "BRK/B", "", "A" * 300, "nvda", "a b", "NVDA\n", "NVDA?x=1", ".."])
def test_a_symbol_that_cannot_be_yahoos_is_not_asked(symbol) -> None:
    with pytest.raises(BadRequest, match="no Yahoo symbol"):
        ChartQuery(symbol, date(2024, 1, 1), date(2024, 1, 2))


@pytest.mark.parametrize("symbol", ["^GSPC", "GC=F", "DX-Y.NYB", "BRK-B", "BTC-USD"])
def test_symbols_of_every_market_arrive_whole(upstream, transport, answer, symbol) -> None:
    from urllib.parse import unquote

    upstream.will(answer(body(PLAIN)))
    fetch_chart(transport, ChartQuery(symbol, date(2024, 6, 5), date(2024, 6, 12)))
    assert unquote(upstream.paths[0]) == f"/yahoo/v8/finance/chart/{symbol}"


def test_a_window_must_not_end_before_it_starts() -> None:
    with pytest.raises(BadRequest, match="before it starts"):
        ChartQuery("NVDA", date(2024, 1, 2), date(2024, 1, 1))


def test_the_parser_agrees_with_yfinance() -> None:
    assert_same(PLAIN, WEEK)


def test_the_live_bar_replaces_the_row_of_its_day() -> None:
    found = chart(SESSIONS, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    result = found["chart"]["result"][0]
    result["timestamp"].append(stamp(SESSIONS[-1], 16, 0))
    for values in [*result["indicators"]["quote"][0].values(), result["indicators"]["adjclose"][0]["adjclose"]]:
        values.append(8)
    bars = parse_chart(body(found), WEEK).bars
    assert len(bars) == 6
    assert bars["close"].iloc[-1] == 8.0
    assert_same(found, WEEK)


def test_a_bar_after_the_window_is_dropped() -> None:
    found = chart([*SESSIONS, date(2025, 1, 10)], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0])
    assert parse_chart(body(found), WEEK).bars["date"].max() == pd.Timestamp(2024, 6, 12)
    assert_same(found, WEEK)


def test_holes_stay_holes_and_empty_rows_go() -> None:
    found = chart(SESSIONS, [1.0, None, 3.0, 4.0, 5.0, 6.0])
    quote = found["chart"]["result"][0]["indicators"]["quote"][0]
    quote["open"][2] = None
    quote["volume"][3] = None
    bars = parse_chart(body(found), WEEK).bars
    assert len(bars) == 5
    assert math.isnan(bars["open"].iloc[1])
    assert bars["volume"].isna().tolist() == [False, False, True, False, False]
    assert_same(found, WEEK)


def test_an_empty_window_is_an_empty_frame_of_the_same_columns() -> None:
    found = chart([], [])
    del found["chart"]["result"][0]["timestamp"]
    found["chart"]["result"][0]["indicators"] = {"quote": [{}], "adjclose": [{}]}
    empty = parse_chart(body(found), WEEK)
    full = parse_chart(body(PLAIN), WEEK)
    assert empty.bars.empty
    assert empty.actions.empty
    assert empty.bars.dtypes.equals(full.bars.dtypes)
    assert empty.actions.dtypes.equals(full.actions.dtypes)


def test_the_day_is_the_exchanges_own() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    found = chart([date(2024, 6, 6)], [1.0])
    result = found["chart"]["result"][0]
    result["meta"]["exchangeTimezoneName"] = "Asia/Tokyo"
    result["timestamp"] = [stamp(date(2024, 6, 6), 9, 0, tokyo)]  # still the fifth in UTC
    assert datetime.fromtimestamp(result["timestamp"][0], UTC).hour == 0
    assert parse_chart(body(found), WEEK).bars["date"].tolist() == [pd.Timestamp(2024, 6, 6)]


def test_two_dividends_of_a_day_add_up_and_a_repeated_one_counts_once() -> None:
    at = stamp(date(2024, 6, 11))
    events = {
        "dividends": {
            "a": {"date": at, "amount": 0.2},
            "b": {"date": at + 1, "amount": 0.3},
            "c": {"date": at, "amount": 0.2},
        }
    }
    actions = parse_chart(body(chart(SESSIONS, [1.0] * 6, events=events)), WEEK).actions
    assert actions["value"].tolist() == [0.5]


@pytest.mark.parametrize(
    ("error", "branch"),
    [
        ({"code": "Not Found", "description": "No data found, symbol may be delisted"}, Absent),
        ({"code": "Too Many Requests", "description": "slow down"}, RateLimited),
        ({"code": "Internal Server Error", "description": "x"}, ServerFailed),
        ({"code": "Bad Request", "description": "Invalid input"}, BadRequest),
        ({"code": "argh", "description": "?"}, Malformed),
        ("argh", Malformed),
    ],
)
def test_an_error_in_the_body_has_its_branch(error, branch) -> None:
    with pytest.raises(branch) as caught:
        parse_chart(body({"chart": {"result": None, "error": error}}), WEEK)
    assert type(caught.value) is branch


def broken(change: Callable[[dict[str, Any]], object]) -> bytes:
    found = json.loads(json.dumps(PLAIN))
    change(found["chart"]["result"][0])
    return body(found)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["timestamp"].pop(),
        lambda r: r["meta"].pop("exchangeTimezoneName"),
        lambda r: r["meta"].update(exchangeTimezoneName="America"),
        lambda r: r["meta"].update(exchangeTimezoneName="Mars/Olympus"),
        lambda r: r["indicators"]["quote"][0].pop("close"),
        lambda r: r["indicators"]["quote"][0]["close"].__setitem__(0, "12,5"),
        lambda r: r["indicators"]["quote"][0]["close"].__setitem__(0, [1]),
        lambda r: r["timestamp"].__setitem__(0, 10**18),
        lambda r: r["timestamp"].__setitem__(0, None),
        lambda r: r["events"]["splits"]["1"].update(denominator=0),
    ],
)
def test_a_chart_of_another_shape_is_malformed(change) -> None:
    with pytest.raises(Malformed):
        parse_chart(broken(change), WEEK)


def test_what_is_no_finite_number_is_missing() -> None:
    bars = parse_chart(body(PLAIN).replace(b"[122.44000244140625", b"[1e400", 1), WEEK).bars
    assert bars.iloc[0].isna().sum() == 1


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_malformed(noise) -> None:
    with pytest.raises(Malformed):
        parse_chart(noise, WEEK)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["meta", "timestamp", "indicators", "events", "quote", "close", "volume", "splits"]), JSON)
def test_any_value_in_any_place_is_read_or_named(place, value) -> None:
    found = json.loads(json.dumps(PLAIN))
    result = found["chart"]["result"][0]
    quote = result["indicators"]["quote"][0]
    target = quote if place in quote else result["indicators"] if place == "quote" else result
    if place == "splits":
        target = result["events"]
    target[place] = value
    try:
        parse_chart(body(found), WEEK)
    except UpstreamError as error:
        assert error.kind in {"malformed", "absent"}


RECORDED = [
    "chart-AAPL-2020-01-01-to-2020-01-03.json",
    "chart-AAPL-2020-08-31-to-2020-11-07.json",
    "chart-AAPL.json",
    "chart-BTC-USD-2020-01-01-to-2020-01-03.json",
    "chart-EURUSD=X-2020-01-01-to-2020-01-03.json",
    "chart-GC=F-2020-01-01-to-2020-01-03.json",
    "chart-OCDO.L-2020-01-01-to-2020-01-03.json",
    "chart-QQQ-2020-01-01-to-2020-01-03.json",
    "chart-WSKT.JK-2020-01-01-to-2020-01-03.json",
]


@pytest.mark.realdata
@pytest.mark.parametrize("name", RECORDED)
def test_the_parser_agrees_with_yfinance_on_recorded_charts(shared: Path, name: str) -> None:
    recorded = json.loads((shared / "wire" / "yahoo" / name).read_text())
    found = recorded["response"]["bodyJson"]
    symbol = found["chart"]["result"][0]["meta"]["symbol"]
    zone = ZoneInfo(found["chart"]["result"][0]["meta"]["exchangeTimezoneName"])
    days = [datetime.fromtimestamp(t, zone).date() for t in found["chart"]["result"][0]["timestamp"]]
    query = ChartQuery(symbol, min(days), max(days), timezone=zone.key)
    assert_same(found, query)


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name", ["chart-notimestamp-weird-quote.fake.json", "chart-notimestamp-quotes-length.fake.json"]
)
def test_charts_without_timestamps_hold_no_bars(shared: Path, name: str) -> None:
    found = json.loads((shared / "wire" / "yahoo" / name).read_text())["response"]["bodyJson"]
    assert parse_chart(body(found), ChartQuery("AAPL", date(2020, 1, 1), date(2020, 1, 3))).bars.empty
