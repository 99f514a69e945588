"""Quota: no window of any unit ever sees more calls than its limit, whatever is killed."""

import multiprocessing
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers.declared import PERIODS, Limit
from abri_pipeline.providers.quota import QuotaSpent, free_at, grain, window
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import open_engine
from abri_pipeline.warehouse.migrations import upgrade
from abri_pipeline.warehouse.usage import Usage


def limit_of(calls: int, period: str, every: int = 1) -> Limit:
    return Limit(calls, "call", period, every, "documented")


START = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)


def busiest(calls: list[datetime], length: timedelta) -> int:
    """Most calls in any half-open window of the length, by two pointers over the sorted instants."""
    calls = sorted(calls)
    first = most = 0
    for last, moment in enumerate(calls):
        while calls[first] <= moment - length:
            first += 1
        most = max(most, last - first + 1)
    return most


class InMemory:
    """The policy alone, over a dict."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.used: dict[datetime, int] = {}

    def reserve(self, moment: datetime) -> datetime | None:
        free = free_at(self.limit, moment, list(self.used.items()), 1)
        if free is None:
            start = grain(self.limit, moment)
            self.used[start] = self.used.get(start, 0) + 1
        return free


@given(
    period=st.sampled_from(sorted(PERIODS)),
    every=st.integers(1, 6),
    calls=st.integers(1, 8),
    steps=st.lists(st.floats(0, 0.6), min_size=1, max_size=60),
)
def test_no_sliding_window_is_over_and_the_named_instant_is_free(
    period: str, every: int, calls: int, steps: list[float]
):
    limit = limit_of(calls, period, every)
    length = window(limit)
    quota, moment, made = InMemory(limit), START, []
    for step in steps:
        moment += length * step
        free = quota.reserve(moment)
        if free is None:
            made.append(moment)
        else:
            assert free > moment
            assert free_at(limit, free, list(quota.used.items()), 1) is None
    assert busiest(made, length) <= calls


def test_an_idle_provider_is_granted_its_whole_limit():
    quota = InMemory(limit_of(5, "minute"))
    assert [quota.reserve(START) for _ in range(5)] == [None] * 5
    assert quota.reserve(START) == START + timedelta(seconds=61.2)


def test_two_limits_are_charged_together_or_not_at_all(warehouse):
    usage = Usage(warehouse)
    both = [limit_of(2, "minute"), limit_of(3, "day")]
    usage.reserve("p", both, 1, START)
    usage.reserve("p", both, 1, START)
    with pytest.raises(QuotaSpent, match="2 calls a minute is spent; it frees at 2026-01-20 02:01:01 UTC"):
        usage.reserve("p", both, 1, START)
    later = START + timedelta(minutes=2)
    usage.reserve("p", both, 1, later)
    with pytest.raises(QuotaSpent, match="3 calls a day"):
        usage.reserve("p", both, 1, later + timedelta(minutes=2))
    usage.reserve("another", both, 1, later)


def _spend(url: str, log: Path, seed: int, count: int) -> None:
    """Reserve against a simulated clock that all processes share by the call's number; one line a granted call."""
    os.environ["DATABASE_URL"] = url
    engine = open_engine(Settings.load())
    usage, limits = Usage(engine), [limit_of(40, "second"), limit_of(900, "minute")]
    with log.open("ab", buffering=0) as out:
        for number in range(count):
            moment = START + timedelta(milliseconds=70 * number + seed)
            try:
                usage.reserve("p", limits, 1, moment)
            except QuotaSpent:
                continue
            out.write(f"{moment.isoformat()}\n".encode())
    engine.dispose()


def test_eight_processes_with_kills_stay_under_the_limit(warehouse, warehouse_url, tmp_path):
    fork = multiprocessing.get_context("fork")
    upgrade(warehouse)
    workers = [
        fork.Process(target=_spend, args=(warehouse_url, tmp_path / f"{n}.log", n, 150 if n != 3 else 10**6))
        for n in range(8)
    ]
    for worker in workers:
        worker.start()
    workers[3].join(0.15)
    os.kill(workers[3].pid, signal.SIGKILL)  # it would go on for minutes
    for worker in workers:
        worker.join(60)
    assert workers[3].exitcode == -signal.SIGKILL
    made = [datetime.fromisoformat(line) for log in tmp_path.glob("*.log") for line in log.read_text().splitlines()]
    assert len(made) > 100
    assert busiest(made, timedelta(seconds=1)) <= 40
    assert busiest(made, timedelta(minutes=1)) <= 900
