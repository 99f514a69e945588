"""What repairs by itself: gaps that nothing explains are asked for once more, each once a day.

Off until somebody switches it on, as everything is that asks upstreams.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from abri_pipeline.calendars import clock, weeks
from abri_pipeline.defs.launch import Launch
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.schedules import WHOLE_GRAPH
from abri_pipeline.defs.sensors import rows_of_weeks, weeks_under_way
from abri_pipeline.ingest.repair import ATTEMPTS, repairable

MOST_RUNS = 5  # a tick; what is left over comes with the next one


@dg.sensor(job=WHOLE_GRAPH, name="repair_gaps", minimum_interval_seconds=600)
def repair_gaps_sensor(context: dg.SensorEvaluationContext, house: House) -> dg.SensorResult:
    """Ask for every open gap once a day: one run for each row of weeks that hold gaps.

    What is proved empty or given up is left alone, and so are weeks of a run under way. A session that nearly every
    instrument misses is told once a day and repaired by nobody: the provider or the calendar needs a look.
    """
    now = clock.now()
    engine = house.engine()
    try:
        with engine.connect() as connection:
            found = repairable(connection, now)
    finally:
        engine.dispose()  # a code server lives for weeks; each tick gives its connections back
    today = now.date().isoformat()
    asked: dict[str, str] = json.loads(context.cursor or "{}")  # on which day each gap, or market-wide miss, was told
    wide = [one.text for one in found.wide]
    for line in wide:
        if asked.get(line) != today:
            context.log.warning(line)
    gaps = {f"{symbol} {day.isoformat()}": day for symbol, days in found.days.items() for day in days}
    busy = weeks_under_way(context.instance)
    new = {name: day for name, day in gaps.items() if asked.get(name) != today and weeks.week_key(day) not in busy}
    rows = _rows(new.values())[:MOST_RUNS]
    holds = [sorted(name for name, day in new.items() if weeks.week_key(day) in row) for row in rows]
    now_asked = [name for names in holds for name in names]
    # A gap that is no longer open is forgotten.
    told = {name: asked[name] for name in (*gaps, *wide) if name in asked}
    cursor = json.dumps(told | dict.fromkeys([*now_asked, *wide], today), sort_keys=True)
    if not rows:
        return dg.SensorResult(skip_reason=_nothing(gaps, wide), cursor=cursor)
    requests = [_repair_run(row, names, today) for row, names in zip(rows, holds, strict=True)]
    return dg.SensorResult(run_requests=requests, cursor=cursor)


def _rows(days: Iterable[date]) -> list[list[str]]:
    """The weeks that hold some days, in rows of consecutive weeks, the oldest first."""
    return list(rows_of_weeks(sorted({weeks.week_key(day) for day in days})))


def _nothing(gaps: Mapping[str, date], wide: Sequence[str]) -> str:
    if gaps:
        return f"asked for today already, or under way: {', '.join(gaps)}"
    return "; ".join(wide) or "no gap is open that could be repaired"


def _repair_run(row: Sequence[str], names: Sequence[str], today: str) -> dg.RunRequest:
    """One run over a row of weeks; what is computed from bars follows in it.

    The key holds which gaps it is for: one that opens later in the day is another run.
    """
    which = sha256(", ".join(names).encode()).hexdigest()[:12]
    return dg.RunRequest(
        run_key=f"repair {row[0]} to {row[-1]} on {today}, {which}",
        run_config=dg.RunConfig(ops={"equity": Launch(repair=ATTEMPTS)}),
        tags={ASSET_PARTITION_RANGE_START_TAG: row[0], ASSET_PARTITION_RANGE_END_TAG: row[-1]},
    )


SENSORS = [repair_gaps_sensor]
