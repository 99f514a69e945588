"""Market metrics."""

import dagster as dg

from abri_pipeline.contracts.market import METRICS
from abri_pipeline.defs.launch import tell, window
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import weekly
from abri_pipeline.derive import market


@weekly(METRICS)
def market_metrics(context: dg.AssetExecutionContext, house: House) -> None:
    """Compute the metrics of the launched weeks, looking back as far as they need."""
    engine, span = house.engine(), window(context)
    market.derive(engine, span.start, span.end)
    tell(context, engine, [METRICS])
