"""Reading of Binance's klines, as JSON and as the CSV of its archive: one order of columns, one meaning.

Belongs here: rows -> frame. Does not belong here: how they were asked for (`binance`, `binance_vision`).
"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from abri_pipeline.providers.bars import BarQuery, bars, days_of, instants_of
from abri_pipeline.providers.errors import Malformed
from abri_pipeline.providers.wire import numbers

COLUMNS = ("open", "high", "low", "close", "volume")
UTC = ZoneInfo("UTC")
_MICRO = 10**14  # a stamp beyond it counts microseconds: in milliseconds it would be the year 5138


def frame(provider: str, query: BarQuery, stamps: Sequence[Any], texts: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """The common frame from opening stamps and the five columns after them.

    Args:
        provider: for errors.
        query: what was asked.
        stamps: opening times, in milliseconds or microseconds since 1970, each by its size.
        texts: open, high, low, close and volume of each row, as decimal texts.

    Raises:
        Malformed: a stamp that is no number or no multiple of the step, a column that is no text, a bar twice.
    """
    if not set(map(type, stamps)) <= {int}:
        raise Malformed(provider, "an opening time is no whole number")
    if not all(isinstance(cell, str) for row in texts for cell in row):
        raise Malformed(provider, "a price or volume is no text, as this wire sends them")
    milli = [s // 1000 if s > _MICRO else s for s in stamps]
    step = int(query.step.total_seconds() * 1000)
    if any(s % step for s in milli):
        raise Malformed(provider, f"a bar does not begin on a step of {query.timeframe}")
    times = instants_of(milli, provider)
    columns = {name: numbers(pd.Series([row[at] for row in texts], dtype="str")) for at, name in enumerate(COLUMNS)}
    return bars(provider, query, days_of(times, UTC) if query.daily else times, columns, zone=UTC, whole=False)
