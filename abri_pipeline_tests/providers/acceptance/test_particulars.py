"""What only one vendor does: dated names, checksums, live bars, texts that say two things."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from abri_pipeline.providers import binance_vision
from abri_pipeline.providers.bars import BarQuery, closed
from abri_pipeline.providers.errors import BadRequest, Malformed, RateLimited, Truncated
from abri_pipeline.providers.massive import Massive
from abri_pipeline.providers.registry import Registry
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.yahoo_bars import Yahoo
from abri_pipeline.settings import Settings
from abri_pipeline_tests.providers.acceptance.crypto_vendors import BinanceVisionWire, BinanceWire, row, zipped
from abri_pipeline_tests.providers.acceptance.equity_vendors import AlphaVantageWire, MassiveWire, StooqWire, YahooWire
from abri_pipeline_tests.providers.acceptance.kit import JANUARY, PRICES, Bar

MASSIVE, YAHOO, ALPHA, VISION = MassiveWire(), YahooWire(), AlphaVantageWire(), BinanceVisionWire()


@pytest.fixture
def dated(tmp_path: Any) -> Massive:
    """Massive under the packaged rules for names."""
    provider = Registry.load(Settings({"ABRI_HOME": str(tmp_path)}, {}))["massive"].bars
    assert isinstance(provider, Massive)
    return provider


@pytest.mark.parametrize(
    ("symbol", "start", "end", "allowed"),
    [
        ("META", date(2022, 6, 9), date(2024, 1, 5), True),
        ("FB", date(2018, 1, 2), date(2022, 6, 8), True),
        ("META", date(2022, 6, 8), date(2022, 6, 10), False),
        ("META", date(2021, 7, 1), date(2021, 7, 2), False),
        ("FB", date(2022, 6, 8), date(2022, 6, 9), False),
        ("NVDA", date(2018, 1, 2), date(2024, 1, 5), True),
    ],
)
def test_c6_massive_is_never_asked_for_the_other_meta(
    dated: Massive, upstream: Any, answer: Any, symbol: str, start: date, end: date, allowed: bool
) -> None:
    upstream.will(answer(b'{"status":"OK","resultsCount":0,"results":null}'))
    with Transport(upstream.settings(**MASSIVE.keys)) as transport:
        if allowed:
            dated.fetch(transport, BarQuery(symbol, start, end))
        else:
            with pytest.raises(BadRequest, match="another security"):
                dated.fetch(transport, BarQuery(symbol, start, end))
    assert bool(upstream.seen) == allowed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resultsCount": 7}, "promises 7"),
        ({"ticker": "MSFT"}, "is of 'MSFT'"),
        ({"adjusted": False}, "not adjusted"),
        ({"results": {}}, "no list"),
        ({"next_url": "https://api.massive.com/v2/x?cursor=a"}, "not where the answer ends"),
        ({"status": "WAITING"}, "unknown kind"),
    ],
)
def test_a_massive_page_that_contradicts_itself_is_refused(change: dict[str, Any], said: str) -> None:
    page = json.loads(MASSIVE.encode(JANUARY, MASSIVE.query())[0]) | change
    with pytest.raises(Malformed, match=said):
        MASSIVE.provider.parse([json.dumps(page).encode()], MASSIVE.query())


@pytest.mark.parametrize("following", ["https://evil.example/steal", "/v3/reference/tickers?cursor=a", 7])
def test_a_next_page_that_leads_elsewhere_is_not_followed(upstream: Any, answer: Any, following: Any) -> None:
    page = json.loads(MASSIVE.encode(JANUARY, MASSIVE.query())[0]) | {"next_url": following}
    upstream.will(answer(json.dumps(page).encode()))
    with Transport(upstream.settings(**MASSIVE.keys)) as transport, pytest.raises(Malformed, match="next page"):
        MASSIVE.provider.fetch(transport, MASSIVE.query())
    assert len(upstream.seen) == 1


def test_massives_minutes_outside_of_regular_hours_are_dropped() -> None:
    at = [datetime(2024, 6, 5, hour, minute, tzinfo=UTC) for hour, minute in ((13, 25), (13, 30), (19, 55), (20, 0))]
    bars = [Bar(instant, *PRICES[n]) for n, instant in enumerate(at)]
    query = MASSIVE.query(bars, "5m")
    found = MASSIVE.provider.parse(MASSIVE.encode(bars, query), query)
    assert list(found["datetime"]) == at[1:3]


def test_alpha_vantage_tells_the_rate_before_the_plan() -> None:
    both = b'{"Information":"This premium endpoint: rate limit of 25 requests per day reached, subscribe to premium"}'
    with pytest.raises(RateLimited):
        ALPHA.provider.parse([both], ALPHA.query())


def test_alpha_vantage_in_another_zone_is_refused() -> None:
    page = json.loads(ALPHA.encode(JANUARY, ALPHA.query())[0])
    page["Meta Data"]["5. Time Zone"] = "UTC"
    with pytest.raises(Malformed, match="not in US/Eastern"):
        ALPHA.provider.parse([json.dumps(page).encode()], ALPHA.query())


def test_stooqs_prices_are_adjusted_closes_too() -> None:
    stooq = StooqWire()
    found = stooq.provider.parse(stooq.encode(JANUARY, stooq.query()), stooq.query())
    assert list(found["adj_close"]) == list(found["close"])


def test_binances_page_that_is_not_full_may_only_be_the_last() -> None:
    binance = BinanceWire()
    half = binance.encode(JANUARY[:3], binance.query())
    with pytest.raises(Malformed, match="not full"):
        binance.provider.parse([*half, *binance.encode(JANUARY[3:], binance.query())], binance.query())


def test_a_kline_off_its_step_is_refused() -> None:
    binance = BinanceWire()
    cells = row(JANUARY[0])
    cells[0] += 1
    with pytest.raises(Malformed, match="step of 1d"):
        binance.provider.parse([json.dumps([cells]).encode()], binance.query())


def vision_files(upstream: Any, answer: Any, packed: bytes, told: bytes | None = None, day: str = "2023-01-03") -> None:
    name = f"BTCUSDT-1d-{day}.zip"
    path = f"/binance-vision/data/spot/daily/klines/BTCUSDT/1d/{name}"
    upstream.routes[path] = answer(packed)
    upstream.routes[f"{path}.CHECKSUM"] = answer(told or f"{hashlib.sha256(packed).hexdigest()}  {name}\n".encode())


@pytest.mark.parametrize(
    ("told", "branch"),
    [
        (b"0" * 64 + b"  BTCUSDT-1d-2023-01-03.zip\n", Truncated),
        (b"0" * 64 + b"  ETHUSDT-1d-2023-01-03.zip\n", Malformed),
        (b"soon", Malformed),
    ],
)
def test_a_file_that_does_not_match_its_checksum_is_refused(
    upstream: Any, transport: Transport, answer: Any, told: bytes, branch: type[Exception]
) -> None:
    query = BarQuery("BTCUSDT", date(2023, 1, 3), date(2023, 1, 3))
    vision_files(upstream, answer, zipped("BTCUSDT-1d-2023-01-03.csv", VISION.encode(JANUARY[:1], query)[0]), told)
    with pytest.raises(branch):
        VISION.provider.fetch(transport, query)


@pytest.mark.parametrize("header", [b"", b"open_time,open,high,low,close,volume,close_time\n"])
def test_stamps_in_microseconds_are_told_by_their_size(header: bytes) -> None:
    bars = [Bar(date(2024, 12, 31), *PRICES[0]), Bar(date(2025, 1, 1), *PRICES[1])]
    query = VISION.query(bars)
    texts = VISION.encode(bars, query)
    texts[1] = header + texts[1].replace(b"1735689600000,", b"1735689600000000,", 1)
    files = [zipped(f"BTCUSDT-1d-{bar.at}.csv", text) for bar, text in zip(bars, texts, strict=True)]
    found = VISION.provider.parse(files, query)
    assert [day.date() for day in found["date"]] == [bar.at for bar in bars]


def test_s7_a_zip_bomb_is_not_unpacked() -> None:
    bomb = zipped("BTCUSDT-1d-2023-01-03.csv", b"0" * (binance_vision.UNPACKED + 1))
    assert len(bomb) < 100_000
    with pytest.raises(Malformed, match="more than 16 MB"):
        VISION.provider.parse([bomb], VISION.query())


@pytest.mark.parametrize("name", ["ETHUSDT-1d-2023-01-03.csv", "../../etc/passwd"])
def test_a_zip_of_something_else_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="the one file"):
        VISION.provider.parse([zipped(name, b"")], VISION.query())


def intraday(minutes: list[tuple[int, int, int]]) -> list[Bar]:
    first = datetime(2024, 6, 5, tzinfo=UTC)
    at = [first + timedelta(hours=h, minutes=m, seconds=s) for h, m, s in minutes]
    return [Bar(instant, *PRICES[n % len(PRICES)]) for n, instant in enumerate(at)]


def test_yahoos_live_bar_is_dropped_and_the_last_of_two_counts() -> None:
    bars = intraday([(13, 30, 0), (13, 35, 0), (13, 35, 0), (13, 37, 42), (20, 0, 0)])
    query = YAHOO.query(bars, "5m")
    found = YAHOO.provider.parse(YAHOO.encode(bars, query), query)
    assert list(found["datetime"].dt.minute) == [30, 35]
    assert found["close"].iloc[1] == bars[2].close


def test_yahoos_half_hours_are_made_of_two_quarters_and_never_of_one(
    upstream: Any, transport: Transport, answer: Any
) -> None:
    bars = intraday([(13, 30, 0), (13, 45, 0), (14, 15, 0), (14, 30, 0), (14, 45, 0)])
    query = YAHOO.query(bars, "30m")
    upstream.will(answer(YAHOO.encode(bars, query)[0]))
    payload = YAHOO.provider.fetch(transport, query)[0]
    assert upstream.seen[0][1]["interval"] == ["15m"]
    found = YAHOO.provider.parse([payload.body], query)
    assert list(found["datetime"]) == [bars[0].at, bars[3].at]
    first = found.iloc[0]
    assert (first.open, first.close) == (bars[0].open, bars[1].close)
    assert (first.high, first.low) == (max(b.high for b in bars[:2]), min(b.low for b in bars[:2]))
    assert first.volume == bars[0].volume + bars[1].volume


def test_yahoos_coins_are_asked_by_the_utc_day(upstream: Any, transport: Transport, answer: Any) -> None:
    upstream.will(answer(YAHOO.encode([], BarQuery("BTC-USD", date(2024, 6, 5), date(2024, 6, 5)))[0]))
    Yahoo().fetch(transport, BarQuery("BTC-USD", date(2024, 6, 5), date(2024, 6, 5)))
    asked = upstream.seen[0][1]
    assert datetime.fromtimestamp(int(asked["period1"][0]), UTC) == datetime(2024, 6, 5, tzinfo=UTC)


def test_bars_that_are_still_open_at_an_instant_are_cut() -> None:
    bars = intraday([(13, 30, 0), (13, 35, 0), (13, 40, 0)])
    query = YAHOO.query(bars, "5m")
    found = YAHOO.provider.parse(YAHOO.encode(bars, query), query)
    assert len(closed(found, query, datetime(2024, 6, 5, 13, 44, 59, tzinfo=UTC))) == 2
    assert len(closed(found, query, datetime(2024, 6, 5, 13, 45, tzinfo=UTC))) == 3
    days = BinanceWire()
    daily = days.provider.parse(days.encode(JANUARY, days.query()), days.query())
    assert len(closed(daily, days.query(), datetime(2023, 1, 10, 23, 59, tzinfo=UTC))) == len(JANUARY) - 1
    assert len(closed(daily, days.query(), datetime(2023, 1, 11, tzinfo=UTC))) == len(JANUARY)


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(BadRequest, match="ends"):
        BarQuery("NVDA", date(2024, 1, 2), date(2024, 1, 1))


def test_no_client_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys, abri_pipeline.providers.registry;"
        "print([m for m in ('ccxt', 'massive', 'yfinance', 'yaml') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
