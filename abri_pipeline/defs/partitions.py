"""One weekly partitions definition for the whole graph, one run for any range of it."""

import dagster as dg

from abri_pipeline.calendars.weeks import FIRST_WEEK

WEEKS = dg.WeeklyPartitionsDefinition(start_date=FIRST_WEEK, day_offset=1, end_offset=1, timezone="America/New_York")
ONE_RUN = dg.BackfillPolicy.single_run()
