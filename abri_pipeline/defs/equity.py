"""Equity bars and corporate actions: one step, because one payload holds both and adjusts one by the other."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.defs.launch import Launch, tell, week_events, window
from abri_pipeline.defs.partitions import ONE_RUN, WEEKS
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import spec
from abri_pipeline.ingest import equity

BOTH = (BARS, ACTIONS)


@dg.multi_asset(
    specs=[spec(BARS, skippable=True), spec(ACTIONS, skippable=True)],
    partitions_def=WEEKS,
    backfill_policy=ONE_RUN,
    name="equity",
)
def equity_bars(context: dg.AssetExecutionContext, config: Launch, house: House) -> Iterator[Any]:
    """Fetch what is missing of every followed instrument; a failed symbol is named, and stops nobody else."""
    with house.desk(context.run_id, full_refresh=config.full_refresh) as desk:
        load = equity.load(desk, window(context), config.symbols)
        if config.symbols:
            yield from week_events(context, desk.engine, BOTH, load)
        else:
            tell(context, desk.engine, BOTH, load)
            yield from (dg.MaterializeResult(asset_key=dataset.name) for dataset in BOTH)
