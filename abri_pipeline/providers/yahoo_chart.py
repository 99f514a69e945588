"""Reading of Yahoo's chart JSON: bytes -> bars and actions, pure.

Belongs here: the shape of the chart wire and its traps. Does not belong here: how it is asked for (`yahoo`),
or whether a bar is believable (quality).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from abri_pipeline.providers.errors import (
    Absent,
    BadRequest,
    Malformed,
    RateLimited,
    ServerFailed,
    UpstreamError,
)
from abri_pipeline.providers.wire import json_object

PRICES = ("open", "high", "low", "close", "adj_close")
_EARLIEST, _LATEST = -5_000_000_000, 7_000_000_000  # 1811 .. 2191: outside, a stamp is no stamp


class Window(Protocol):
    """The part of a query that the parser needs: symbol for messages, days to keep."""

    @property
    def symbol(self) -> str: ...  # noqa: D102 - said by the class
    @property
    def start(self) -> date: ...  # noqa: D102 - said by the class
    @property
    def end(self) -> date: ...  # noqa: D102 - said by the class


@dataclass(frozen=True, slots=True)
class Chart:
    """What one chart holds.

    Attributes:
        bars: one row a session in time order: `date` (datetime64[us], the exchange's day), `open`, `high`,
            `low`, `close` (split-adjusted, in `meta["currency"]`), `adj_close` (also dividend-adjusted), all
            float64 with NaN where Yahoo sends null; `volume` (Int64, shares, NA where null).
        actions: `date`, `action` (`dividend` or `split`), `value` (currency a share, or new shares per old).
        meta: Yahoo's own description of the symbol.
    """

    bars: pd.DataFrame
    actions: pd.DataFrame
    meta: dict[str, Any]


def parse_chart(body: bytes, query: Window) -> Chart:
    """Read a chart.

    Prices keep the double precision of the JSON, as `Ticker.history` does. Rows whose four prices are all null
    are dropped, other holes stay NaN. Yahoo appends the live bar as a second row of the same day: the last row
    of a day is kept. A window without sessions has no `timestamp` and gives empty frames. Days outside the
    query are dropped.

    Raises:
        Absent, RateLimited, BadRequest, ServerFailed: the body is one of Yahoo's error answers.
        Malformed: anything else that is no chart.
    """
    found = json_object(body, "yahoo").get("chart")
    if not isinstance(found, dict):
        raise Malformed("yahoo", "the answer holds no chart")
    if found.get("error"):
        raise chart_error(found["error"], query.symbol)
    try:
        result = found["result"][0]
        meta = dict(result["meta"])
        zone = ZoneInfo(meta["exchangeTimezoneName"])
        return Chart(_bars(result, zone, query), _actions(result.get("events") or {}, zone, query), meta)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        # OSError: a zone name that happens to be a folder of the zone database
        cause = f"{type(error).__name__}: {str(error)[:80]}"
        raise Malformed("yahoo", f"the chart of {query.symbol} has an unknown shape ({cause})") from error


def chart_error(error: object, symbol: str) -> UpstreamError:
    """The branch of the tree for the `chart.error` object that Yahoo sends."""
    if not isinstance(error, dict):
        return Malformed("yahoo", f"the error answer for {symbol} has an unknown shape")
    code, words = str(error.get("code")), str(error.get("description"))[:200]
    said = f"(it says: {code}: {words})"
    told = f"{code} {words}".lower()
    if "too many requests" in told:
        return RateLimited("yahoo", f"asked too often; wait and run again {said}")
    if "not found" in told or "no data found" in told or "data doesn't exist" in told:
        return Absent("yahoo", f"has nothing for {symbol}: check the symbol and the window {said}")
    if "internal" in told or "unavailable" in told:
        return ServerFailed("yahoo", f"is broken; run again later {said}")
    if "unprocessable" in told or "bad request" in told:
        return BadRequest("yahoo", f"does not serve {symbol} for this window {said}")
    return Malformed("yahoo", f"an error answer of unknown kind for {symbol} {said}")


def _days(stamps: "np.ndarray[Any, np.dtype[np.int64]]", zone: ZoneInfo) -> pd.DatetimeIndex:
    """The exchange's day of each stamp (seconds), as midnights without zone."""
    if stamps.size and not (stamps.min() > _EARLIEST and stamps.max() < _LATEST):
        raise ValueError("a stamp lies outside of history")
    local = pd.DatetimeIndex(stamps.astype("datetime64[s]")).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    # Around clock changes some markets' midnight arrives as 22:00 or 23:00 of the day before
    late = (local.minute == 0) & (local.hour >= 22)
    local = local + pd.to_timedelta(np.where(late, 24 - local.hour, 0), unit="h")
    return local.normalize().as_unit("us")


def _bars(result: dict[str, Any], zone: ZoneInfo, query: Window) -> pd.DataFrame:
    """The bars as a frame; rows are chosen before it is built, which is half of the time."""
    stamps = np.asarray(result.get("timestamp") or [], dtype="int64")
    arrays = _arrays(result, stamps.size)
    days = _days(stamps, zone)
    kept = _inside(days, query)
    kept &= ~np.isnan([arrays[name] for name in ("open", "high", "low", "close")]).all(axis=0)
    rows = np.flatnonzero(kept)
    rows = rows[np.argsort(stamps[rows], kind="stable")]
    chosen = days[rows]
    last = np.append(chosen[1:] != chosen[:-1], True) if rows.size else np.empty(0, dtype=bool)
    rows = rows[last]
    columns: dict[str, Any] = {"date": days[rows], **{name: arrays[name][rows] for name in PRICES}}
    columns["volume"] = pd.array(np.round(arrays["volume"][rows]), dtype="Int64")
    return pd.DataFrame(columns)


def _arrays(result: dict[str, Any], size: int) -> dict[str, "np.ndarray[Any, np.dtype[np.float64]]"]:
    """Prices and volume by our names; without sessions Yahoo sends no arrays at all."""
    if not size:
        return {name: np.empty(0) for name in (*PRICES, "volume")}
    quote = result["indicators"]["quote"][0]
    adjusted = result["indicators"].get("adjclose")
    raw = {name: quote[name] for name in ("open", "high", "low", "close", "volume")}
    raw["adj_close"] = adjusted[0]["adjclose"] if adjusted else quote["close"]
    return {name: _finite(values, size) for name, values in raw.items()}


def _finite(values: Any, size: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """A JSON array as floats; null and what is no finite number are NaN."""
    if not isinstance(values, list) or len(values) != size:
        raise ValueError("an array is not as long as the timestamps")
    if not set(map(type, values)) <= {int, float, type(None)}:
        raise ValueError("a price is no number")
    found = np.asarray(values, dtype="float64")
    return np.where(np.isfinite(found), found, np.nan)


def _inside(days: pd.DatetimeIndex, query: Window) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which days lie in the window; Yahoo appends the live bar even to windows of the past."""
    return np.asarray((days >= pd.Timestamp(query.start)) & (days <= pd.Timestamp(query.end)))


def _actions(events: dict[str, Any], zone: ZoneInfo, query: Window) -> pd.DataFrame:
    dividends = (events.get("dividends") or {}).values()
    splits = (events.get("splits") or {}).values()
    rows = [(int(e["date"]), "dividend", float(e["amount"])) for e in dividends]
    rows += [(int(e["date"]), "split", _ratio(e)) for e in splits]
    rows.sort(key=lambda row: (row[0], row[1]))
    days = _days(np.asarray([r[0] for r in rows], dtype="int64"), zone)
    frame = pd.DataFrame({
        "date": days,
        "action": pd.Series([r[1] for r in rows], dtype="str"),
        "value": np.asarray([r[2] for r in rows], dtype="float64"),
    })  # fmt: skip
    return _one_a_day(frame[_inside(days, query)].reset_index(drop=True))


def _ratio(split: dict[str, Any]) -> float:
    """New shares per old one; Yahoo sends both as numbers."""
    old = float(split["denominator"])
    if not old:
        raise ValueError("a split divides by nothing")
    return float(split["numerator"]) / old


def _one_a_day(actions: pd.DataFrame) -> pd.DataFrame:
    """One row a day and action: the same one sent twice counts once, different ones add up (splits multiply)."""
    if actions.empty:
        return actions
    actions = actions.drop_duplicates(ignore_index=True)
    if not actions.duplicated(["date", "action"]).any():
        return actions
    grouped = actions.groupby(["date", "action"], sort=True)["value"]
    both = pd.DataFrame({"total": grouped.sum(), "product": grouped.prod()}).reset_index()
    both["value"] = both["total"].where(both["action"] == "dividend", both["product"])
    return both[["date", "action", "value"]]
