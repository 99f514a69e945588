"""Random histories of the platform against a dictionary.

`ABRI_MACHINE` sets examples and steps, as in 500x50 (`make machine`). Without it the dice are fixed, so that a change
is judged by the same histories every time.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest
import stamina
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from abri_pipeline_tests.postgres import fresh_database
from abri_pipeline_tests.reliability.machine import Machine

Fresh = Callable[[Path], AbstractContextManager[str]]
FREE = os.environ.get("ABRI_MACHINE")


@contextmanager
def sqlite(template: Path, folder: Path) -> Iterator[str]:
    """The address of a copy of a SQLite file."""
    shutil.copy(template, folder / "abri.db")
    yield f"sqlite:///{folder / 'abri.db'}"


def play(monkeypatch: pytest.MonkeyPatch, fresh: Fresh, examples: int, steps: int) -> None:
    """Run the machine, each example over a database of its own."""
    if FREE:
        examples, steps = (int(number) for number in FREE.split("x"))
    monkeypatch.setenv("ABRI_NOW", "2024-08-01T12:00:00Z")  # the machine moves it; it is put back at the end
    rules = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not FREE,
        # Shrinking a history takes minutes: a change is told at once that it failed, and where.
        phases=[Phase.generate, Phase.shrink] if FREE else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    machine = type("Machine", (Machine,), {"fresh": staticmethod(fresh)})
    with stamina.set_testing(True):
        run_state_machine_as_test(machine, settings=rules)


@pytest.mark.timeout(0 if FREE else 900)
def test_r9_any_history_equals_a_plain_dictionary(monkeypatch, sqlite_template):
    play(monkeypatch, partial(sqlite, sqlite_template), 50, 30)


@pytest.mark.postgres
@pytest.mark.timeout(0 if FREE else 900)
def test_r9_any_history_equals_a_plain_dictionary_on_postgresql(monkeypatch, postgres_url, postgres_template):
    play(monkeypatch, lambda _folder: fresh_database(postgres_url, postgres_template), 5, 30)
