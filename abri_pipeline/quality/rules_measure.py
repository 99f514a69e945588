"""Gaps between close and open, each with what is usual for the symbol around it."""

from dataclasses import dataclass

import numpy as np

from abri_pipeline.quality.rules_load import Days, Floats, Ints, Load

PAST = 20  # sessions that say what is usual for the symbol
ENOUGH = 5  # of them at least; a shorter past is completed from the sessions after, then assumed
AROUND = 5  # sessions on each side that say whether the level stayed, and how wild the days are
MAD_TO_SD = 1.4826  # a normal sample's standard deviation in median absolute deviations
LEAST_GAP = 0.002  # a price that hardly moves still has gaps of a tick
# Where a load is too short to say what is usual: the medians over the recorded bars are 0.005 and 0.019; taken
# larger, so that only large ratios are called.
ASSUMED_GAP, ASSUMED_RANGE = 0.02, 0.03


@dataclass(frozen=True)
class Gaps:
    """Candidates of a series, all in logs; NaN where the load cannot tell.

    `at` is the row; `surprise` is the volume over its usual plus the gap, 0 where a ratio explains the volume whole;
    `shift` is how far the median level of five sessions moved; `around` is the median move of the days beside it;
    `apart` is the days since the row before.
    """

    at: Ints
    gap: Floats
    move: Floats
    day_range: Floats
    usual_gap: Floats
    usual_range: Floats
    around: Floats
    surprise: Floats
    shift: Floats
    apart: Ints


def steps(load: Load, later: Floats, sooner: Floats) -> Floats:
    """Log of `later` over the row before's `sooner`; NaN at a symbol's first row and where either is not above 0."""
    found = np.full(len(load), np.nan)
    if len(load) > 1:
        sound = (load.code[1:] == load.code[:-1]) & (later[1:] > 0) & (sooner[:-1] > 0)
        found[1:][sound] = np.log(later[1:][sound] / sooner[:-1][sound])
    return found


def measure(load: Load, dividend: Floats, least: float, extreme: float) -> Gaps:
    """The gaps of at least `least` and the moves beyond `extreme` (logs) of a series of clean bars.

    `dividend` (USD a share) stands on its ex-date, NaN elsewhere; what it takes off a price explains that much of a
    gap. A missing open is replaced by the close, as nothing else is known.
    """
    cells = load.cells
    close = cells["close"]
    opened = np.where(cells["open"] > 0, cells["open"], close)
    paid = _paid(load, dividend)
    gap, move = steps(load, opened, close) - paid, steps(load, close, close) - paid
    with np.errstate(divide="ignore", invalid="ignore"):
        day_range = np.log(cells["high"] / cells["low"])
    at = np.flatnonzero((np.abs(gap) >= least) | (np.abs(move) > extreme))
    before, after = _window(load, at, range(-PAST, 0)), _window(load, at, range(1, PAST + 1))
    known = (~np.isnan(_pick(gap, before))).sum(axis=1) >= ENOUGH
    usual = np.concatenate([before, np.where(known[:, None], -1, after)], axis=1)
    beside = np.concatenate([before[:, -AROUND:], after[:, :AROUND]], axis=1)
    return Gaps(
        at=at,
        gap=gap[at],
        move=move[at],
        day_range=day_range[at],
        usual_gap=np.maximum(_usual(_pick(np.abs(gap), usual) * MAD_TO_SD, ASSUMED_GAP), LEAST_GAP),
        usual_range=_usual(_pick(day_range, usual), ASSUMED_RANGE),
        around=_median(_pick(np.abs(move), beside)),
        surprise=_surprise(load, at, usual) + gap[at],
        shift=_shift(load, at, before[:, -AROUND:], after[:, : AROUND - 1]),
        apart=(load.day[at] - load.day[np.maximum(at - 1, 0)]).astype(np.int64),
    )


def _paid(load: Load, dividend: Floats) -> Floats:
    """What the day's dividend takes off the log price; 0 without one."""
    found = np.zeros(len(load))
    paying = np.flatnonzero(dividend > 0)
    before = load.cells["close"][paying - 1]
    sound = (paying > 0) & (before > dividend[paying])
    found[paying[sound]] = np.log1p(-dividend[paying[sound]] / before[sound])
    return found


def _window(load: Load, at: Ints, offsets: range) -> Ints:
    """Row numbers around each candidate; -1 where that is outside its symbol."""
    rows = at[:, None] + np.array(offsets)[None, :]
    inside = (rows >= 0) & (rows < len(load))
    same = load.code[np.where(inside, rows, 0)] == load.code[at][:, None] if len(at) else inside
    return np.where(inside & same, rows, -1)


def _pick(values: Floats, rows: Ints) -> Floats:
    return np.where(rows >= 0, values[rows], np.nan) if len(values) else np.full(rows.shape, np.nan)


def _median(picked: Floats) -> Floats:
    """Median of each line over what is known of it; NaN where nothing is."""
    ordered = np.sort(picked, axis=1)  # NaN sorts to the end
    known = (~np.isnan(picked)).sum(axis=1)
    line = np.arange(len(picked))
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, max(picked.shape[1] - 1, 0))
    middle: Floats = (ordered[line, low] + ordered[line, high]) / 2
    return np.where(known > 0, middle, np.nan)


def _usual(picked: Floats, assumed: float) -> Floats:
    enough = (~np.isnan(picked)).sum(axis=1) >= ENOUGH
    return np.where(enough, _median(picked), assumed)


def _surprise(load: Load, at: Ints, usual: Ints) -> Floats:
    """Log of the day's volume over its usual; NaN where the load has no volume to speak of."""
    traded = np.where(load.cells["volume"] > 0, load.cells["volume"], np.nan)
    found: Floats = np.log(traded[at]) - np.log(_median(_pick(traded, usual)))
    return found


def _shift(load: Load, at: Ints, before: Ints, after: Ints) -> Floats:
    level = np.log(np.where(load.cells["close"] > 0, load.cells["close"], np.nan))
    return _median(_pick(level, np.concatenate([at[:, None], after], axis=1))) - _median(_pick(level, before))


def as_adjusted(load: Load, split: Floats) -> Load:
    """As-traded bars re-based by known splits (new shares for one old, on the ex-date; NaN elsewhere)."""
    steps_back = np.log(np.where(split > 0, split, 1.0))
    total = np.cumsum(steps_back)
    last = np.searchsorted(load.code, load.code, side="right") - 1
    factor = np.exp(total[last] - total) if len(load) else total  # product of the ratios after the day
    cells = {name: values * factor if name == "volume" else values / factor for name, values in load.cells.items()}
    return Load(load.symbols, load.code, load.day, load.position, cells)


def on_days(load: Load, symbol: Ints, day: Days, value: Floats, joined: np.ufunc) -> Floats:
    """Values of known actions laid on the rows of their days, NaN elsewhere.

    An action on a day without a bar shows on the next one; `joined` makes one value of several on a row.
    """
    found = np.full(len(load), np.nan)
    for code, when, amount in zip(symbol, day, value, strict=True):
        first = np.searchsorted(load.code, code)
        last = np.searchsorted(load.code, code, side="right")
        place = first + np.searchsorted(load.day[first:last], when)
        if place < last and (load.day[place] == when or place > first):
            found[place] = amount if np.isnan(found[place]) else joined(found[place], amount)
    return found
