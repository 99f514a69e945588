"""The event log kept open: the same log as Dagster's own, seen by others while it is written."""

import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from abri_pipeline.defs.event_log import KEPT_OPEN, EventLog
from abri_pipeline.defs.storage import Storage


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]), backfill_policy=dg.BackfillPolicy.single_run())
def thing() -> None:
    pass


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("ABRI_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(
        "storage: {custom: {module: abri_pipeline.defs.storage, class: Storage, config: {}}}\n"
        "telemetry: {enabled: false}\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


def _run(instance: dg.DagsterInstance) -> str:
    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    done = dg.materialize([thing], instance=instance, tags=tags)
    assert done.success
    return done.run_id


def test_the_project_s_storage_keeps_its_event_log_open(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.event_log_storage, EventLog)
    assert Storage.config_type() == {}


def test_dagster_s_own_log_reads_the_same_events_from_the_same_files(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run = _run(instance)
    own = SqliteEventLogStorage(str(tmp_path / "dagster" / "history" / "runs"))
    assert [e.message for e in own.get_logs_for_run(run)] == [e.message for e in instance.all_logs(run)]
    assert own.get_materialized_partitions(thing.key) == instance.get_materialized_partitions(thing.key) == {"a", "b"}


def test_who_watches_a_run_sees_events_while_the_database_is_open(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run = _run(instance)
    event = instance.all_logs(run)[0]
    watcher, seen = SqliteEventLogStorage(str(tmp_path / "dagster" / "history" / "runs")), threading.Event()
    watcher.watch(run, None, lambda _event, _cursor: seen.set())
    try:
        instance.event_log_storage.store_event(event)
        assert seen.wait(10), "nobody was told: a run's log in the UI would stand still until it ends"
    finally:
        watcher.dispose()


def test_only_a_few_databases_stay_open(instance: dg.DagsterInstance) -> None:
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    runs = [f"run-{number}" for number in range(KEPT_OPEN + 3)]
    for run in [*runs, *runs]:
        assert log.get_logs_for_run(run) == []
    assert len(log._engines) == KEPT_OPEN


def test_wiping_leaves_a_log_that_works(instance: dg.DagsterInstance) -> None:
    run = _run(instance)
    instance.event_log_storage.wipe()
    assert instance.all_logs(run) == []
    _run(instance)
    assert instance.get_materialized_partitions(thing.key) == {"a", "b"}


def test_threads_take_turns(instance: dg.DagsterInstance) -> None:
    run = _run(instance)
    event, before = instance.all_logs(run)[0], len(instance.all_logs(run))
    threads = [
        threading.Thread(target=lambda: [instance.event_log_storage.store_event(event) for _ in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(instance.all_logs(run)) == before + 40
