"""Rules of one bar, and of bars against the calendar: nulls, signs, envelope, duplicates, sessions, dead volume."""

from collections.abc import Collection, Iterator

import numpy as np

from abri_pipeline.quality.rules_load import PRICES, Bools, Expected, Ints, Load

# Prices come as 32-bit floats, whose step is 6e-8 of the value: a high below its close by less is the same price.
ROUNDING = 1e-6
# 339,828 recorded bars of 265 liquid symbols hold no zero volume at all. A halt may make one; three on end make
# a feed that has stopped.
DEAD_SESSIONS = 3

Found = tuple[str, Bools, str]


def row_rules(load: Load, required: Collection[str]) -> Iterator[Found]:
    """Each rule's name, the rows that break it, and the reason in words."""
    prices = np.stack([load.cells[name] for name in PRICES])
    volume = load.cells["volume"]
    yield "duplicate", load.repeated, "the symbol and date stand twice in the load"
    below: Bools = np.any(prices < 0, axis=0)
    zero: Bools = np.any(prices == 0, axis=0) & ~below
    yield "negative_price", below, "a price is below zero"
    yield "zero_price", zero, "a price is zero"
    yield "negative_volume", volume < 0, "the volume is below zero"
    yield "envelope", _outside(load), "open, close or low is above the high, or open or close below the low"
    if "volume" in required:
        yield "zero_volume", _dead(load), f"no share was traded in {DEAD_SESSIONS} or more sessions on end"


def nulls(load: Load, required: Collection[str]) -> tuple[Ints, Bools]:
    """Missing required cells of each symbol, and the rows that have one."""
    missing = [np.isnan(load.cells[name]) for name in required]
    per_row = np.sum(missing, axis=0) if missing else np.zeros(len(load), dtype=np.int64)
    rows = load.judged
    cells = np.bincount(load.code[rows], weights=per_row[rows], minlength=len(load.symbols)).astype(np.int64)
    return cells, per_row > 0


def sessions(load: Load, expected: Expected | None) -> tuple[Ints, Ints, Bools]:
    """Expected and missing sessions of each symbol, and the rows on a day that is none.

    A symbol without an expectation is taken at its word: each distinct day in its load is expected.
    """
    distinct = load.count(~load.repeated)
    wanted, missing = distinct.copy(), np.zeros_like(distinct)
    stray = np.zeros(len(load), dtype=bool)
    bounds = np.searchsorted(load.code, np.arange(len(load.symbols) + 1))
    laid: dict[int, np.ndarray[tuple[int], np.dtype[np.datetime64]]] = {}  # one calendar often serves all symbols
    for number, symbol in enumerate(load.symbols):
        asked = None if expected is None else expected.get(symbol)
        if asked is None:
            continue
        if isinstance(asked, int):
            wanted[number], missing[number] = asked, max(0, asked - distinct[number])
            continue
        days = laid.setdefault(id(asked), np.array(list(asked), dtype="datetime64[D]"))
        own = slice(bounds[number], bounds[number + 1])
        stray[own] = ~np.isin(load.day[own], days)
        wanted[number] = len(days)
        kept = ~stray[own] & ~load.repeated[own] & load.judged[own]
        missing[number] = len(days) - int(kept.sum())
    return wanted, missing, stray


def _outside(load: Load) -> Bools:
    """Bars whose high or low does not hold the others; a missing cell is no witness."""
    # A price of zero or less has its own rule; it is no witness here.
    opened, high, low, close = (np.where(load.cells[name] > 0, load.cells[name], np.nan) for name in PRICES)
    slack = np.abs(close) * ROUNDING
    found: Bools = low > high + slack
    for price in (opened, close):
        found |= (price > high + slack) | (price < low - slack)
    return found


def _dead(load: Load) -> Bools:
    """Bars in a run of sessions without a trade."""
    still = load.cells["volume"] == 0
    starts = np.ones(len(load), dtype=bool)
    starts[1:] = (still[1:] != still[:-1]) | (load.code[1:] != load.code[:-1])
    run = np.cumsum(starts) - 1
    found: Bools = still & (np.bincount(run, minlength=1)[run] >= DEAD_SESSIONS) if len(load) else still
    return found
