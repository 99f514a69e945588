"""Completeness: the last asset, which says which weeks are whole and turns the run red where a symbol failed."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from sqlalchemy import Engine

from abri_pipeline.calendars import clock, weeks
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.defs.launch import market_label
from abri_pipeline.defs.partitions import ONE_RUN, WEEKS
from abri_pipeline.defs.resources import House
from abri_pipeline.ingest.runs import failures
from abri_pipeline.quality.completeness import WeekVerdict, week_verdicts
from abri_pipeline.quality.gap_scan import market_wide, scan
from abri_pipeline.quality.matrix import completeness_matrix, totals, worst
from abri_pipeline.quality.report_markdown import escaped, section_table
from abri_pipeline.quality.report_page import Section

MOST_ROWS = 30  # of the matrix: metadata stays far below Dagster's 50 KB also for 252 instruments
MOST_LINES = 50


@dg.asset(
    deps=[dataset.name for dataset in DATASETS],
    group_name="index",
    kinds={"python"},
    owners=["team:data"],
    partitions_def=WEEKS,
    backfill_policy=ONE_RUN,
    output_required=False,
)
def completeness(context: dg.AssetExecutionContext, house: House) -> Iterator[Any]:
    """**Completeness.** Materialised for the weeks in which every expected observation is stored or explained.

    A dataset's colour says *attempted*; this one says *complete*. The open week stays grey until its official
    print is due. The newest week of a launch carries the completeness matrix of all its weeks, complete or not.
    The run fails only where a symbol failed, and names exactly those.
    """
    engine, keys = house.engine(), context.partition_keys
    label = market_label(engine)
    for key, verdict in week_verdicts(engine, keys).items():
        newest = key == keys[-1]
        said = {**_figures(verdict), **(_matrix(engine, keys) if newest else {}), **label}
        if verdict.complete:
            yield dg.AssetMaterialization("completeness", partition=key, metadata=said)
        elif verdict.missing or newest:
            yield dg.AssetObservation("completeness", partition=key, metadata=said)
    if failed := failures(engine, context.run.run_id):
        raise dg.Failure("failed: " + "; ".join(failed), allow_retries=False)


def _figures(verdict: WeekVerdict) -> dict[str, dg.MetadataValue]:
    said: dict[str, dg.MetadataValue] = {
        "expected bars": dg.MetadataValue.int(verdict.expected),
        "stored bars": dg.MetadataValue.int(verdict.stored),
        "explained gaps": dg.MetadataValue.int(verdict.explained),
    }
    if verdict.missing:
        more = len(verdict.missing) - MOST_LINES
        lines = verdict.missing[:MOST_LINES] + ([f"and {more:,} more"] if more > 0 else [])
        said["missing"] = dg.MetadataValue.md("\n".join(f"- {escaped(line)}" for line in lines))
    return said


def _matrix(engine: Engine, keys: Sequence[str]) -> dict[str, dg.MetadataValue]:
    """The completeness matrix of the launched weeks: all together, then the instruments that lack most."""
    start, end = weeks.monday(keys[0]), weeks.week_span(keys[-1])[1]
    days = [day for day in closed_sessions(clock.now()) if start <= day <= end]
    with engine.connect() as connection:
        matrix = completeness_matrix(connection, days)
        wide = market_wide(scan(connection, days))
    said: dict[str, dg.MetadataValue] = {
        "completeness": dg.MetadataValue.md(section_table(Section("totals", "", totals(matrix), percent=("share",)))),
        "completeness matrix": dg.MetadataValue.md(
            section_table(Section("matrix", "", worst(matrix, len(matrix)), percent=("share",), most=MOST_ROWS))
        ),
    }
    if wide:
        said["market-wide misses"] = dg.MetadataValue.md("\n".join(f"- {escaped(one.text)}" for one in wide))
    return said
