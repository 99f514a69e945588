"""Daily equity bars from Stooq: a CSV, when it is in the mood.

Belongs here: the query, the answers that pose as data, reading of the CSV.
Does not belong here: HTTP (transport), whether it is enabled (`providers.yaml`: it is not).

It asks for a key since 2026-03 and for a proof of work since 2026-07, both as a page with HTTP 200, and says
"Exceeded the daily hits limit" or "No data" with 200 as well. What does not begin with the header is no data.
"""

from collections.abc import Sequence

import pandas as pd

from abri_pipeline.providers.answers import detail, is_page
from abri_pipeline.providers.bars import BarProvider, BarQuery, bars
from abri_pipeline.providers.errors import Absent, Malformed, RateLimited, Refused
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import csv_table, dates, numbers, utf8

HEADER = ("Date", "Open", "High", "Low", "Close", "Volume")


class Stooq(BarProvider):
    """Stooq's daily bars; every price is adjusted for splits and dividends."""

    name = "stooq"
    adjustment = "split_dividend"
    timeframes = ("1d",)
    spelling = r"\^?[a-z0-9][a-z0-9.\-]{0,29}"
    key = "STOOQ_API_KEY"

    def _pages(self, transport: Transport, query: BarQuery) -> tuple[Payload, ...]:
        asked = {
            "s": query.symbol,
            "i": "d",
            "d1": f"{query.start:%Y%m%d}",
            "d2": f"{query.end:%Y%m%d}",
            "apikey": self._secret(transport),
        }
        payload = transport.get("stooq", "/q/d/l/", asked)
        _check(payload.body, query)
        return (payload,)

    def parse(self, bodies: Sequence[bytes], query: BarQuery) -> pd.DataFrame:
        """Read the one page of a window; see `BarProvider`. The close is the adjusted close too."""
        if len(bodies) != 1:
            raise Malformed("stooq", f"one page was expected, there are {len(bodies)}")
        _check(bodies[0], query)
        if not bodies[0].endswith(b"\n"):
            # a volume without its last digits would be a smaller volume
            raise Malformed("stooq", "the last record is cut off; fetch it again")
        table = csv_table(bodies[0], "stooq", HEADER[:5])
        days = pd.DatetimeIndex(dates(table["Date"], "stooq", "Date"))
        if days.hasnans:
            raise Malformed("stooq", "a record has no date")
        columns = {name.lower(): numbers(table[name]) for name in HEADER[1:5]}
        columns["adj_close"] = columns["close"]
        # indices come without a volume
        blank = pd.Series([""] * len(table), dtype="str")
        columns["volume"] = numbers(table.get("Volume", blank))
        return bars("stooq", query, days, columns)


def _check(body: bytes, query: BarQuery) -> None:
    """That an answer begins with the header.

    Raises:
        Refused: a page: a key is wanted, or a proof of work.
        RateLimited: the day's hits are spent.
        Absent: it has nothing under that name in the window.
        Malformed: anything else.
    """
    if is_page("text/html", body):
        raise Refused("stooq", f"answered with a web page instead of data ({detail('text/html', body)})")
    first = utf8(body[:4096] if body.isascii() else body, "stooq").lstrip().partition("\n")[0].strip()
    if first.startswith("Date,Open,High,Low,Close"):
        return
    told = first.lower()
    if "daily hits limit" in told:
        raise RateLimited("stooq", "the day's hits are spent; run again tomorrow", detail=first[:80])
    if told.startswith("no data"):
        raise Absent("stooq", f"has nothing under {query.symbol} from {query.start} to {query.end}", detail=first[:80])
    if "apikey" in told or "api key" in told:
        raise Refused("stooq", "does not accept the key: check STOOQ_API_KEY", detail=first[:80])
    raise Malformed("stooq", f"the answer does not begin with the header (it says: {first[:80]!r})")
