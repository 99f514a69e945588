"""Longer bars out of shorter ones: pure, anchored to the session, and honest about what is not there.

Belongs here: putting bars together. Does not belong here: the calendar (it is handed in), fetching, storing.
"""

from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

LEAST = 0.9  # share of a bar's parts that must be there: a feed passes over minutes in which nothing was traded
COLUMNS = ["datetime", "date", "open", "high", "low", "close", "volume", "parts", "expected"]
_PRICES = ("open", "high", "low", "close")
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def resample(
    bars: pd.DataFrame,
    hours: pd.DataFrame,
    part: timedelta,
    whole: timedelta,
    until: datetime,
    least: float = LEAST,
) -> pd.DataFrame:
    """Bars of length `whole`, counted from each session's opening bell: four hours are 09:30-13:30 and 13:30-16:00.

    The last bar of a session ends with it, and so is shorter on most days and on half days. A bar is built once its
    time is over and at least the share `least` of its parts is there; otherwise there is none, never a guess.

    Args:
        bars: `datetime` (UTC start), `open`, `high`, `low`, `close`, `volume`; what lies outside of every session is
            left out.
        hours: one row a session, oldest first: `date`, `opens_at`, `closes_at` (UTC).
        part: length of a bar that comes in.
        whole: length of a bar that goes out, a multiple of `part`.
        until: bars that end later are not over yet.
        least: share of the parts, above 0 and at most 1; one part at least is always needed.

    Returns:
        `datetime`, `date` (the session), the four prices (first open, highest high, lowest low, last close),
        `volume` (their sum), `parts` there and `expected`; in order of time.
        What one part lacks (NaN, NA), the whole bar lacks.

    Raises:
        ValueError: `whole` is no multiple of `part`.
    """
    if part <= timedelta(0) or whole % part:
        raise ValueError(f"{whole} is no multiple of {part}")
    opens, closes = (pd.DatetimeIndex(hours[name]).as_unit("us") for name in ("opens_at", "closes_at"))
    rows = (bars if len(hours) else bars.iloc[:0]).sort_values("datetime", ignore_index=True)
    starts = pd.DatetimeIndex(rows["datetime"]).as_unit("us")
    session = np.asarray(opens.searchsorted(starts, side="right"), dtype=np.int64) - 1
    inside = (session >= 0) & np.asarray(starts < closes[np.maximum(session, 0)], dtype=bool)
    rows, starts, session = rows[inside], starts[inside], session[inside]
    nth = np.asarray((starts - opens[session]) // pd.Timedelta(whole), dtype=np.int64)
    first = _firsts(session, nth)
    at = session[first]
    begins = opens[at] + pd.to_timedelta(nth[first] * whole.total_seconds(), unit="s")
    ends = begins + pd.Timedelta(whole)
    ends = ends.where(ends < closes[at], closes[at])
    expected = np.ceil(np.asarray((ends - begins) / pd.Timedelta(part))).astype(np.int64)
    found = _together(rows, first).assign(
        datetime=begins,
        date=hours["date"].to_numpy()[at],
        parts=np.diff(first, append=len(rows)),
        expected=expected,
    )
    enough = found["parts"].to_numpy() >= np.maximum(1, least * expected - 1e-9)
    kept: pd.DataFrame = found[enough & np.asarray(ends <= pd.Timestamp(until))].reset_index(drop=True)[COLUMNS]
    return kept


def weekly(daily: pd.DataFrame, last_complete: date) -> pd.DataFrame:
    """ISO weeks out of one instrument's daily bars; the stored view `ohlc_bars` does the same in SQL.

    Args:
        daily: `date`, `open`, `high`, `low`, `close`, `adj_close`, `volume`, all on one basis of splits.
        last_complete: last day whose week is over; weeks that end later are cut.

    Returns:
        `date` (Monday), first open, highest high, lowest low, last close and adj_close, `volume` summed, `sessions`.
        A week is made of the sessions that are there, which `sessions` counts.
    """
    rows = daily.assign(date=pd.to_datetime(daily["date"])).sort_values("date", ignore_index=True)
    mondays = rows["date"] - pd.to_timedelta(rows["date"].dt.day_of_week, unit="D")
    first = _firsts(mondays.to_numpy().astype(np.int64))
    last = np.append(first[1:], len(rows)) - 1
    found = _together(rows, first).assign(
        date=mondays.iloc[first].to_numpy(),
        adj_close=rows["adj_close"].to_numpy(dtype=float)[last],
        sessions=np.diff(first, append=len(rows)),
    )
    over = found["date"] + pd.Timedelta(days=6) <= pd.Timestamp(last_complete)
    kept: pd.DataFrame = found[over].reset_index(drop=True)[["date", *_PRICES, "adj_close", "volume", "sessions"]]
    return kept


def _firsts(*labels: Ints) -> Ints:
    """The first row of each group, where rows of a group stand together."""
    changed = np.zeros(len(labels[0]), dtype=bool)
    changed[:1] = True
    for label in labels:
        changed[1:] |= label[1:] != label[:-1]
    return np.flatnonzero(changed)


def _together(rows: pd.DataFrame, first: Ints) -> pd.DataFrame:
    """First open, highest high, lowest low, last close and summed volume; what one part lacks, the bar lacks."""
    if not len(first):
        return pd.DataFrame({name: np.empty(0) for name in _PRICES}).assign(volume=pd.array([], dtype="Int64"))
    cells: dict[str, Floats] = {name: rows[name].to_numpy(dtype=float, na_value=np.nan) for name in _PRICES}
    known = rows["volume"].notna().to_numpy(dtype=bool)
    shares = np.add.reduceat(rows["volume"].astype("Int64").fillna(0).to_numpy(dtype=np.int64), first)
    unknown = ~np.logical_and.reduceat(known, first)
    return pd.DataFrame(
        {
            "open": cells["open"][first],
            "high": np.maximum.reduceat(cells["high"], first),
            "low": np.minimum.reduceat(cells["low"], first),
            "close": cells["close"][np.append(first[1:], len(rows)) - 1],
            "volume": pd.arrays.IntegerArray(shares, unknown),
        }
    )
