"""Checks as Dagster shows them: for every dataset the checks its contract implies, none of them blocking."""

from collections.abc import Iterator, Mapping

import dagster as dg

from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.contracts.model import Dataset
from abri_pipeline.defs.launch import market_label
from abri_pipeline.defs.markdown import markdown_table
from abri_pipeline.defs.resources import House
from abri_pipeline.quality.checks import CHECKS, implied, run
from abri_pipeline.quality.checks_verdict import Rows, Verdict

SEVERITY = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def dataset_checks(dataset: Dataset) -> dg.AssetChecksDefinition:
    """All checks of one dataset, evaluated once a run, after the dataset's step.

    One step holds them: a step of its own for each costs a run seconds, and the database is opened once.
    """
    specs = [
        dg.AssetCheckSpec(name, asset=dataset.name, description=_description(name), blocking=False)
        for name in implied(dataset)
    ]

    @dg.multi_asset_check(name=f"{dataset.name}_checks", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext, house: House) -> Iterator[dg.AssetCheckResult]:
        wanted = {key.name for key in context.selected_asset_check_keys}
        engine = house.engine()
        label = market_label(engine)
        with engine.connect() as connection:
            for name in implied(dataset):
                if name in wanted:
                    yield result(run(connection, dataset, name), dataset, name, label)
        engine.dispose()

    return checks


def result(
    verdict: Verdict, dataset: Dataset, name: str, label: Mapping[str, dg.MetadataValue] | None = None
) -> dg.AssetCheckResult:
    """A verdict as Dagster's result: summary, then figures, tables as Markdown; invented rows are called so."""
    return dg.AssetCheckResult(
        asset_key=dataset.name,
        check_name=name,
        passed=verdict.passed,
        severity=SEVERITY[verdict.severity],
        description=verdict.summary,
        metadata={**_metadata(verdict.figures), **(label or {})},
    )


def _metadata(figures: Mapping[str, int | float | str | Rows]) -> dict[str, dg.MetadataValue]:
    return {
        name: dg.MetadataValue.md(markdown_table(value))
        if isinstance(value, list)
        else dg.MetadataValue.text(value)
        if isinstance(value, str)
        else dg.MetadataValue.float(value)
        if isinstance(value, float)
        else dg.MetadataValue.int(value)
        for name, value in figures.items()
    }


def _description(name: str) -> str:
    said = (CHECKS[name].__doc__ or "").split("\n\n")[0]
    return " ".join(said.split())


ALL = [dataset_checks(dataset) for dataset in DATASETS]
