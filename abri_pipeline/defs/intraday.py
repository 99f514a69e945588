"""Intraday equity bars, with the four-hour bars put together from them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from abri_pipeline.contracts.intraday import BARS
from abri_pipeline.defs.launch import Launch, tell, week_events, window
from abri_pipeline.defs.partitions import ONE_RUN, WEEKS
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import spec
from abri_pipeline.ingest import intraday


class IntradayLaunch(Launch):
    """Run configuration of intraday bars."""

    timeframes: list[str] = Field(default=[], description="narrow to these timeframes; those of the watchlist without")


@dg.multi_asset(
    specs=[spec(BARS, skippable=True)],
    partitions_def=WEEKS,
    backfill_policy=ONE_RUN,
    name=BARS.name,
)
def price_history_intraday(context: dg.AssetExecutionContext, config: IntradayLaunch, house: House) -> Iterator[Any]:
    """Fetch what is missing of the timeframes that each instrument keeps, as far back as providers reach."""
    with house.desk(
        context.run_id, full_refresh=config.full_refresh, reread=config.reread, fetchers=config.max_concurrent
    ) as desk:
        load = intraday.load(desk, window(context), config.symbols, config.timeframes)
        if config.symbols or config.timeframes:
            yield from week_events(context, desk.engine, [BARS], load)
        else:
            tell(context, desk.engine, [BARS], load)
            yield dg.MaterializeResult(asset_key=BARS.name)
