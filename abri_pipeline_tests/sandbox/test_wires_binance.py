"""Binance's two wires in the sandbox, and its real clients over them."""

import hashlib
import io
import zipfile
from datetime import date
from typing import Any

import pandas as pd
import pytest

from abri_pipeline.providers.bars import BarQuery
from abri_pipeline.providers.binance import Binance
from abri_pipeline.providers.binance_vision import BinanceVision
from abri_pipeline.providers.errors import Absent
from abri_pipeline.providers.transport import Transport
from abri_pipeline.sandbox.recorded import RecordedMarket
from abri_pipeline.sandbox.synthetic import SyntheticMarket
from abri_pipeline.settings import Settings

KLINES = "/binance/api/v3/klines"
FILES = "/binance-vision/data/spot/daily/klines/UPUSDT"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"symbol": "NOPE", "interval": "1d"}, -1121),
        ({"symbol": "UPUSDT", "interval": "7d"}, -1120),
        ({"interval": "1d"}, -1102),
        ({"symbol": "UPUSDT", "interval": "1d", "startTime": "soon"}, -1100),
    ],
)
def test_refusals_carry_binances_codes(sandbox, at, query, code):
    at("2025-01-04T00:00:00Z")
    answer = sandbox.get(KLINES, params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_kline_is_twelve_cells_and_closed(sandbox, at):
    at("2024-12-27T12:00:00Z")
    rows = sandbox.get(KLINES, params={"symbol": "UPUSDT", "interval": "1d"}).json()
    assert [len(row) for row in rows] == [12, 12]
    assert rows[0][:7] == [
        1735084800000, "50.00000000", "51.00000000", "49.00000000", "50.00000000", "1.50000000", 1735171199999,
    ]  # fmt: skip


def test_a_known_pair_without_hours_is_empty_and_not_unknown(sandbox, at):
    at("2025-01-04T00:00:00Z")
    assert sandbox.get(KLINES, params={"symbol": "ONLYDAYS", "interval": "1h"}).json() == []


def test_a_file_matches_its_checksum_and_counts_microseconds_from_2025_on(sandbox, at):
    at("2025-01-04T00:00:00Z")
    stamps = {}
    for day in ("2024-12-31", "2025-01-01"):
        path = f"{FILES}/1d/UPUSDT-1d-{day}.zip"
        body, told = sandbox.get(path).content, sandbox.get(f"{path}.CHECKSUM").text
        assert told == f"{hashlib.sha256(body).hexdigest()}  UPUSDT-1d-{day}.zip\n"
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            stamps[day] = packed.read(f"UPUSDT-1d-{day}.csv").split(b",")[0]
    assert stamps == {"2024-12-31": b"1735603200000", "2025-01-01": b"1735689600000000"}


@pytest.mark.parametrize(
    "name", ["1d/UPUSDT-1d-2025-01-04.zip", "1h/UPUSDT-1d-2025-01-01.zip", "1d/NOPE-1d-2025-01-01.zip", "1d/x.zip",
             "1d/UPUSDT-1d-2025-13-01.zip", "1h/UPUSDT-1h-2025-01-04.zip"],
)  # fmt: skip
def test_a_day_that_is_not_over_or_unknown_is_missing(sandbox, at, name):
    at("2025-01-04T12:00:00Z")
    answer = sandbox.get(f"{FILES}/{name}")
    assert answer.status_code == 404
    assert "NoSuchKey" in answer.text


@pytest.mark.parametrize("timeframe", ["1d", "1h"])
def test_both_clients_read_the_same_bars(sandbox, at, timeframe):
    at("2025-01-04T06:30:00Z")
    query = BarQuery("UPUSDT", date(2024, 12, 30), date(2025, 1, 3), timeframe)
    settings = Settings({"ABRI_UPSTREAM_URL": str(sandbox.base_url)}, {})
    with Transport(settings) as transport:

        def bars(provider: Any, asked: BarQuery) -> pd.DataFrame:
            return provider.parse([page.body for page in provider.fetch(transport, asked)], asked)

        found = bars(Binance(), query)
        pd.testing.assert_frame_equal(found, bars(BinanceVision(), query))
        assert len(found) == (5 if timeframe == "1d" else 120)
        today = bars(Binance(), BarQuery("UPUSDT", date(2025, 1, 4), date(2025, 1, 4), timeframe))
        assert len(today) == (0 if timeframe == "1d" else 6)  # 06:00 is still open at 06:30
        for provider in (Binance(), BinanceVision()):
            with pytest.raises(Absent):
                bars(provider, BarQuery("NOPE", date(2024, 12, 30), date(2025, 1, 3), timeframe))


def test_the_synthetic_coins_trade_every_day_and_stay_in_their_candles():
    market = SyntheticMarket()
    for pair in ("BTCUSDT", "ETHUSDT"):
        bars = market.crypto(pair, "1d")
        assert bars is not None
        assert bars["ts_utc"].diff().dropna().eq(pd.Timedelta(days=1)).all()
        assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
        assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
        assert (bars[["low", "volume"]] > 0).all().all()
        assert 0.3 < bars["close"].pct_change().std() * 365**0.5 < 1.2
    assert market.crypto("COMPUSDT", "1d") is None
    assert market.crypto("BTCUSDT", "1h") is None


@pytest.mark.realdata
def test_the_recorded_coins_have_days_and_hours(shared):
    market = RecordedMarket(shared / "data")
    days, hours = market.crypto("BTCUSDT", "1d"), market.crypto("BTCUSDT", "1h")
    assert days is not None
    assert hours is not None
    assert hours["ts_utc"].is_monotonic_increasing
    # coins and dollars are swapped in part of the file: as coins, no hour traded a million
    assert hours["volume"].max() < 1_000_000
    assert market.crypto("NOPEUSDT", "1d") is None
