"""Intraday equity bars, with the four-hour bars put together from them."""

import dagster as dg
from pydantic import Field

from abri_pipeline.contracts.intraday import BARS
from abri_pipeline.defs.launch import Launch, tell, window
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import weekly
from abri_pipeline.ingest import intraday


class IntradayLaunch(Launch):
    """Run configuration of intraday bars."""

    timeframes: list[str] = Field(default=[], description="narrow to these timeframes; those of the watchlist without")


@weekly(BARS)
def price_history_intraday(context: dg.AssetExecutionContext, config: IntradayLaunch, house: House) -> None:
    """Fetch what is missing of the timeframes that each instrument keeps, as far back as providers reach."""
    with house.desk(
        context.run_id, full_refresh=config.full_refresh, reread=config.reread, fetchers=config.max_concurrent
    ) as desk:
        load = intraday.load(desk, window(context), config.symbols, config.timeframes)
        tell(context, desk.engine, [BARS], load)
