"""What watches by itself: weeks that no run has looked at, and runs that failed.

The first is off until somebody switches it on, for it asks upstreams; the second is on, for it asks nobody and
without `SMTP_HOST` only writes to its own log.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    WILL_RETRY_TAG,
)
from dagster_shared.error import SerializableErrorInfo

from abri_pipeline.calendars import clock, weeks
from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.schedules import WHOLE_GRAPH
from abri_pipeline.notify import mail
from abri_pipeline.notify.failure import FailedRun, StepFailure, failure_letter
from abri_pipeline.providers import redact
from abri_pipeline.quality.missed import missed_weeks
from abri_pipeline.settings import Settings

# The weekly schedule asks at 18:30 for the week that closed at 18:00; only after that is a week missed.
GRACE = timedelta(hours=1)
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(job=WHOLE_GRAPH, name="missed_weeks", minimum_interval_seconds=600)
def missed_weeks_sensor(context: dg.SensorEvaluationContext, house: House) -> dg.SensorResult:
    """Ask once for closed weeks that no run has looked at since they closed: one run for each row of them.

    Looks from the first week ever launched to the last closed one; weeks of a run under way are left to it. A week
    that is still missed after it was asked for is not asked for again: its run has failed, and has said why.
    """
    instance = context.instance
    launched = instance.get_materialized_partitions(dg.AssetKey(HISTORY.name))
    complete = instance.get_materialized_partitions(dg.AssetKey("completeness"))
    if not launched and not complete:
        return dg.SensorResult(skip_reason="nothing was ever launched; start with a backfill of the weeks you want")
    engine = house.engine()
    try:
        missed = missed_weeks(engine, launched, complete, clock.now() - GRACE)
    finally:
        engine.dispose()  # a code server lives for weeks; each tick gives its connections back
    asked = set(json.loads(context.cursor or "[]"))
    under_way = weeks_under_way(instance)
    wanted = [key for key in missed if key not in asked | under_way]
    # Mended weeks are forgotten, so that one missed anew is asked for anew.
    cursor = json.dumps([key for key in missed if key in asked or key in wanted])
    if not wanted:
        left = f"asked for already, or under way: {', '.join(missed)}" if missed else "no closed week was missed"
        return dg.SensorResult(skip_reason=left, cursor=cursor)
    return dg.SensorResult(run_requests=[_range_run(row) for row in rows_of_weeks(wanted)], cursor=cursor)


def weeks_under_way(instance: dg.DagsterInstance) -> set[str]:
    """The weeks of every run that is queued or running."""
    found: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)):
        first, last = run_weeks(run)
        if first and last:
            found.update(weeks.weeks(weeks.monday(first), weeks.monday(last)))
    return found


def run_weeks(run: dg.DagsterRun) -> tuple[str | None, str | None]:
    """The first and the last week of a run, from its tags; None twice where it has none."""
    single = run.tags.get(PARTITION_NAME_TAG)
    return (
        run.tags.get(ASSET_PARTITION_RANGE_START_TAG, single),
        run.tags.get(ASSET_PARTITION_RANGE_END_TAG, single),
    )


def rows_of_weeks(keys: Sequence[str]) -> Iterator[list[str]]:
    """Split week keys, oldest first, into rows of consecutive weeks."""
    row: list[str] = []
    for key in keys:
        if row and weeks.monday(key) - weeks.monday(row[-1]) > timedelta(weeks=1):
            yield row
            row = []
        row.append(key)
    if row:
        yield row


def _range_run(row: Sequence[str]) -> dg.RunRequest:
    """One run over a row of weeks, as the UI's launch of a range makes it."""
    tags = {ASSET_PARTITION_RANGE_START_TAG: row[0], ASSET_PARTITION_RANGE_END_TAG: row[-1]}
    return dg.RunRequest(run_key=f"missed {row[0]} to {row[-1]}", tags=tags)


@dg.run_failure_sensor(
    name="failure_mail",
    monitor_all_code_locations=True,  # runs of `abri backfill` have no code location
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failure_mail(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Send one message for each failed run, unless Dagster is about to try it again."""
    run = context.dagster_run
    if run.tags.get(WILL_RETRY_TAG) == "true":
        return dg.SkipReason(f"run {run.run_id} will be tried again")
    settings = Settings.load()
    letter = failure_letter(failed_run(context), settings.get("DASHBOARD_URL"))
    try:
        mailbox = mail.Mailbox.of(settings)
        if mailbox is not None:
            mail.send(mailbox, letter)
            return None
        why = "mail is off, because SMTP_HOST is not set"
        context.log.info(f"{why}; the message would have been:\n{readable(letter)}")
    except mail.MailError as error:
        why = f"not mailed: {error}"
        context.log.error(f"{why}\n{readable(letter)}")  # noqa: TRY400 - a traceback could repeat what was sent
    # A skip is what the UI shows with its reason; a success would claim that somebody was told.
    return dg.SkipReason(f"run {run.run_id}: {why}")


def readable(letter: mail.Letter) -> str:
    """A message as it may be logged."""
    return redact.text(f"{letter.subject}\n\n{letter.body}")


def failed_run(context: dg.RunFailureSensorContext) -> FailedRun:
    """What the instance knows about a failed run: the steps that failed, else why the run did."""
    run = context.dagster_run
    steps = [_step_failure(event) for event in context.get_step_failure_events()]
    if not steps:
        told = context.failure_event.message or "the run ended without a word"
        steps = [StepFailure(None, (told,))]
    return FailedRun(run.job_name, run.run_id, *run_weeks(run), failures=tuple(steps))


def _step_failure(event: dg.DagsterEvent) -> StepFailure:
    told = event.step_failure_data
    if told.user_failure_data is not None and told.user_failure_data.description:
        return StepFailure(event.step_key, (told.user_failure_data.description,))
    return StepFailure(event.step_key, tuple(_causes(told.error)))


def _causes(error: SerializableErrorInfo | None) -> Iterator[str]:
    """What went wrong, the outermost cause first, without Dagster's own wrapping of a step's error."""
    if error is not None and error.cause is not None and error.cls_name == "DagsterExecutionStepExecutionError":
        error = error.cause
    while error is not None:
        yield error.message
        error = error.cause


SENSORS = [missed_weeks_sensor, failure_mail]
