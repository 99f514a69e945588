"""The state machine: a vendor, a clock, a process that dies, and what must be stored all the while."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Engine

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions, sessions
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import ARMS
from abri_pipeline.ingest import equity, renaming, repair, upkeep, watchlist
from abri_pipeline.ingest.desk import Window
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.tables import metadata
from abri_pipeline_tests.ingest.small_market import FIRST, LAST
from abri_pipeline_tests.reliability.model import Instrument
from abri_pipeline_tests.reliability.stage import STEPS, Stage, dying_at
from abri_pipeline_tests.reliability.truth import assert_same, shown

DAYS = sessions(FIRST, LAST)
FROM = 15  # sessions of history when the machine starts
TICKERS = {"QQQ": ("QQQ", "QQA", "QQB", "QQC"), "SPY": ("SPY", "SPA", "SPB", "SPC")}
REREAD = 7
instruments = st.sampled_from(sorted(TICKERS))
ago = st.integers(0, 40)  # sessions before the newest one
lengths = st.integers(1, 12)


class Machine(RuleBasedStateMachine):
    """Rules are what happens to the platform and its vendor; after each one the database equals the model."""

    fresh: ClassVar[Callable[[Path], AbstractContextManager[str]]]  # a new database, given a folder of its own

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="abri-machine-"))
        self.database = type(self).fresh(self.home)
        self.stage = Stage(self.database.__enter__(), self.home)
        self.known = {kept: Instrument(kept, kept) for kept in TICKERS}
        self.renamed_on = dict.fromkeys(TICKERS, date.min)
        self.row, self.evening = FROM, False
        self._set_clock()

    @initialize()
    def seed(self) -> None:
        """The watchlist is there from the start."""
        watchlist.seed(self.stage.engine)

    # --- what the world does

    @rule(by=st.integers(0, 5), evening=st.booleans())
    def time_passes(self, by: int, evening: bool) -> None:
        """Sessions close; in the evening the newest bar is still provisional."""
        later = min(self.row + by, len(DAYS) - 10)
        if (later, not evening) >= (self.row, not self.evening):
            self.row, self.evening = later, evening
        self._set_clock()

    @rule(kept=instruments, ahead=st.integers(1, 4), ratio=st.sampled_from([0.0, 2.0, 3.0]))
    def split_or_dividend(self, kept: str, ahead: int, ratio: float) -> None:
        """An ex-date comes up; the history before it is re-based from that day on."""
        day = (kept, DAYS[self.row + ahead])
        if day in self.stage.market.splits or day in self.stage.market.dividends:
            return
        if ratio:
            self.stage.market.splits[day] = ratio
        else:
            self.stage.market.dividends[day] = 1.0

    @rule(kept=instruments, back=ago, cents=st.sampled_from([0.0, 30.0, -30.0]), shares=st.integers(1, 9))
    def revise(self, kept: str, back: int, cents: float, shares: int) -> None:
        """The vendor corrects a bar of the past."""
        day = DAYS[max(0, self.row - back)]
        self.stage.market.corrections[kept, day] = (cents, shares)
        if day in self.known[kept].stored:
            self.known[kept].unread.add(day)

    @rule(kept=instruments, back=ago, there=st.booleans())
    def hide_or_show(self, kept: str, back: int, there: bool) -> None:
        """The vendor has no bar of a session that we do not store either, or has it after all."""
        day = DAYS[max(0, self.row - back)]
        if there or day in self.known[kept].stored:
            self.stage.market.holes.discard((kept, day))
        else:
            self.stage.market.holes.add((kept, day))

    @rule(down=st.booleans())
    def outage(self, down: bool) -> None:
        """The vendor goes down, or is back."""
        if down:
            self.stage.wire.down = True
        else:
            self._mend()

    @rule(kept=instruments)
    def rename(self, kept: str) -> None:
        """The instrument gets a new ticker, from the newest session on."""
        names, own, day = TICKERS[kept], self.known[kept], DAYS[self.row]
        if own.ticker == names[-1] or day <= self.renamed_on[kept]:
            return
        new = names[names.index(own.ticker) + 1]
        renaming.rename(self.stage.engine, own.ticker, new, day)
        self.stage.market.names[new] = kept
        own.ticker, self.renamed_on[kept] = new, day

    # --- what the platform does

    @rule(kept=instruments, back=ago, length=lengths)
    def backfill(self, kept: str, back: int, length: int) -> None:
        """A window of the past, and once more: the second time nobody is asked."""
        start = max(0, self.row - back)
        window = Window(DAYS[start], DAYS[min(start + length, len(DAYS) - 1)])
        failed = self._load(kept, window)
        if not failed:
            self._repeat(kept, window)

    @rule(kept=instruments, before=st.integers(0, 8), after=st.integers(0, 8))
    def widen(self, kept: str, before: int, after: int) -> None:
        """What is stored grows on both sides, its inner holes included."""
        stored = self.known[kept].stored
        first = DAYS.index(min(stored)) if stored else self.row
        last = DAYS.index(max(stored)) if stored else self.row
        self._load(kept, Window(DAYS[max(0, first - before)], DAYS[min(last + after, len(DAYS) - 1)]))

    @rule(kept=instruments)
    def sync(self, kept: str) -> None:
        """The daily run: the newest sessions are read again."""
        self._load(kept, Window(DAYS[max(0, self.row - 9)], DAYS[self.row]), reread=REREAD)

    @precondition(lambda self: any(own.missing for own in self.known.values()))
    @rule()
    def repair(self) -> None:
        """What is missing is asked for once more, and given up where it stays so."""
        for kept, own in self.known.items():
            if not own.missing:
                continue
            before, now = len(self.stage.wire.made()), clock.now()
            window = Window(min(own.missing), max(own.missing))
            load = repair.load(self.stage.desk(), window, (own.ticker,))
            calls = self.stage.wire.made()[before:]
            assert bool(load.failed) <= self.stage.wire.down
            if calls and not self.stage.wire.down and self._served(kept, calls):
                own.landed(calls, shown(self.stage.market, kept), now)
                own.missing -= own.stored.keys()
            # How long a day is left alone after a repair is repair's to say.
            own.waiting = self.stage.waiting(own.ticker, DAYS, now)

    @rule(kept=instruments, back=ago, length=lengths)
    def duplicate_delivery(self, kept: str, back: int, length: int) -> None:
        """The same payload comes twice: the second one changes nothing."""
        start = max(0, self.row - back)
        window = Window(DAYS[start], DAYS[min(start + length, self.row)])
        if not self._load(kept, window, full_refresh=True):
            self._repeat(kept, window, full_refresh=True)

    @rule(kept=instruments, back=ago, length=lengths, step=st.sampled_from(STEPS))
    def kill(self, kept: str, back: int, length: int, step: str) -> None:
        """A load dies at a step: nothing of it is stored before its commit, all of it after."""
        start, own = max(0, self.row - back), self.known[kept]
        window = Window(DAYS[start], DAYS[min(start + length, len(DAYS) - 1)])
        before, expected = len(self.stage.wire.made()), self._expected(window)
        wanted = own.wanted(expected, (), clock.now())

        def work(engine: Engine) -> None:
            equity.load(self.stage.desk(engine=engine, at=dying_at(step)), window, (own.ticker,))

        code = self.stage.forked(work)
        calls = self.stage.wire.made()[before:]
        # Without a step there is nothing to die at: nothing to ask for, an outage, or an answer without a bar.
        assert code in (0, -signal.SIGKILL), (self.home / "child.txt").read_text()
        if code == 0:
            assert not wanted or self.stage.wire.down or not self._served(kept, calls)
            if wanted:
                own.booked(window, expected, wanted, clock.now(), failed=self.stage.wire.down)
        elif step == "commit":
            own.landed(calls, shown(self.stage.market, kept), clock.now())
            own.booked(window, expected, wanted, clock.now(), failed=False)

    @precondition(lambda self: any(own.stored for own in self.known.values()))
    @rule(number=st.integers(0, 99), how=st.sampled_from(["gone", "damaged"]))
    def drop_raw(self, number: int, how: str) -> None:
        """A payload of the archive is lost or damaged: it is named, and no other, and read again."""
        named = sorted(set(self.stage.rows(BARS, "raw_hash")["raw_hash"]))
        digest = named[number % len(named)]
        path = self.stage.archive.root / digest[:2] / digest[2:4] / f"{digest}.gz"
        if how == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:20])
        found = upkeep.verify(self.stage.engine, self.stage.archive)
        assert self.stage.unresolved() == [digest]
        assert digest in found.lost
        self._mend()
        # The days of its windows were cut out of what is known, so that all of them are asked for.
        windows = []
        for loss in upkeep.reopen(self.stage.engine, self.stage.archive, found):
            kept = next(kept for kept, own in self.known.items() if own.ticker == loss.symbol)
            assert loss.start is not None
            assert loss.end is not None
            windows.append((kept, Window(loss.start, loss.end)))
            own = self.known[kept]
            own.reopened |= {d for d in DAYS if loss.start <= d <= loss.end}
            own.waiting = {d: until for d, until in own.waiting.items() if d not in own.reopened}
        for kept, window in windows:
            self._load(kept, window)

    # --- what must hold

    @invariant()
    def the_bars_equal_the_model(self) -> None:
        """Each stored day, its cells, and no other day."""
        for own in self.known.values():
            assert_same(self.stage.stored(own.ticker), own.stored)

    @invariant()
    def the_books_agree(self) -> None:
        """Coverage is what is stored, gaps are what was asked for and is not; every payload resolves."""
        for own in self.known.values():
            assert self.stage.have(own.ticker, DAYS) == own.stored.keys()
            assert self.stage.missing(own.ticker, DAYS) == own.missing
        assert self.stage.unresolved() == []

    def teardown(self) -> None:
        """However it went, one full read of a healthy vendor ends in its history."""
        try:
            if all(hasattr(self, name) for name in ("known", "stage")):
                self._converge()
        finally:
            self.stage.engine.dispose()
            self.database.__exit__(None, None, None)
            shutil.rmtree(self.home, ignore_errors=True)

    def _converge(self) -> None:
        self._mend()
        self.stage.market.holes.clear()
        self.row, self.evening = self.row + 3, False
        self._set_clock()
        for kept in TICKERS:
            self._load(kept, Window(DAYS[0], DAYS[self.row]), full_refresh=True)
        self.the_bars_equal_the_model()
        self.the_books_agree()
        for kept, own in self.known.items():
            assert_same(own.stored, shown(self.stage.market, kept))

    # --- how

    def _set_clock(self) -> None:
        day = DAYS[self.row]
        # 18:00 in New York: closed, not final; or 08:00 the next morning.
        instant = (
            datetime.combine(day, time(22), UTC)
            if self.evening
            else datetime.combine(day + timedelta(days=1), time(12), UTC)
        )
        os.environ["ABRI_NOW"] = instant.isoformat()

    def _mend(self) -> None:
        """The vendor is back, and so much real time has passed that its circuit is closed again."""
        self.stage.wire.down = False
        with begin(self.stage.engine) as connection:
            connection.execute(sa.delete(metadata.tables[ARMS.name]))

    def _expected(self, window: Window) -> list[date]:
        return [d for d in closed_sessions(clock.now()) if window.start <= d <= window.end]

    def _served(self, kept: str, calls: Sequence[Any]) -> bool:
        vendor = shown(self.stage.market, kept)
        return any(call.start <= d <= call.end for call in calls for d in vendor)

    def _load(self, kept: str, window: Window, **how: Any) -> bool:
        """A load in this process, told to the model; returns whether it failed."""
        own, now, expected = self.known[kept], clock.now(), self._expected(window)
        newest = closed_sessions(now)[-how.get("reread", 0) :] if how.get("reread") else ()
        wanted = own.wanted(expected, expected if how.get("full_refresh") else newest, now)
        before = len(self.stage.wire.made())
        load = self.stage.load(window, (own.ticker,), **how)
        calls = self.stage.wire.made()[before:]
        if not self.stage.wire.down:  # while it is, its circuit opens, and then it is spared
            assert bool(calls) == bool(wanted), f"wanted {sorted(wanted)}, asked {calls}"
        assert len(calls) <= 2, "one request, and one more where the history was re-based"
        assert {call.symbol for call in calls} <= {own.ticker}
        if self.stage.wire.down:
            assert bool(load.failed) == bool(wanted)
        else:
            assert load.failed == []
            if calls and self._served(kept, calls):
                own.landed(calls, shown(self.stage.market, kept), now)
        if wanted:
            own.booked(window, expected, wanted, now, failed=bool(load.failed))
        return bool(load.failed)

    def _repeat(self, kept: str, window: Window, **how: Any) -> None:
        """The same load at the same instant changes no row, and asks nobody unless it must."""
        rows, before = self.stage.rows(BARS), len(self.stage.wire.made())
        load = self.stage.load(window, (self.known[kept].ticker,), **how)
        assert (load.total("inserted"), load.total("changed"), load.failed) == (0, 0, [])
        if not how:
            assert len(self.stage.wire.made()) == before
        assert self.stage.rows(BARS).equals(rows)
