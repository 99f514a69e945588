"""The first floor of a backfill: the same graph whose bodies do nothing.

Assets, checks, keys, upstreams, partitions, steps and launch are those of the real definitions, so Dagster writes
the same events; only the figures a body would attach to each week are absent, and nothing is fetched or stored.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster import AssetCheckKey, AssetCheckSpec


def emptied(definitions: dg.Definitions) -> dg.Definitions:
    """The definitions with an empty body in every step."""
    assets = [_asset(one) for one in definitions.assets or () if isinstance(one, dg.AssetsDefinition)]
    checks = [_checks(one) for one in definitions.asset_checks or ()]
    return dg.Definitions(assets=assets, asset_checks=checks, executor=dg.in_process_executor)


def _asset(real: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """A step with the same assets and nothing to do; one that reports its weeks itself reports each of them."""
    specs = list(real.specs)
    reports_itself = [spec.key for spec in specs] == [dg.AssetKey("completeness")]
    bundled = list(real.check_specs)

    @dg.multi_asset(
        name=real.op.name,
        specs=[spec.replace_attributes(skippable=True) for spec in specs] if reports_itself else specs,
        check_specs=bundled,
        partitions_def=real.partitions_def,
        backfill_policy=real.backfill_policy,
    )
    def nothing(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if reports_itself:
            yield from (dg.AssetMaterialization(specs[0].key, partition=key) for key in context.partition_keys)
        else:
            yield from (dg.MaterializeResult(asset_key=spec.key) for spec in specs)
        yield from (_passed(spec) for spec in bundled)

    return nothing


def _checks(real: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """A step with the same checks, all of them passing unseen."""
    specs = list(real.check_specs)

    @dg.multi_asset_check(name=real.op.name, specs=specs)
    def nothing() -> Iterator[dg.AssetCheckResult]:
        yield from (_passed(spec) for spec in specs)

    return nothing


def _passed(spec: AssetCheckSpec) -> dg.AssetCheckResult:
    key = AssetCheckKey(spec.asset_key, spec.name)
    return dg.AssetCheckResult(passed=True, asset_key=key.asset_key, check_name=key.name)
