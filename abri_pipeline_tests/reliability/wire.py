"""A transport that answers from a market in this process, and a market whose vendor corrects its bars.

It stands at the seam of the real `Transport`: the chart is written by the sandbox's own code and read by the real
provider, only sockets are left out, so that thousands of loads fit into minutes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.providers.errors import Absent, ServerFailed
from abri_pipeline.providers.payload import Payload
from abri_pipeline.sandbox.wires import yahoo_chart
from abri_pipeline.settings import Settings
from abri_pipeline_tests.ingest.small_market import FIRST, LAST, SmallMarket

NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Call:
    """One request: the ticker and the days it was for."""

    symbol: str
    start: date
    end: date


@dataclass
class Vendor(SmallMarket):
    """The small market with corrections: on a day, the close moves by `cents` and the volume by some shares.

    `names` leads from the ticker an instrument goes by to the one its history is kept under here.
    """

    corrections: dict[tuple[str, date], tuple[float, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def bars(self, symbol: str) -> pd.DataFrame | None:
        kept = self.names.get(symbol, symbol)
        frame = super().bars(kept)
        if frame is None:
            return None
        days = sessions(FIRST, LAST)
        for (name, day), (cents, shares) in self.corrections.items():
            row = frame["date"] == pd.Timestamp(day)
            if name == kept and row.any():
                # As a share of the price as traded, so that a later split carries it like the price itself.
                factor = 1 + cents / 100 / (100.0 + days.index(day))
                frame.loc[row, ["close", "adj_close"]] *= factor
                frame.loc[row, "volume"] += shares * (frame.loc[row, "volume"] // 1000)  # 1,000 shares, as traded
        return frame


@dataclass
class Wire:
    """`Transport.get` without sockets. `log` takes one line a call, whichever process makes it."""

    market: SmallMarket
    settings: Settings
    log: Path
    down: bool = False
    calls: Counter[str] = field(default_factory=Counter)

    def get(
        self,
        upstream: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Payload:
        """The chart of one window, as Yahoo would send it now."""
        symbol, asked = path.rsplit("/", 1)[1], params or {}
        self.calls[upstream] += 1
        with self.log.open("a") as log:
            log.write(f"{symbol} {asked['period1']} {asked['period2']}\n")
        if self.down:
            raise ServerFailed(upstream, "is broken; run again later", status=503)
        now = clock.now()
        source = yahoo_chart.Source.of(self.market, symbol, now)
        if source is None:
            raise Absent(upstream, f"has nothing for {symbol}", status=404)
        span = (int(asked["period1"]), int(asked["period2"]))
        body = yahoo_chart.body(source, "1d", span, "", str(asked.get("events", "")))
        return Payload(upstream, path, 200, "application/json", body, now, self.market.label)

    def made(self) -> list[Call]:
        """The calls so far, of all processes, oldest first."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [_call(*line.split()) for line in lines]

    def asked(self) -> Counter[str]:
        """How many calls there were so far for each ticker."""
        return Counter(call.symbol for call in self.made())


def _call(symbol: str, since: str, until: str) -> Call:
    """A line of the log; `until` is the midnight after the last day."""
    return Call(
        symbol,
        datetime.fromtimestamp(int(since), NEW_YORK).date(),
        datetime.fromtimestamp(int(until) - 1, NEW_YORK).date(),
    )
