"""What a market looked like at an instant: the cuts that keep tomorrow out of today's answers.

Belongs here: frame and instant in, frame out. Does not belong here: HTTP, wire formats, reading the clock.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from abri_pipeline.calendars import publication, sessions

PRICES = ["open", "high", "low", "close"]
SEGMENT_REVENUE_LAG_DAYS = 45
"""Where a table of quarterly revenue states no `available_at`: the quarter end plus 45 days. The companies
here report 22 to 38 days after a quarter's end, so this is late by a week or more and never early."""
INTERVALS = {"1m": timedelta(minutes=1), "5m": timedelta(minutes=5), "1h": timedelta(hours=1)}


@dataclass(frozen=True, slots=True)
class Basis:
    """How far later splits and dividends must be taken back out of a recorded history.

    `split` is the product of the ratios of later splits; `dividend` is adj_close / close on the eve of the
    first later event, by which every earlier ratio is divided (1 where nothing is to be undone).
    """

    split: float
    dividend: float


def basis(bars: pd.DataFrame, last: pd.Timestamp) -> Basis:
    """The basis of a history for a reader who has seen the sessions to `last`.

    With no recorded event after `last` the file's own values stand, to the digit. Otherwise the newest ratio
    becomes 1, as Yahoo shows it before the event. So the served history changes on ex-dates and only there.
    """
    later = bars[(bars["date"] > last) & ((bars["dividends"] != 0) | (bars["splits"] != 0))]
    if later.empty:
        return Basis(1.0, 1.0)
    ratios = later["splits"].to_numpy(dtype=float)
    before = bars[bars["date"] < later["date"].iloc[0]].tail(1)
    eve = (before["adj_close"] / before["close"]).tolist()
    return Basis(float(np.prod(ratios[ratios != 0])), eve[0] if eve else 1.0)


def daily(bars: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Closed daily bars at `now`, on the split and dividend basis of that day; shape of `Market.bars`."""
    last = pd.Timestamp(sessions.last_closed(now))
    seen = bars[bars["date"] <= last].reset_index(drop=True)
    at = basis(bars, last)
    if at == Basis(1.0, 1.0):
        return seen
    adjustment = seen["adj_close"] / seen["close"] / at.dividend
    # Six decimals, as recorded: without them 4.98375 x 40 would be served as 199.35000000000002.
    seen[PRICES] = (seen[PRICES] * at.split).round(6)
    seen["adj_close"] = (seen["close"] * adjustment).round(6)
    seen["volume"] = (seen["volume"] / at.split).round().astype("int64")
    seen["dividends"] = (seen["dividends"] * at.split).round(6)
    return seen


def as_traded(seen: pd.DataFrame) -> pd.DataFrame:
    """Daily bars with every split taken back out: prices and volume as they were on their day."""
    ratios = seen["splits"].where(seen["splits"] != 0, 1.0).to_numpy(dtype=float)
    later = np.append(np.cumprod(ratios[::-1])[::-1][1:], 1.0)
    raw = seen.copy()
    raw[PRICES] = seen[PRICES].mul(later, axis=0).round(6)
    raw["volume"] = (seen["volume"] / later).round().astype("int64")
    return raw


def coins(bars: pd.DataFrame, step: timedelta, now: datetime) -> pd.DataFrame:
    """Closed crypto bars at `now`."""
    return bars[bars["ts_utc"] + step <= pd.Timestamp(now)].reset_index(drop=True)


def intraday(bars: pd.DataFrame, interval: str, now: datetime, split: float = 1.0) -> pd.DataFrame:
    """Closed intraday bars at `now`, with later splits (product `split`) taken back out.

    The last hourly bar of a session is shorter than an hour: it is closed once its session is.
    """
    ends = bars["ts_utc"] + INTERVALS[interval]
    session = bars["ts_utc"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
    closed = (ends <= pd.Timestamp(now)) | (session <= pd.Timestamp(sessions.last_closed(now)))
    closed &= bars["ts_utc"] <= pd.Timestamp(now)
    seen: pd.DataFrame = bars.loc[closed].reset_index(drop=True)
    if split != 1.0:
        seen[PRICES] = (seen[PRICES] * split).round(6)
        seen["volume"] = (seen["volume"] / split).round().astype("int64")
    return seen


def facts(body: dict[str, Any], now: datetime) -> dict[str, Any] | None:
    """Companyfacts with the facts filed by `now`; emptied units, concepts and taxonomies drop out.

    None where nothing was filed yet. Shape as data.sec.gov serves it: facts / taxonomy / concept / units.
    """
    public = _PublicDays(now)
    kept: dict[str, Any] = {}
    for taxonomy, concepts in body["facts"].items():
        for concept, entry in concepts.items():
            units = {
                unit: seen
                for unit, rows in entry["units"].items()
                if (seen := [row for row in rows if public.filed(row["filed"])])
            }
            if units:
                kept.setdefault(taxonomy, {})[concept] = {**entry, "units": units}
    return {**body, "facts": kept} if kept else None


def filings(body: dict[str, Any], now: datetime) -> dict[str, Any] | None:
    """Submissions with the filings accepted by `now`; None where there is none yet.

    `filings.files` (older pages) is served empty: a market holds the newest page only, and a page that is
    listed must be there to fetch.
    """
    recent: dict[str, list[Any]] = body["filings"]["recent"]
    count = len(recent["accessionNumber"])
    accepted = recent.get("acceptanceDateTime") or [""] * count
    keep = [
        row
        for row in range(count)
        if publication.filing_available_at(
            date.fromisoformat(recent["filingDate"][row]),
            datetime.fromisoformat(accepted[row]) if accepted[row] else None,
        )
        <= now
    ]
    if not keep:
        return None
    cut = {name: [column[row] for row in keep] for name, column in recent.items()}
    return {**body, "filings": {"recent": cut, "files": []}}


class _PublicDays:
    """Whether a filing day is public, worked out once a day and not once a fact."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.known: dict[str, bool] = {}

    def filed(self, day: str) -> bool:
        if day not in self.known:
            available = publication.filing_available_at(date.fromisoformat(day), None)
            self.known[day] = available <= self.now
        return self.known[day]


def reference(name: str, table: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """The rows of a curated table that the world could know at `now`.

    `available_at` decides where the table has it (an instant, or a day that counts from its end). Otherwise:
    deals by `publication.deal_available_at`; GPU prices from the end of the capture day; segment revenue
    `SEGMENT_REVENUE_LAG_DAYS` after the quarter's end.

    Raises:
        KeyError: the table has none of the columns that could date it.
    """
    if "available_at" in table.columns:
        instants = [_instant(str(text)) for text in table["available_at"]]
    elif name == "deals":
        precision = table.get("date_precision", pd.Series("day", index=table.index))
        instants = [
            publication.deal_available_at(_day(day), str(grain))
            for day, grain in zip(table["announced_date"], precision, strict=True)
        ]
    elif name == "segment_revenue":
        lag = timedelta(days=SEGMENT_REVENUE_LAG_DAYS)
        instants = [publication.end_of_day(_day(text) + lag) for text in table["period_end"]]
    else:
        column = "date" if "date" in table.columns else "observed_on"
        instants = [publication.end_of_day(_day(text)) for text in table[column]]
    return table.loc[[instant <= now for instant in instants]]


def _instant(text: str) -> datetime:
    """An `available_at` cell: an instant with its offset, or a day, which is known by its end."""
    if len(text) <= len("2026-01-01"):
        return publication.end_of_day(date.fromisoformat(text))
    instant = pd.Timestamp(text)
    return (instant.tz_localize("UTC") if instant.tzinfo is None else instant).to_pydatetime()


def _day(value: Any) -> date:
    """A cell as a calendar day."""
    return pd.Timestamp(value).date()
