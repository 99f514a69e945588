"""The completeness asset: which weeks it materialises, and the matrix it carries."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine

from abri_pipeline.defs.completeness import completeness
from abri_pipeline.defs.resources import House
from abri_pipeline_tests.postgres import engine_at
from abri_pipeline_tests.quality import planting
from abri_pipeline_tests.quality.planting import WEEK, bars, gap, instruments

MOST_BYTES = 50_000


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The warehouse of a home of its own, at a frozen instant."""
    shutil.copy(sqlite_template, tmp_path / "abri.db")
    monkeypatch.setenv("ABRI_NOW", planting.NOW.isoformat())
    monkeypatch.setenv("ABRI_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return engine_at(f"sqlite:///{tmp_path / 'abri.db'}")


def told(start: str, end: str) -> dict[str, dict[str, object]]:
    """What a launch of these weeks says of each week: the metadata of its one event."""
    tags = {"dagster/asset_partition_range_start": start, "dagster/asset_partition_range_end": end}
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([completeness], instance=instance, resources={"house": House()}, tags=tags)
        assert done.success
    whole = [e.step_materialization_data.materialization for e in done.get_asset_materialization_events()]
    open_ = [e.asset_observation_data.asset_observation for e in done.get_asset_observation_events()]
    return {str(one.partition): {name: v.value for name, v in one.metadata.items()} for one in [*whole, *open_]}


def test_the_newest_week_of_a_launch_carries_the_matrix_of_all_its_weeks(engine: Engine):
    instruments(engine, "AA", "BB")
    bars(engine, "AA", WEEK)
    gap(engine, "BB", "1d", WEEK, "absent")
    found = told("2026-01-05", "2026-01-12")
    assert "completeness matrix" not in found["2026-01-05"]
    newest = found["2026-01-12"]
    assert (
        newest["completeness matrix"].splitlines()[2:]
        == [
            "| AA | 1d | 10 | 5 | 0 | 5 | 50.00% | 2026-01-12 | 2026-01-16 |",
            "| BB | 1d | 10 | 0 | 5 | 5 | 0.00% | - | - |",
        ][::-1]
    )
    assert "| 2 | 1d | 20 | 5 | 5 | 10 | 25.00% |" in newest["completeness"]
    assert (newest["expected bars"], newest["stored bars"], newest["explained gaps"]) == (10, 5, 5)


def test_the_metadata_of_252_failing_instruments_stays_small(engine: Engine):
    names = [f"SYM{number:03d}" for number in range(252)]
    instruments(engine, *names)
    gap(engine, names[0], "1d", WEEK, "failed")
    bars(engine, names[1], WEEK[:1])
    newest = told("2026-01-12", "2026-01-12")["2026-01-12"]
    assert sum(len(str(value)) for value in newest.values()) < MOST_BYTES
    assert newest["completeness matrix"].endswith("and 222 more")
    assert newest["market-wide misses"] == (
        "- market-wide: 252 of 252 instruments miss 2026-01-12 to 2026-01-16; "
        "look at the provider first, then at the calendar"
    )
    assert newest["missing"].count("market-wide") == 5
    assert "SYM007 " not in newest["missing"], "one line a session, not one an instrument"
