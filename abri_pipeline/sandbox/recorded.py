"""A market replayed from a folder of recorded files.

Belongs here: where each file lies and how it reads. Does not belong here: the clock (`asof` cuts), wire formats.

The layout: `equity_daily/{SYMBOL}.csv`, `universe/*.parquet`, `intraday/{SYMBOL}_{interval}.parquet`,
`fred/{SERIES}.csv`, `sec/companyfacts|submissions/CIK##########.json`, `weights/sp500_weights_quarterly.csv`,
`gpu/gpu_prices_weekly.csv`, `deals/deals.csv`, `sec/segment_revenue.csv`, `crypto/daily_*.parquet`,
`crypto/btc_hourly_*.parquet`. A missing piece is None, never an error.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

BAR_COLUMNS = ["date", "open", "high", "low", "close", "adj_close", "volume", "dividends", "splits"]
INTRADAY_COLUMNS = ["ts_utc", "open", "high", "low", "close", "volume"]
REFERENCE_FILES = {
    "weights": "weights/sp500_weights_quarterly.csv",
    "gpu_prices": "gpu/gpu_prices_weekly.csv",
    "deals": "deals/deals.csv",
    "segment_revenue": "sec/segment_revenue.csv",
}
# What may become part of a file name: no slash and no leading dot, so that no request leaves the folder.
_NAME = re.compile(r"[A-Za-z0-9^=_-][A-Za-z0-9^=._-]{0,31}")


class NoRecordedMarket(ValueError):
    """The folder does not exist or holds nothing of the recorded layout; the message names the mend."""


class RecordedMarket:
    """A `Market` over one folder; files are read on first use and kept for the life of the process.

    Where `equity_daily/` and `universe/` both hold a symbol, `equity_daily/` wins.

    Raises:
        NoRecordedMarket: the folder is absent or has none of the layout's parts.
    """

    label = "recorded"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        parts = ("equity_daily", "universe", "fred", "sec", "weights", "gpu", "deals", "intraday", "crypto")
        if not any((folder / part).is_dir() for part in parts):
            raise NoRecordedMarket(
                f"{folder} is no recorded market: give a folder with equity_daily/, fred/, sec/ ... or leave"
                " --data out for the synthetic market"
            )
        # One cache an instance, so that two markets in one process never share frames.
        self._bars = cache(self._read_bars)
        self._intraday = cache(self._read_intraday)
        self._fred = cache(self._read_fred)
        self._crypto = cache(self._read_crypto)
        self._json = cache(self._read_json)
        self._reference = cache(self._read_reference)
        self._universe = cache(self._read_universe)

    def bars(self, symbol: str) -> pd.DataFrame | None:
        """Daily bars as recorded: split and dividend adjustment as of the folder's own day."""
        return self._bars(symbol) if _NAME.fullmatch(symbol) else None

    def intraday(self, symbol: str, interval: str) -> pd.DataFrame | None:
        """Intraday bars as recorded, `ts_utc` as UTC instants."""
        return self._intraday(symbol, interval) if _NAME.fullmatch(f"{symbol}_{interval}") else None

    def crypto(self, pair: str, timeframe: str) -> pd.DataFrame | None:
        """Daily bars of the recorded pairs. Hours are of BTC in dollars, served as `BTCUSDT`."""
        return self._crypto(timeframe).get(pair)

    def fred(self, series_id: str) -> pd.DataFrame | None:
        """A FRED series with its values as text. A file marked `not_fred` is no FRED series."""
        named = _NAME.fullmatch(series_id) and not series_id.endswith("not_fred")
        return self._fred(series_id) if named else None

    def companyfacts(self, cik: int) -> dict[str, Any] | None:
        """The recorded companyfacts of a company, unfiltered."""
        return self._json(f"sec/companyfacts/CIK{cik:010d}.json")

    def submissions(self, cik: int) -> dict[str, Any] | None:
        """The recorded submissions of a company, unfiltered."""
        return self._json(f"sec/submissions/CIK{cik:010d}.json")

    def reference(self, name: str) -> pd.DataFrame | None:
        """A curated table, every cell as the file's own text."""
        return self._reference(name)

    def _read_bars(self, symbol: str) -> pd.DataFrame | None:
        path = self.folder / "equity_daily" / f"{symbol}.csv"
        if path.is_file():
            frame = pd.read_csv(path, parse_dates=["date"])
        elif symbol in self._universe():
            frame = _widened(self._universe()[symbol])
        else:
            return None
        return frame[BAR_COLUMNS].sort_values("date", ignore_index=True)

    def _read_universe(self) -> dict[str, pd.DataFrame]:
        """Every symbol's frame of the universe files."""
        tables = (_read_parquet(path) for path in sorted((self.folder / "universe").glob("*.parquet")))
        groups = (group for table in tables for group in table.groupby("symbol", observed=True))
        return {str(symbol): frame for symbol, frame in groups}

    def _read_intraday(self, symbol: str, interval: str) -> pd.DataFrame | None:
        path = self.folder / "intraday" / f"{symbol}_{interval}.parquet"
        if not path.is_file():
            return None
        frame = _read_parquet(path)
        # The files write bar starts in two text formats, one with `T` and `Z`, one with neither.
        frame["ts_utc"] = pd.to_datetime(frame["ts_utc"], utc=True, format="ISO8601")
        return frame[INTRADAY_COLUMNS].sort_values("ts_utc", ignore_index=True)

    def _read_crypto(self, timeframe: str) -> dict[str, pd.DataFrame]:
        """Every pair's frame of one timeframe."""
        pattern = {"1d": "daily_*.parquet", "1h": "btc_hourly_*.parquet"}.get(timeframe, "-")
        tables = [_read_parquet(path) for path in sorted((self.folder / "crypto").glob(pattern))]
        frames = [_hourly(table) if timeframe == "1h" else _daily_coins(table) for table in tables]
        groups = (group for frame in frames for group in frame.groupby("symbol", observed=True))
        columns = INTRADAY_COLUMNS
        return {str(pair): rows[columns].sort_values("ts_utc", ignore_index=True) for pair, rows in groups}

    def _read_fred(self, series_id: str) -> pd.DataFrame | None:
        path = self.folder / "fred" / f"{series_id}.csv"
        if not path.is_file():
            return None
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame.columns = pd.Index(["observed_on", "value"])
        frame["observed_on"] = pd.to_datetime(frame["observed_on"])
        frame["value"] = frame["value"].replace("", ".")
        return frame.sort_values("observed_on", ignore_index=True)

    def _read_json(self, relative: str) -> dict[str, Any] | None:
        path = self.folder / relative
        if not path.is_file():
            return None
        body: dict[str, Any] = json.loads(path.read_bytes())
        return body

    def _read_reference(self, name: str) -> pd.DataFrame | None:
        path = self.folder / REFERENCE_FILES.get(name, "-")
        return pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else None


def _read_parquet(path: Path) -> pd.DataFrame:
    """A parquet file as a frame; pyarrow is imported here because definitions must load without it."""
    import pyarrow.parquet as pq

    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


def _widened(frame: pd.DataFrame) -> pd.DataFrame:
    """32-bit amounts as the shortest decimals that mean them (0.24, not 0.23999999463558197)."""
    wide = frame.reset_index(drop=True).copy()
    for column in ("dividends", "splits"):
        wide[column] = [float(str(value)) for value in wide[column].to_numpy()]
    return wide


def _daily_coins(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(ts_utc=table["date"].dt.tz_localize("UTC"))


def _hourly(table: pd.DataFrame) -> pd.DataFrame:
    """Hours of BTC; where the file has its two volume columns swapped, the other one counts coins."""
    coins = table["volume_base_raw"].where(~table["vol_swapped"], table["volume_usd_raw"])
    return table.assign(symbol="BTCUSDT", ts_utc=table["ts"], volume=coins)
