"""The command line as a person runs it: a process of its own, a home of its own, a sandbox on loopback."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from abri_pipeline.sandbox.faults import Faults
from abri_pipeline.sandbox.server import running
from abri_pipeline.sandbox.synthetic import SyntheticMarket

NOW = "2026-01-20T02:00:00Z"
WINDOW = ("--start", "2026-01-05", "--end", "2026-01-16")
ABRI = [sys.executable, "-m", "abri_pipeline.cli"]

Abri = Callable[..., subprocess.CompletedProcess[str]]


def environment(home: Path, **more: str) -> dict[str, str]:
    """A clean environment with one home: no setting of this machine reaches the command."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"ABRI_HOME": str(home), "ABRI_NOW": NOW} | more


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def abri(home: Path) -> Abri:
    """Run one command to its end: `abri("status", ABRI_NOW="...")`."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ABRI, *arguments],
            env=environment(home, **settings),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def faults() -> Faults:
    """The switches of `sandbox`, to be set before or while it is asked."""
    return Faults()


@pytest.fixture
def sandbox(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A synthetic sandbox as of NOW, in this process; its address."""
    monkeypatch.setenv("ABRI_NOW", NOW)
    with running(SyntheticMarket(), faults=faults) as url:
        yield url


def one_line(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The command failed as it should: its code, one line that holds the words, and no traceback."""
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    lines = [line for line in result.stderr.splitlines() if line.startswith("abri: ")]
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0]


Settings = Mapping[str, str]
