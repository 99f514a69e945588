"""Deal flow: whether the volume of announced financing grows or shrinks."""

import math
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from abri_pipeline.analytics.abri.asof import AsOfTable, Rows
from abri_pipeline.analytics.abri.calendar_windows import months_before
from abri_pipeline.analytics.abri.reading import Reading
from abri_pipeline.analytics.abri.section import Section

INDICATOR = "deal_growth"
UNIT = "fraction"


@dataclass(frozen=True, slots=True)
class VolumeGrowth:
    """Length of each of the two windows compared, in calendar months."""

    window_months: int

    @classmethod
    def read(cls, section: Section) -> "VolumeGrowth":
        """From the field `window_months`."""
        return cls(section.whole("window_months"))


def deal_growth(table: AsOfTable, settings: VolumeGrowth, as_of: date, knowledge_at: datetime) -> Reading:
    """Growth of announced volume against the window before: (recent - prior) / prior.

    The windows are (as_of - n months, as_of] and the n months before it. A deal without a published amount,
    or one ruled out of the volume (`scored` false: it sits inside another deal), is left out and counted in
    the note. No volume before means no growth can be told: missing.
    """
    middle = months_before(as_of, settings.window_months)
    start = months_before(as_of, 2 * settings.window_months)
    known = table.known(as_of, knowledge_at, start)
    scored = table.where(known, "scored", "yes")
    priced = scored[~np.isnan(table.number("amount_usd_millions", scored))]
    recent = priced[table.observed[priced] > np.datetime64(middle, "D")]
    prior = priced[table.observed[priced] <= np.datetime64(middle, "D")]
    volume, before = _volume(table, recent), _volume(table, prior)
    if before <= 0:
        reason = f"no deal volume from {start} (exclusive) to {middle} was known by {knowledge_at.date()}"
        return Reading(INDICATOR, None, UNIT, None, None, "deals", reason)
    note = f"{volume:,.0f} USD millions after {before:,.0f}; {len(known) - len(scored)} ruled out"
    note += f", {len(scored) - len(priced)} without an amount"
    day, known_at = table.day(int(priced[-1])), table.available_at(priced)
    return Reading(INDICATOR, (volume - before) / before, UNIT, day, known_at, "deals", note=note)


def _volume(table: AsOfTable, rows: Rows) -> float:
    return math.fsum(table.number("amount_usd_millions", rows).tolist())


def with_rulings(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `scored` as yes or no; a ledger without rulings scores every deal."""
    if "scored" not in frame.columns:
        return frame.assign(scored="yes")
    return frame.assign(scored=["no" if flag in (False, 0) else "yes" for flag in frame["scored"]])
