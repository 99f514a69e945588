"""SEC filings with their facts, and the hyperscalers' quarters computed from them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from abri_pipeline.contracts.filings import FACTS, FILINGS, HYPERSCALERS
from abri_pipeline.defs.launch import Launch, tell, window
from abri_pipeline.defs.partitions import ONE_RUN, WEEKS
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import spec, weekly
from abri_pipeline.derive import filings as quarters
from abri_pipeline.ingest import filings


@dg.multi_asset(specs=[spec(FILINGS), spec(FACTS)], partitions_def=WEEKS, backfill_policy=ONE_RUN, name="sec")
def sec_filings(context: dg.AssetExecutionContext, config: Launch, house: House) -> Iterator[Any]:
    """Fetch each company's facts and filing index whole; one transaction a company holds both."""
    with house.desk(context.run_id, full_refresh=config.full_refresh) as desk:
        load = filings.load(desk, window(context))
        tell(context, desk.engine, [FILINGS, FACTS], load)
    yield from (dg.MaterializeResult(asset_key=dataset.name) for dataset in (FILINGS, FACTS))


@weekly(HYPERSCALERS)
def hyperscaler_metrics(context: dg.AssetExecutionContext, house: House) -> None:
    """Compute every quarter and vintage anew from the stored facts."""
    engine = house.engine()
    quarters.derive(engine)
    tell(context, engine, [HYPERSCALERS])
