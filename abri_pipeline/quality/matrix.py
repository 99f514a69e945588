"""The completeness matrix: each instrument and timeframe with what is expected, stored, explained and missing."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.operations import EXPLAINED
from abri_pipeline.quality.gap_scan import DAILY, Bools, Scan, expectation, listings, scan
from abri_pipeline.warehouse.reads import Condition, frame

COLUMNS = ("symbol", "timeframe", "expected", "stored", "explained", "missing", "share", "oldest", "newest")
TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", DAILY, "1w")
KNOWN_EMPTY = ("verified_empty", "unavailable")


def completeness_matrix(connection: Connection, days: Sequence[date], symbols: Sequence[str] = ()) -> pd.DataFrame:
    """Sessions of each active instrument in each timeframe that is kept of it, over `days` (sessions, oldest first).

    Daily bars are counted row by row. A timeframe below or above the day is counted by the sessions that the books
    call covered, for an instrument that has any: it may have been followed for a part of the window only.

    Returns:
        symbol, timeframe, expected, stored, explained, missing (sessions; the last three add up to the first),
        share (stored / expected, NaN where nothing was expected), oldest and newest (stored sessions of the window,
        NaT where there is none). In order of symbol, then of timeframe from fine to coarse.
    """
    daily = scan(connection, days, symbols)
    parts = [tabulate(daily), *(_booked(connection, timeframe, days, symbols) for timeframe in _others(connection))]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    rank = found["timeframe"].map(TIMEFRAMES.index)
    return found.assign(rank=rank).sort_values(["symbol", "rank"], ignore_index=True).drop(columns="rank")


def tabulate(found: Scan, timeframe: str = DAILY) -> pd.DataFrame:
    """A scan as rows of the matrix."""
    return _rows(found.symbols, found.days, timeframe, found.expected, found.stored, found.explained)


def worst(matrix: pd.DataFrame, most: int) -> pd.DataFrame:
    """The rows with the most missing sessions, then with the smallest share stored; at most `most` of them."""
    order = matrix.sort_values(["missing", "share", "symbol"], ascending=[False, True, True], kind="stable")
    return order.head(most).reset_index(drop=True)


def totals(matrix: pd.DataFrame) -> pd.DataFrame:
    """The matrix a timeframe at a time, all instruments together: the same columns, `symbol` being their number."""
    rows = [
        (
            len(own), str(timeframe), *(int(own[c].sum()) for c in ("expected", "stored", "explained", "missing")),
            own["stored"].sum() / own["expected"].sum() if own["expected"].sum() else np.nan,
            own["oldest"].min(), own["newest"].max(),
        )
        for timeframe, own in matrix.groupby("timeframe", sort=False)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS)).rename(columns={"symbol": "symbols"})


def _others(connection: Connection) -> list[str]:
    """The timeframes besides the day that the books speak of."""
    booked = [
        set(frame(connection, book, columns=["timeframe"], order=False)["timeframe"])
        for book in (operations.COVERAGE, operations.GAPS)
    ]
    return [t for t in TIMEFRAMES if t in set().union(*booked) and t != DAILY]


def _booked(connection: Connection, timeframe: str, days: Sequence[date], symbols: Sequence[str]) -> pd.DataFrame:
    """Rows of a timeframe from coverage and gaps."""
    here: list[Condition] = [("timeframe", "=", timeframe)]
    covered = frame(connection, operations.COVERAGE, where=here)
    gaps = frame(connection, operations.GAPS, where=[*here, ("state", "!=", "filled")])
    listed = listings(connection, symbols)
    listed = listed[listed["symbol"].isin([*covered["symbol"], *gaps["symbol"]])]
    names, axis = tuple(sorted(set(listed["symbol"]))), np.array(days, dtype="datetime64[D]")
    expected = expectation(listed, names, axis)
    told = gaps["cause"].isin(EXPLAINED)
    have = covered[covered["state"] == "have"]
    empty = covered[covered["state"].isin(KNOWN_EMPTY)]
    sides = ("gap_start", "gap_end")
    open_ = _spans(gaps[~told], sides, names, axis)
    explained = _spans(gaps[told], sides, names, axis) | _spans(empty, ("range_start", "range_end"), names, axis)
    stored = _spans(have, ("range_start", "range_end"), names, axis) & ~open_ & ~explained
    return _rows(names, days, timeframe, expected, stored, explained & ~open_)


def _spans(rows: pd.DataFrame, sides: tuple[str, str], symbols: Sequence[str], days: np.ndarray) -> Bools:
    """Ranges of days as marks."""
    found = np.zeros((len(symbols), len(days)), dtype=bool)
    number = {symbol: row for row, symbol in enumerate(symbols)}
    first = np.searchsorted(days, rows[sides[0]].to_numpy(dtype="datetime64[D]"))
    last = np.searchsorted(days, rows[sides[1]].to_numpy(dtype="datetime64[D]"), side="right")
    for symbol, start, end in zip(rows["symbol"], first, last, strict=True):
        if symbol in number:
            found[number[symbol], start:end] = True
    return found


def _rows(
    symbols: Sequence[str], days: Sequence[date], timeframe: str, expected: Bools, stored: Bools, explained: Bools
) -> pd.DataFrame:
    have, told = expected & stored, expected & ~stored & explained
    wanted, kept, known = (marks.sum(axis=1).astype(np.int64) for marks in (expected, have, told))
    axis = np.append(np.array(days, dtype="datetime64[s]"), np.datetime64("NaT", "s"))
    none = len(days)
    oldest = np.where(kept > 0, have.argmax(axis=1) if none else 0, none)
    newest = np.where(kept > 0, none - 1 - (have[:, ::-1].argmax(axis=1) if none else 0), none)
    with np.errstate(invalid="ignore"):  # nothing of nothing is no share
        share = kept / wanted
    return pd.DataFrame(
        {
            "symbol": np.array(symbols, dtype=object),
            "timeframe": timeframe,
            "expected": wanted,
            "stored": kept,
            "explained": known,
            "missing": wanted - kept - known,
            "share": share,
            "oldest": axis[oldest],
            "newest": axis[newest],
        }
    )
