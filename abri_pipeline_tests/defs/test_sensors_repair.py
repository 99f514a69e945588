"""The sensor that repairs gaps, ticked; and what it asks for, run."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.definitions import defs
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.sensors_repair import MOST_RUNS, repair_gaps_sensor
from abri_pipeline.ingest import watchlist
from abri_pipeline.sandbox.server import running
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import begin, open_engine
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.ingest.small_market import SmallMarket

pytestmark = [
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`"),
]
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> Iterator[Engine]:
    """The default watchlist, without a bar; it is Thursday morning, 2024-08-01."""
    for name in ("DATABASE_URL", "ABRI_UPSTREAM_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ABRI_HOME", str(tmp_path))
    monkeypatch.setenv("ABRI_NOW", "2024-08-01T12:00:00Z")
    shutil.copy(sqlite_template, tmp_path / "abri.db")
    engine = open_engine(Settings.load())
    watchlist.seed(engine)
    yield engine
    engine.dispose()


def gap(engine: Engine, day: str, symbol: str = "NVDA", state: str = "missing", cause: str = "hole") -> None:
    row = {
        "symbol": symbol, "timeframe": "1d", "gap_start": date.fromisoformat(day), "gap_end": date.fromisoformat(day),
        "sessions": 1, "state": state, "attempts": 1, "cause": cause, "reason": "told by a test",
        "updated_at": pd.Timestamp("2024-07-20T12:00:00Z"),
    }  # fmt: skip
    with begin(engine) as connection:
        upsert(connection, operations.GAPS, pd.DataFrame([row]))


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    result = repair_gaps_sensor(dg.build_sensor_context(instance=instance, cursor=cursor, resources={"house": House()}))
    assert isinstance(result, dg.SensorResult)
    return result


def spans(result: dg.SensorResult) -> list[tuple[str, str]]:
    return [(request.tags[START], request.tags[END]) for request in result.run_requests or []]


def reason(result: dg.SensorResult) -> str:
    assert not result.run_requests
    assert result.skip_reason is not None
    return str(result.skip_reason.skip_message)


def test_neighbouring_weeks_are_one_run_and_each_gap_is_asked_for_once_a_day(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reason(tick(instance)) == "no gap is open that could be repaired"
    for day, symbol in (("2024-06-05", "NVDA"), ("2024-07-10", "NVDA"), ("2024-07-17", "SPY")):
        gap(engine, day, symbol)
    first = tick(instance)
    assert spans(first) == [("2024-06-03", "2024-06-03"), ("2024-07-08", "2024-07-15")]
    assert (first.run_requests or [])[0].run_config["ops"]["equity"]["config"]["repair"] == 3
    assert "asked for today already" in reason(tick(instance, first.cursor))
    gap(engine, "2024-07-18", "QQQ")
    second = tick(instance, first.cursor)
    assert spans(second) == [("2024-07-15", "2024-07-15")]
    keys = {request.run_key for request in [*(first.run_requests or []), *(second.run_requests or [])]}
    assert len(keys) == 3
    monkeypatch.setenv("ABRI_NOW", "2024-08-02T12:00:00Z")
    assert spans(tick(instance, second.cursor)) == spans(first)


def test_what_is_proved_given_up_or_waiting_is_left_alone(instance: dg.DagsterInstance, engine: Engine) -> None:
    gap(engine, "2024-07-10", state="verified_empty", cause="skipped")
    gap(engine, "2024-07-11", state="unfillable")
    gap(engine, "2024-07-12", state="filled")
    gap(engine, "2024-08-05")  # after ABRI_NOW
    assert reason(tick(instance)) == "no gap is open that could be repaired"


def test_a_tick_asks_for_a_few_runs_and_the_next_one_for_the_rest(instance: dg.DagsterInstance, engine: Engine) -> None:
    for day in pd.date_range("2024-02-07", periods=MOST_RUNS + 2, freq="2W-WED"):
        gap(engine, str(day.date()))
    first = tick(instance)
    assert len(spans(first)) == MOST_RUNS
    second = tick(instance, first.cursor)
    assert len(spans(second)) == 2
    assert not set(spans(first)) & set(spans(second))


def test_weeks_under_way_are_left_to_their_run(instance: dg.DagsterInstance, engine: Engine) -> None:
    gap(engine, "2024-07-10")
    origin = RemoteJobOrigin(
        RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("abri"), "__repository__"), "whole_graph"
    )
    create_run_for_test(
        instance,
        job_name="whole_graph",
        status=dg.DagsterRunStatus.STARTED,
        tags={START: "2024-07-01", END: "2024-07-15"},
        remote_job_origin=origin,
    )
    assert "under way" in reason(tick(instance))


def test_c3_a_market_wide_miss_is_one_line_and_no_run(
    instance: dg.DagsterInstance, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.connect() as connection:
        symbols = [one.symbol for one in watchlist.followed(connection)]
    for symbol in symbols:
        gap(engine, "2024-07-10", symbol)
    result = tick(instance)
    assert "market-wide" in reason(result)
    assert reason(result).count("\n") == 0
    assert result.cursor is not None
    assert len([r for r in caplog.records if "market-wide" in r.message]) <= 1
    assert "market-wide" in reason(tick(instance, result.cursor))


@pytest.mark.filterwarnings("ignore:AssetExecutionContext.run_id is deprecated")  # dagster 1.13's own advice changes
def test_what_it_asks_for_fills_the_gap(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap(engine, "2024-07-10")
    (request,) = tick(instance).run_requests or []
    with running(SmallMarket()) as url:
        monkeypatch.setenv("ABRI_UPSTREAM_URL", url)
        done = defs.resolve_job_def("whole_graph").execute_in_process(
            instance=instance,
            run_config=request.run_config,
            tags=request.tags,
            asset_selection=[dg.AssetKey(BARS.name), dg.AssetKey("corporate_actions")],
        )
    assert done.success
    with engine.connect() as connection:
        days = frame(connection, BARS)["date"].dt.date.tolist()
        states = frame(connection, operations.GAPS)["state"].tolist()
    assert days == [date(2024, 7, 10)]  # and nothing that was no gap
    assert states == ["filled"]
    assert reason(tick(instance)) == "no gap is open that could be repaired"
