"""The sensor of new symbols, ticked; and what it asks for, run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.definitions import defs
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.sensors_watch import new_symbols_sensor
from abri_pipeline.ingest import instruments
from abri_pipeline.ingest.instruments import Facts
from abri_pipeline.sandbox.server import running
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import begin, open_engine
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.tables import sql_table
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
    """A watchlist of one new symbol, listed on 2024-06-10; it is Monday evening, 2024-07-22."""
    for name in ("DATABASE_URL", "ABRI_UPSTREAM_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ABRI_HOME", str(tmp_path))
    monkeypatch.setenv("ABRI_NOW", "2024-07-23T01:00:00Z")
    shutil.copy(sqlite_template, tmp_path / "abri.db")
    engine = open_engine(Settings.load())
    instruments.add(engine, "NEWCO", Facts())  # seeds the default list, which is not wanted here
    with begin(engine) as connection:
        book = sql_table(operations.INSTRUMENTS)
        connection.execute(book.update().where(book.c.symbol != "NEWCO").values(active=False))
    yield engine
    engine.dispose()


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    result = new_symbols_sensor(dg.build_sensor_context(instance=instance, cursor=cursor, resources={"house": House()}))
    assert isinstance(result, dg.SensorResult)
    return result


def reason(result: dg.SensorResult) -> str:
    assert not result.run_requests
    assert result.skip_reason is not None
    return str(result.skip_reason.skip_message)


def test_a_new_symbol_is_asked_for_once_from_the_windows_start_to_the_last_closed_week(
    instance: dg.DagsterInstance, engine: Engine
) -> None:
    first = tick(instance)
    (request,) = first.run_requests or []
    assert (request.tags[START], request.tags[END]) == ("2021-01-18", "2024-07-15")
    assert request.run_config["ops"]["equity"]["config"]["symbols"] == ["NEWCO"]
    assert {key.to_user_string() for key in request.asset_selection or []} == {
        "price_history_daily",
        "corporate_actions",
    }
    assert reason(tick(instance, first.cursor)) == "asked for already: NEWCO"
    assert (tick(instance).run_requests or [])[0].run_key == request.run_key  # a lost cursor asks by the same key


def test_the_next_symbol_is_asked_for_alone(instance: dg.DagsterInstance, engine: Engine) -> None:
    cursor = tick(instance).cursor
    instruments.add(engine, "IPOCO", Facts())
    instruments.add(engine, "BTCUSDT", Facts(asset_class="crypto"))
    (request,) = tick(instance, cursor).run_requests or []
    assert request.run_config["ops"]["equity"]["config"]["symbols"] == ["IPOCO"]


def test_several_new_symbols_are_one_run(instance: dg.DagsterInstance, engine: Engine) -> None:
    instruments.add(engine, "IPOCO", Facts())
    (request,) = tick(instance).run_requests or []
    assert request.run_config["ops"]["equity"]["config"]["symbols"] == ["IPOCO", "NEWCO"]


def test_removed_and_added_again_is_asked_for_again(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = tick(instance).cursor
    instruments.remove(engine, "NEWCO")
    assert reason(tick(instance, cursor)) == "no symbol is new"
    monkeypatch.setenv("ABRI_NOW", "2024-07-30T01:00:00Z")
    instruments.add(engine, "NEWCO", Facts())
    (request,) = tick(instance, cursor).run_requests or []
    assert request.tags[END] == "2024-07-22"


@pytest.mark.parametrize(("last", "waits"), [("2024-07-15", True), ("2024-07-22", False)])
def test_a_run_over_the_same_weeks_is_waited_for(
    instance: dg.DagsterInstance, engine: Engine, last: str, waits: bool
) -> None:
    location = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("abri"), "__repository__")
    create_run_for_test(
        instance,
        "whole_graph",
        status=dg.DagsterRunStatus.STARTED,
        tags={START: last, END: last},
        remote_job_origin=RemoteJobOrigin(location, "whole_graph"),
    )
    result = tick(instance)
    if waits:
        assert "waiting with NEWCO" in reason(result)
        assert not result.cursor  # not asked for, so asked for when that run has ended
    else:
        assert len(result.run_requests or []) == 1


def test_nothing_after_the_frozen_clock_is_asked_for(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABRI_NOW", "2024-07-22T21:59:00Z")  # a minute before the week's print
    (request,) = tick(instance).run_requests or []
    assert request.tags[END] == "2024-07-08"


def test_an_empty_house_has_no_new_symbols(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("ABRI_HOME", str(tmp_path))
    monkeypatch.setenv("ABRI_NOW", "2024-07-23T01:00:00Z")
    assert reason(tick(instance)) == "no symbol is new"


@pytest.mark.filterwarnings("ignore:AssetExecutionContext.run_id is deprecated")  # dagster 1.13's own advice changes
def test_what_it_asks_for_brings_the_history(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    instruments.add(engine, "NEWCO", Facts(listed_on=SmallMarket().bars("NEWCO")["date"].iloc[0].date()))
    (request,) = tick(instance).run_requests or []
    with running(SmallMarket()) as url:
        monkeypatch.setenv("ABRI_UPSTREAM_URL", url)
        job = defs.resolve_job_def("whole_graph")
        result = job.execute_in_process(
            instance=instance,
            run_config=request.run_config,
            tags=request.tags,
            asset_selection=list(request.asset_selection or []),
        )
    assert result.success
    with engine.connect() as connection:
        bars = frame(connection, BARS)
    assert set(bars["symbol"]) == {"NEWCO"}
    assert (str(bars["date"].min().date()), str(bars["date"].max().date())) == ("2024-06-03", "2024-07-19")
    assert reason(tick(instance)) == "no symbol is new"
