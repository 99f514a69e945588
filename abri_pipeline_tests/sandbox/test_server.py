"""The server itself: loopback, ports, request lines, labels, its own pages, start and stop."""

import io
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from abri_pipeline.sandbox import server
from abri_pipeline.sandbox.wires import unserved

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/yahoo/v8/finance/chart/NOPE?range=1d", 404),
        ("/yahoo/v7/finance/quote", 404),
        ("/fred/series/observations?series_id=NOPE&api_key=k", 400),  # FRED's own code for an unknown series
        ("/fred/series?series_id=NOPE&api_key=k", 400),
        ("/fred/releases", 404),
        ("/fredgraph/fredgraph.csv?id=NOPE", 404),
        ("/sec/api/xbrl/companyfacts/CIK0000000001.json", 404),
        ("/sec/submissions/CIK0000000001.json", 404),
        ("/sec/submissions/CIK0000000042-submissions-001.json", 404),
        ("/sec/files/company_tickers.json", 404),
        ("/reference/nope.csv", 404),
        ("/nowhere", 404),
        *[(f"/{prefix}/v1/anything?apikey=k", 501) for prefix in unserved.PREFIXES],
    ],
)
def test_every_wire_refuses_the_unknown_and_labels_the_market(sandbox, at, path, status):
    at("2024-07-06T00:00:00Z")
    answer = sandbox.get(path)
    assert answer.status_code == status
    assert answer.headers["x-abri-market"] == "synthetic"
    if status == 501:
        assert path.split("/")[1] in answer.json()["error"]


def test_health_tells_the_market_and_the_clock(sandbox, at):
    at("2024-07-06T00:00:00Z")
    assert sandbox.get("/_health").json() == {"market": "synthetic", "now": "2024-07-06T00:00:00+00:00"}


def test_calls_are_counted_by_upstream_without_the_sandboxs_own_pages(sandbox, at):
    at("2024-07-06T00:00:00Z")
    sandbox.delete("/_calls")
    for path in ("/yahoo/", "/yahoo/v1/test/getcrumb", "/reference/deals.csv", "/_health", "/stooq/q"):
        sandbox.get(path)
    assert sandbox.get("/_calls").json() == {"yahoo": 2, "reference": 1, "stooq": 1}


def test_a_request_line_holds_no_query_and_cannot_be_forged(hand_market, at):
    at("2024-07-06T00:00:00Z")
    out = io.StringIO()
    with server.running(hand_market, out=out) as base:
        httpx.get(f"{base}/fred/series?series_id=UNRATE&api_key=canary")
        httpx.get(f"{base}/yahoo/%5EGSPC%0AGET%20/forged%20200")
    assert out.getvalue().splitlines() == [
        "GET /fred/series 200",
        "GET /yahoo/^GSPC%0AGET%20/forged%20200 404",
    ]


def test_it_listens_on_loopback_only(hand_market):
    with server.running(hand_market) as base:
        assert base.startswith("http://127.0.0.1:")
    with server.listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    for host in ("0.0.0.0", "192.168.1.4", "example.org", "::"):  # noqa: S104 - the refusal is the subject
        with pytest.raises(server.NotLoopback, match="is not loopback"):
            server.listening(0, host)


def test_a_port_in_use_names_the_port_and_the_mend(hand_market):
    with server.listening(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(server.PortInUse, match=f"port {port} on 127.0.0.1 is in use: .*--port"):
            server.serve(hand_market, port)
        with pytest.raises(OSError, match="in use"), server.running(hand_market, port):
            pass


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ValueError, match="is no port"):
        server.listening(port)


def test_the_port_is_free_again_after_the_end(hand_market):
    with server.running(hand_market) as base:
        assert httpx.get(f"{base}/_health").status_code == 200
        port = int(base.rpartition(":")[2])
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base}/_health")
    with server.listening(port):
        pass


PROGRAM = """
import sys
from abri_pipeline.sandbox import server

class Bare:
    label = "synthetic"
    def bars(self, symbol): return None
    intraday = fred = companyfacts = submissions = reference = bars

served = server.serve(Bare(), 0, started=lambda port: print(port, file=sys.stderr, flush=True))
print("stopped", served, flush=True)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serve_writes_each_line_at_once_and_ends_on_a_signal(ending):
    environment = {**os.environ, "ABRI_NOW": "2024-07-06T00:00:00Z", "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONUNBUFFERED", None)  # else an unflushed line would pass too
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        port = int(process.stderr.readline())
        answer = httpx.get(f"http://127.0.0.1:{port}/yahoo/v8/finance/chart/UP")
        assert answer.status_code == 404
        # Asked while the server still runs: a buffered line would not be here yet.
        ready, _, _ = select.select([process.stdout], [], [], 5)
        assert ready, "the request line was not flushed"
        assert process.stdout.readline() == "GET /yahoo/v8/finance/chart/UP 404\n"
        process.send_signal(ending)
        process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
