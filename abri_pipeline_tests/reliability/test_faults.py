"""What vendors, rows and clocks do wrong, met by the whole engine: one test a row of the matrix.

The finer grain of a row is tested in its own room: providers, quality, calendars. docs/reliability.md lists both.
"""

import gzip
import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import stamina

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.filings import HYPERSCALERS
from abri_pipeline.contracts.operations import AUDIT, COVERAGE, DECISIONS, REJECTED, REVISIONS
from abri_pipeline.ingest import credit, equity
from abri_pipeline.ingest.desk import Desk, Load, Window
from abri_pipeline.providers.errors import RateLimited, Refused, ServerFailed, Transient
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.quality.checks import run
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.migrations import upgrade
from abri_pipeline.warehouse.reads import asof
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.reliability.stage import Stage
from abri_pipeline_tests.reliability.truth import assert_equals_vendor, shown
from abri_pipeline_tests.reliability.vendors import Vendors
from abri_pipeline_tests.warehouse import samples

JUNE = Window(date(2024, 6, 17), date(2024, 6, 28))
ONE = ("NVDA",)


@pytest.fixture
def vendors(stage: Stage) -> Vendors:
    """Yahoo alone, to begin with."""
    stage.wire = Vendors(stage.market, stage.settings, stage.home / "calls.log")
    return stage.wire


@pytest.fixture
def both(stage: Stage, vendors: Vendors) -> Vendors:
    """Massive too: its key is set."""
    stage.settings.values["MASSIVE_API_KEY"] = "canary-massive"
    return vendors


def outcome(load: Load) -> list[str]:
    return [result.outcome for result in load.results]


def nothing_stored(stage: Stage) -> bool:
    return stage.rows(BARS).empty and not (stage.rows(COVERAGE)["state"] == "have").any()


@pytest.mark.parametrize("times", [2, 10])
def test_r1_the_same_payload_delivered_again_changes_nothing(stage: Stage, vendors: Vendors, times: int):
    stage.load(JUNE, ONE)
    before = stage.rows(BARS)
    for _ in range(times - 1):
        assert outcome(stage.load(JUNE, ONE, full_refresh=True)) == ["unchanged"]
    assert stage.rows(BARS).equals(before)
    assert not before.duplicated(["symbol", "date"]).any()
    assert stage.rows(AUDIT)["outcome"].tolist() == ["stored"] + ["unchanged"] * (times - 1)
    assert stage.rows(REVISIONS).empty


def test_r10_a_start_with_a_newer_program_loses_no_row(stage: Stage, vendors: Vendors):
    stage.load(JUNE, ONE)
    before = {table.name: stage.rows(table) for table in (BARS, AUDIT, COVERAGE)}
    upgrade(stage.engine)
    assert all(stage.rows(table).equals(before[table.name]) for table in (BARS, AUDIT, COVERAGE))
    assert stage.load(JUNE, ONE).calls == 0


def test_p1_pages_that_lead_back_cover_nothing(stage: Stage, both: Vendors):
    """Yahoo is down and Massive's next page is its first: no row, no coverage, the day after it is asked again."""
    both.fails["yahoo"] = ServerFailed("yahoo", "is broken")
    first: list[str] = []

    def circle(body: bytes) -> bytes:
        page = json.loads(body)
        first.append(page["ticker"])
        url = f"https://api.massive.com/v2/aggs/ticker/{page['ticker']}/range/1/day/2024-06-17/2024-06-28?cursor=x"
        return json.dumps(page | {"next_url": url}).encode()

    both.alters["massive"] = circle
    load = stage.load(JUNE, ONE)
    assert load.failed
    assert len(first) <= 3
    assert nothing_stored(stage)
    both.alters.clear()
    both.fails.clear()
    assert stage.load(JUNE, ONE, full_refresh=True).failed == []


BROKEN = {
    "truncated": lambda body: body[: len(body) // 2],
    "bom": lambda body: b"\xef\xbb\xbf" + body,
    "invalid utf-8": lambda body: body.replace(b"NVDA", b"NV\xffA", 1),
    "still packed": gzip.compress,
    "empty": lambda _body: b"",
}


@pytest.mark.parametrize("how", BROKEN)
def test_p2_a_broken_payload_is_kept_as_bad_and_stores_nothing(stage: Stage, vendors: Vendors, how: str):
    vendors.alters["yahoo"] = BROKEN[how]
    assert outcome(stage.load(JUNE, ONE)) == ["malformed"]
    assert nothing_stored(stage)
    assert stage.rows(AUDIT)["raw_hash"].iloc[0] in stage.archive
    vendors.alters.clear()
    assert stage.load(JUNE, ONE).failed == []
    assert_equals_vendor(stage, ONE, JUNE)


def test_p3_a_web_page_with_status_200_is_left_for_another_provider(stage: Stage, both: Vendors):
    both.fails["yahoo"] = Refused("yahoo", "answered with a web page instead of data; blocked or down")
    for window in (JUNE, Window(date(2024, 7, 1), date(2024, 7, 5))):
        load = stage.load(window, ONE)
        assert load.failed == []
        assert both.calls["yahoo"] <= 1 + (window is not JUNE)  # once a load at most
    assert set(stage.rows(BARS)["source_provider"]) == {"massive"}
    told = stage.rows(DECISIONS)
    assert set(told["chosen"]) == {"massive"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "Too Many Requests", "description": "rate limit"}, "transient"),
        ({"code": "Not Found", "description": "No data found, symbol may be delisted"}, "absent"),
        ({"code": "Unprocessable Entity", "description": "bad request"}, "permanent"),
        ({"code": "Teapot", "description": "short and stout"}, "malformed"),
    ],
)
def test_p4_an_error_with_status_200_is_told_apart_and_never_zero_rows(stage: Stage, vendors: Vendors, error, kind):
    vendors.alters["yahoo"] = lambda _body: json.dumps({"chart": {"result": None, "error": error}}).encode()
    assert outcome(stage.load(JUNE, ONE)) == [kind]
    assert nothing_stored(stage)


def served(
    answer: tuple[int, dict[str, str]] | Exception, settings: Settings, **more: object
) -> tuple[Transport, list[float]]:
    """A transport whose every request meets one answer, and the instants of the requests."""
    asked: list[float] = []

    def handler(_request: httpx.Request) -> httpx.Response:
        asked.append(time.monotonic())
        if isinstance(answer, Exception):
            raise answer
        status, headers = answer
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b""))

    client = httpx.Client(transport=httpx.MockTransport(handler))
    return Transport(settings, client=client, deadline=6.0), asked


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((429, {"Retry-After": "1"}), RateLimited),
        ((503, {}), ServerFailed),
        (httpx.ConnectError("Name or service not known"), Transient),
        (httpx.ReadError("reset by peer"), Transient),
    ],
)
def test_p6_no_call_before_retry_after_and_five_at_most(tmp_path: Path, answer, kind):
    settings = Settings({"ABRI_HOME": str(tmp_path), "ABRI_UPSTREAM_URL": "http://127.0.0.1:9"}, {})
    transport, asked = served(answer, settings)
    began = time.monotonic()
    with stamina.set_testing(False), transport, pytest.raises(kind):
        transport.get("yahoo", "/v8/finance/chart/NVDA")
    assert 1 <= len(asked) <= 5
    assert time.monotonic() - began <= 6.5
    if kind is RateLimited:
        assert all(later - earlier >= 1 for earlier, later in pairwise(asked))


def test_p7_a_spent_quota_is_no_call_in_this_process_and_the_next(stage: Stage, both: Vendors):
    """Massive's free plan allows five calls a minute; Yahoo is down, so that nobody else can answer."""
    both.fails["yahoo"] = ServerFailed("yahoo", "is broken")
    symbols = ("AAPL", "AMZN", "GOOG", "META", "MSFT", "NVDA", "QQQ", "SPY")
    load = stage.load(JUNE, symbols, pause=_never)
    assert both.calls["massive"] == 5
    assert len(load.failed) == len(symbols) - 5

    def next_process(engine: object) -> None:
        again = equity.load(stage.desk(engine=engine, pause=_never), JUNE, symbols)  # type: ignore[arg-type] # fork's
        assert len(again.failed) == len(symbols) - 5
        assert both.calls["massive"] == 5

    assert stage.forked(next_process) == 0, (stage.home / "child.txt").read_text()


def _never(_seconds: float) -> None:
    """A wait that nobody has the time for."""
    raise RateLimited("massive", "the quota is spent")


def test_p9_a_second_opinion_apart_is_quarantined_with_both_values(stage: Stage, both: Vendors):
    stage.load(JUNE, ONE)  # one of the two, as the dice fell
    own = stage.rows(BARS)["source_provider"].iloc[0]
    other = "massive" if own == "yahoo" else "yahoo"
    before = stage.rows(BARS)
    both.fails[own] = ServerFailed(own, "is broken")
    both.factor = 1.01 if other == "massive" else 1.0
    if other == "yahoo":
        stage.market.corrections = {("NVDA", day.date()): (200.0, 0) for day in before["date"]}
    assert outcome(stage.load(JUNE, ONE, full_refresh=True)) == ["malformed"]
    assert stage.rows(BARS).equals(before)
    reasons = " ".join(stage.rows(REJECTED)["reason"])
    assert own in reasons
    assert other in reasons


class Fred:
    """A transport of FRED's graph files that can forget what is older than a day."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.since = settings, date(2024, 1, 2)
        self.calls: Counter[str] = Counter()

    def get(self, upstream: str, path: str, params=None, *, headers=None) -> Payload:
        self.calls[upstream] += 1
        name = (params or {}).get("id", "DGS10")
        days = [d for d in closed_sessions(clock.now()) if d >= self.since]
        lines = [f"observation_date,{name}", *(f"{d},{3 + d.day / 100:.2f}" for d in days)]
        return Payload(upstream, path, 200, "text/csv", "\n".join(lines).encode(), clock.now(), "recorded")


def test_p10_a_history_that_its_provider_shortens_stays_whole(stage: Stage, move):
    fred = Fred(stage.settings)
    window = Window(date(2024, 1, 2), date(2024, 7, 31))

    def load(job: str) -> Load:
        return credit.load(Desk(stage.engine, stage.archive, fred, stage.settings, job), window)  # type: ignore[arg-type] # a stand-in

    load("before")
    before = stage.rows(SPREADS)
    fred.since = date(2024, 6, 3)
    move("2024-08-02T20:00:00Z")
    load("after")
    after = stage.rows(SPREADS)
    assert len(before) > 100
    assert set(before["date"]) <= set(after["date"])


BAD_CELLS = [float("nan"), "null", "", "-", "1,5", 1e400]


@pytest.mark.parametrize("cell", BAD_CELLS, ids=str)
def test_v1_what_is_no_number_is_rejected_and_never_in_the_database(stage: Stage, vendors: Vendors, cell):
    def planted(body: bytes) -> bytes:
        chart = json.loads(body)
        chart["chart"]["result"][0]["indicators"]["quote"][0]["close"][3] = cell
        return json.dumps(chart).encode()

    vendors.alters["yahoo"] = planted
    stage.load(JUNE, ONE)
    closes = stage.rows(BARS)["close"]
    assert closes.notna().all()
    assert closes.abs().max() < 1e9 if len(closes) else True
    bad = [d for d in closed_sessions(clock.now()) if JUNE.start <= d <= JUNE.end][3]
    assert bad not in stage.stored("NVDA")
    assert bad in stage.missing("NVDA", closed_sessions(clock.now()))


@pytest.mark.parametrize("ratio", [0.0, 3.0])
def test_v5_a_split_or_dividend_amid_a_history_rebases_all_of_it(stage: Stage, vendors: Vendors, move, ratio: float):
    move("2024-07-13T12:00:00Z")
    stage.load(Window(date(2024, 6, 3), date(2024, 7, 12)), ONE)
    before = stage.stored("NVDA")
    event = {("NVDA", date(2024, 7, 16)): ratio or 2.0}
    stage.market.splits, stage.market.dividends = (event, {}) if ratio else ({}, event)
    move("2024-07-20T12:00:00Z")
    stage.load(Window(date(2024, 7, 15), date(2024, 7, 19)), ONE)
    after, vendor = stage.stored("NVDA"), shown(stage.market, "NVDA")
    for day in before:
        assert after[day][1] == pytest.approx(vendor[day][1], rel=1e-6)
        assert after[day][1] != before[day][1]
    days = sorted(before)
    for earlier, later in pairwise(days):  # no return of the past has moved
        assert after[later][1] / after[earlier][1] == pytest.approx(before[later][1] / before[earlier][1], rel=1e-6)


HOSTS = ("UTC", "America/New_York", "Asia/Tokyo", "Pacific/Auckland")
SESSIONS = """
from datetime import date
from abri_pipeline.calendars.sessions import closed_sessions, sessions
from abri_pipeline.calendars import clock
import sys
days = [*sessions(date(2024, 3, 4), date(2024, 3, 15)), *sessions(date(2024, 10, 28), date(2024, 11, 8))]
sys.stdout.write(" ".join(map(str, days)) + " " + str(closed_sessions(clock.now())[-1]))
"""


def test_c1_a_session_is_the_same_day_wherever_the_host_stands():
    """Both weeks of the clock change, and an evening after the New York close that is tomorrow in Auckland."""
    said = set()
    for zone in HOSTS:
        told = {**os.environ, "TZ": zone, "ABRI_NOW": "2024-11-04T22:00:00Z"}
        said.add(subprocess.run([sys.executable, "-c", SESSIONS], env=told, capture_output=True, check=True).stdout)
    assert len(said) == 1
    assert said.pop().endswith(b"2024-11-08 2024-11-04")


def test_c9_old_days_do_not_make_what_is_stale_fresh(stage: Stage, vendors: Vendors):
    stage.load(JUNE, ONE)  # five weeks ago, seen from 1 August
    stage.load(Window(date(2024, 6, 3), date(2024, 6, 14)), ONE)
    with stage.engine.connect() as connection:
        assert not run(connection, BARS, "fresh").passed


def test_c10_a_reader_of_the_past_sees_no_later_vintage(stage: Stage):
    """Two vintages of one quarter: whoever asks as of the day before the second one gets the first."""
    first, second = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
    quarter = samples.rows(HYPERSCALERS, 2)
    for column in ("ticker", "fiscal_period", "period_end"):
        quarter[column] = quarter[column].iloc[0]
    quarter["period_end"] = date(2024, 3, 31)
    quarter["filed_on"] = [first.date(), second.date()]
    quarter["available_at"] = [first, second]
    with begin(stage.engine) as connection:
        upsert(connection, HYPERSCALERS, quarter)

    def seen(at: datetime) -> int:
        with stage.engine.connect() as connection:
            return len(asof(connection, HYPERSCALERS, date(2024, 7, 31), at))

    assert [seen(at) for at in (first - timedelta(days=1), first, second - timedelta(days=1), second)] == [0, 1, 1, 2]


def test_p9_a_correction_of_a_final_bar_is_booked_with_both_values(stage: Stage, vendors: Vendors, move):
    """A provider may correct its own final bar, and what it was stays told: nothing is ever silently different."""
    stage.load(JUNE, ONE)
    day = date(2024, 6, 20)
    was = stage.stored("NVDA")[day]
    stage.market.corrections = {("NVDA", day): (0.0, 7)}
    move((clock.now() + timedelta(days=1)).isoformat())
    stage.load(JUNE, ONE, full_refresh=True)
    told = stage.rows(REVISIONS)
    assert told[["field", "old", "new"]].values.tolist() == [["volume", was[2], was[2] + 7]]
