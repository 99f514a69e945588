"""The vendors of crypto bars, each with the wire as documented."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from abri_pipeline.providers.bars import BarQuery
from abri_pipeline.providers.binance import PAGE, Binance
from abri_pipeline.providers.binance_vision import BinanceVision
from abri_pipeline.providers.errors import Absent, RateLimited, Refused
from abri_pipeline_tests.providers.acceptance.kit import Bar, Signal, Vendor

WAIT = {"Retry-After": "120"}
NO_KEY = "public market data takes no key"


def milli(at: date | datetime) -> int:
    """The instant, or UTC's midnight of the day, in milliseconds."""
    instant = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
    return int(instant.timestamp() * 1000)


def row(bar: Bar) -> list[Any]:
    """A kline as documented: numbers as texts, what is no number as it is."""
    cells = [getattr(bar, name) for name in ("open", "high", "low", "close", "volume")]
    texts = [str(c) if isinstance(c, int | float) and not isinstance(c, bool) else c for c in cells]
    return [milli(bar.at), *texts, milli(bar.at) + 86_399_999, "1.0", 308, "0.5", "0.5", "0"]


class BinanceWire(Vendor):
    """Klines as JSON; codes as documented."""

    provider = Binance()
    symbol = "BTCUSDT"
    crypto = True
    lacks: ClassVar = {"no_key": NO_KEY, "key_hidden": NO_KEY}
    signals: ClassVar = {
        "unknown_symbol": [Signal(b'{"code":-1121,"msg":"Invalid symbol."}', Absent, 400)],
        "rate_limit": [
            Signal(
                b'{"code":-1003,"msg":"Too much request weight used; current limit is 6000."}', RateLimited, 429, WAIT
            ),
            Signal(b'{"code":-1003,"msg":"Way too much request weight used; IP banned."}', RateLimited, 418, WAIT),
            Signal(b'{"code":-1003,"msg":"Too much request weight used."}', RateLimited),
        ],
        "entitlement": [
            Signal(b'{"code":0,"msg":"Service unavailable from a restricted location."}', Refused, 451),
        ],
    }
    asks: ClassVar = {"interval": "1d", "symbol": "BTCUSDT"}

    def encode(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return [json.dumps([row(bar) for bar in bars]).encode()]

    def many(self) -> tuple[Sequence[Bar], BarQuery]:
        first = datetime(2023, 1, 1, tzinfo=UTC)
        bars = [Bar(first + timedelta(minutes=n), 100 + n, 101 + n, 99 + n, 100.5 + n, 0.25) for n in range(1440)]
        return bars, self.query(bars, "1m")

    def pages(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return [*self.encode(bars[:PAGE], query), *self.encode(bars[PAGE:], query)]

    def overlap(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return [*self.encode(bars[:PAGE], query), *self.encode(bars[PAGE - 1 :], query)]

    def loop(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return self.encode(bars[:PAGE], query)

    def empty(self, query: BarQuery) -> list[list[bytes]]:
        return [[b"[]"]]


class BinanceVisionWire(Vendor):
    """Zips of one day with their checksums."""

    provider = BinanceVision()
    symbol = "BTCUSDT"
    crypto = True
    absent_when_empty = True
    lacks: ClassVar = {
        "pages_loop": "files are asked for by their day, none names the next",
        "entitlement": "files are public",
        "no_key": NO_KEY,
        "key_hidden": NO_KEY,
    }
    signals: ClassVar = {
        "unknown_symbol": [Signal(b"<Error><Code>NoSuchKey</Code></Error>", Absent, 404)],
        "rate_limit": [Signal(b"", RateLimited, 429, WAIT)],
    }

    def encode(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return ["".join(",".join(map(_cell, row(bar))) + "\n" for bar in day).encode() for day in self._by_day(bars)]

    def _by_day(self, bars: Sequence[Bar]) -> list[list[Bar]]:
        days = sorted({self.day(bar) for bar in bars})
        return [[bar for bar in bars if self.day(bar) == day] for day in days]

    def serve(self, upstream: Any, bodies: Sequence[bytes], answer: Callable[..., Any], query: BarQuery) -> None:
        """One text a day of the window, packed, with its checksum; days beyond the texts have no file."""
        upstream.will(answer(b"<Error><Code>NoSuchKey</Code></Error>", 404))
        days = [query.start + timedelta(days=n) for n in range((query.end - query.start).days + 1)]
        for day, body in zip(self.file_days(days, bodies), bodies, strict=True):
            name = f"{query.symbol}-{query.timeframe}-{day}"
            packed = body if body[:1] in (b"<", b"P") else zipped(f"{name}.csv", body)
            path = f"/binance-vision/data/spot/daily/klines/{query.symbol}/{query.timeframe}/{name}.zip"
            upstream.routes[path] = answer(packed)
            upstream.routes[f"{path}.CHECKSUM"] = answer(f"{hashlib.sha256(packed).hexdigest()}  {name}.zip\n".encode())

    @staticmethod
    def file_days(days: list[date], bodies: Sequence[bytes]) -> list[date]:
        """Which day each text is the file of: that of its first stamp, else the first days of the window."""
        found = []
        for n, body in enumerate(bodies):
            first = body.lstrip(b"\xef\xbb\xbf").partition(b",")[0]
            known = first.isdigit() and datetime.fromtimestamp(int(first) / 1000, UTC).date()
            found.append(known if known in days and known not in found else days[n])
        return found

    def many(self) -> tuple[Sequence[Bar], BarQuery]:
        bars = [Bar(date(2023, 1, d), 100.0, 101.0, 99.0, 100.5, 0.25) for d in range(1, 5)]
        return bars, self.query(bars)

    def pages(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return self.encode(bars, query)

    def overlap(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        texts = self.encode(bars, query)
        return [texts[0] + texts[1], *texts[1:]]

    def empty(self, query: BarQuery) -> list[list[bytes]]:
        return [[]]


def _cell(value: Any) -> str:
    """A cell of a CSV; one with a comma in it stands in quotes."""
    text = "" if value is None else str(value)
    return f'"{text}"' if "," in text else text


def zipped(name: str, body: bytes) -> bytes:
    """A zip of one file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), body, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
