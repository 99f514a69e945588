"""The same questions to every provider of bars, over a loopback server and the real transport."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from abri_pipeline.providers.bars import BarProvider, BarQuery
from abri_pipeline.providers.errors import (
    Absent,
    BadRequest,
    Malformed,
    Refused,
    Transient,
    UpstreamError,
)
from abri_pipeline.providers.registry import Registry
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings
from abri_pipeline_tests.providers.acceptance.crypto_vendors import BinanceVisionWire, BinanceWire
from abri_pipeline_tests.providers.acceptance.equity_vendors import (
    AlphaVantageWire,
    MassiveWire,
    StooqWire,
    YahooWire,
)
from abri_pipeline_tests.providers.acceptance.kit import (
    JANUARY,
    QUESTIONS,
    Bar,
    Vendor,
    expected,
    minutes_around,
    sessions_around,
)

VENDORS: tuple[Vendor, ...] = (
    YahooWire(), MassiveWire(), AlphaVantageWire(), StooqWire(), BinanceWire(), BinanceVisionWire(),
)  # fmt: skip
CHANGES = (date(2024, 3, 10), date(2024, 11, 3))
V1 = ["NaN", "inf", "-inf", "null", "", "-", "1e400", "1,5", "abc", True, [], {}, None, float("inf")]
Ask = Callable[[Vendor, BarQuery, Sequence[bytes]], pd.DataFrame]


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.provider.name)
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    """A vendor that has the case that the test's name asks for."""
    monkeypatch.setenv("ABRI_NOW", "2025-06-20T21:00:00Z")
    question = request.node.originalname.removeprefix("test_")
    if question in request.param.lacks:
        pytest.skip(f"{request.param.provider.name}: {request.param.lacks[question]}")
    return request.param


@pytest.fixture
def transport(upstream: Any, vendor: Vendor) -> Iterator[Transport]:
    with Transport(upstream.settings(**vendor.keys), deadline=20.0) as asked:
        yield asked


@pytest.fixture
def ask(upstream: Any, transport: Transport, answer: Any) -> Ask:
    """Fetch and parse a window that the server answers with these texts."""

    def asked(vendor: Vendor, query: BarQuery, bodies: Sequence[bytes]) -> pd.DataFrame:
        vendor.serve(upstream, bodies, answer, query)
        pages = vendor.provider.fetch(transport, query)
        return vendor.provider.parse([page.body for page in pages], query)

    return asked


def assert_bars(found: pd.DataFrame, bars: Sequence[Bar], query: BarQuery, *, crypto: bool = False) -> None:
    wanted = expected(bars, query, crypto=crypto)
    assert list(found.columns) == [wanted.columns[0], "open", "high", "low", "close", "adj_close", "volume"]
    pd.testing.assert_frame_equal(found.drop(columns="adj_close"), wanted, check_exact=True)


def test_valid_page(vendor: Vendor, ask: Ask, upstream: Any) -> None:
    query = vendor.query()
    found = ask(vendor, query, vendor.encode(JANUARY, query))
    assert_bars(found, JANUARY, query, crypto=vendor.crypto)
    sent = upstream.seen[0][1]
    assert {name: sent[name] for name in vendor.asks} == {name: [value] for name, value in vendor.asks.items()}


def test_paging(vendor: Vendor, ask: Ask, upstream: Any) -> None:
    bars, query = vendor.many()
    bodies = vendor.pages(bars, query)
    assert_bars(ask(vendor, query, bodies), bars, query, crypto=vendor.crypto)
    assert len([path for path in upstream.paths if not path.endswith(".CHECKSUM")]) == len(bodies) > 1


def test_pages_overlap(vendor: Vendor, ask: Ask) -> None:
    bars, query = vendor.many()
    with pytest.raises(Malformed, match="twice"):
        ask(vendor, query, vendor.overlap(bars, query))


def test_pages_loop(vendor: Vendor, ask: Ask, upstream: Any) -> None:
    bars, query = vendor.many()
    with pytest.raises(Malformed, match="lead back"):
        ask(vendor, query, vendor.loop(bars, query))
    assert len(upstream.paths) <= 3


def test_page_missing(vendor: Vendor, upstream: Any, transport: Transport, answer: Any) -> None:
    bars, query = vendor.many()
    bodies = vendor.pages(bars, query)
    vendor.serve(upstream, bodies, answer, query)
    pages = [page.body for page in vendor.provider.fetch(transport, query)]
    assert len(pages) == len(bodies)
    broken = answer(b'{"no":"data"}', 400)
    if upstream.routes:
        last = max(path for path in upstream.routes if path.endswith(".zip"))
        upstream.routes[last] = broken
    else:
        upstream.will(answer(bodies[0]), broken)
    with pytest.raises(UpstreamError):
        vendor.provider.fetch(transport, query)


def test_empty(vendor: Vendor, ask: Ask) -> None:
    query = vendor.query()
    for bodies in vendor.empty(query):
        if vendor.absent_when_empty:
            with pytest.raises(Absent):
                ask(vendor, query, bodies)
        else:
            assert_bars(ask(vendor, query, bodies), [], query, crypto=vendor.crypto)


@pytest.mark.parametrize("case", ["unknown_symbol", "rate_limit", "entitlement"])
def test_signal(vendor: Vendor, case: str, upstream: Any, transport: Transport, answer: Any) -> None:
    if case in vendor.lacks:
        pytest.skip(f"{vendor.provider.name}: {vendor.lacks[case]}")
    query = replace(vendor.query(), end=vendor.query().start)
    for signal in vendor.signals[case]:
        upstream.seen.clear()
        with Transport(transport.settings, deadline=20.0) as fresh:  # one that was told to wait would not ask
            upstream.will(answer(signal.body, signal.status, **signal.headers))
            with pytest.raises(UpstreamError) as caught:
                pages = vendor.provider.fetch(fresh, query)
                vendor.provider.parse([page.body for page in pages], query)
        assert type(caught.value) is signal.branch
        assert len(upstream.seen) == 1
        if signal.headers.get("Retry-After"):
            assert caught.value.retry_after == 120


def test_html_200(vendor: Vendor, upstream: Any, transport: Transport, answer: Any) -> None:
    page = b"<!DOCTYPE html><html><body>verifying your browser</body></html>"
    upstream.will(answer(page, Content_Type="text/html"))
    with pytest.raises(Refused, match="web page"):
        vendor.provider.fetch(transport, vendor.query())
    assert len(upstream.seen) == 1
    with pytest.raises((Refused, Malformed)):  # should such a page ever come out of the archive
        vendor.provider.parse([page], vendor.query())


def test_truncation(vendor: Vendor, ask: Ask, upstream: Any, transport: Transport, answer: Any) -> None:
    query = vendor.query()
    bodies = vendor.encode(JANUARY, query)
    vendor.serve(upstream, bodies, answer, query)
    body = vendor.provider.fetch(transport, query)[0].body
    for kept in (len(body) // 2, len(body) - 3, 1):
        with pytest.raises((Malformed, Transient)):
            found = vendor.provider.parse([body[:kept]], query)
            # a text that is cut between two lines cannot be told from a shorter one, but no half line counts
            assert_bars(found, JANUARY[: len(found)], query, crypto=vendor.crypto)
            raise Malformed("kit", "every bar that is left is whole")


@pytest.mark.parametrize("cell", ["close", "volume"])
def test_wrong_types(vendor: Vendor, ask: Ask, cell: str) -> None:
    query = vendor.query()
    for value in V1:
        bars = [replace(JANUARY[0], **{cell: value}), *JANUARY[1:]]
        try:
            found = ask(vendor, query, vendor.encode(bars, query))
        except Malformed:
            continue
        assert len(found) == len(JANUARY), value
        assert pd.isna(found.loc[0, cell]), value
        assert not np.isinf(found[["open", "high", "low", "close"]].to_numpy()).any(), value


def test_huge_numbers(vendor: Vendor, ask: Ask) -> None:
    query = vendor.query()
    large = replace(JANUARY[0], high=812_345.0625, close=812_345.0625, volume=9_007_199_254_740_991)
    small = replace(JANUARY[1], low=0.00000001, open=0.00000123)
    bars = [large, small, *JANUARY[2:]]
    assert_bars(ask(vendor, query, vendor.encode(bars, query)), bars, query, crypto=vendor.crypto)
    beyond = [replace(JANUARY[0], volume=10**400), *JANUARY[1:]]
    try:
        found = ask(vendor, query, vendor.encode(beyond, query))
    except Malformed:
        return
    assert pd.isna(found.loc[0, "volume"])


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_dst_daily(vendor: Vendor, ask: Ask, change: date) -> None:
    bars = sessions_around(change)
    query = vendor.query(bars)
    assert_bars(ask(vendor, query, vendor.encode(bars, query)), bars, query, crypto=vendor.crypto)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_dst_intraday(vendor: Vendor, ask: Ask, change: date) -> None:
    bars = minutes_around(change)
    query = vendor.query(bars, vendor.minutes or "")
    if vendor.provider.name == "alphavantage" and change.month == 11:
        bars = bars[2:]  # one answer a month, and this change lies between two
        query = vendor.query(bars, "5m")
    assert_bars(ask(vendor, query, vendor.encode(bars, query)), bars, query, crypto=vendor.crypto)


def test_split(vendor: Vendor, ask: Ask) -> None:
    traded = [*(replace(b, **{n: getattr(b, n) * 10 for n in ("open", "high", "low", "close")}) for b in JANUARY[:3])]
    sent = [*(JANUARY[:3] if vendor.provider.adjustment != "none" else traded), *JANUARY[3:]]
    query = vendor.query()
    found = ask(vendor, query, vendor.encode(sent, query))
    jump = found["close"].iloc[2] / found["close"].iloc[3]
    assert (jump > 5) == (vendor.provider.adjustment == "none")


@pytest.mark.parametrize("case", ["bom", "invalid_utf8", "unknown_shape"])
def test_bytes(vendor: Vendor, case: str, ask: Ask) -> None:
    query = vendor.query()
    bodies = vendor.encode(JANUARY, query)
    middle = len(bodies[0]) // 2
    mangled = {
        "bom": b"\xef\xbb\xbf" + bodies[0],
        "invalid_utf8": bodies[0][:middle] + b"\xff\xfe" + bodies[0][middle:],
        "unknown_shape": b'{"hello": "world"}',
    }
    with pytest.raises(Malformed):
        ask(vendor, query, [mangled[case], *bodies[1:]])


def test_outside_window(vendor: Vendor, ask: Ask) -> None:
    query = replace(vendor.query(), start=JANUARY[1].at, end=JANUARY[3].at)
    bodies = vendor.encode(JANUARY, query)
    served = bodies[1:4] if len(bodies) > 1 else bodies
    assert_bars(ask(vendor, query, served), JANUARY[1:4], query, crypto=vendor.crypto)


def test_no_key(vendor: Vendor, upstream: Any, answer: Any) -> None:
    upstream.will(answer(b"{}"))
    with Transport(upstream.settings()) as keyless, pytest.raises(Refused, match=next(iter(vendor.keys))):
        vendor.provider.fetch(keyless, vendor.query())
    assert upstream.seen == []


def test_key_hidden(vendor: Vendor, upstream: Any, transport: Transport, answer: Any, caplog: Any) -> None:
    query, key = vendor.query(), next(iter(vendor.keys.values()))
    with caplog.at_level(logging.DEBUG):
        vendor.serve(upstream, vendor.encode(JANUARY, query), answer, query)
        pages = vendor.provider.fetch(transport, query)
        upstream.will(answer(f"no such key: {key}".encode(), 403))
        with pytest.raises(UpstreamError) as caught:
            vendor.provider.fetch(transport, query)
    sent = [value for _, params, headers in upstream.seen for value in (str(params), str(headers))]
    assert any(key in value for value in sent)
    shown = [*(page.url for page in pages), str(caught.value), caught.value.detail, caught.value.url, caplog.text]
    assert not any(key in words for words in shown)


def test_foreign_symbol(vendor: Vendor, upstream: Any, transport: Transport, answer: Any) -> None:
    upstream.will(answer(b"{}"))
    for name in ("../../etc/passwd", "BRK/B", "", "A" * 300, "A?x=1", "A B", "%2e%2e", f"{vendor.symbol}\n"):
        with pytest.raises(BadRequest):
            vendor.provider.fetch(transport, replace(vendor.query(), symbol=name))
    assert upstream.seen == []


def test_timeframe(vendor: Vendor, upstream: Any, transport: Transport, answer: Any) -> None:
    upstream.will(answer(b"{}"))
    with pytest.raises(BadRequest):
        vendor.provider.fetch(transport, vendor.query(timeframe="4h"))
    for timeframe in {"1m", "5m", "15m", "30m", "1h", "1d"} - set(vendor.provider.timeframes):
        with pytest.raises(BadRequest, match="does not serve"):
            vendor.provider.fetch(transport, vendor.query(timeframe=timeframe))
    assert upstream.seen == []


def test_purity(vendor: Vendor, upstream: Any, transport: Transport, answer: Any, monkeypatch: Any) -> None:
    query = vendor.query()
    vendor.serve(upstream, vendor.encode(JANUARY, query), answer, query)
    bodies = [page.body for page in vendor.provider.fetch(transport, query)]
    first = vendor.provider.parse(bodies, query)
    monkeypatch.setenv("ABRI_NOW", "2030-01-01T00:00:00Z")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    pd.testing.assert_frame_equal(first, vendor.provider.parse(bodies, query))


GROUPED = {"unknown_symbol": "signal", "rate_limit": "signal", "entitlement": "signal",
           "bom": "bytes", "invalid_utf8": "bytes", "unknown_shape": "bytes"}  # fmt: skip


def test_the_table_of_cases_is_complete() -> None:
    asked = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {GROUPED.get(question, question) for question in QUESTIONS} <= asked
    for one in VENDORS:
        assert set(one.lacks) <= set(QUESTIONS), one.provider.name
        assert all(reason.strip() for reason in one.lacks.values())
        for case in ("unknown_symbol", "rate_limit", "entitlement"):
            assert (case in one.signals) != (case in one.lacks), (one.provider.name, case)


def test_every_provider_of_the_registry_is_asked(tmp_path: Any) -> None:
    registry = Registry.load(Settings({"ABRI_HOME": str(tmp_path)}, {}))
    known = {p.name: type(p.bars) for p in registry.providers.values() if p.bars is not None}
    assert known == {one.provider.name: type(one.provider) for one in VENDORS}
    assert all(issubclass(kind, BarProvider) for kind in known.values())


def test_the_bar_that_is_still_open_is_never_asked_of_binance(
    upstream: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABRI_NOW", "2024-06-03T10:42:10Z")
    upstream.will(answer(b"[]"))
    query = BarQuery("BTCUSDT", date(2024, 6, 3), date(2024, 6, 3), "5m")
    with Transport(upstream.settings()) as asked:
        BinanceWire.provider.fetch(asked, query)
    until = int(upstream.seen[0][1]["endTime"][0])
    assert datetime.fromtimestamp((until + 1) / 1000, UTC) == datetime(2024, 6, 3, 10, 40, tzinfo=UTC)
    assert timedelta(milliseconds=until + 1) % timedelta(minutes=5) == timedelta(0)
