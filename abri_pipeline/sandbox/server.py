"""The sandbox's server: the app over one market, bound to loopback only.

Belongs here: putting the layers together, ports, start and stop. Does not belong here: wires, markets.
"""

import errno
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from threading import Thread
from typing import TextIO

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from abri_pipeline.sandbox import control, wires
from abri_pipeline.sandbox.faulted import Faulted
from abri_pipeline.sandbox.faults import Faults
from abri_pipeline.sandbox.journal import Journal
from abri_pipeline.sandbox.market import Market

HOST = "127.0.0.1"
PORT = 8900
STOP_SECONDS = 2


class PortInUse(OSError):
    """Something listens on the port already; the message names the port and the mend."""


class NotLoopback(ValueError):
    """The sandbox was asked to listen where other machines could reach it."""


def build_app(market: Market, faults: Faults | None = None, out: TextIO | None = None) -> Starlette:
    """The sandbox as an ASGI app.

    Args:
        market: what is served.
        faults: the switches, changed later through `/_faults`; none where left out.
        out: a stream for one flushed line a request (`METHOD PATH STATUS`); None writes nothing.
    """
    switches = faults if faults is not None else Faults()
    counts: Counter[str] = Counter()
    return Starlette(
        routes=[*control.routes(market, switches, counts), *wires.routes(market)],
        middleware=[
            Middleware(Journal, label=market.label, counts=counts, out=out),
            Middleware(Faulted, faults=switches),
        ],
    )


def listening(port: int = PORT, host: str = HOST) -> socket.socket:
    """A socket that listens on loopback; port 0 lets the system choose.

    Raises:
        PortInUse: the port is taken.
        NotLoopback: `host` is not a loopback address.
        ValueError: the port is none.
    """
    if host != "localhost" and not _is_loopback(host):
        raise NotLoopback(f"{host} is not loopback: the sandbox has no credentials, so it listens on {HOST} only")
    if not 0 <= port <= 65_535:
        raise ValueError(f"{port} is no port; choose one of 0 to 65535 (0 lets the system choose)")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    # Without it, a sandbox restarted within a minute would find its own closed connections in the way.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            said = f"port {port} on {host} is in use: stop what listens there, or choose another with --port"
            raise PortInUse(errno.EADDRINUSE, said) from error
        raise
    return listener


def serve(
    market: Market,
    port: int = PORT,
    host: str = HOST,
    faults: Faults | None = None,
    *,
    out: TextIO | None = None,
    started: Callable[[int], None] | None = None,
) -> int:
    """Serve until interrupted (SIGINT, SIGTERM), then return the port that was served.

    Args:
        market: what is served.
        port: 0 lets the system choose; `started` is told which.
        host: a loopback address.
        faults: switches that are on from the start.
        out: where the request lines go, standard output by default.
        started: called with the port once connections are accepted.

    Raises:
        PortInUse: the port is taken.
        NotLoopback: `host` is not a loopback address.
    """
    listener = listening(port, host)
    chosen: int = listener.getsockname()[1]
    server = _server(build_app(market, faults, out or sys.stdout))
    with listener:
        if started is not None:
            started(chosen)
        server.run(sockets=[listener])
    return chosen


@contextmanager
def running(market: Market, port: int = 0, faults: Faults | None = None, *, out: TextIO | None = None) -> Iterator[str]:
    """A sandbox in a background thread; yields its base URL and stops it at the end.

    Connections are accepted from the first moment, since the socket listens before the thread starts.
    Without `out` nothing is printed.

    Raises:
        PortInUse: the port is taken.
    """
    with listening(port) as listener:
        server = _server(build_app(market, faults, out))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="abri-sandbox", daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=3 * STOP_SECONDS)


def _server(app: Starlette) -> uvicorn.Server:
    """uvicorn with its own logs off: the journal writes the one line a request."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
