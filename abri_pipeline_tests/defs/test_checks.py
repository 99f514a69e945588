"""Checks in Dagster: evaluated with their assets in one run, never blocking, told so that a person can act."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine

from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.gpu import PRICES
from abri_pipeline.definitions import defs
from abri_pipeline.defs.checks import ALL, markdown_table, result
from abri_pipeline.quality.checks import CHECKS, implied
from abri_pipeline.quality.checks_verdict import Verdict
from abri_pipeline_tests.postgres import engine_at
from abri_pipeline_tests.quality import planting
from abri_pipeline_tests.quality.planting import BAD, WEEK


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The warehouse of a home of its own, at a frozen instant."""
    shutil.copy(sqlite_template, tmp_path / "abri.db")
    monkeypatch.setenv("ABRI_NOW", planting.NOW.isoformat())
    monkeypatch.setenv("ABRI_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return engine_at(f"sqlite:///{tmp_path / 'abri.db'}")


def evaluated(*checks: dg.AssetCheckKey) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """Run some checks, or all, and give what Dagster recorded of each."""
    selection = dg.AssetSelection.checks(*checks) if checks else dg.AssetSelection.all_asset_checks()
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.Definitions(
            assets=defs.assets,
            asset_checks=defs.asset_checks,
            resources=defs.resources,
            executor=dg.in_process_executor,
            jobs=[dg.define_asset_job("checks_alone", selection=selection)],
        ).resolve_job_def("checks_alone")
        done = run.execute_in_process(instance=instance)
        assert done.success
        found = done.get_asset_check_evaluations()
    return {(e.asset_key.to_user_string(), e.check_name): e for e in found}


def test_every_implied_check_is_evaluated_in_one_run(engine: Engine):
    found = evaluated()
    assert set(found) == {(d.name, name) for d in DATASETS for name in implied(d)}


def test_no_check_blocks_and_each_says_what_it_asks():
    specs = [spec for made in ALL for spec in made.check_specs]
    assert len(specs) == sum(len(implied(d)) for d in DATASETS)
    assert not [spec for spec in specs if spec.blocking]
    assert all(spec.description and len(spec.description) > 20 for spec in specs)


def test_a_planted_bad_payload_shows_as_a_failed_check(engine: Engine):
    planting.audit(engine, BARS, "NVDA", 1, raw_hash=BAD)
    planting.rejection(engine, BARS, "NVDA", BAD, reason="close is -1.0 | <script>alert(1)</script>")
    shown = evaluated(dg.AssetCheckKey(dg.AssetKey(BARS.name), "contract"))
    assert list(shown) == [(BARS.name, "contract")]  # one may be asked for alone
    told = shown[BARS.name, "contract"]
    assert (told.passed, told.severity, told.blocking) == (False, dg.AssetCheckSeverity.ERROR, False)
    assert "1 rows of the newest payloads were rejected" in str(told.description)
    assert told.metadata["rejected"].value == 1
    assert told.metadata["rules"].value.splitlines()[2] == "| close &gt; 0 | 1 |"
    assert "| NVDA 2026-01-13 | close &gt; 0 |" in told.metadata["rows"].value
    assert "<script>" not in told.metadata["rows"].value
    assert told.metadata["rows"].value.splitlines()[2].count("|") == 4


def test_severity_is_the_verdicts(engine: Engine):
    planting.plant(engine, PRICES, planting.row(PRICES, price_per_gpu_hour=60.0))
    planting.instruments(engine, "NVDA")
    planting.bars(engine, "NVDA", WEEK[:3])
    odd = evaluated(
        dg.AssetCheckKey(dg.AssetKey(PRICES.name), "ranges"), dg.AssetCheckKey(dg.AssetKey(BARS.name), "fresh")
    )
    assert {key: (e.passed, e.severity) for key, e in odd.items()} == {
        (PRICES.name, "ranges"): (False, dg.AssetCheckSeverity.WARN),
        (BARS.name, "fresh"): (False, dg.AssetCheckSeverity.WARN),
    }


def test_figures_become_metadata_of_their_kind():
    verdict = Verdict(True, "warn", "fine", {"rows": 3, "share": 0.5, "day": "2026-01-16", "table": [{"a": "x"}]})
    told = result(verdict, BARS, "contract").metadata
    assert {name: type(value) for name, value in told.items()} == {
        "rows": dg.IntMetadataValue,
        "share": dg.FloatMetadataValue,
        "day": dg.TextMetadataValue,
        "table": dg.MarkdownMetadataValue,
    }


def test_a_table_holds_every_column_and_no_markup():
    table = markdown_table([{"a": "1|2", "b": "two\nlines"}, {"a": "`x`", "c": "[link](javascript:alert(1))"}])
    assert table.splitlines() == [
        "| a | b | c |",
        "| --- | --- | --- |",
        "| 1&#124;2 | two lines |  |",
        "| &#96;x&#96; |  | &#91;link](javascript:alert(1)) |",
    ]


def test_every_check_describes_itself():
    assert all((check.__doc__ or "").strip() for check in CHECKS.values())
