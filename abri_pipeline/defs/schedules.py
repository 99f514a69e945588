"""When the graph runs by itself: after each New York close, and on Monday for the week that has closed.

Both schedules are off until somebody switches them on (in the UI under Automation, or with
`dagster schedule start --location abri NAME`): opening the UI to look around must not start asking upstreams.
"""

from datetime import datetime

import dagster as dg

from abri_pipeline.calendars import clock, new_york, sessions, weeks
from abri_pipeline.defs.launch import Launch

# UI launches and `abri backfill` pick their own assets; whatever runs by itself runs everything.
WHOLE_GRAPH = dg.define_asset_job(
    "whole_graph",
    selection=dg.AssetSelection.all(),
    description="Every dataset, the index and completeness, for one week or a range of weeks.",
)
NEW_YORK = "America/New_York"
REREAD = 7  # sessions
AFTER_CLOSE = "30 18 * * 1-5"  # half an hour after the flash's and the official print's knowledge time
AFTER_WEEK = "30 18 * * 1"


@dg.schedule(job=WHOLE_GRAPH, cron_schedule=AFTER_CLOSE, execution_timezone=NEW_YORK)
def after_close(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """The current week at 18:30 New York on every trading day, half days included.

    The newest sessions are read again, the week before's among them: vendors correct a bar for some days.
    """
    due = context.scheduled_execution_time
    if still_to_come := _after_frozen_clock(due):
        return still_to_come
    day = new_york.day_of(due)
    if not sessions.is_session(day):
        return dg.SkipReason(f"{day.isoformat()} is no NYSE session")
    reread = dg.RunConfig(ops={"equity": Launch(reread=REREAD)})
    return dg.RunRequest(run_key=day.isoformat(), partition_key=weeks.week_key(day), run_config=reread)


@dg.schedule(job=WHOLE_GRAPH, cron_schedule=AFTER_WEEK, execution_timezone=NEW_YORK)
def after_week(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """The last closed week at 18:30 New York on Monday, holiday or not: its official print.

    Bars of that week are read again, so that the vendor's corrections land before the print reads them.
    """
    due = context.scheduled_execution_time
    if still_to_come := _after_frozen_clock(due):
        return still_to_come
    week = weeks.last_closed(due)
    reread = dg.RunConfig(ops={"equity": Launch(full_refresh=True)})
    return dg.RunRequest(run_key=week, partition_key=week, run_config=reread)


def _after_frozen_clock(due: datetime) -> dg.SkipReason | None:
    """Why a tick asks for nothing where `ABRI_NOW` has stopped the clock before it."""
    frozen = clock.frozen()
    if frozen is None or due <= frozen:
        return None
    return dg.SkipReason(
        f"ABRI_NOW stops the clock at {frozen.isoformat()}, before this tick of {due.isoformat()}; "
        "unset it to let schedules run"
    )


SCHEDULES = [after_close, after_week]
