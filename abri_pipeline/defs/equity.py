"""Equity bars and corporate actions: one step, because one payload holds both and adjusts one by the other."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.defs.launch import Launch, tell, week_events, window
from abri_pipeline.defs.partitions import ONE_RUN, WEEKS
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import spec
from abri_pipeline.ingest import equity, repair

BOTH = (BARS, ACTIONS)


@dg.multi_asset(
    specs=[spec(BARS, skippable=True), spec(ACTIONS, skippable=True)],
    partitions_def=WEEKS,
    backfill_policy=ONE_RUN,
    name="equity",
)
def equity_bars(context: dg.AssetExecutionContext, config: Launch, house: House) -> Iterator[Any]:
    """Fetch what is missing of every followed instrument; a failed symbol is named, and stops nobody else.

    With `repair` in the configuration only what is on the books as a gap is asked for, of a second provider too.
    """
    job, refresh, reread = context.run_id, config.full_refresh, config.reread
    with house.desk(job, full_refresh=refresh, reread=reread, fetchers=config.max_concurrent) as desk:
        if config.repair:
            load = repair.load(desk, window(context), config.symbols, config.repair)
        else:
            load = equity.load(desk, window(context), config.symbols)
        if config.symbols:
            yield from week_events(context, desk.engine, BOTH, load)
        else:
            tell(context, desk.engine, BOTH, load)
            yield from (dg.MaterializeResult(asset_key=dataset.name) for dataset in BOTH)
