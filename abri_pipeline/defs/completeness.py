"""Completeness: the last asset, which says which weeks are whole and turns the run red where a symbol failed."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.defs.launch import market_label
from abri_pipeline.defs.partitions import ONE_RUN, WEEKS
from abri_pipeline.defs.resources import House
from abri_pipeline.ingest.runs import failures
from abri_pipeline.quality.completeness import WeekVerdict, week_verdicts


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
    print is due. The run fails only where a symbol failed, and names exactly those.
    """
    engine = house.engine()
    label = market_label(engine)
    for key, verdict in week_verdicts(engine, context.partition_keys).items():
        if verdict.complete:
            yield dg.AssetMaterialization("completeness", partition=key, metadata={**_figures(verdict), **label})
        elif verdict.missing:
            yield dg.AssetObservation("completeness", partition=key, metadata={**_figures(verdict), **label})
    if failed := failures(engine, context.run_id):
        raise dg.Failure("failed: " + "; ".join(failed), allow_retries=False)


def _figures(verdict: WeekVerdict) -> dict[str, dg.MetadataValue]:
    said: dict[str, dg.MetadataValue] = {
        "expected bars": dg.MetadataValue.int(verdict.expected),
        "stored bars": dg.MetadataValue.int(verdict.stored),
        "explained gaps": dg.MetadataValue.int(verdict.explained),
    }
    if verdict.missing:
        said["missing"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in verdict.missing[:50]))
    return said
