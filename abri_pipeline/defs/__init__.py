"""Dagster: a thin glaze over ingest and derive.

Belongs here: assets with bodies of a few lines, checks, partitions, schedules, sensors, resources, storage.
Does not belong here: business logic of any kind. Loading this room does no I/O and reads no secret and no clock.
"""

import warnings

from dagster import BetaWarning

# Said once for each asset at every start. The version is pinned, so a change comes only with an upgrade of ours.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=BetaWarning)
