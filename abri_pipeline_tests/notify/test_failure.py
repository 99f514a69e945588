"""What a failed run says."""

import pytest

from abri_pipeline.notify.failure import LINES, WIDTH, FailedRun, StepFailure, failure_letter

NVDA = StepFailure("completeness", ("failed: price_history_daily: NVDA,TSLA",))


def run(*failures: StepFailure, job: str = "whole_graph", first: str | None = "2026-01-12", last: str | None = None):
    return FailedRun(job, "5f0c", first, last or first, failures)


def test_a_letter_names_job_run_weeks_symbols_and_where_to_look() -> None:
    letter = failure_letter(run(NVDA), "http://127.0.0.1:8501")
    assert letter.subject == "ABRI: a run failed, week of 2026-01-12"
    assert "the job whole_graph" in letter.body
    assert "- completeness: failed: price_history_daily: NVDA,TSLA" in letter.body
    assert "http://127.0.0.1:3000/runs/5f0c" in letter.body
    assert "http://127.0.0.1:8501" in letter.body


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-01-12", "2026-01-12", "week of 2026-01-12"),
        ("2021-01-18", "2026-01-12", "weeks of 2021-01-18 to 2026-01-12"),
        (None, None, "no weeks"),
    ],
)
def test_the_subject_says_which_weeks(first: str | None, last: str | None, words: str) -> None:
    assert failure_letter(run(NVDA, first=first, last=last)).subject == f"ABRI: a run failed, {words}"


def test_a_launch_by_hand_is_called_so() -> None:
    assert "assets launched by hand" in failure_letter(run(NVDA, job="__ASSET_JOB")).body


def test_deeper_causes_stand_under_the_first() -> None:
    body = failure_letter(run(StepFailure("equity", ("DatabaseUnavailable: no server\n", "OSError: refused\n")))).body
    assert "- equity: DatabaseUnavailable: no server\n    because: OSError: refused" in body


def test_a_run_that_died_without_a_step_says_so() -> None:
    assert "- the run: terminated" in failure_letter(run(StepFailure(None, ("terminated",)))).body
    assert "no step named a cause" in failure_letter(run()).body


def test_a_letter_stays_readable() -> None:
    many = failure_letter(run(*(StepFailure(f"step_{n}", ("x" * 10_000,)) for n in range(100)))).body
    assert many.count("- step_") == LINES
    assert f"{100 - LINES} lines more" in many
    assert max(map(len, many.splitlines())) <= WIDTH + 20
