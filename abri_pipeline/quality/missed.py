"""Missed weeks: closed weeks that no run has looked at since they closed.

Belongs here: telling a week that a run would complete from one whose observations are missing for a reason.
Does not belong here: launching runs, and repairing gaps.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Engine

from abri_pipeline.calendars import weeks
from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.quality.completeness import FIRST_PRINT, week_verdicts
from abri_pipeline.warehouse.reads import frame


def missed_weeks(engine: Engine, launched: Collection[str], complete: Collection[str], now: datetime) -> list[str]:
    """Closed weeks, since the first one ever launched, that a run would bring further.

    A week counts as missed where it was never launched; where it was last launched while still open, so that it
    has no official print; or where nothing of it is missing any more and only the word of it is. A week with
    observations missing for a reason is not: that reason is named in `completeness`, and is not mended by a rerun.

    Args:
        engine: the warehouse.
        launched: weeks for which the index was materialised, open ones among them.
        complete: weeks for which completeness was materialised.
        now: weeks that close later are left alone.

    Returns:
        Week keys, oldest first; none where nothing was ever launched.
    """
    known = {*launched, *complete}
    if not known:
        return []
    span = weeks.weeks(weeks.monday(min(known)), weeks.monday(weeks.last_closed(now)))
    doubtful = [key for key in span if key not in complete]
    tried = [key for key in doubtful if key in launched]
    helped = _unprinted(engine, tried) | _whole(engine, tried)
    return [key for key in doubtful if key not in launched or key in helped]


def _unprinted(engine: Engine, keys: Sequence[str]) -> set[str]:
    """Weeks that are due an official print and have none."""
    due = {key for key in keys if weeks.monday(key) >= FIRST_PRINT}
    if not due:
        return set()
    where = [("as_of", ">=", weeks.monday(min(due))), ("as_of", "<=", weeks.week_span(max(due))[1])]
    with engine.connect() as connection:
        prints = frame(connection, HISTORY, columns=["as_of"], where=where)
    return due - {weeks.week_key(day) for day in prints["as_of"].dt.date}


def _whole(engine: Engine, keys: Sequence[str]) -> set[str]:
    """Weeks of which nothing is missing."""
    if not keys:
        return set()
    span = weeks.weeks(weeks.monday(keys[0]), weeks.monday(keys[-1]))
    verdicts = week_verdicts(engine, span)
    return {key for key in keys if verdicts[key].complete}
