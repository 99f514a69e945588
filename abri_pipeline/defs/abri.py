"""The index."""

import dagster as dg

from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.defs.launch import tell
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import weekly
from abri_pipeline.derive import abri


@weekly(HISTORY)
def abri_history(context: dg.AssetExecutionContext, house: House) -> None:
    """Print every closed week of the launch, each method once for the same inputs."""
    engine = house.engine()
    abri.derive(engine, context.partition_keys)
    tell(context, engine, [HISTORY])
