"""Polite rates: a gap between requests, and silence for as long as an upstream asked for it.

Belongs here: when the next request may leave. Does not belong here: whether it should (transport).
"""

import threading
import time
from collections.abc import Callable


class Pacer:
    """Hands out departure times, one upstream after another, to any number of threads."""

    def __init__(self, sleep: Callable[[float], object]) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}

    def delay(self, upstream: str) -> float:
        """Seconds until the upstream may be asked again; 0 if it may be asked now."""
        with self._lock:
            return max(0.0, self._free_at.get(upstream, 0.0) - time.monotonic())

    def wait(self, upstream: str, gap: float) -> None:
        """Take the next free departure time and sleep until it has come."""
        with self._lock:
            now = time.monotonic()
            departs = max(now, self._free_at.get(upstream, 0.0))
            self._free_at[upstream] = departs + gap
        if departs > now:
            self._sleep(departs - now)

    def hold(self, upstream: str, seconds: float) -> None:
        """Let nobody ask the upstream for so long: it told one of us to wait, and means all of us."""
        with self._lock:
            self._free_at[upstream] = max(self._free_at.get(upstream, 0.0), time.monotonic() + seconds)
