"""The transport against a server that misbehaves."""

import gzip
import hashlib
import logging
import socket
import threading
import time
import traceback
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers import hosts
from abri_pipeline.providers.answers import retry_after
from abri_pipeline.providers.errors import (
    Absent,
    BadRequest,
    Malformed,
    RateLimited,
    Refused,
    ServerFailed,
    TimedOut,
    Truncated,
    Unreachable,
)
from abri_pipeline.providers.pacing import Pacer
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings

CANARY = "canary-5f3c9a17e2"


@pytest.fixture
def hasty():
    """Retries without waiting: stamina's own test mode, with the real number of attempts."""
    with stamina.set_testing(True, attempts=5):
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_answer_becomes_a_payload(upstream, transport, answer, monkeypatch) -> None:
    monkeypatch.setenv("ABRI_NOW", "2026-01-20T02:00:00Z")
    upstream.will(answer(b"a,b\n", Content_Type="text/csv", X_ABRI_Market="synthetic-1"))
    payload = transport.get("fredgraph", "/fredgraph.csv", {"id": "DGS10"})
    assert payload.body == b"a,b\n"
    assert payload.sha256 == hashlib.sha256(b"a,b\n").hexdigest()
    assert payload.url == f"{upstream.url}/fredgraph/fredgraph.csv?id=DGS10"
    assert (payload.provider, payload.status, payload.content_type) == ("fredgraph", 200, "text/csv")
    assert payload.market == "synthetic-1"
    assert payload.fetched_at == datetime(2026, 1, 20, 2, tzinfo=UTC)
    assert transport.calls == {"fredgraph": 1}


def test_a_payload_of_the_real_market_has_no_label(upstream, transport, answer) -> None:
    upstream.will(answer(b"{}"))
    assert transport.get("yahoo", "/x").market is None


@pytest.mark.parametrize(
    ("status", "branch"),
    [
        (400, BadRequest),
        (401, Refused),
        (403, Refused),
        (404, Absent),
        (410, Absent),
        (422, BadRequest),
        (304, BadRequest),
    ],
)
def test_permanent_failures_are_asked_once(upstream, transport, answer, hasty, status, branch) -> None:
    upstream.will(answer(b"" if status == 304 else b"no such thing", status))
    with pytest.raises(branch) as caught:
        transport.get("yahoo", "/x")
    assert type(caught.value) is branch
    assert caught.value.status == status
    assert len(upstream.seen) == 1


@pytest.mark.parametrize(
    ("status", "branch"),
    [(408, TimedOut), (425, TimedOut), (429, RateLimited), (500, ServerFailed), (503, ServerFailed)],
)
def test_transient_failures_are_asked_five_times(upstream, transport, answer, hasty, status, branch) -> None:
    upstream.will(answer(b"", status))
    with pytest.raises(branch) as caught:
        transport.get("yahoo", "/x")
    assert caught.value.kind == "transient"
    assert len(upstream.seen) == transport.calls["yahoo"] == 5


def test_a_failure_that_passes_is_no_failure(upstream, transport, answer, hasty) -> None:
    upstream.will(answer(b"", 503), answer(b"", 429), answer(b"{}"))
    assert transport.get("yahoo", "/x").body == b"{}"
    assert len(upstream.seen) == 3


def test_no_call_comes_before_retry_after(upstream, transport, answer) -> None:
    upstream.will(answer(b"", 429, Retry_After="1"), answer(b"{}"))
    started = time.monotonic()
    transport.get("yahoo", "/x")
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize("status", [429, 503])
def test_other_threads_keep_silent_too(upstream, answer, hasty, status) -> None:
    slept: list[float] = []
    upstream.will(answer(b"", status, Retry_After="30"), answer(b"{}"))
    with Transport(upstream.settings(), sleep=slept.append) as transport:
        transport.get("yahoo", "/x")
        transport.get("yahoo", "/y")
    assert [round(s) for s in slept] == [30, 30]


def test_retry_after_may_be_a_date(upstream, answer, hasty, monkeypatch) -> None:
    now = datetime(2026, 1, 20, 2, tzinfo=UTC)
    monkeypatch.setenv("ABRI_NOW", now.isoformat())
    slept: list[float] = []
    upstream.will(
        answer(b"", 429, Retry_After=format_datetime(now + timedelta(seconds=20), usegmt=True)), answer(b"{}")
    )
    with Transport(upstream.settings(), sleep=slept.append) as transport:
        transport.get("yahoo", "/x")
    assert [round(s) for s in slept] == [20]


@given(st.text(max_size=40) | st.integers(0, 10**400).map(str) | st.datetimes().map(lambda d: format_datetime(d)))
def test_any_retry_after_is_read_as_a_bounded_wait(value) -> None:
    wait = retry_after({"retry-after": value})
    assert wait is None or 0 <= wait <= 86_400


def test_a_wait_past_the_deadline_is_not_begun(upstream, transport, answer) -> None:
    upstream.will(answer(b"", 429, Retry_After="3600"))
    started = time.monotonic()
    for _ in range(2):  # the second call must not reach the server at all
        with pytest.raises(RateLimited) as caught:
            transport.get("yahoo", "/x")
        assert caught.value.retry_after == pytest.approx(3600, abs=2)
    assert time.monotonic() - started < 2
    assert len(upstream.seen) == 1


def test_an_unreachable_upstream_is_told_soon_with_its_mend() -> None:
    port = free_port()
    with Transport(Settings({"ABRI_UPSTREAM_URL": f"http://127.0.0.1:{port}"}, {})) as transport:
        started = time.monotonic()
        with pytest.raises(Unreachable, match=rf"127\.0\.0\.1:{port}.*check ABRI_UPSTREAM_URL"):
            transport.get("yahoo", "/x")
    assert time.monotonic() - started < 3
    assert transport.calls["yahoo"] == 3


@pytest.mark.parametrize("address", ["nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port", "http://[::1"])
def test_an_address_that_is_none_is_named(address) -> None:
    with (
        Transport(Settings({"ABRI_UPSTREAM_URL": address}, {})) as transport,
        pytest.raises(BadRequest, match="ABRI_UPSTREAM_URL"),
    ):
        transport.get("yahoo", "/x")


def test_an_unknown_upstream_is_named(transport) -> None:
    with pytest.raises(BadRequest, match="no upstream is called 'nyse'"):
        transport.get("nyse", "/x")


def test_a_short_body_is_truncated(upstream, transport, answer, hasty) -> None:
    upstream.will(answer(b"abc", Content_Length="10", Connection="close"))
    upstream.script[0] = closing(upstream.script[0])
    with pytest.raises(Truncated, match="broke off"):
        transport.get("yahoo", "/x")
    assert len(upstream.seen) == 5


def closing(inner):
    def act(handler) -> None:
        inner(handler)
        handler.close_connection = True

    return act


def test_a_connection_dropped_without_an_answer_is_truncated(upstream, transport, hasty) -> None:
    def drop(handler) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    upstream.will(drop)
    with pytest.raises(Truncated):
        transport.get("yahoo", "/x")


def test_gzip_is_unpacked(upstream, transport, answer) -> None:
    upstream.will(answer(gzip.compress(b"x" * 100_000), Content_Encoding="gzip"))
    assert transport.get("yahoo", "/x").body == b"x" * 100_000


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(b"hello" * 99)[:-12], b"no gzip at all", gzip.compress(b"hello") + b"tail"],
    ids=["early end", "damaged", "tail"],
)
def test_a_damaged_gzip_is_truncated(upstream, transport, answer, hasty, packed) -> None:
    upstream.will(answer(packed, Content_Encoding="gzip"))
    with pytest.raises(Truncated, match="compress"):
        transport.get("yahoo", "/x")


def test_an_encoding_not_asked_for_is_malformed(upstream, transport, answer) -> None:
    upstream.will(answer(b"x", Content_Encoding="br"))
    with pytest.raises(Malformed, match="'br'"):
        transport.get("yahoo", "/x")
    assert upstream.seen[0][2]["Accept-Encoding"] == "gzip"


def test_a_gzip_bomb_is_not_unpacked(upstream, answer) -> None:
    bomb = gzip.compress(bytes(32 * 1024 * 1024))
    upstream.will(answer(bomb, Content_Encoding="gzip"))
    with Transport(upstream.settings(), limit=1024 * 1024) as transport:
        tracemalloc.start()
        started = time.monotonic()
        with pytest.raises(Malformed, match="larger than 1 MB"):
            transport.get("yahoo", "/x")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert time.monotonic() - started < 1
    assert peak < 8 * 1024 * 1024


def test_an_endless_body_is_cut(upstream, answer) -> None:
    upstream.will(answer(b"x" * 3_000_000, Content_Length="2000000000"))
    with Transport(upstream.settings(), limit=1024 * 1024) as transport, pytest.raises(Malformed, match="larger"):
        transport.get("yahoo", "/x")


def test_a_drip_cannot_outlast_the_deadline(upstream) -> None:
    stop = threading.Event()

    def drip(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not stop.wait(0.05):
            handler.wfile.write(b"x")

    upstream.will(drip)
    started = time.monotonic()
    with Transport(upstream.settings(), deadline=0.5) as transport, pytest.raises(TimedOut):
        transport.get("yahoo", "/x")
    stop.set()
    assert time.monotonic() - started < 2
    assert len(upstream.seen) == 1


def test_silence_times_out(upstream) -> None:
    stop = threading.Event()
    upstream.will(lambda _: stop.wait(5))
    started = time.monotonic()
    with Transport(upstream.settings(), deadline=0.4) as transport, pytest.raises(TimedOut):
        transport.get("yahoo", "/x")
    stop.set()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><p>prove your work", b"\n <HTML><body>log in", b"<div>wait</div>"])
def test_a_web_page_with_status_200_is_refused_at_once(upstream, transport, answer, hasty, page) -> None:
    upstream.will(answer(page, Content_Type="text/html; charset=utf-8"))
    with pytest.raises(Refused, match="web page") as caught:
        transport.get("stooq", "/q/d/l/")
    assert "<" not in caught.value.detail
    assert len(upstream.seen) == 1


def test_a_redirect_within_the_upstream_is_followed(upstream, transport, answer) -> None:
    upstream.routes["/yahoo/a"] = answer(b"", 302, Location="/yahoo/b?c=1")
    upstream.routes["/yahoo/b"] = answer(b"{}")
    assert transport.get("yahoo", "/a", {"q": 1}).url == f"{upstream.url}/yahoo/b?c=1"
    assert transport.calls["yahoo"] == 2


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data", "https://guce.yahoo.com/consent", "file:///etc/passwd"],
)
def test_a_redirect_elsewhere_is_refused(upstream, transport, answer, target) -> None:
    upstream.will(answer(b"", 307, Location=target))
    with pytest.raises(Refused, match="not followed"):
        transport.get("yahoo", "/a")
    assert len(upstream.seen) == 1


def test_redirects_in_a_circle_end(upstream, transport, answer) -> None:
    upstream.will(answer(b"", 302, Location="/yahoo/a"))
    with pytest.raises(Refused, match="more than 3"):
        transport.get("yahoo", "/a")


def test_real_sec_hosts_want_a_contact() -> None:
    with Transport(Settings({}, {})) as transport:
        with pytest.raises(Refused, match=r"data\.sec\.gov.*ABRI_CONTACT"):
            transport.get("sec", "/submissions/CIK0000789019.json")
        assert not transport.calls


def test_the_contact_is_sent_to_the_sec_and_must_be_one_line() -> None:
    known = hosts.place("sec", Settings({"ABRI_CONTACT": "Jane Doe jane@example.org"}, {}))
    assert known.agent.endswith("jane@example.org")
    for contact in ("Jörg", "Jane\r\nX-Evil: 1"):
        with pytest.raises(Refused, match="ABRI_CONTACT"):
            hosts.place("sec", Settings({"ABRI_CONTACT": contact}, {}))
    assert "jane" not in hosts.place("yahoo", Settings({"ABRI_CONTACT": "jane@example.org"}, {})).agent


def test_polite_rates_hold_for_real_hosts_only() -> None:
    assert hosts.place("sec", Settings({"ABRI_CONTACT": "a@b.example"}, {})).gap == 1 / 8
    assert hosts.place("fred", Settings({}, {})).gap == 0.5
    assert hosts.place("fred", Settings({"ABRI_UPSTREAM_URL": "http://127.0.0.1:8900"}, {})).gap == 0
    assert hosts.place("fred", Settings({"ABRI_UPSTREAM_URL": "http://proxy.example:8900"}, {})).gap == 0.5


def test_the_pacer_spaces_requests_of_all_threads() -> None:
    left: list[float] = []
    pacer = Pacer(threading.Event().wait)

    def go() -> None:
        pacer.wait("fred", 0.03)
        left.append(time.monotonic())

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left.sort()
    assert left[-1] - left[0] >= 5 * 0.03 - 0.005
    pacer.wait("sec", 0.03)  # another upstream does not wait in that queue
    assert time.monotonic() - left[-1] < 0.03


@pytest.mark.parametrize("status", [200, 400, 404, 429])
def test_keys_appear_nowhere(upstream, answer, hasty, caplog, capsys, status) -> None:
    caplog.set_level(logging.DEBUG)
    upstream.will(answer(f"bad api_key={CANARY} and again {CANARY}".encode() if status != 200 else b"{}", status))
    with Transport(upstream.settings(FRED_API_KEY=CANARY)) as transport:
        try:
            shown = repr(transport.get("fred", "/series", {"series_id": "X", "api_key": CANARY}))
        except (Absent, BadRequest, RateLimited) as error:
            shown = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert upstream.seen[0][1]["api_key"] == [CANARY]  # it was sent
    printed = "".join(capsys.readouterr())
    assert CANARY not in shown + caplog.text + printed
