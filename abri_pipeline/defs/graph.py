"""Everything Dagster knows: assets, checks, schedules, sensors, resources."""

import dagster as dg

from abri_pipeline.defs import (
    abri,
    checks,
    completeness,
    credit,
    equity,
    filings,
    intraday,
    market,
    reference,
    schedules,
    sensors,
    sensors_repair,
    sensors_watch,
)
from abri_pipeline.defs.resources import House

ASSETS = [
    equity.equity_bars,
    intraday.price_history_intraday,
    credit.credit_spreads,
    *reference.ASSETS,
    filings.sec_filings,
    filings.hyperscaler_metrics,
    market.market_metrics,
    abri.abri_history,
    completeness.completeness,
]

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=checks.ALL,
    jobs=[schedules.WHOLE_GRAPH],
    schedules=schedules.SCHEDULES,
    sensors=[*sensors.SENSORS, *sensors_watch.SENSORS, *sensors_repair.SENSORS],
    resources={"house": House()},
    executor=dg.in_process_executor,
)
