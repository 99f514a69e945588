"""Credit spreads."""

import dagster as dg

from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.defs.launch import Launch, tell, window
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import weekly
from abri_pipeline.ingest import credit


@weekly(SPREADS)
def credit_spreads(context: dg.AssetExecutionContext, config: Launch, house: House) -> None:
    """Fetch the four FRED series whole where anything new can have been published."""
    with house.desk(context.run_id, full_refresh=config.full_refresh) as desk:
        load = credit.load(desk, window(context))
        tell(context, desk.engine, [SPREADS], load)
