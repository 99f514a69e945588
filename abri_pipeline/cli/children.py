"""Child processes that live and die together."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from abri_pipeline.cli.errors import CommandFailed

STOP_SECONDS = 6.0  # how long the children get before they are killed
LAST_LINES = 8


@dataclass
class Child:
    """One process with a log of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_lines(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {self.name} | {line}" for line in lines[-LAST_LINES:])


class Children:
    """A group of child processes; leaving the block stops them all.

    Each leads a process group of its own, so that what a child has started goes with it, and so that a Ctrl-C at the
    terminal reaches them through us, in order, and not past us.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        self._pause = Event()
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Child:
        """Start one; its output goes to a log of its name, begun anew."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                list(command),
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def check(self) -> None:
        """See that all are alive.

        Raises:
            CommandFailed: one has ended; the others are about to.
        """
        for child in self._children:
            if (code := child.process.poll()) is not None:
                raise CommandFailed(f"{child.name} ended by itself (exit code {code}); its log is {child.log}")

    def dead(self) -> list[Child]:
        """Those that have ended."""
        return [child for child in self._children if child.process.poll() is not None]

    def pause(self, seconds: float) -> None:
        """Wait, unless interrupted."""
        self._pause.wait(seconds)

    def stop(self) -> None:
        """Ask all to end, and end what has not by then."""
        for child in self._children:
            _signal(child, signal.SIGTERM)
        left = STOP_SECONDS
        while left > 0 and any(child.process.poll() is None for child in self._children):
            self._pause.wait(0.1)
            left -= 0.1
        for child in self._children:
            _signal(child, signal.SIGKILL)  # also for what a child that ended has left behind
            child.process.wait()


def _signal(child: Child, number: int) -> None:
    with suppress(ProcessLookupError):  # gone, with all that it had started
        os.killpg(child.process.pid, number)
