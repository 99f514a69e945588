"""The platform as people start it: `abri up --demo`, with a home and ports of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from abri_pipeline.settings import NAMES, PROJECT_ROOT

NOW = "2026-01-20T02:00:00Z"
START_SECONDS = 90
STOP_SECONDS = 20


@dataclass(frozen=True)
class Platform:
    """Where a running platform listens, and where it keeps its state."""

    ui: str
    sandbox: str
    home: Path

    def ask(self, query: str, **variables: Any) -> Any:
        """What Dagster's own GraphQL says: the second witness beside the screen."""
        answer = httpx.post(f"{self.ui}/graphql", json={"query": query, "variables": variables}, timeout=30)
        said = answer.raise_for_status().json()
        assert "errors" not in said, said["errors"]
        return said["data"]

    @contextmanager
    def fault(self, **switch: str) -> Iterator[None]:
        """An upstream that does something wrong for a while (`abri_pipeline.sandbox.faults`)."""
        httpx.post(f"{self.sandbox}/_faults", json=switch).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(f"{self.sandbox}/_faults").raise_for_status()


@contextmanager
def platform(home: Path) -> Iterator[Platform]:
    """UI, daemon and sandbox on a synthetic market, frozen at `NOW`; all of them end with the block."""
    home.mkdir(parents=True, exist_ok=True)
    port, sandbox_port = free_port(), free_port()
    words = ["-m", "abri_pipeline.cli", "up", "--demo", "--port", str(port), "--sandbox-port", str(sandbox_port)]
    outer = {name: value for name, value in os.environ.items() if name not in NAMES}
    log = home / "up.log"
    with log.open("wb") as out:
        service = subprocess.Popen(
            [sys.executable, *words],
            cwd=PROJECT_ROOT,
            env=outer | {"ABRI_HOME": str(home), "ABRI_NOW": NOW, "DAGSTER_HOME": str(PROJECT_ROOT)},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await_announcement(service, log)
            yield Platform(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}", home)
        finally:
            service.send_signal(signal.SIGINT)  # as Ctrl-C: it ends what it has started
            service.wait(STOP_SECONDS)


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_announcement(service: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until `abri up` says that the UI is there; one that ends or keeps silent fails with what it said."""
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline:
        try:
            service.wait(0.2)
        except subprocess.TimeoutExpired:
            if "Dagster UI" in log.read_text():
                return
        else:
            break
    pytest.fail(f"`abri up` did not come up:\n{log.read_text()[-2000:]}")
