"""What watches the watchlist: a symbol that was added gets its history by itself.

Off until somebody switches it on, as everything is that asks upstreams.
"""

import json
from collections.abc import Sequence

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from abri_pipeline.calendars import clock, weeks
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.defs.launch import Launch
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.schedules import WHOLE_GRAPH
from abri_pipeline.defs.sensors import weeks_under_way
from abri_pipeline.ingest.newcomers import Newcomer, newcomers

# The one step that a launch can be narrowed in; whatever is computed from bars follows with the next run of all.
STEP = (dg.AssetKey(BARS.name), dg.AssetKey(ACTIONS.name))


@dg.sensor(job=WHOLE_GRAPH, name="new_symbols", minimum_interval_seconds=60)
def new_symbols_sensor(context: dg.SensorEvaluationContext, house: House) -> dg.SensorResult:
    """Ask once for the history of every instrument that was put on the watchlist: one run for all that are new.

    The run reaches from the default window's start (or the first listing) to the last closed week and is narrowed
    to the new symbols. While a run over any of these weeks is under way, nothing is asked: it may be fetching them.
    A symbol that failed is not asked for again here; its gaps are on the books, for a repair.
    """
    engine = house.engine()
    try:
        found = newcomers(engine, clock.now())
    finally:
        engine.dispose()  # a code server lives for weeks; each tick gives its connections back
    asked: dict[str, str] = json.loads(context.cursor or "{}")  # which addition of an instrument was asked for
    new = [one for one in found if asked.get(one.instrument_id) != one.added]
    if not new:
        left = f"asked for already: {_names(found)}" if found else "no symbol is new"
        return dg.SensorResult(skip_reason=left)
    keys = weeks.weeks(min(one.wanted.start for one in new), max(one.wanted.end for one in new))
    if weeks_under_way(context.instance) & set(keys):
        return dg.SensorResult(skip_reason=f"a run over these weeks is under way; waiting with {_names(new)}")
    cursor = json.dumps(asked | {one.instrument_id: one.added for one in new}, sort_keys=True)
    return dg.SensorResult(run_requests=[_history_run(new, keys)], cursor=cursor)


def _names(some: Sequence[Newcomer]) -> str:
    return ", ".join(one.symbol for one in some)


def _history_run(new: Sequence[Newcomer], keys: Sequence[str]) -> dg.RunRequest:
    """One run over the whole range; the planner cuts each symbol's part to its listing."""
    narrowed = Launch(symbols=[one.symbol for one in new])
    return dg.RunRequest(
        run_key=f"new {', '.join(f'{one.instrument_id} {one.added}' for one in new)}",
        asset_selection=list(STEP),
        run_config=dg.RunConfig(ops={"equity": narrowed}),
        tags={ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]},
    )


SENSORS = [new_symbols_sensor]
