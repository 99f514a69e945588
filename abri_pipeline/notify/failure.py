"""What a failed run says to the person who reads mail.

Belongs here: the wording. Does not belong here: finding out what failed, and sending.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from abri_pipeline.notify.mail import Letter

UI = "http://127.0.0.1:3000"  # where `abri up` and `dagster dev` serve the UI unless told otherwise
LINES = 30
WIDTH = 4000  # room for every symbol of a wide watchlist


@dataclass(frozen=True, slots=True)
class StepFailure:
    """One step that failed, or the run itself where `step` is None, and its causes, the outermost first."""

    step: str | None
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that ended red, with its weeks by their Mondays."""

    job: str
    run_id: str
    first_week: str | None
    last_week: str | None
    failures: tuple[StepFailure, ...]


def failure_letter(run: FailedRun, dashboard_url: str | None = None) -> Letter:
    """One message for one failed run: what failed, why, where to look and what mends it."""
    links = [f"Run:        {UI}/runs/{run.run_id}"]
    if dashboard_url:
        links.append(f"Dashboard:  {dashboard_url}")
    paragraphs = [
        f"A run of {_job(run.job)} failed.",
        f"Run id:     {run.run_id}\nWeeks:      {_weeks(run)}",
        "What failed\n" + "\n".join(_reasons(run.failures)),
        "\n".join(links),
        "What loaded is stored, and a week stays open until all of it is. Once the cause is gone, select the graph "
        'in the UI, choose Materialize and "failed and missing" weeks: nothing that is stored is fetched again.',
    ]
    return Letter(f"ABRI: a run failed, {_weeks(run)}", "\n\n".join(paragraphs) + "\n")


def _job(name: str) -> str:
    # Dagster's own name for a launch of chosen assets tells a reader nothing.
    return "assets launched by hand" if name.startswith("__ASSET_JOB") else f"the job {name}"


def _weeks(run: FailedRun) -> str:
    if run.first_week is None:
        return "no weeks"
    if run.last_week in (None, run.first_week):
        return f"week of {run.first_week}"
    return f"weeks of {run.first_week} to {run.last_week}"


def _reasons(failures: Sequence[StepFailure]) -> list[str]:
    """A line a cause, deeper causes further in, cut to what a person reads."""
    lines = []
    for failure in failures:
        for depth, cause in enumerate(failure.causes):
            text = " ".join(cause.split())
            short = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
            lines.append(
                f"- {failure.step or 'the run'}: {short}" if depth == 0 else f"{'  ' * depth}  because: {short}"
            )
    if len(lines) > LINES:
        return [*lines[:LINES], f"... and {len(lines) - LINES} lines more, in the run's log"]
    return lines or ["- no step named a cause; see the run's log"]
