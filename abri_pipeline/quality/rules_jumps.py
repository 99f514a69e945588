"""Log-return sanity that knows splits: missed splits, unit flips, quiet gaps, returns that no market makes.

What tells a ratio from a move. A split happens between a close and the next open: the gap holds the whole shift, the
day trades in its usual range, the volume follows the ratio and not the news, and the new level stays. A real move of
that size brings a rush of volume, a wide day, or neighbours as wild as itself. Nothing is ever repaired.
docs/quality.md gives the measurement behind each number.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from abri_pipeline.quality.rules_load import Bools, Floats, Load
from abri_pipeline.quality.rules_measure import Gaps, steps


@dataclass(frozen=True)
class Grade:
    """What a gap of some size must show to be called a ratio."""

    gap: float  # from this size of the log gap on
    deviations: float  # the gap is at least so many usual gaps
    range_share: float  # the day's range is at most this share of the gap, or QUIET_RANGE times the usual
    volume: float  # log volume beyond what the ratio explains, at most
    wild: float  # the gap is at least so many times the median move of the ten days beside it
    falls_only: bool = False  # a small ratio that raises a price is no corporate action


LARGE = Grade(0.5, 10, 0.35, 1.6, 4)
MIDDLE = Grade(0.14, 20, 0.35, 1.0, 4)
SMALL = Grade(0.03, 6, 0.0, 0.5, 3, falls_only=True)
QUIET_RANGE = 2.0
OVERNIGHT = 5  # days at most between neighbours; over a hole a price may drift by a small ratio
STAYED = (0.5, 1.75)  # shift of the median level, as a multiple of the gap
EXTREME = float(np.log(3))  # the largest real one-day log return recorded is 0.76 (GL, 2024-04-11), GME's of 2021 0.92
FLIP, FLIP_SLACK, FLIP_BACK = float(np.log(100)), 0.35, 20
WHOLE = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 20, 25, 30, 40, 50, 100)
PLAUSIBLE = np.array([1.25, 4 / 3, 1.5, 2.5, *WHOLE])  # ratios that companies choose; a spin-off's may be any
NEAR = 0.06  # log distance from such a ratio: three usual gaps of a restless stock
MATCHES = 0.25  # a known split explains a gap within this share of its log ratio


def unit_flips(load: Load) -> Bools:
    """Rows a hundredfold off that come back: between a jump of about x100 (or /100) and its reverse."""
    close = load.cells["close"]
    step = steps(load, close, close)
    jumps = np.flatnonzero(np.abs(np.abs(step) - FLIP) <= FLIP_SLACK)
    found = np.zeros(len(load), dtype=bool)
    following = 0
    for here, back in pairwise(jumps):
        returns = load.code[here] == load.code[back] and step[here] * step[back] < 0 and back - here <= FLIP_BACK
        if here >= following and returns:
            found[here:back] = True
            following = int(back) + 1  # the way back is no new flip
    return found


def ratios(gaps: Gaps) -> tuple[Bools, Bools]:
    """Which candidates look like a missed split, and which only like a small ratio: a quiet gap."""
    size = np.abs(gaps.gap)
    share = gaps.shift / np.where(size > 0, gaps.gap, np.nan)
    plain = (share >= STAYED[0]) & (share <= STAYED[1])
    large, middle, small = (plain & _shows(gaps, grade) for grade in (LARGE, MIDDLE, SMALL))
    return large | (middle & (size < LARGE.gap)), small & (size < MIDDLE.gap) & (gaps.apart <= OVERNIGHT)


def _shows(gaps: Gaps, grade: Grade) -> Bools:
    size = np.abs(gaps.gap)
    quiet = ~(gaps.day_range > np.maximum(QUIET_RANGE * gaps.usual_range, grade.range_share * size))
    untold = np.isnan(gaps.surprise)
    # Without a volume to ask, only a large ratio that a company would choose is called.
    volume = np.where(untold, (size >= LARGE.gap) & (nearest(size)[1] <= NEAR), gaps.surprise <= grade.volume)
    stands_out = (size >= grade.gap) & (size >= grade.deviations * gaps.usual_gap) & ~(size < grade.wild * gaps.around)
    found: Bools = stands_out & quiet & volume
    return found & (gaps.gap < 0) if grade.falls_only else found


def nearest(size: Floats) -> tuple[Floats, Floats]:
    """The nearest ratio that companies choose to log gaps of a size, and how far off it is (log)."""
    away = np.abs(size[:, None] - np.log(PLAUSIBLE)[None, :])
    place = away.argmin(axis=1)
    return PLAUSIBLE[place], away.min(axis=1)


def explained(gaps: Gaps, split: Floats) -> Bools:
    """Whether the day's known split (new shares for one old, NaN without one) is the size of the gap."""
    ratio = np.log(np.where(split > 0, split, 1.0))
    found: Bools = (ratio != 0) & (np.abs(gaps.gap + ratio) <= MATCHES * np.abs(ratio))
    return found


def in_words(gap: float) -> str:
    """What a gap looks like: the ratio that companies choose where one is near, else the factor itself."""
    size = np.array([abs(gap)])
    ratio, away = nearest(size)
    said = f"{ratio[0]:.4g}" if away[0] <= NEAR else f"{np.exp(size[0]):.4g}"
    kind = "split" if gap < 0 else "reverse split"
    return f"opened at {np.exp(gap):.4g} of the close before on quiet trading, like a {said}:1 {kind} not adjusted for"
