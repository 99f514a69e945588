"""Places to measure in: a fresh home, a child process, a market served by a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "data"
NOW = "2026-01-20T02:00:00Z"
STARTS_WITHIN = 60.0


class ChildFailed(RuntimeError):
    """A measured process ended badly; the message holds the end of what it said."""


@dataclass(frozen=True)
class Market:
    """A running market: where it answers, and the file with one line for each request it was sent."""

    url: str
    journal: Path

    def requests(self, since: int = 0) -> list[str]:
        """`METHOD PATH STATUS` of the requests after the first `since`, sorted: threads ask in any order."""
        return sorted(self.journal.read_text().splitlines()[since:])


def environment(home: Path, upstream: str | None = None) -> dict[str, str]:
    """This process's environment without any setting of ours but those a measurement needs."""
    foreign = ("ABRI_", "DATABASE_URL", "DAGSTER_", "FRED_API_KEY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    kept |= {"ABRI_HOME": str(home), "ABRI_NOW": NOW, "DAGSTER_HOME": str(ROOT), "PYTHONPATH": str(ROOT)}
    return kept | ({"ABRI_UPSTREAM_URL": upstream} if upstream else {})


@contextmanager
def fresh_home() -> Iterator[Path]:
    """A home that exists for one measurement."""
    with tempfile.TemporaryDirectory(prefix="abri-bench-") as folder:
        yield Path(folder)


def child(module: str, arguments: list[str], env: Mapping[str, str]) -> dict[str, Any]:
    """Run one of our modules in its own process; returns the JSON document it wrote, with `process_seconds`.

    Raises:
        ChildFailed: it ended with an error.
    """
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", f"abri_pipeline_tests.bench.{module}", *arguments],
        cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False,
    )  # fmt: skip
    took = time.perf_counter() - began
    if done.returncode:
        raise ChildFailed(f"{module} ended with {done.returncode}: {done.stderr[-2000:]}")
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**document, "process_seconds": took}


@contextmanager
def served(data: Path | None) -> Iterator[Market]:
    """A market in a process of its own: a recorded one from a folder, or the synthetic one.

    Raises:
        ChildFailed: it did not start.
    """
    with fresh_home() as home:
        journal = home / "requests.txt"
        command = [sys.executable, "-m", "abri_pipeline_tests.bench.serve_market", str(journal)]
        server = subprocess.Popen(
            [*command, *([str(data)] if data else [])],
            cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            if not port:
                raise ChildFailed(f"the market did not start: exit code {server.wait(STARTS_WITHIN)}")
            yield Market(f"http://127.0.0.1:{port}", journal)
        finally:
            server.terminate()
            server.wait(STARTS_WITHIN)
            if server.stdout:
                server.stdout.close()
