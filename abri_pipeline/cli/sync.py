"""`abri sync`: the newest sessions, read again; once, or for as long as nobody stops it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

from abri_pipeline.calendars import clock, new_york
from abri_pipeline.cli import backfill, house
from abri_pipeline.cli.errors import DONE, FAILED, UsageFault, explain
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.cli.window import Asked
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from abri_pipeline.cli.foreground import Launched
    from abri_pipeline.cli.outcome import Outcome

SESSIONS = 7
EVERY = 30  # seconds
LONGEST_PAUSE = 900.0  # seconds, after polls that failed one after another
AFTER_BELL = timedelta(minutes=10)  # until then the session's last bars are on their way
REMEMBERED = 50  # runs that a follower tells of when it ends


@dataclass(frozen=True, slots=True)
class Wish:
    """For whom to sync, and how it is told."""

    symbols: tuple[str, ...] = ()
    as_json: bool = False


def sync(wish: Wish) -> int:
    """One run over the weeks of the newest sessions; returns the exit code."""
    window, launched = _everything(wish)
    return backfill.told(backfill.carry_out(launched, window, quiet=wish.as_json), window, as_json=wish.as_json)


def follow(wish: Wish, every: int = EVERY) -> int:
    """Sync, then look every so many seconds whether there is anything new, until SIGINT or SIGTERM.

    A run is launched only where a session has closed, a bar became final, or the market is open and somebody keeps
    intraday bars. After a run that failed the pause doubles, up to a quarter of an hour.

    Raises:
        UsageFault: a pause of less than a second.
        StoppedMidway: the signal came while a run was at work.
    """
    from abri_pipeline.cli.foreground import signals

    if every < 1:
        raise UsageFault(f"--every {every} is no pause; give seconds, 1 or more")
    stopped, told = Event(), _Told(wish.as_json)
    due: Launched | None = _everything(wish)[1]
    with signals(stopped):
        while not stopped.is_set():
            if due is not None:
                told.run(due)
            told.polls += 1
            stopped.wait(min(LONGEST_PAUSE, every * 2.0 ** min(told.failures, 10)))
            due = None if stopped.is_set() else _due(wish)
    return told.end()


class _Told:
    """What a follower did, for the document it leaves."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.polls = self.failures = self.count = 0
        self.code = DONE
        self.runs: list[dict[str, Any]] = []

    def run(self, launched: "Launched") -> None:
        """Carry out one launch; an upstream or a database that is away is told and waited for."""
        from abri_pipeline.providers.errors import UpstreamError
        from abri_pipeline.warehouse.engine import DatabaseUnavailable

        window = _window()
        try:
            result = backfill.carry_out(launched, window, quiet=True)
        except (UpstreamError, DatabaseUnavailable) as error:
            self._note(FAILED, {"status": "failed", "why": explain(error)[1]})
            return
        self._note(result.code, {"run_id": result.run_id, "status": result.status, "why": result.why, **_sums(result)})

    def _note(self, code: int, said: dict[str, Any]) -> None:
        self.code, self.count = code, self.count + 1
        self.failures = self.failures + 1 if code != DONE else 0
        self.runs = [*self.runs, {"at": clock.now().isoformat(timespec="seconds"), **said}][-REMEMBERED:]
        if not self.as_json:
            terminal().note(" ".join(f"{name}={value}" for name, value in self.runs[-1].items() if value != ""))

    def end(self) -> int:
        """Say what was done; the exit code is that of the last run."""
        if self.as_json:
            terminal().document({"polls": self.polls, "runs": self.count, "last_runs": self.runs})
        else:
            terminal().note(f"stopped after {self.polls} polls and {self.count} runs")
        return self.code


def _sums(result: "Outcome") -> dict[str, int]:
    return {
        "inserted": sum(one.inserted for one in result.datasets),
        "changed": sum(one.changed for one in result.datasets),
        "calls": sum(one.calls for one in result.datasets),
    }


def _window() -> Asked:
    """From the seventh newest session to today."""
    from abri_pipeline.calendars.sessions import closed_sessions

    now = clock.now()
    return Asked(closed_sessions(now)[-SESSIONS:][0], new_york.day_of(now))


def _everything(wish: Wish) -> tuple[Asked, "Launched"]:
    from abri_pipeline.cli.foreground import Launched

    window = _window()
    return window, Launched(window.keys, wish.symbols, reread=SESSIONS)


def _due(wish: Wish) -> "Launched | None":
    """What there is to launch now; None where the market is closed and nothing is new."""
    engine = house.existing_warehouse(Settings.load())
    if engine is None:
        return _everything(wish)[1]
    try:
        whole = replace(_everything(wish)[1], reread=0)
        if _lacking(engine, wish):
            return whole
        kept = _intraday(engine, wish)
        return replace(whole, timeframes=kept) if kept and _open() else None
    finally:
        engine.dispose()


def _lacking(engine: "Engine", wish: Wish) -> bool:
    """Whether a daily bar of the newest sessions is to be asked for."""
    from abri_pipeline.ingest.desk import Window
    from abri_pipeline.ingest.plan import plan
    from abri_pipeline.ingest.watchlist import followed

    window = _window()
    with engine.connect() as connection:
        listed = followed(connection, wish.symbols)
        needs = plan(connection, listed, Window(window.start, window.end), clock.now())
    return any(need.sessions for need in needs)


def _intraday(engine: "Engine", wish: Wish) -> tuple[str, ...]:
    """The timeframes below the day that anybody keeps."""
    from abri_pipeline.ingest.watchlist import followed

    with engine.connect() as connection:
        kept = {one for listed in followed(connection, wish.symbols) for one in listed.timeframes}
    return tuple(sorted(kept - {"1d", "1w"}))


def _open() -> bool:
    """Whether the exchange trades now, or did until a moment ago."""
    from abri_pipeline.calendars.sessions import closes_at, is_session, opens_at

    now = clock.now()
    day = new_york.day_of(now)
    return is_session(day) and opens_at(day) <= now <= closes_at(day) + AFTER_BELL
