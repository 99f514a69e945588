"""A contract as Dagster shows it: key, group, kinds, owners, description, columns, upstreams."""

from collections.abc import Callable

import dagster as dg

from abri_pipeline.contracts.model import Dataset, Field, Kind
from abri_pipeline.defs.partitions import ONE_RUN, WEEKS

_TYPES = {
    Kind.DATE: "date",
    Kind.INSTANT: "timestamp with time zone",
    Kind.TEXT: "text",
    Kind.NUMBER: "double precision",
    Kind.COUNT: "bigint",
    Kind.FLAG: "boolean",
    Kind.DOCUMENT: "json",
}


def spec(dataset: Dataset, *, skippable: bool = False) -> dg.AssetSpec:
    """The asset of a dataset; partitions come from the step that makes it."""
    return dg.AssetSpec(
        key=dataset.name,
        deps=list(dataset.inputs),
        group_name=dataset.group,
        kinds=set(dataset.kinds),
        owners=list(dataset.owners),
        description=describe(dataset),
        skippable=skippable,
        metadata={
            "dagster/column_schema": columns(dataset),
            "dagster/table_name": dataset.name,
            "grain": dataset.grain,
            "cadence": dataset.cadence.value,
            "source": dataset.source,
        },
    )


def describe(dataset: Dataset) -> str:
    """The contract in a few lines of Markdown."""
    return (
        f"**{dataset.title}.** {dataset.meaning}\n\nOne row is {dataset.grain}; it gains rows "
        f"{dataset.cadence.value}. Source: {dataset.source}."
    )


def columns(dataset: Dataset) -> dg.TableSchema:
    """The columns with their meaning, unit and bounds."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                f.name,
                _TYPES[f.kind],
                description=f.meaning + (f" ({f.unit})" if f.unit else ""),
                constraints=dg.TableColumnConstraints(
                    nullable=not (f.required or f.name in dataset.key), other=_bounds(f)
                ),
            )
            for f in dataset
        ]
    )


def _bounds(field: Field) -> list[str]:
    said = []
    if field.low is not None:
        said.append(f">= {field.low:g}")
    if field.above is not None:
        said.append(f"> {field.above:g}")
    if field.high is not None:
        said.append(f"<= {field.high:g}")
    if field.choices:
        said.append("one of " + ", ".join(field.choices))
    return said


def weekly(dataset: Dataset) -> Callable[[Callable[..., None]], dg.AssetsDefinition]:
    """Decorate a step that makes one dataset, a row of weeks at a time."""
    return dg.asset(
        key=dataset.name,
        deps=list(dataset.inputs),
        group_name=dataset.group,
        kinds=set(dataset.kinds),
        owners=list(dataset.owners),
        description=describe(dataset),
        metadata=spec(dataset).metadata,
        partitions_def=WEEKS,
        backfill_policy=ONE_RUN,
    )
