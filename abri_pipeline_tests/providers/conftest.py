"""A loopback server that answers as a test tells it to, and the transport pointed at it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Upstream:
    """Answers requests one after another from `script`; the last answer repeats."""

    url: str
    script: list[Answer] = field(default_factory=list)
    routes: dict[str, Answer] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)

    def will(self, *answers: Answer) -> None:
        self.script[:] = answers

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.seen]

    def settings(self, **more: str) -> Settings:
        return Settings({"ABRI_UPSTREAM_URL": self.url, **more}, {})


def send(body: bytes, status: int = 200, **headers: str) -> Answer:
    """An answer with these headers (underscores stand for dashes)."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.server.told.seen.append((parts.path, parse_qs(parts.query), dict(self.headers)))
            told = self.server.told
            answer = told.routes.get(parts.path) or (told.script.pop(0) if len(told.script) > 1 else told.script[0])
            try:
                answer(self)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.told = Upstream(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def transport(upstream: Upstream) -> Iterator[Transport]:
    with Transport(upstream.settings()) as asked:
        yield asked


@pytest.fixture
def answer() -> Callable[..., Answer]:
    return send
