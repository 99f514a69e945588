"""Contract, failures and ranges: each with what must fail and what must pass, for every dataset."""

import pytest
from sqlalchemy import Engine

from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.contracts.gpu import PRICES
from abri_pipeline.contracts.model import Dataset
from abri_pipeline.quality.checks import implied, run
from abri_pipeline.quality.checks_verdict import Verdict
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.tables import sql_table
from abri_pipeline_tests.quality import planting
from abri_pipeline_tests.quality.planting import BAD, GOOD, NEWER, breaches
from abri_pipeline_tests.warehouse import samples

every_dataset = pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
FETCHED = [d for d in DATASETS if "failures" in implied(d)]
every_fetched = pytest.mark.parametrize("dataset", FETCHED, ids=lambda d: d.name)


def verdict(engine: Engine, dataset: Dataset, name: str) -> Verdict:
    with engine.connect() as connection:
        return run(connection, dataset, name)


@every_dataset
def test_sound_rows_keep_the_contract(warehouse: Engine, dataset: Dataset):
    planting.plant(warehouse, dataset, *samples.rows(dataset).to_dict("records"))
    found = verdict(warehouse, dataset, "contract")
    assert found.passed, found.summary
    assert found.figures["stored"] == 3


@every_dataset
def test_a_row_stored_against_any_rule_is_counted(warehouse: Engine, dataset: Dataset):
    table = sql_table(dataset)
    with begin(warehouse) as connection:
        planting.unguarded(connection, dataset)
        connection.execute(table.insert(), planting.row(dataset))
        assert run(connection, dataset, "contract").passed
        for breach in breaches(dataset):
            connection.execute(table.delete())
            connection.execute(table.insert(), planting.row(dataset, **breach.cells))
            found = run(connection, dataset, "contract")
            assert not found.passed, breach
            assert found.severity == "error"
            assert {"rule": breach.rule, "rows": "1"} in found.figures["rules"], breach
            assert breach.rule in {shown["rule"] for shown in found.figures["rows"]}


@every_fetched
def test_a_rejected_row_of_the_newest_payload_fails(warehouse: Engine, dataset: Dataset):
    planting.audit(warehouse, dataset, "NVDA", 1, raw_hash=GOOD)
    planting.audit(warehouse, dataset, "NVDA", 2, raw_hash=BAD)
    planting.rejection(warehouse, dataset, "NVDA", BAD)
    planting.rejection(warehouse, dataset, "NVDA", BAD, rule="low <= high", reason="breaks low <= high")
    found = verdict(warehouse, dataset, "contract")
    assert not found.passed
    assert found.severity == "error"
    assert found.figures["rejected"] == 1  # one row that broke two rules
    assert found.figures["rules"] == [{"rule": "close > 0", "rows": "1"}, {"rule": "low <= high", "rows": "1"}]
    assert {"row": "NVDA 2026-01-13", "rule": "close > 0", "reason": "NVDA: close is -1.0"} in found.figures["rows"]


@every_fetched
def test_a_rejection_that_a_later_payload_replaced_passes(engine: Engine, dataset: Dataset):
    planting.audit(engine, dataset, "NVDA", 1, raw_hash=BAD)
    planting.rejection(engine, dataset, "NVDA", BAD)
    planting.audit(engine, dataset, "NVDA", 2, raw_hash=NEWER)
    planting.audit(engine, dataset, "AAPL", 3, raw_hash=GOOD)
    assert verdict(engine, dataset, "contract").passed


@every_fetched
def test_a_failed_fetch_does_not_hide_a_rejection(engine: Engine, dataset: Dataset):
    planting.audit(engine, dataset, "NVDA", 1, raw_hash=BAD)
    planting.rejection(engine, dataset, "NVDA", BAD)
    planting.audit(engine, dataset, "NVDA", 2, raw_hash=None, outcome="transient")
    assert not verdict(engine, dataset, "contract").passed


def test_at_one_frozen_instant_the_later_record_counts(engine: Engine):
    planting.rejection(engine, BARS, "NVDA", BAD)
    planting.audit(engine, BARS, "NVDA", 1, raw_hash=BAD, recorded_at=planting.NOW)
    assert not verdict(engine, BARS, "contract").passed
    planting.audit(engine, BARS, "NVDA", 2, raw_hash=GOOD, recorded_at=planting.NOW)
    assert verdict(engine, BARS, "contract").passed
    planting.audit(engine, BARS, "NVDA", 3, raw_hash=BAD, recorded_at=planting.NOW)
    assert not verdict(engine, BARS, "contract").passed


def test_a_rejection_belongs_to_its_own_table(engine: Engine):
    planting.audit(engine, BARS, "NVDA", 1, raw_hash=BAD)
    planting.rejection(engine, ACTIONS, "NVDA", BAD, rule="value > 0")
    assert verdict(engine, BARS, "contract").passed
    assert not verdict(engine, ACTIONS, "contract").passed


@every_fetched
def test_a_payload_that_cannot_be_read_fails(engine: Engine, dataset: Dataset):
    planting.audit(engine, dataset, "NVDA", 1, raw_hash=BAD, outcome="malformed", error="HTML with status 200")
    found = verdict(engine, dataset, "contract")
    assert not found.passed
    assert found.figures["unreadable"] == [{"what": "NVDA", "payload": BAD, "reason": "HTML with status 200"}]
    planting.audit(engine, dataset, "NVDA", 2, raw_hash=GOOD)
    assert verdict(engine, dataset, "contract").passed


@every_fetched
def test_units_that_failed_in_the_newest_run_are_named(warehouse: Engine, dataset: Dataset):
    planting.run(warehouse, dataset, 1)
    planting.run(warehouse, dataset, 2, symbols_failed="TSLA,AAPL", status="partial")
    planting.audit(warehouse, dataset, "TSLA", 2, outcome="transient", error="yahoo: status 503")
    found = verdict(warehouse, dataset, "failures")
    assert not found.passed
    assert found.severity == "error"
    assert found.summary == "failed in the newest run: AAPL, TSLA"
    assert found.figures["failed"] == [
        {"what": "AAPL", "reason": "-"},
        {"what": "TSLA", "reason": "yahoo: status 503"},
    ]


@every_fetched
def test_an_older_failure_is_over(warehouse: Engine, dataset: Dataset):
    planting.run(warehouse, dataset, 1, symbols_failed="TSLA", status="partial")
    planting.run(warehouse, dataset, 2)
    planting.run(warehouse, dataset, 3, status="running")
    assert verdict(warehouse, dataset, "failures").passed


def test_at_one_frozen_instant_the_run_that_asked_last_counts(engine: Engine):
    planting.run(engine, BARS, 1, symbols_failed="TSLA", status="partial", started_at=planting.NOW)
    planting.audit(engine, BARS, "TSLA", 1, outcome="transient", recorded_at=planting.NOW)
    planting.run(engine, BARS, 2, started_at=planting.NOW)  # it asked for nothing, so it proves nothing
    assert not verdict(engine, BARS, "failures").passed
    planting.audit(engine, BARS, "TSLA", 2, recorded_at=planting.NOW)
    assert verdict(engine, BARS, "failures").passed


def test_without_a_run_nothing_failed(engine: Engine):
    assert verdict(engine, BARS, "failures").summary == "nothing was run yet"


PLAUSIBLE = [(d, f) for d in DATASETS for f in d if f.plausible]


@pytest.mark.parametrize(("dataset", "field"), PLAUSIBLE, ids=lambda x: x.name)
def test_a_value_outside_its_plausible_range_is_named(engine: Engine, dataset: Dataset, field):
    low, high = field.plausible
    for value, passed in [(low, True), (high, True), (high + abs(high) / 100, False)]:
        if field.high is not None and value > field.high:
            continue
        planting.plant(engine, dataset, planting.row(dataset, **{field.name: value}))
        found = verdict(engine, dataset, "ranges")
        assert found.passed is passed, found.summary
    shown = found.figures["values"][0]
    assert found.severity == "warn"
    assert (shown["field"], shown["value"]) == (field.name, f"{high + abs(high) / 100:.6g}")
    assert str(planting.row(dataset)[dataset.observed]) in shown["row"] or dataset.observed not in dataset.key


def test_a_withdrawn_row_is_not_judged(engine: Engine):
    odd = planting.row(PRICES, price_per_gpu_hour=60.0)
    planting.plant(engine, PRICES, odd)
    assert not verdict(engine, PRICES, "ranges").passed
    planting.plant(engine, PRICES, odd | {"withdrawn_at": planting.NOW})
    assert verdict(engine, PRICES, "ranges").passed


def test_many_odd_values_are_counted_and_some_shown(engine: Engine):
    days = planting.sessions(planting.date(2025, 1, 2), planting.date(2025, 3, 31))
    planting.plant(engine, SPREADS, *(planting.row(SPREADS, date=day, hy_oas=2600.0) for day in days))
    found = verdict(engine, SPREADS, "ranges")
    assert found.figures["outside"] == len(days)
    assert len(found.figures["values"]) == 20


def test_a_check_that_is_not_implied_is_refused(engine: Engine):
    with pytest.raises(KeyError, match="corporate_actions has no check 'fresh'; it has contract, failures"):
        verdict(engine, ACTIONS, "fresh")
