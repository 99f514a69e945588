"""GPU deflation: what one H100 costs for an hour on demand."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

import numpy as np

from abri_pipeline.analytics.abri.asof import AsOfTable, Rows
from abri_pipeline.analytics.abri.reading import Reading
from abri_pipeline.analytics.abri.section import Section

INDICATOR = "h100_price"
UNIT = "USD per GPU-hour"


@dataclass(frozen=True, slots=True)
class WeeklyPrice:
    """Which quotes are read: the model with its memory, and the kind of contract."""

    gpu_model: str
    price_kind: str

    @classmethod
    def read(cls, section: Section) -> "WeeklyPrice":
        """From the fields `gpu_model` and `price_kind`."""
        return cls(section.text("gpu_model"), section.text("price_kind", ("on_demand", "spot", "reserved")))


def h100_price(table: AsOfTable, settings: WeeklyPrice, as_of: date, knowledge_at: datetime) -> Reading:
    """Median on-demand price of the latest ISO week in which at least one source quotes.

    Every quote of that week counts once, whichever source or variant it is of, as the method's text says;
    sources are not averaged first. However old that week is, it is the latest: its age shows in
    `observed_on`, the newest day quoted.
    """
    rows = table.where(table.known(as_of, knowledge_at), "gpu_model", settings.gpu_model)
    rows = table.where(rows, "price_kind", settings.price_kind)
    rows = rows[~np.isnan(table.number("price_per_gpu_hour", rows))]
    if len(rows) == 0:
        reason = f"no {settings.price_kind} price of {settings.gpu_model} was known by {knowledge_at.date()}"
        return Reading(INDICATOR, None, UNIT, None, None, "gpu_prices", reason)
    day = table.day(int(rows[-1]))
    monday = day - timedelta(days=day.weekday())
    quotes = _last_version_per_quote(table, rows[table.observed[rows] >= np.datetime64(monday, "D")])
    prices = [float(price) for price in table.number("price_per_gpu_hour", np.array(quotes))]
    sources = {table.text("source", row) for row in quotes}
    iso = day.isocalendar()
    note = f"median of {len(prices)} quotes by {len(sources)} sources in {iso.year}-W{iso.week:02d}"
    return Reading(INDICATOR, median(prices), UNIT, day, table.available_at(quotes), "gpu_prices", note=note)


def _last_version_per_quote(table: AsOfTable, rows: Rows) -> list[int]:
    """One row a (day, source, variant): the last version known."""
    latest: dict[tuple[date, str, str], int] = {}
    for row in rows.tolist():
        latest[table.day(row), table.text("source", row), table.text("variant", row)] = row
    return list(latest.values())
