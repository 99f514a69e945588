"""The rules of a load of bars, over all its symbols at once: counts, score and verdict a symbol, flags a row.

One call a load: `assess`. It only looks; it changes, repairs and drops nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from abri_pipeline.quality import rules_jumps as jumps
from abri_pipeline.quality import score
from abri_pipeline.quality.rules_load import CELLS, Bools, Expected, Floats, Ints, Load, days_of, lay_out
from abri_pipeline.quality.rules_measure import as_adjusted, measure, on_days
from abri_pipeline.quality.rules_rows import nulls, row_rules, sessions

FLAGS = ("symbol", "date", "position", "rule", "reason")
# A row that breaks one of these cannot be true, whatever the rest of the load says; the others are for a person.
Flag = tuple[str, np.datetime64, int, str, str]
IMPOSSIBLE = frozenset({"negative_price", "zero_price", "negative_volume", "envelope", "duplicate", "off_calendar"})


@dataclass(frozen=True)
class Assessment:
    """What the rules found.

    `counts` has one row a symbol: `rows`, `expected`, `cells` (required cells read), `nulls`, `missing`, and the
    rows that each rule flagged, by the rule's name. `flags` has one row a flagged bar and rule: symbol, date,
    position (in the frame handed in), rule, reason.
    """

    counts: pd.DataFrame
    flags: pd.DataFrame

    def checks(self, symbol: str) -> dict[str, int]:
        """A symbol's counts as stored in `data_quality_log.checks`: what is 0 is left out, `score` needs no more.

        Raises:
            KeyError: the symbol was neither in the load nor expected.
        """
        return {str(name): int(n) for name, n in self.counts.loc[symbol].items() if n}

    def score(self, symbol: str) -> float:
        """Quality of a symbol's load, 0 to 1."""
        return score.score(self.checks(symbol))

    def verdict(self, symbol: str) -> str:
        """`accepted`, or `rejected`: nothing of the symbol's load may be published."""
        return score.verdict(self.checks(symbol))

    def refusals(self, symbol: str) -> tuple[str, ...]:
        """Why a symbol's load is rejected, in words."""
        return score.refusals(self.checks(symbol))


def assess(
    bars: pd.DataFrame,
    actions: pd.DataFrame | None = None,
    expected: Expected | None = None,
    *,
    earlier: pd.DataFrame | None = None,
    required: Sequence[str] = CELLS,
    as_traded: bool = False,
) -> Assessment:
    """Judge a load of bars by every rule of requirement 3.4.

    Args:
        bars: symbol, date, open, high, low, close, volume, as parsed and before any row is turned away.
        actions: known corporate actions: symbol, date (ex-date), action (split, dividend), value.
        expected: of each symbol the sessions expected, or only how many. A symbol left out is not judged on it.
        earlier: stored bars before the load, on the same basis, so that its first rows have a past.
        required: cells that may not be missing; without `volume`, an instrument that has none is not blamed for it.
        as_traded: prices as they were on the day. Known splits are then taken out first. Otherwise prices are
            split-adjusted, and a known split that still shows in them is flagged as `split_not_applied`.
    """
    load = lay_out(bars, earlier, named=tuple(expected or ()))
    wanted, missing, stray = sessions(load, expected)
    absent, null_rows = nulls(load, required)
    found = [*row_rules(load, required), ("off_calendar", stray, "the exchange was closed that day")]
    counts: dict[str, Ints] = {
        "rows": load.count(np.ones(len(load), dtype=bool)),
        "expected": wanted,
        "cells": load.count(np.ones(len(load), dtype=bool)) * len(required),
        "nulls": absent,
        "missing": missing,
    }
    flags = _flags(load, null_rows, "nulls", "a required cell is missing")
    bad = stray.copy()
    for rule, rows, reason in found:
        counts[rule] = load.count(rows)
        flags += _flags(load, rows, rule, reason)
        bad |= rows & (rule != "zero_volume")
    clean = load.take(~bad & (load.cells["close"] > 0))
    for rule, series, rows, reasons in _series_rules(clean, actions, as_traded):
        counts[rule] = series.count(rows)
        flags += _flags(series, rows, rule, reasons)
    return Assessment(pd.DataFrame(counts, index=pd.Index(load.symbols, name="symbol")), _sorted(flags))


def _series_rules(
    load: Load, actions: pd.DataFrame | None, as_traded: bool
) -> list[tuple[str, Load, Bools, str | list[str]]]:
    """Rules along a series, on bars that broke no rule of their own: rule, bars, rows, one reason or one a row."""
    flipped = jumps.unit_flips(load)
    said = "a hundred times off the days around it, and back: another unit"
    rest = load.take(~flipped)
    split = _known(rest, actions, "split")
    if as_traded:
        rest, split = as_adjusted(rest, split), np.full(len(rest), np.nan)
    gaps = measure(rest, _known(rest, actions, "dividend"), jumps.SMALL.gap, jumps.EXTREME)
    missed, quiet = jumps.ratios(gaps)
    known = jumps.explained(gaps, split[gaps.at])
    extreme = (np.abs(gaps.move) > jumps.EXTREME) & ~missed
    result: list[tuple[str, Load, Bools, str | list[str]]] = [("unit_flip", load, flipped, said)]
    for rule, at in (
        ("missed_split", missed & ~known),
        ("split_not_applied", missed & known),
        ("quiet_gap", quiet & ~known),
        ("extreme_return", extreme & ~known),
    ):
        rows = np.zeros(len(rest), dtype=bool)
        rows[gaps.at[at]] = True
        rows &= rest.judged
        at = at & rest.judged[gaps.at]
        values = gaps.move[at] if rule == "extreme_return" else gaps.gap[at]
        result.append((rule, rest, rows, [_reason(rule, float(value)) for value in values]))
    return result


def _reason(rule: str, value: float) -> str:
    if rule == "extreme_return":
        return f"closed at {np.exp(value):.4g} of the close before; no recorded session moved so far"
    if rule == "split_not_applied":
        return f"opened at {np.exp(value):.4g} of the close before: a known split that earlier prices do not carry"
    if rule == "quiet_gap":
        return f"opened at {np.exp(value):.4g} of the close before on quiet trading: a small ratio, or only a gap"
    return jumps.in_words(value)


def _known(load: Load, actions: pd.DataFrame | None, action: str) -> Floats:
    """Known splits or dividends on the rows of their ex-dates."""
    if actions is None or actions.empty:
        return np.full(len(load), np.nan)
    number = {symbol: code for code, symbol in enumerate(load.symbols)}
    codes = np.array([number.get(str(symbol), -1) for symbol in actions["symbol"]], dtype=np.int64)
    chosen = (codes >= 0) & (actions["action"].to_numpy(dtype=object) == action)
    values = actions["value"].to_numpy(dtype=float)
    joined = np.multiply if action == "split" else np.add
    return on_days(load, codes[chosen], days_of(actions)[chosen], values[chosen], joined)


def _flags(load: Load, rows: Bools, rule: str, reason: str | list[str]) -> list[Flag]:
    at = np.flatnonzero(rows & load.judged)
    said = [reason] * len(at) if isinstance(reason, str) else reason
    return [
        (load.symbols[load.code[row]], load.day[row], int(load.position[row]), rule, why)
        for row, why in zip(at, said, strict=True)
    ]


def _sorted(flags: list[Flag]) -> pd.DataFrame:
    flags.sort(key=lambda flag: (flag[0], flag[1], flag[3], flag[2]))
    return pd.DataFrame(flags, columns=list(FLAGS)).astype({"date": "datetime64[s]", "position": "int64"})
