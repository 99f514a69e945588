"""The choice of a provider: discounted Thompson sampling behind circuit breakers, pure and seeded.

An arm is one provider for one dataset. Its record is a Beta distribution over rewards between 0 and 1, which forgets
with a half-life, so that a provider that has mended is found again. Source: Thompson (1933); Raj and Kalyani, "Taming
non-stationary bandits: a Bayesian approach" (2017), for the discount.

Belongs here: the decision and what it learns. Does not belong here: quotas, clocks, where the arms are kept.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

HALF_LIFE = timedelta(hours=12)
PROBE_EVERY = timedelta(hours=16)  # with the longest open circuit: each provider is asked at least daily
BREAK_AFTER = 3  # failures in a row that open the circuit
OPEN_FIRST = timedelta(minutes=1)
OPEN_MOST = timedelta(hours=6)
SLOW_MS = 2000.0  # a latency of this much halves the latency part of the reward


@dataclass(frozen=True, slots=True)
class Arm:
    """What is known of one provider for one dataset.

    `alpha` and `beta` count rewards and their complements beyond the uniform prior; `failures` are those in a row;
    while `open_until` lies ahead the circuit is open and the provider is not asked.
    """

    provider: str
    alpha: float = 0.0
    beta: float = 0.0
    learnt_at: datetime | None = None
    asked_at: datetime | None = None
    failures: int = 0
    open_until: datetime | None = None

    def faded(self, now: datetime) -> "Arm":
        """The record as it counts now: it halves with every half-life."""
        if self.learnt_at is None or now <= self.learnt_at:
            return self
        kept = 0.5 ** ((now - self.learnt_at) / HALF_LIFE)
        return replace(self, alpha=self.alpha * kept, beta=self.beta * kept, learnt_at=now)

    @property
    def mean(self) -> float:
        """Expected reward."""
        return (1.0 + self.alpha) / (2.0 + self.alpha + self.beta)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whom to ask, in this order, and why the first one is first. Empty where every circuit is open."""

    order: tuple[str, ...]
    reason: str
    drawn: dict[str, float]


def choose(arms: Sequence[Arm], now: datetime, seed: int) -> Decision:
    """Order the providers for one request; the same arms, instant and seed give the same order.

    A provider that was not asked for nearly a day comes first, if its circuit is closed; otherwise the draws decide.
    """
    rng = np.random.default_rng(seed)
    drawn: dict[str, float] = {}
    for arm in sorted(arms, key=lambda a: a.provider):
        now_known = arm.faded(now)
        drawn[arm.provider] = float(rng.beta(1.0 + now_known.alpha, 1.0 + now_known.beta))
    usable = [arm for arm in arms if arm.open_until is None or arm.open_until <= now]
    if not usable:
        first = min((a for a in arms if a.open_until), key=lambda a: a.open_until or now, default=None)
        until = f"; the first closes at {first.open_until:%H:%M:%S} UTC" if first and first.open_until else ""
        return Decision((), f"every circuit is open{until}", drawn)
    order = sorted(usable, key=lambda a: -drawn[a.provider])
    overdue = [a for a in order if a.asked_at is None or now - a.asked_at >= PROBE_EVERY]
    if overdue:
        first = min(overdue, key=lambda a: (a.asked_at or datetime.min.replace(tzinfo=now.tzinfo), a.provider))
        order = [first, *(a for a in order if a is not first)]
        why = f"{first.provider} was not asked for {PROBE_EVERY.total_seconds() / 3600:.0f} h: a daily probe"
    else:
        why = f"{order[0].provider} drew {drawn[order[0].provider]:.3f} (expected {order[0].faded(now).mean:.3f})"
    return Decision(tuple(a.provider for a in order), why, drawn)


def reward(success: bool, latency_ms: float, quality: float) -> float:
    """The worth of one answer, 0-1: nothing for a failure, else 0.6 + 0.2 for speed + 0.2 for quality (0-1)."""
    if not success:
        return 0.0
    if not (math.isfinite(latency_ms) and 0.0 <= quality <= 1.0):
        raise ValueError(f"latency {latency_ms} ms and quality {quality} cannot be rewarded")
    return 0.6 + 0.2 * SLOW_MS / (SLOW_MS + max(0.0, latency_ms)) + 0.2 * quality


def learn(arm: Arm, worth: float, now: datetime) -> Arm:
    """The arm after one answer of that worth; failures in a row open its circuit, each time for twice as long."""
    if not 0.0 <= worth <= 1.0:
        raise ValueError(f"a reward lies between 0 and 1, not at {worth}")
    known = arm.faded(now)
    failures = arm.failures + 1 if worth == 0.0 else 0
    pause = OPEN_FIRST * 2 ** min(20, failures - BREAK_AFTER) if failures >= BREAK_AFTER else None
    return replace(
        known,
        alpha=known.alpha + worth,
        beta=known.beta + 1.0 - worth,
        learnt_at=now,
        asked_at=now,
        failures=failures,
        open_until=now + min(OPEN_MOST, pause) if pause else None,
    )
