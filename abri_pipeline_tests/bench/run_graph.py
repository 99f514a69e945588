"""One backfill as one Dagster run in this process: `run_graph real|empty START END`; writes a JSON line.

Both kinds are launched alike, on the instance of DAGSTER_HOME in a fresh ABRI_HOME, which is SQLite.
"""

import json
import sqlite3
import sys
import time
from contextlib import closing
from datetime import date
from pathlib import Path

import dagster as dg

from abri_pipeline.calendars import weeks
from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.definitions import defs
from abri_pipeline.settings import Settings
from abri_pipeline_tests.bench.empty_graph import emptied

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main(kind: str, start: date, end: date) -> dict[str, object]:
    """Run it; seconds are those of the run and its fresh instance, without imports."""
    definitions = emptied(defs) if kind == "empty" else defs
    job = definitions.resolve_implicit_global_asset_job_def()
    keys = weeks.weeks(start, end)
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    began, worked = time.perf_counter(), time.process_time()
    instance = dg.DagsterInstance.get()
    result = job.execute_in_process(instance=instance, raise_on_error=False, tags=tags, run_config=QUIET)
    took, cpu = time.perf_counter() - began, time.process_time() - worked
    home = Settings.load().home
    return {
        "seconds": took,
        "cpu_seconds": cpu,
        "success": result.success,
        "weeks": len(keys),
        "events": _events(home, result.run_id),
        "rows": _rows(home) if kind == "real" else {},
        "steps": {
            step.step_key: step.end_time - step.start_time
            for step in instance.get_run_step_stats(result.run_id)
            if step.end_time and step.start_time
        },
    }


def _events(home: Path, run_id: str) -> dict[str, int]:
    """Events in the run's log, by type."""
    query = "SELECT dagster_event_type, count(*) FROM event_logs WHERE dagster_event_type IS NOT NULL GROUP BY 1"
    with closing(sqlite3.connect(home / "dagster" / "history" / "runs" / f"{run_id}.db")) as log:
        return dict(log.execute(query).fetchall())


def _rows(home: Path) -> dict[str, int]:
    """Rows stored, by dataset."""
    with closing(sqlite3.connect(home / "abri.db")) as warehouse:
        return {d.name: warehouse.execute(f'SELECT count(*) FROM "{d.name}"').fetchone()[0] for d in DATASETS}


if __name__ == "__main__":
    found = main(sys.argv[1], date.fromisoformat(sys.argv[2]), date.fromisoformat(sys.argv[3]))
    sys.stdout.write(json.dumps(found) + "\n")
