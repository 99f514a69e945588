"""The vendors of equity bars, each with the wire as recorded."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any, ClassVar

from abri_pipeline.providers.alphavantage import AlphaVantage
from abri_pipeline.providers.bars import BarQuery
from abri_pipeline.providers.errors import Absent, RateLimited, Refused
from abri_pipeline.providers.massive import Massive
from abri_pipeline.providers.stooq import Stooq
from abri_pipeline.providers.yahoo_bars import Yahoo
from abri_pipeline_tests.providers.acceptance.kit import NEW_YORK, Bar, Signal, Vendor, stamp

ONE_CHART = "a window is one chart"
ONE_FILE = "a window is one file"
WAIT = {"Retry-After": "120"}


class YahooWire(Vendor):
    """The chart, shaped as `chart-AAPL-2020-01-01-to-2020-01-03` of node-yahoo-finance2."""

    provider = Yahoo()
    symbol = "AAPL"
    lacks: ClassVar = {
        "paging": ONE_CHART, "pages_overlap": ONE_CHART, "pages_loop": ONE_CHART, "page_missing": ONE_CHART,
        "entitlement": "the wire is public, there are no plans",
        "no_key": "it takes no key", "key_hidden": "it takes no key",
    }  # fmt: skip
    signals: ClassVar = {
        "unknown_symbol": [
            Signal(
                b'{"chart":{"result":null,"error":{"code":"Not Found",'
                b'"description":"No data found, symbol may be delisted"}}}',
                Absent,
                404,
            )
        ],
        "rate_limit": [Signal(b"Edge: Too Many Requests", RateLimited, 429, {"Content-Type": "text/html", **WAIT})],
    }
    asks: ClassVar = {"events": "div,splits,capitalGains"}

    def encode(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        meta = {"currency": "USD", "symbol": query.symbol, "exchangeTimezoneName": "America/New_York"}
        quote = {name: [getattr(bar, name) for bar in bars] for name in ("open", "high", "low", "close", "volume")}
        result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [{}]}}
        if bars:
            result["timestamp"] = [self._stamp(bar) for bar in bars]
            result["indicators"] = {"quote": [quote]}
            if query.daily:
                result["indicators"]["adjclose"] = [{"adjclose": quote["close"]}]
        return [json.dumps({"chart": {"result": [result], "error": None}}).encode()]

    @staticmethod
    def _stamp(bar: Bar) -> int:
        """A day is stamped with its opening."""
        daily = not isinstance(bar.at, datetime)
        at = datetime.combine(bar.at, time(9, 30), NEW_YORK) if daily else bar.at
        return int(at.timestamp())

    def empty(self, query: BarQuery) -> list[list[bytes]]:
        return [self.encode([], query)]


class MassiveWire(Vendor):
    """Aggregates, shaped as OpenBB's recorded page of AAPL, 2023-01-03 to 2023-01-10."""

    provider = Massive()
    symbol = "AAPL"
    keys: ClassVar = {"MASSIVE_API_KEY": "canary-massive-0451"}
    lacks: ClassVar = {
        "unknown_symbol": "it answers an unknown ticker like an empty window; only a second provider can tell"
    }
    signals: ClassVar = {
        "rate_limit": [
            Signal(b"", RateLimited, 429, WAIT),
            Signal(
                b'{"status":"ERROR","request_id":"x","error":"You\'ve exceeded the maximum requests per minute, please'
                b' wait or upgrade your subscription to continue."}',
                RateLimited,
            ),
        ],
        "entitlement": [
            Signal(
                b'{"status":"NOT_AUTHORIZED","request_id":"x","message":"Your plan doesn\'t include this data'
                b' timeframe. Please upgrade your plan at https://polygon.io/pricing"}',
                Refused,
                403,
            ),
            Signal(b'{"status":"NOT_AUTHORIZED","message":"You are not entitled to this data."}', Refused),
            Signal(b'{"status":"ERROR","request_id":"x","error":"Unknown API Key"}', Refused, 401),
        ],
    }
    asks: ClassVar = {"adjusted": "true", "sort": "asc"}

    def encode(self, bars: Sequence[Bar], query: BarQuery, following: str | None = None) -> list[bytes]:
        results = [
            {
                "v": bar.volume,
                "vw": 1.0,
                "o": bar.open,
                "c": bar.close,
                "h": bar.high,
                "l": bar.low,
                "t": int(stamp(bar.at).timestamp() * 1000),
                "n": 1021065,
            }
            for bar in bars
        ]
        page = {
            "ticker": query.symbol, "queryCount": len(bars), "resultsCount": len(bars), "adjusted": True,
            "results": results, "status": "DELAYED", "request_id": "7b7ea352", "count": len(bars),
        }  # fmt: skip
        if following:
            page["next_url"] = self._next(query, following)
        return [json.dumps(page).encode()]

    @staticmethod
    def _next(query: BarQuery, cursor: str) -> str:
        path = f"/v2/aggs/ticker/{query.symbol}/range/1/day/1672808400000/1673326800000"
        return f"https://api.massive.com{path}?cursor={cursor}"

    def pages(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        half = len(bars) // 2
        return [*self.encode(bars[:half], query, "bGltaXQ"), *self.encode(bars[half:], query)]

    def overlap(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return [*self.encode(bars[:4], query, "bGltaXQ"), *self.encode(bars[2:], query)]

    def loop(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return [*self.encode(bars[:2], query, "YWJj"), *self.encode(bars[2:], query, "YWJj")]

    def empty(self, query: BarQuery) -> list[list[bytes]]:
        old = b'{"status":"OK","queryCount":0,"resultsCount":0,"adjusted":true,"results":null}'
        new = b'{"ticker":"AAPL","queryCount":0,"resultsCount":0,"adjusted":true,"status":"OK","request_id":"x"}'
        return [[old], [new]]


class AlphaVantageWire(Vendor):
    """The series, shaped as the recorded ones of MSFT and of OpenBB's AAPL; newest first, all texts."""

    provider = AlphaVantage()
    symbol = "AAPL"
    keys: ClassVar = {"ALPHAVANTAGE_API_KEY": "canary-alpha-0451"}
    lacks: ClassVar = {
        "pages_loop": "months are asked for by name, no page names the next",
    }
    signals: ClassVar = {
        "unknown_symbol": [
            Signal(
                b'{"Error Message":"Invalid API call. Please retry or visit the documentation'
                b' (https://www.alphavantage.co/documentation/) for TIME_SERIES_DAILY."}',
                Absent,
            )
        ],
        "rate_limit": [
            Signal(
                b'{"Information":"Thank you for using Alpha Vantage! Please consider spreading out your free API'
                b" requests more sparingly. You may subscribe to any of the premium plans at"
                b" https://www.alphavantage.co/premium/ to lift the free key rate limit (25 requests per day) and"
                b' instantly unlock all premium endpoints"}',
                RateLimited,
            ),
            Signal(
                b'{"Note":"Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and'
                b" 500 calls per day. Please visit https://www.alphavantage.co/premium/ if you would like to target a"
                b' higher API call frequency."}',
                RateLimited,
            ),
        ],
        "entitlement": [
            Signal(
                b'{"Information":"Thank you for using Alpha Vantage! The outputsize=full parameter value is a premium'
                b" feature for the TIME_SERIES_DAILY endpoint. You may subscribe to any of the premium plans at"
                b' https://www.alphavantage.co/premium/ to instantly unlock all premium features"}',
                Refused,
            ),
            Signal(
                b'{"Information":"Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to'
                b' any of the premium plans"}',
                Refused,
            ),
            Signal(b'{"Error Message":"the parameter apikey is invalid or missing. Please claim your key"}', Refused),
        ],
    }
    asks: ClassVar = {"function": "TIME_SERIES_DAILY", "outputsize": "compact"}

    def encode(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        names = ("open", "high", "low", "close", "volume")
        series = {
            self._stamp(bar): {f"{n}. {name}": self._text(getattr(bar, name)) for n, name in enumerate(names, start=1)}
            for bar in reversed(bars)
        }
        interval = "Daily" if query.daily else "5min"
        about = {"1. Information": "Prices", "2. Symbol": query.symbol, "5. Time Zone": "US/Eastern"}
        return [json.dumps({"Meta Data": about, f"Time Series ({interval})": series}).encode()]

    @staticmethod
    def _text(value: Any) -> Any:
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @staticmethod
    def _stamp(bar: Bar) -> str:
        if isinstance(bar.at, datetime):
            return f"{bar.at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"
        return bar.at.isoformat()

    def many(self) -> tuple[Sequence[Bar], BarQuery]:
        opens = [datetime(2023, 1, 31, 20, 50, tzinfo=UTC), datetime(2023, 2, 1, 14, 30, tzinfo=UTC)]
        bars = [Bar(at, 142.6, 143.06, 142.31, 142.77, 1206452) for at in opens]
        return bars, self.query(bars, "5m")

    def pages(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return [body for bar in bars for body in self.encode([bar], query)]

    def overlap(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        return [*self.encode(bars[:1], query), *self.encode(bars, query)]

    def empty(self, query: BarQuery) -> list[list[bytes]]:
        older = Bar(datetime(2022, 6, 1, tzinfo=UTC).date(), 1.0, 1.0, 1.0, 1.0, 1)
        return [self.encode([older], query), self.encode([], query)]


class StooqWire(Vendor):
    """The CSV; refusals as recorded in public threads."""

    provider = Stooq()
    symbol = "aapl.us"
    keys: ClassVar = {"STOOQ_API_KEY": "canary-stooq-0451"}
    absent_when_empty = True
    minutes = None
    lacks: ClassVar = {
        "paging": ONE_FILE, "pages_overlap": ONE_FILE, "pages_loop": ONE_FILE, "page_missing": ONE_FILE,
        "dst_intraday": "it is asked for days only",
    }  # fmt: skip
    signals: ClassVar = {
        "unknown_symbol": [Signal(b"No data", Absent)],
        "rate_limit": [Signal(b"Exceeded the daily hits limit", RateLimited)],
        "entitlement": [
            Signal(b"<html><body>Get your apikey: solve the captcha</body></html>", Refused),
            Signal(b"Invalid apikey", Refused),
        ],
    }
    asks: ClassVar = {"i": "d"}

    def encode(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        rows = [f"{bar.at},{bar.open},{bar.high},{bar.low},{_cell(bar.close)},{bar.volume}" for bar in bars]
        return ["\r\n".join(["Date,Open,High,Low,Close,Volume", *rows, ""]).encode()]

    def empty(self, query: BarQuery) -> list[list[bytes]]:
        return [[b"No data"]]


def _cell(value: Any) -> str:
    """A cell of a CSV; one with a comma in it stands in quotes."""
    text = "" if value is None else str(value)
    return f'"{text}"' if "," in text else text
