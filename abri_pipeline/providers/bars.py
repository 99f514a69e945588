"""What every bar provider has in common: the query, the frame, and the questions it answers.

Belongs here: the shape that ingest relies on, and rules that hold for every wire (order, window, hours).
Does not belong here: one vendor's wire (its own module), which provider is asked (registry, ingest).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from abri_pipeline.providers.errors import BadRequest, Malformed, Refused
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.symbols import SymbolRules
from abri_pipeline.providers.transport import Transport

Adjustment = Literal["split", "split_dividend", "none"]
STEPS = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
PRICES = ("open", "high", "low", "close", "adj_close")
NEW_YORK = ZoneInfo("America/New_York")
_OPEN, _CLOSE = time(9, 30), time(16, 0)
_EARLIEST, _LATEST = -5_000_000_000, 7_000_000_000  # seconds, 1811 .. 2191: outside, a stamp is no stamp


@dataclass(frozen=True, slots=True)
class BarQuery:
    """Bars of one symbol over a window.

    Attributes:
        symbol: the vendor's own name, as `SymbolRules.asked` spells it.
        start: first day wanted: the exchange's day, for crypto the UTC day.
        end: last day wanted, inclusive.
        timeframe: one of `STEPS`.

    Raises:
        BadRequest: a window that ends before it starts, or an unknown timeframe.
    """

    symbol: str
    start: date
    end: date
    timeframe: str = "1d"

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise BadRequest("bars", f"the window ends ({self.end}) before it starts ({self.start})")
        if self.timeframe not in STEPS:
            raise BadRequest("bars", f"timeframe {self.timeframe!r} is not fetched; ask for one of {', '.join(STEPS)}")

    @property
    def step(self) -> timedelta:
        """Length of one bar."""
        return STEPS[self.timeframe]

    @property
    def daily(self) -> bool:
        """Whether bars are days."""
        return self.timeframe == "1d"


class BarProvider(ABC):
    """One vendor of bars.

    `fetch` gives the pages as sent, to be archived in order; `parse` reads them again at any later time,
    without network or clock. The frame has one row a bar in time order:

    - `date` (datetime64[us], the exchange's day, for crypto the UTC day) where the timeframe is `1d`, else
      `datetime` (datetime64[us, UTC], the start of the bar);
    - `open`, `high`, `low`, `close` (float64, adjusted as `adjustment` says) and `adj_close` (also adjusted for
      dividends), NaN where the vendor gives none;
    - `volume` (Int64 shares, NA where the vendor gives none; for crypto float64 units of the base asset).

    The last bar may still be open: `closed` cuts it.

    Attributes:
        name: the upstream, as `hosts` calls it.
        adjustment: what open to close are adjusted for.
        timeframes: what the wire can be asked for.
        spelling: pattern of every name that can be the vendor's.
        key: name of the setting that holds the key; None where none is needed.
        symbols: spelling of names and the dates between which they mean what we think.
    """

    name: ClassVar[str]
    adjustment: ClassVar[Adjustment]
    timeframes: ClassVar[tuple[str, ...]]
    spelling: ClassVar[str] = r"[A-Z0-9][A-Z0-9.\-]{0,29}"
    key: ClassVar[str | None] = None

    def __init__(self, symbols: SymbolRules | None = None) -> None:
        self.symbols = symbols or SymbolRules(self.name)

    def fetch(self, transport: Transport, query: BarQuery) -> tuple[Payload, ...]:
        """The pages of a window, complete and in order, or an error: never half of them.

        Raises:
            BadRequest: the timeframe is not served, or the name belongs to another security in the window.
            Refused: the key's setting is empty; nothing was asked.
            Absent: the vendor says that it does not know the symbol.
            Malformed: pages repeat or are none.
            UpstreamError: any other branch of the tree.
        """
        if query.timeframe not in self.timeframes:
            raise BadRequest(self.name, f"does not serve {query.timeframe}; it has {', '.join(self.timeframes)}")
        if not re.fullmatch(self.spelling, query.symbol):
            shown = query.symbol if len(query.symbol) <= 40 else query.symbol[:40] + "…"
            raise BadRequest(self.name, f"{shown!r} cannot be one of its symbols; nothing was asked")
        self.symbols.check(query.symbol, query.start, query.end)
        return self._pages(transport, query)

    @abstractmethod
    def parse(self, bodies: Sequence[bytes], query: BarQuery) -> pd.DataFrame:
        """The bars of the pages that `fetch` gave, as the class describes.

        Raises:
            Absent, RateLimited, Refused, BadRequest, ServerFailed: a body is one of the vendor's error answers.
            Malformed: anything else that is no complete answer.
        """

    def read(self, bodies: Sequence[bytes], query: BarQuery) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """The bars, and the dividends and splits (`date`, `action`, `value`) where the same pages hold them.

        Raises:
            UpstreamError: as `parse`.
        """
        return self.parse(bodies, query), None

    @abstractmethod
    def _pages(self, transport: Transport, query: BarQuery) -> tuple[Payload, ...]: ...

    def _secret(self, transport: Transport) -> str:
        """The key, from the settings."""
        if found := transport.settings.get(self.key or ""):
            return found
        raise Refused(self.name, f"is not asked without a key: set {self.key} or leave {self.name} disabled")


def closed(frame: pd.DataFrame, query: BarQuery, at: datetime) -> pd.DataFrame:
    """The bars whose time was over at an instant, such as that of the fetch.

    A day counts as over 24 hours after its midnight: sessions close earlier, which is the calendar's to say.
    """
    column = "date" if query.daily else "datetime"
    ends = frame[column] + pd.Timedelta(query.step)
    limit = pd.Timestamp(at).tz_convert("UTC")
    return frame[ends <= (limit.tz_localize(None) if query.daily else limit)].reset_index(drop=True)


def days_of(instants: pd.DatetimeIndex, zone: ZoneInfo = NEW_YORK) -> pd.DatetimeIndex:
    """The zone's day of each UTC instant, as midnights without zone."""
    return instants.tz_convert(zone).tz_localize(None).normalize().as_unit("us")


def instants_of(stamps: Sequence[Any], provider: str, per_second: int = 1000) -> pd.DatetimeIndex:
    """Epoch stamps as UTC instants.

    Raises:
        Malformed: a stamp that is no whole number, or lies outside of history.
    """
    if not set(map(type, stamps)) <= {int}:
        raise Malformed(provider, "a stamp is no whole number")
    if any(not _EARLIEST * per_second < stamp < _LATEST * per_second for stamp in stamps):
        raise Malformed(provider, "a stamp lies outside of history")
    micro = np.asarray(stamps, dtype="int64") * (1_000_000 // per_second)
    return pd.DatetimeIndex(micro.astype("datetime64[us]")).tz_localize(UTC)


def wire_numbers(values: Sequence[Any], provider: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """JSON numbers as floats; null and what is no finite number are NaN.

    Raises:
        Malformed: a text, a truth value or anything else that is no number.
    """
    if not set(map(type, values)) <= {int, float, type(None)}:
        raise Malformed(provider, "a price or volume is no number")
    try:
        found = np.asarray(values, dtype="float64")
    except OverflowError as error:  # an integer of hundreds of digits
        raise Malformed(provider, "a price or volume is beyond any number") from error
    return np.where(np.isfinite(found), found, np.nan)


def bars(
    provider: str,
    query: BarQuery,
    times: pd.DatetimeIndex,
    columns: Mapping[str, Any],
    *,
    zone: ZoneInfo = NEW_YORK,
    whole: bool = True,
) -> pd.DataFrame:
    """The common frame from a vendor's columns, in any order of time.

    Rows outside the window and rows whose four prices are all missing are dropped.

    Args:
        provider: for errors.
        query: what was asked.
        times: days without zone for daily bars, else UTC instants.
        columns: `open`, `high`, `low`, `close`, `volume` and perhaps `adj_close`.
        zone: where the days of the query begin.
        whole: volume is counted in whole shares.

    Raises:
        Malformed: one bar came twice, as with pages that overlap.
    """
    name = "date" if query.daily else "datetime"
    frame = pd.DataFrame({name: times, **{c: np.asarray(columns[c], dtype="float64") for c in PRICES[:4]}})
    frame["adj_close"] = np.asarray(columns.get("adj_close", np.full(len(times), np.nan)), dtype="float64")
    volume = np.asarray(columns["volume"], dtype="float64")
    frame["volume"] = _shares(volume, provider) if whole else volume
    if frame[name].duplicated().any():
        twice = frame.loc[frame[name].duplicated(), name].iloc[0]
        raise Malformed(provider, f"the bar of {twice} came twice: pages overlap or repeat; nothing of it is used")
    kept = _inside(times, query, zone) & frame[list(PRICES[:4])].notna().any(axis=1).to_numpy()
    return frame[kept].sort_values(name, ignore_index=True)


def _shares(volume: "np.ndarray[Any, np.dtype[np.float64]]", provider: str) -> Any:
    if (np.abs(volume[np.isfinite(volume)]) >= 2**63).any():
        raise Malformed(provider, "a volume is beyond any number of shares")
    return pd.array(np.round(volume), dtype="Int64")


def _inside(times: pd.DatetimeIndex, query: BarQuery, zone: ZoneInfo) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    days = times if times.tz is None else days_of(times, zone)
    return np.asarray((days >= pd.Timestamp(query.start)) & (days <= pd.Timestamp(query.end)))


def regular_hours(frame: pd.DataFrame, step: timedelta) -> pd.DataFrame:
    """Intraday bars of New York's regular hours that begin on a step from 09:30.

    The live bar that some vendors append begins anywhere and falls out. A half day's afternoon stays: the
    calendar knows it.
    """
    local = frame["datetime"].dt.tz_convert(NEW_YORK)
    seconds = local.dt.hour * 3600 + local.dt.minute * 60 + local.dt.second
    since = seconds - (_OPEN.hour * 3600 + _OPEN.minute * 60)
    kept = (since >= 0) & (seconds < _CLOSE.hour * 3600) & (since % int(step.total_seconds()) == 0)
    regular: pd.DataFrame = frame[kept].reset_index(drop=True)
    return regular
