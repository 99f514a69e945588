"""What must be stored: the vendor's history as it shows it now."""

from collections.abc import Sequence
from datetime import date

import pytest

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.ingest.desk import Window
from abri_pipeline.sandbox import asof
from abri_pipeline_tests.ingest.small_market import SmallMarket
from abri_pipeline_tests.reliability.stage import Stage

Cells = tuple[float, float, int]


def shown(market: SmallMarket, symbol: str) -> dict[date, Cells]:
    """Close, adjusted close and volume of each closed day, on the basis of the frozen instant."""
    whole = market.bars(symbol)
    if whole is None:
        return {}
    seen = asof.daily(whole, clock.now())
    cells = zip(seen["date"].dt.date, seen["close"], seen["adj_close"], seen["volume"], strict=True)
    return {day: (float(close), float(adjusted), int(volume)) for day, close, adjusted, volume in cells}


def assert_same(stored: dict[date, Cells], wanted: dict[date, Cells]) -> None:
    """The same days with the same cells; prices to 1e-6: the vendor rounds to six decimals once a split is ahead."""
    assert sorted(stored) == sorted(wanted)
    for day, cells in wanted.items():
        assert stored[day] == pytest.approx(cells, rel=1e-6), f"{day}: {stored[day]} is stored, {cells} was served"


def assert_equals_vendor(stage: Stage, symbols: Sequence[str], window: Window) -> None:
    """All that is stored is what the vendor shows now, and of the window nothing is missing."""
    days = [d for d in closed_sessions(clock.now()) if window.start <= d <= window.end]
    for symbol in symbols:
        vendor, stored = shown(stage.market, symbol), stage.stored(symbol)
        assert_same(stored, {day: vendor[day] for day in stored})
        assert {d for d in days if d in vendor} <= set(stored)
        assert stage.missing(symbol, days) == {d for d in days if d not in vendor}
