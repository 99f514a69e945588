"""Market metrics, one row a session: concentration of the S&P 500 and how NVIDIA and the Mag7 move with it.

Belongs here: section C of the methodology. Does not belong here: where prices and anchors come from.

A row depends on its own look-back alone, to the last bit. Sums therefore run element by element in a fixed
order: numpy's own reductions group the terms by the array's shape, so one more row could move the last bit.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

INDEX = "SPY"
WEIGHT_LINES: Final = ("AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "TSLA")
BASKET: Final = ("AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META", "TSLA")
HELD_LINES: Final = {"tech_weight": "IT_SECTOR", "tech_weight_gics2023": "IT_SECTOR_GICS2023"}
TSLA_JOINED = np.datetime64("2020-12-21", "D")  # S&P Dow Jones Indices, press release of 2020-11-16
WINDOW = 60  # log returns, one a session
MINIMUM_PAIRS = 54


def market_metrics(closes: pd.DataFrame, anchors: pd.DataFrame, closes_at: pd.Series) -> pd.DataFrame:
    """The metrics of every session in `closes_at`, in its order.

    Args:
        closes: split-adjusted price closes (not dividend-adjusted), USD; index: session date, columns: symbols
            (the weight lines and SPY), NaN or no row where absent. Rows on other days are ignored.
        anchors: one row per (`effective_date`, `line`) with `weight` (fraction of the S&P 500) and
            `available_at` (UTC instant). Lines: `WEIGHT_LINES`, `IT_SECTOR`, `IT_SECTOR_GICS2023`.
        closes_at: closing instant (UTC) of each session, index: session date, rising and without holes:
            a window of 60 returns is 60 rows of it.

    Returns:
        index `date`; `mag7_weight`, `tech_weight`, `tech_weight_gics2023` (fractions), `nvda_spy_corr`,
        `mag7_spy_corr` (-1 to 1) and `weights_anchor_on` (the anchor's date). NaN or NaT where an input is
        missing; nothing is filled in.

    Raises:
        ValueError: an anchor line is given twice for one date or has no `available_at`, or the sessions do
            not rise.
    """
    sessions = pd.DatetimeIndex(closes_at.index, name="date")
    if not (sessions.is_monotonic_increasing and sessions.is_unique):
        raise ValueError("closes_at: sessions must rise, each one once")
    days = sessions.to_numpy().astype("datetime64[D]")
    prices = _prices(closes, sessions)
    table = _Anchors(anchors)
    anchor = table.known_at(pd.DatetimeIndex(closes_at))
    returns = {symbol: _log_returns(prices[symbol]) for symbol in (*BASKET, INDEX)}
    basket = _sum([returns[symbol] for symbol in BASKET]) / len(BASKET)
    columns: dict[str, npt.NDArray[np.generic]] = {"mag7_weight": _drifted(prices, days, table, anchor)}
    for column, line in HELD_LINES.items():
        columns[column] = table.weight(line, anchor)
    columns["nvda_spy_corr"] = rolling_correlation(returns["NVDA"], returns[INDEX])
    columns["mag7_spy_corr"] = rolling_correlation(basket, returns[INDEX])
    columns["weights_anchor_on"] = table.dates(anchor).astype("datetime64[us]")
    return pd.DataFrame(columns, index=sessions)


def rolling_correlation(x: Floats, y: Floats, window: int = WINDOW, minimum_pairs: int = MINIMUM_PAIRS) -> Floats:
    """Pearson's r over the last `window` returns, as of each session; same length as `x` and `y`.

    Position 0 holds no return (the first session has no earlier price), so the first r is at `window`.
    NaN where fewer than `minimum_pairs` pairs are present, where the pairs began only inside the window (a history
    of 54 sessions is not one of 60 with six holes), or where one side does not move at all.
    """
    result = np.full(len(x), np.nan)
    count = len(x) - window
    if count <= 0:
        return result
    present = np.isfinite(x) & np.isfinite(y)
    x0, y0 = np.where(present, x, 0.0), np.where(present, y, 0.0)
    spans = [slice(first, first + count) for first in range(1, window + 1)]
    pairs = _sum([present[span].astype(np.float64) for span in spans])
    with np.errstate(invalid="ignore", divide="ignore"):  # a window without pairs divides 0 by 0: NaN, as meant
        mean_x = _sum([x0[span] for span in spans]) / pairs
        mean_y = _sum([y0[span] for span in spans]) / pairs
        dx = [np.where(present[span], x0[span] - mean_x, 0.0) for span in spans]
        dy = [np.where(present[span], y0[span] - mean_y, 0.0) for span in spans]
        xx = _sum([d * d for d in dx])
        yy = _sum([d * d for d in dy])
        r = _sum([a * b for a, b in zip(dx, dy, strict=True)]) / np.sqrt(xx * yy)
        # A side that repeats one return leaves only rounding in its sum of squares.
        moves = (xx > pairs * (1e-12 * mean_x) ** 2) & (yy > pairs * (1e-12 * mean_y) ** 2)
    began = int(np.argmax(present)) <= np.arange(1, count + 1)
    result[window:] = np.where(moves & began & (pairs >= minimum_pairs), np.clip(r, -1.0, 1.0), np.nan)
    return result


def _sum(terms: Sequence[Floats]) -> Floats:
    """Element-wise sum from the first term to the last, in that order whatever the length."""
    total = terms[0].copy()
    for term in terms[1:]:
        total += term
    return total


def _prices(closes: pd.DataFrame, sessions: pd.DatetimeIndex) -> dict[str, Floats]:
    """One contiguous array a symbol, aligned to the sessions; NaN where there is no positive price."""
    index = pd.DatetimeIndex(closes.index)
    rows = index.get_indexer(sessions)
    prices: dict[str, Floats] = {}
    for symbol in dict.fromkeys((*WEIGHT_LINES, *BASKET, INDEX)):
        aligned = np.full(len(sessions), np.nan)
        if symbol in closes:
            values = closes[symbol].to_numpy(dtype=np.float64, na_value=np.nan)
            aligned[rows >= 0] = values[rows[rows >= 0]]
        aligned[~(aligned > 0)] = np.nan
        prices[symbol] = aligned
    return prices


def _log_returns(price: Floats) -> Floats:
    """Log return against the session before; NaN at the first and beside every missing price."""
    returns = np.full(len(price), np.nan)
    returns[1:] = np.log(price[1:] / price[:-1])
    return returns


class _Anchors:
    """The quarter-end weights by date, read as of any instant."""

    def __init__(self, anchors: pd.DataFrame) -> None:
        if anchors["available_at"].isna().any():
            raise ValueError("anchors: a weight without available_at could be read before it was known")
        wide = anchors.pivot(index="effective_date", columns="line", values="weight").sort_index()
        known = anchors.groupby("effective_date")["available_at"].max().reindex(wide.index)
        self._weights = {str(line): wide[line].to_numpy(dtype=np.float64, na_value=np.nan) for line in wide}
        # One row more, NaT, for "no anchor yet": position -1 of `known_at` reads it.
        effective = pd.to_datetime(wide.index).to_numpy().astype("datetime64[D]")
        self._effective = np.append(effective, np.datetime64("NaT", "D"))
        self._known = _nanoseconds(pd.DatetimeIndex(pd.to_datetime(known, utc=True)))

    def known_at(self, instants: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
        """Position of the last anchor that each instant could know; -1 before the first."""
        order = np.argsort(self._known, kind="stable")
        # A late publication of an older quarter must not displace the newer one.
        newest = np.append(np.maximum.accumulate(order), -1)
        return newest[np.searchsorted(self._known[order], _nanoseconds(instants), side="right") - 1]

    def dates(self, anchor: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
        """Effective date of each anchor; NaT for -1."""
        return self._effective[anchor]

    def weight(self, line: str, anchor: npt.NDArray[np.int64]) -> Floats:
        """Weight of a line at each anchor, a fraction; NaN for -1 and where the line is not given."""
        weights = np.append(self._weights.get(line, np.full(len(self._known), np.nan)), np.nan)
        return weights[anchor]


def _nanoseconds(instants: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    return instants.tz_convert("UTC").as_unit("ns").asi8


def _drifted(
    prices: dict[str, Floats], days: npt.NDArray[np.datetime64], table: _Anchors, anchor: npt.NDArray[np.int64]
) -> Floats:
    """Sum of the anchored weights, each moved by its price return relative to the index's.

    Missing, never partial, where a price at the anchor or now is missing, and for Tesla's first days in the
    index, until an anchor holds its weight.
    """
    anchored_on = table.dates(anchor)
    row = np.searchsorted(days, anchored_on)  # NaT sorts last, so it finds no row either
    found = row < len(days)
    row = np.where(found, row, 0)
    found &= days[row] == anchored_on
    index = prices[INDEX]
    index_growth = index / index[row]
    parts = []
    for line in WEIGHT_LINES:
        part = table.weight(line, anchor) * (prices[line] / prices[line][row]) / index_growth
        if line == "TSLA":
            part = np.where(days < TSLA_JOINED, 0.0, np.where(anchored_on < TSLA_JOINED, np.nan, part))
        parts.append(part)
    return np.where(found, _sum(parts), np.nan)
