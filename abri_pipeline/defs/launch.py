"""What a person may set in the launch dialog, and how a step tells what it did."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
from pydantic import Field
from sqlalchemy import Engine

from abri_pipeline.calendars import clock, weeks
from abri_pipeline.contracts.model import Dataset
from abri_pipeline.defs.markdown import markdown_table
from abri_pipeline.defs.resources import WATCHER
from abri_pipeline.ingest.desk import FETCHERS, MOST_FETCHERS, Load, Window
from abri_pipeline.ingest.stamp import SYNTHETIC, held
from abri_pipeline.quality.completeness import week_verdicts
from abri_pipeline.quality.weekly import WeekGap, WeekReport, weekly_reports


class Launch(dg.Config):
    """Run configuration of the loading steps."""

    symbols: list[str] = Field(default=[], description="narrow equity bars to these tickers")
    full_refresh: bool = Field(default=False, description="read again what is stored already")
    reread: int = Field(default=0, ge=0, description="read the newest N sessions of equity bars again, as a sync does")
    repair: int = Field(
        default=0,
        ge=0,
        description="ask again for gaps of equity bars only, and give one up after this many attempts; 0: no repair",
    )
    max_concurrent: int = Field(default=FETCHERS, ge=1, le=MOST_FETCHERS, description="symbols worked on at once")


def window(context: dg.AssetExecutionContext) -> Window:
    """The days of the launched weeks, cut at today."""
    keys = context.partition_keys
    start, end = weeks.monday(keys[0]), weeks.week_span(keys[-1])[1]
    today = clock.now().date()
    return Window(start, max(start, min(end, today)))


def tell(
    context: dg.AssetExecutionContext,
    engine: Engine,
    datasets: Sequence[Dataset],
    load: Load | None = None,
    more: Mapping[str, Mapping[str, dg.MetadataValue]] | None = None,
) -> None:
    """Attach each week's figures, and what more there is to say of a week, to each dataset's materialisation."""
    label = market_label(engine)
    for dataset in datasets:
        WATCHER.get()(dataset.name, "weeks booked", 1, 1)
        for key, report in weekly_reports(engine, dataset, context.partition_keys).items():
            said = {**(more or {}).get(key, {}), **figures(report, load), **label}
            context.add_asset_metadata(said, asset_key=dataset.name, partition_key=key)


def market_label(engine: Engine) -> dict[str, dg.MetadataValue]:
    """Invented rows are called so wherever they are shown."""
    with engine.connect() as connection:
        synthetic = held(connection) == SYNTHETIC
    return {"market": dg.MetadataValue.text("synthetic: invented, no real prices")} if synthetic else {}


def figures(report: WeekReport, load: Load | None) -> dict[str, dg.MetadataValue]:
    """One week of one dataset as metadata."""
    said: dict[str, dg.MetadataValue] = {
        "dagster/partition_row_count": dg.MetadataValue.int(report.rows),
        "rows": dg.MetadataValue.int(report.rows),
    }
    if report.note:
        said["note"] = dg.MetadataValue.text(report.note)
    if report.through:
        said["through"] = dg.MetadataValue.text(report.through.isoformat())
    if report.symbols is not None:
        said["symbols"] = dg.MetadataValue.int(report.symbols)
    said["gaps"] = dg.MetadataValue.int(sum(g.sessions for g in report.gaps))
    if report.gaps:
        said["gap table"] = dg.MetadataValue.md(markdown_table([_told(gap) for gap in report.gaps]))
    if report.rejected:
        said["rejected rows"] = dg.MetadataValue.int(report.rejected)
    if load and load.failed:
        said["failed"] = dg.MetadataValue.text("; ".join(f"{r.unit}: {r.reason}" for r in load.failed))
    return said


def _told(gap: WeekGap) -> dict[str, str]:
    """A gap as a row of a table, in as few columns as it can be read in."""
    days = f"{gap.start}" if gap.start == gap.end else f"{gap.start} to {gap.end}"
    return {"what": gap.unit, "days": days, "why": f"{gap.cause}: {gap.reason}"}


def week_events(
    context: dg.AssetExecutionContext, engine: Engine, datasets: Sequence[Dataset], load: Load
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    """What a narrowed launch logs: an observation a week, or a materialisation where the week is complete anyhow."""
    label = market_label(engine)
    complete = {key for key, verdict in week_verdicts(engine, context.partition_keys).items() if verdict.complete}
    for dataset in datasets:
        for key, report in weekly_reports(engine, dataset, context.partition_keys).items():
            event = dg.AssetMaterialization if key in complete else dg.AssetObservation
            yield event(asset_key=dataset.name, partition=key, metadata={**figures(report, load), **label})
