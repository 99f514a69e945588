"""Sensors, ticked on an instance with holes and on runs that failed."""

import json
import logging
import shutil
import socket
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from abri_pipeline.calendars import weeks
from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.market import METRICS
from abri_pipeline.contracts.model import Dataset
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.sensors import failure_mail, missed_weeks_sensor, rows_of_weeks
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import begin, open_engine
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.notify.smtp_server import mail_server
from abri_pipeline_tests.warehouse import samples

pytestmark = [
    # Dagster 1.13 reads pydantic's old `__fields__` wherever a resource or a run configuration is made,
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning"),
    # and calls single-run policies beta, once for each asset.
    pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`"),
]

CANARY = "canary-77aa-password"
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
SPAN = weeks.weeks(weeks.monday("2025-10-27"), weeks.monday("2026-01-12"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home, the clock at 21:00 New York on Monday, 2026-01-19."""
    for name in ("DATABASE_URL", "DASHBOARD_URL", "SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ABRI_HOME", str(tmp_path))
    monkeypatch.setenv("ABRI_NOW", "2026-01-20T02:00:00Z")
    return tmp_path


@pytest.fixture
def warehouse(home: Path, sqlite_template: Path) -> Iterator[Engine]:
    shutil.copy(sqlite_template, home / "abri.db")
    engine = open_engine(Settings.load())
    yield engine
    engine.dispose()


def materialise(instance: dg.DagsterInstance, asset: str, keys: Sequence[str]) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))


def store(engine: Engine, dataset: Dataset, keys: Sequence[str]) -> None:
    """One row of a dataset on the last session of each week."""
    rows = samples.rows(dataset, len(keys)).assign(**{dataset.observed: [weeks.as_of(k) for k in keys]})
    with begin(engine) as connection:
        upsert(connection, dataset, pd.DataFrame(rows))


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"house": House()})
    return missed_weeks_sensor(context)


def asked(result: dg.SensorResult) -> list[tuple[str, str]]:
    return [(request.tags[START], request.tags[END]) for request in result.run_requests or []]


def test_holes_are_asked_for_one_run_a_row_of_weeks(instance: dg.DagsterInstance, warehouse: Engine) -> None:
    holes = {"2025-11-17", "2025-11-24", "2025-12-15", "2026-01-12"}
    seen = [key for key in SPAN if key not in holes]
    materialise(instance, "abri_history", seen)
    materialise(instance, "completeness", seen)
    first = tick(instance)
    ranges = [("2025-11-17", "2025-11-24"), ("2025-12-15", "2025-12-15"), ("2026-01-12", "2026-01-12")]
    assert asked(first) == ranges
    assert len({request.run_key for request in first.run_requests or []}) == 3
    again = tick(instance, first.cursor)
    assert asked(again) == []
    assert again.skip_reason is not None
    assert "asked for already" in str(again.skip_reason.skip_message)
    assert tick(instance).run_requests == first.run_requests  # a daemon that lost its cursor asks by the same keys


def test_a_week_missed_later_is_asked_for_alone(
    instance: dg.DagsterInstance, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [key for key in SPAN if key != "2026-01-12"]
    materialise(instance, "abri_history", seen)
    materialise(instance, "completeness", seen)
    cursor = tick(instance).cursor
    monkeypatch.setenv("ABRI_NOW", "2026-01-27T02:00:00Z")
    later = tick(instance, cursor)
    assert asked(later) == [("2026-01-19", "2026-01-19")]
    assert json.loads(later.cursor or "") == ["2026-01-12", "2026-01-19"]


def test_a_mended_week_is_forgotten(instance: dg.DagsterInstance, warehouse: Engine) -> None:
    materialise(instance, "abri_history", SPAN)
    materialise(instance, "completeness", SPAN)
    mended = tick(instance, json.dumps(["2025-12-15"]))
    assert (asked(mended), mended.cursor) == ([], "[]")
    assert mended.skip_reason is not None
    assert mended.skip_reason.skip_message == "no closed week was missed"


@pytest.mark.parametrize("status", ["QUEUED", "STARTED"])
@pytest.mark.parametrize(
    "tags", [{START: "2025-12-08", END: "2025-12-22"}, {"dagster/partition": "2025-12-15"}], ids=["range", "week"]
)
def test_weeks_of_a_run_under_way_are_left_to_it(
    instance: dg.DagsterInstance, warehouse: Engine, status: str, tags: dict[str, str]
) -> None:
    seen = [key for key in SPAN if key not in ("2025-11-17", "2025-12-15")]
    materialise(instance, "abri_history", seen)
    materialise(instance, "completeness", seen)
    location = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("abri"), "__repository__")
    create_run_for_test(
        instance,
        "whole_graph",
        status=dg.DagsterRunStatus(status),
        tags=tags,
        remote_job_origin=RemoteJobOrigin(location, "whole_graph"),
    )
    result = tick(instance)
    assert asked(result) == [("2025-11-17", "2025-11-17")]
    assert json.loads(result.cursor or "") == ["2025-11-17"]  # not asked for by us, so asked for if that run fails


def test_a_week_launched_only_while_open_is_missed_until_it_has_its_print(
    instance: dg.DagsterInstance, warehouse: Engine
) -> None:
    materialise(instance, "abri_history", SPAN)  # the daily schedule went through the week of 2026-01-12
    materialise(instance, "completeness", SPAN[:-1])
    assert asked(tick(instance)) == [("2026-01-12", "2026-01-12")]
    store(warehouse, HISTORY, ["2026-01-12"])
    # It has been looked at since it closed; what it lacks now is named in completeness and not mended by a rerun.
    assert asked(tick(instance)) == []


def test_a_week_that_became_whole_is_asked_for_so_that_completeness_says_so(
    instance: dg.DagsterInstance, warehouse: Engine
) -> None:
    materialise(instance, "abri_history", SPAN)
    materialise(instance, "completeness", [key for key in SPAN if key != "2025-12-15"])
    store(warehouse, HISTORY, ["2025-12-15"])
    store(warehouse, METRICS, ["2025-12-15"])
    assert asked(tick(instance)) == []  # its spreads are missing
    store(warehouse, SPREADS, ["2025-12-15"])
    assert asked(tick(instance)) == [("2025-12-15", "2025-12-15")]


def test_weeks_before_the_first_print_need_none(
    instance: dg.DagsterInstance, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABRI_NOW", "2022-01-18T02:00:00Z")
    materialise(instance, "abri_history", ["2021-12-20", "2021-12-27", "2022-01-03", "2022-01-10"])
    assert asked(tick(instance)) == [("2022-01-03", "2022-01-10")]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-01-19T22:59:59Z", []),  # 17:59:59 on Monday: the week is still open
        ("2026-01-19T23:59:00Z", []),  # it has closed at 18:00, and the weekly schedule asks at 18:30
        ("2026-01-20T00:00:00Z", [("2026-01-12", "2026-01-12")]),
        ("2026-01-26T23:30:00Z", [("2026-01-12", "2026-01-12")]),
    ],
)
def test_only_weeks_that_closed_an_hour_ago_are_asked_for(
    instance: dg.DagsterInstance, warehouse: Engine, monkeypatch: pytest.MonkeyPatch, now: str, expected: list[object]
) -> None:
    materialise(instance, "abri_history", SPAN[:-1])
    materialise(instance, "completeness", SPAN[:-1])
    monkeypatch.setenv("ABRI_NOW", now)
    assert asked(tick(instance)) == expected


def test_a_home_without_any_launch_is_left_alone(instance: dg.DagsterInstance, home: Path) -> None:
    result = tick(instance)
    assert result.run_requests is None or result.run_requests == []
    assert not (home / "abri.db").exists()


def test_dagster_takes_a_range_for_a_run_of_the_whole_graph(instance: dg.DagsterInstance, warehouse: Engine) -> None:
    from abri_pipeline.definitions import defs

    materialise(instance, "abri_history", [SPAN[0]])
    context = dg.build_sensor_context(instance=instance, definitions=defs, resources={"house": House()})
    said = defs.get_repository_def().get_sensor_def("missed_weeks").evaluate_tick(context)
    (request,) = said.run_requests or []
    assert (request.tags[START], request.tags[END]) == (SPAN[0], SPAN[-1])
    assert json.loads(said.cursor or "") == SPAN


@given(st.sets(st.integers(0, 400)))
def test_rows_hold_all_weeks_and_break_only_where_one_is_left_out(numbers: set[int]) -> None:
    keys = [(weeks.monday("2018-01-01") + timedelta(weeks=n)).isoformat() for n in sorted(numbers)]
    rows = list(rows_of_weeks(keys))
    assert [key for row in rows for key in row] == keys
    assert all(row == weeks.weeks(weeks.monday(row[0]), weeks.monday(row[-1])) for row in rows)
    assert all(weeks.monday(after[0]) - weeks.monday(row[-1]) > timedelta(weeks=1) for row, after in pairwise(rows))


@dg.op
def completeness_step() -> None:
    raise dg.Failure("failed: price_history_daily: NVDA,TSLA", allow_retries=False)


@dg.op
def database_step() -> None:
    raise ConnectionError(f"no server at postgresql://abri:{CANARY}@db.example.org/abri")


@dg.job(executor_def=dg.in_process_executor)
def failing() -> None:
    completeness_step()
    database_step()


class Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)

    @property
    def text(self) -> str:
        return "\n".join(f"{r.levelname} {r.getMessage()}" for r in self.lines)


@pytest.fixture
def mailed(home: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PASSWORD", CANARY)
    monkeypatch.setenv("ALERT_RECIPIENT", "desk@example.org")
    monkeypatch.setenv("DASHBOARD_URL", "http://127.0.0.1:8501")
    return monkeypatch


def fail(instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
    return failing.execute_in_process(
        instance=instance, raise_on_error=False, tags={START: "2026-01-05", END: "2026-01-12", **tags}
    )


def report(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> tuple[object, Heard]:
    """Tell the sensor about one failed run; what it returned and what it logged."""
    heard, logger = Heard(), logging.Logger("sensor")
    logger.addHandler(heard)
    run = instance.get_run_by_id(result.run_id)
    (event,) = [e for e in result.all_events if e.is_run_failure]
    context = dg.RunFailureSensorContext("failure_mail", run, event, instance, logger=logger)
    return failure_mail(context), heard


def test_a_failed_run_is_one_message_with_symbols_weeks_and_links(
    instance: dg.DagsterInstance, mailed: pytest.MonkeyPatch
) -> None:
    result = fail(instance)
    with mail_server() as post:
        mailed.setenv("SMTP_PORT", str(post.port))
        said, heard = report(instance, result)
    (letter,) = post.letters
    text = letter.get_content()
    assert said is None
    assert letter["Subject"] == "ABRI: a run failed, weeks of 2026-01-05 to 2026-01-12"
    assert "- completeness_step: failed: price_history_daily: NVDA,TSLA" in text
    assert "- database_step: ConnectionError: no server at postgresql://***@db.example.org/abri" in text
    assert f"/runs/{result.run_id}" in text
    assert "http://127.0.0.1:8501" in text
    assert "the job failing" in text
    assert CANARY not in letter.as_string() + heard.text


def test_a_run_that_will_be_tried_again_is_not_mailed(instance: dg.DagsterInstance, mailed: pytest.MonkeyPatch) -> None:
    first = fail(instance, **{"dagster/will_retry": "true"})
    last = fail(instance, **{"dagster/will_retry": "false"})
    with mail_server() as post:
        mailed.setenv("SMTP_PORT", str(post.port))
        said, _ = report(instance, first)
        assert isinstance(said, dg.SkipReason)
        assert post.letters == []
        assert report(instance, last)[0] is None
        assert len(post.letters) == 1


def test_o3_a_mail_server_that_is_down_is_named_and_the_message_is_not_lost(
    instance: dg.DagsterInstance, mailed: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        mailed.setenv("SMTP_PORT", str(free.getsockname()[1]))
    said, heard = report(instance, fail(instance))
    assert isinstance(said, dg.SkipReason)
    assert "not mailed: mail server 127.0.0.1" in str(said.skip_message)
    assert heard.lines[0].levelname == "ERROR"
    assert "check SMTP_HOST" in heard.text
    assert "NVDA,TSLA" in heard.text
    assert CANARY not in heard.text


def test_a_wrong_setting_is_named(instance: dg.DagsterInstance, mailed: pytest.MonkeyPatch) -> None:
    mailed.delenv("ALERT_RECIPIENT")
    said, heard = report(instance, fail(instance))
    assert "ALERT_RECIPIENT" in str(said.skip_message)
    assert heard.lines[0].levelname == "ERROR"


def test_without_a_mail_server_the_message_is_logged_and_said_to_be_off(
    instance: dg.DagsterInstance, home: Path
) -> None:
    said, heard = report(instance, fail(instance))
    assert "mail is off" in str(said.skip_message)
    assert heard.lines[0].levelname == "INFO"
    assert "NVDA,TSLA" in heard.text


def test_o3_the_daemon_tells_of_each_failure_once_and_of_none_before_it_was_started(
    instance: dg.DagsterInstance, mailed: pytest.MonkeyPatch
) -> None:
    fail(instance)
    with mail_server() as post:
        mailed.setenv("SMTP_PORT", str(post.port))
        cursor = failure_mail.evaluate_tick(dg.build_sensor_context(instance=instance)).cursor
        assert post.letters == []
        fail(instance)
        told = failure_mail.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor))
        assert [reaction.error for reaction in told.dagster_run_reactions] == [None]
        failure_mail.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=told.cursor))
        assert len(post.letters) == 1


def test_asking_is_off_and_telling_is_on_by_default() -> None:
    assert missed_weeks_sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert failure_mail.default_status is dg.DefaultSensorStatus.RUNNING
