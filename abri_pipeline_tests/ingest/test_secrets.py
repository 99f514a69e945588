"""S1: keys planted in every setting are in no archived payload, no journal, no table, whatever an upstream says."""

import gzip
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.catalog import TABLES
from abri_pipeline.ingest import credit, equity, filings
from abri_pipeline.ingest.desk import Desk, Window
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import SECRETS, Settings

WINDOW = Window(date(2024, 7, 1), date(2024, 7, 31))
CANARIES = {name: f"canary-{name.lower().replace('_', '-')}-77f1" for name in sorted(SECRETS)}


class Echo(BaseHTTPRequestHandler):
    """Answers everything with the request itself, key and headers included."""

    status = 200
    seen = ""

    def do_GET(self) -> None:
        said = f"{self.path} {self.headers}".replace('"', "'").replace("\r\n", " ")
        type(self).seen += said
        words = f"We have detected your API key as {said}; our standard API rate limit is 25 requests per day."
        body = f'{{"status": "ERROR", "Information": "{words}", "error": "{words}", "error_message": "{words}"}}'
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[200, 400])
def echo(request: pytest.FixtureRequest) -> Iterator[type[Echo]]:
    handler = type("EchoWith", (Echo,), {"status": request.param, "seen": ""})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        handler.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield handler
        server.shutdown()
        thread.join()


def everything(bench, home: Path) -> str:
    """All that is kept: files of the home, payloads unpacked, and the cells of every table."""
    files = [path for path in home.rglob("*") if path.is_file()]
    read = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files)
    cells = "".join(bench.rows(table).to_csv() for table in TABLES)
    return "".join(body.decode("utf-8", "replace") for body in read) + cells


def load(bench, settings: Settings) -> None:
    with Transport(settings) as transport:
        desk = Desk(bench.engine, bench.archive, transport, settings, "secret", pause=lambda _seconds: None)
        equity.load(desk, WINDOW, ["NVDA"])
        credit.load(desk, WINDOW)
        filings.load(desk, WINDOW)


def test_s1_an_upstream_that_repeats_the_keys(bench, echo, caplog):
    settings = Settings({**bench.settings.values, **CANARIES, "ABRI_UPSTREAM_URL": echo.address}, {})
    load(bench, settings)
    sent = {name for name, canary in CANARIES.items() if canary in echo.seen}
    assert {"FRED_API_KEY", "MASSIVE_API_KEY", "ALPHAVANTAGE_API_KEY"} <= sent
    assert len(bench.rows(operations.AUDIT)) > 0
    kept = everything(bench, bench.settings.home) + caplog.text
    assert [name for name, canary in CANARIES.items() if canary in kept] == []


def test_s1_an_ordinary_load(bench, caplog):
    bench.market.holes = {("NVDA", date(2024, 7, 9))}
    settings = Settings({**bench.settings.values, **CANARIES}, {})
    load(replace(bench), settings)
    kept = everything(bench, bench.settings.home) + caplog.text
    assert "NVDA" in kept
    assert [name for name, canary in CANARIES.items() if canary in kept] == []
