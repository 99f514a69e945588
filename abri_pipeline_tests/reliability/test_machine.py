"""Random histories of the platform against a dictionary.

`ABRI_MACHINE` sets examples and steps, as in 500x50 (`make machine`). Without it the dice are fixed, so that a change
is judged by the same histories every time.
"""

import os

import pytest
import stamina
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from abri_pipeline_tests.reliability.machine import Machine

FREE = os.environ.get("ABRI_MACHINE")


def play(monkeypatch: pytest.MonkeyPatch, url: str, examples: int, steps: int) -> None:
    """Run the machine over a database at the newest revision."""
    if FREE:
        examples, steps = (int(number) for number in FREE.split("x"))
    monkeypatch.setenv("ABRI_NOW", os.environ.get("ABRI_NOW", "2024-08-01T12:00:00Z"))  # and put back at the end
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
    machine = type("Machine", (Machine,), {"url": url})
    with stamina.set_testing(True):
        run_state_machine_as_test(machine, settings=rules)


@pytest.mark.timeout(0 if FREE else 900)
def test_r9_any_history_equals_a_plain_dictionary(monkeypatch, sqlite_template):
    play(monkeypatch, f"sqlite:///{sqlite_template}", 50, 30)
