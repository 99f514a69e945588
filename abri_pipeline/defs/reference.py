"""Curated tables: index weights, GPU prices, segment revenue and deals."""

import dagster as dg

from abri_pipeline.defs.launch import Launch, tell, window
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import weekly
from abri_pipeline.ingest.reference import DEALS_TABLE, GPU_TABLE, SEGMENTS_TABLE, WEIGHTS_TABLE, Curated, load


def curated_asset(curated: Curated) -> dg.AssetsDefinition:
    """The asset of one curated table: the newer copy where one is published, else the packaged one."""

    @weekly(curated.table)
    def table(context: dg.AssetExecutionContext, config: Launch, house: House) -> None:
        with house.desk(context.run_id, full_refresh=config.full_refresh) as desk:
            loaded = load(desk, curated, window(context))
            tell(context, desk.engine, [curated.table], loaded)

    return table


ASSETS = [curated_asset(table) for table in (WEIGHTS_TABLE, GPU_TABLE, SEGMENTS_TABLE, DEALS_TABLE)]
