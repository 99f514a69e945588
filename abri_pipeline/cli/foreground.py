"""One Dagster run in the foreground: on the instance of the home, without a daemon.

The run works in a thread of its own, so that a signal is answered at once whatever a step waits for. What a step
has not committed by then is rolled back by the database when the process ends; every unit is one transaction.
"""

import contextvars
import signal
import threading
import uuid
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from abri_pipeline.cli.errors import StoppedMidway
from abri_pipeline.cli.progress import watched

if TYPE_CHECKING:
    from dagster import DagsterInstance, ExecuteInProcessResult
    from sqlalchemy import Engine

STOP_SECONDS = 8.0  # the books of an interrupted run are closed within this, or not at all
# What a narrowed launch consists of, by step: the two that ask for bars of instruments.
DAILY = ("price_history_daily", "corporate_actions")
INTRADAY = ("price_history_intraday",)
STEPS = {"equity": DAILY, "price_history_intraday": INTRADAY}


@dataclass(frozen=True, slots=True)
class Check:
    """One evaluation of an asset check."""

    asset: str
    name: str
    passed: bool
    severity: str
    said: str


@dataclass(frozen=True)
class Finished:
    """A run that came to its end; `broken` says in one line which step broke and why, where one did."""

    run_id: str
    success: bool
    broken: str = ""
    checks: list[Check] = field(default_factory=list)


@dataclass(frozen=True)
class Launched:
    """What to launch: the whole graph, or bars only where symbols or timeframes narrow it.

    `reread` asks again for the newest sessions, `repair` for gaps only, giving one up after that many attempts.
    """

    keys: Sequence[str]
    symbols: tuple[str, ...] = ()
    full_refresh: bool = False
    timeframes: tuple[str, ...] = ()
    reread: int = 0
    repair: int = 0
    max_concurrent: int | None = None

    def narrowed(self) -> list[str]:
        """The steps of a narrowed launch; empty for the whole graph."""
        if self.timeframes:
            daily = ["equity"] if "1d" in self.timeframes else []
            return daily + (["price_history_intraday"] if set(self.timeframes) - {"1d"} else [])
        return ["equity"] if self.symbols else []

    def configuration(self, steps: Sequence[str]) -> dict[str, Any]:
        """Dagster's run configuration; its own console log is left to files and the UI."""
        config: dict[str, Any] = {"full_refresh": self.full_refresh, "reread": self.reread}
        if self.max_concurrent is not None:
            config["max_concurrent"] = self.max_concurrent
        own: dict[str, dict[str, Any]] = {
            "equity": {"symbols": list(self.symbols), "repair": self.repair},
            "price_history_intraday": {
                "symbols": list(self.symbols),
                "timeframes": [one for one in self.timeframes if one != "1d"],
            },
        }
        ops = {step: {"config": config | own.get(step, {})} for step in steps}
        return {"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

    def tags(self) -> dict[str, str]:
        """The range of weeks, in the words that Dagster's own single-run backfills use."""
        return {
            "dagster/asset_partition_range_start": self.keys[0],
            "dagster/asset_partition_range_end": self.keys[-1],
            "abri/launched_by": "cli",
        }


def run(instance: "DagsterInstance", engine: "Engine", launched: Launched, *, quiet: bool) -> Finished:
    """Launch, wait, and say how it ended.

    Raises:
        StoppedMidway: SIGINT or SIGTERM came; the run and its rows in `backfill_runs` say so.
    """
    from abri_pipeline.contracts.catalog import DATASETS
    from abri_pipeline.defs.resources import WATCHER
    from abri_pipeline.warehouse.locks import discard, unit_lease

    close_dead_runs(instance, engine)
    run_id, stopped = str(uuid.uuid4()), threading.Event()
    worker = ThreadPoolExecutor(1, thread_name_prefix="abri-run")
    narrowed = [asset for step in launched.narrowed() for asset in STEPS[step]]
    with (
        unit_lease(engine, lease_of(run_id)),
        watched(len(narrowed) or len(DATASETS), quiet=quiet) as watch,
        signals(stopped),
    ):
        context = contextvars.copy_context()
        context.run(WATCHER.set, watch)
        working = worker.submit(context.run, _execute, instance, launched, run_id)
        while not working.done() and not stopped.is_set():
            wait([working], timeout=0.1)
    worker.shutdown(wait=False)
    discard(engine, lease_of(run_id))
    if not working.done():
        _close_books(instance, engine, run_id)
        raise StoppedMidway("interrupted: all that was stored stays, and the same command goes on from there")
    return _finished(run_id, working.result())


def lease_of(run_id: str) -> str:
    """The lease that a command holds for as long as it works on its Dagster run; it dies with the process."""
    return f"dagster run:{run_id}"


def close_dead_runs(instance: "DagsterInstance", engine: "Engine") -> list[str]:
    """Cancel the runs of commands that were killed, which nobody else would ever end; returns their ids.

    Until then their weeks would count as under way, and the sensors would leave them alone for ever.
    """
    from dagster import DagsterRunStatus, RunsFilter

    from abri_pipeline.warehouse.locks import held

    alive = [DagsterRunStatus.STARTED, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING]
    open_runs = instance.get_runs(RunsFilter(statuses=alive, tags={"abri/launched_by": "cli"}))
    dead = [run for run in open_runs if not held(engine, lease_of(run.run_id))]
    for run in dead:
        instance.report_run_canceled(run, message="the command that ran it was killed")
    return [run.run_id for run in dead]


def _execute(instance: "DagsterInstance", launched: Launched, run_id: str) -> "ExecuteInProcessResult":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster announces its beta parameters to developers, not to users
        import dagster

        from abri_pipeline.definitions import defs

        job = defs.resolve_implicit_global_asset_job_def()
        steps = launched.narrowed() or _configurable(job.nodes)
        narrowed = [dagster.AssetKey(name) for step in launched.narrowed() for name in STEPS[step]] or None
        return job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_id=run_id,
            asset_selection=narrowed,
            run_config=launched.configuration(steps),
            tags=launched.tags(),
        )


def _configurable(nodes: Sequence[Any]) -> list[str]:
    """The loading steps: those whose configuration has a `full_refresh`."""
    fields = {node.name: getattr(node.definition.config_schema.config_type, "fields", {}) for node in nodes}
    return [name for name, known in fields.items() if "full_refresh" in known]


@contextmanager
def signals(stopped: threading.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM set the event instead of raising in the middle of anything."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _close_books(instance: "DagsterInstance", engine: "Engine", run_id: str) -> None:
    """Mark the run as cancelled and its open books as interrupted; give up on it when something holds them."""

    def mark() -> None:
        from abri_pipeline.ingest.runs import interrupt

        interrupt(engine, run_id)
        if (record := instance.get_run_by_id(run_id)) and not record.is_finished:
            instance.report_run_canceling(record, message="interrupted at the terminal")
            instance.report_run_canceled(record)

    marking = threading.Thread(target=mark, name="abri-interrupt", daemon=True)
    marking.start()
    marking.join(STOP_SECONDS)


def _finished(run_id: str, result: "ExecuteInProcessResult") -> Finished:
    checks = [
        Check(c.asset_key.to_user_string(), c.check_name, c.passed, c.severity.value, c.description or "")
        for c in result.get_asset_check_evaluations()
    ]
    broken = "" if result.success else _first_break(result)
    return Finished(run_id, result.success, broken, checks)


def _first_break(result: "ExecuteInProcessResult") -> str:
    """The step that broke first, with the deepest cause; empty where only `completeness` turned the run red."""
    for event in result.all_events:
        if event.is_step_failure and event.step_key != "completeness":
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            said = error.message.strip().splitlines()[0] if error else "no reason given"
            return f"{event.step_key} broke: {said}"
    return ""
