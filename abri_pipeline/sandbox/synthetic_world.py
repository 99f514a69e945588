"""The hidden state of the synthetic world: the days, two factors, their volatility, and the seeds.

Belongs here: what every synthetic table shares. Does not belong here: any series a wire serves.

The factors live on every weekday, holidays included. What happens while an exchange is closed reaches its
prices at the next session, and the series that do not follow the exchange (spreads, yields) need no second
calendar. Each stream of random numbers is keyed by its name, so a new symbol or series never moves an old
one, and no stream depends on the order in which tables are asked for.
"""

import zlib
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

from abri_pipeline.calendars import sessions

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]

LABEL = "synthetic"
FIRST_DAY = date(2012, 1, 2)
FIRST_SESSION = date(2018, 1, 2)
LAST_DAY = date(2026, 12, 31)
YEAR = 261.0  # weekdays, the unit of the factors' clock

_SEED = 20_180_102
_CALM_VOLATILITY = 0.0072  # a weekday of the market factor outside episodes, standard deviation
_AI_VOLATILITY = 0.0085
_MARKET_GROWTH = 0.170  # a year, log, outside episodes
_DEGREES = 6.0  # Student's t: daily returns have fat tails


@dataclass(frozen=True)
class Episode:
    """A stretch with its own drift: total log returns of both factors, and volatility times the calm one."""

    name: str
    first: date
    last: date
    market: float
    ai: float
    volatility: float


EPISODES = (
    Episode("commodity slump", date(2015, 8, 10), date(2016, 2, 12), -0.13, -0.04, 1.7),
    Episode("sudden stop", date(2020, 3, 2), date(2020, 4, 10), -0.33, 0.02, 4.2),
    Episode("recovery", date(2020, 4, 13), date(2021, 1, 8), 0.40, 0.10, 1.3),
    Episode("rate shock", date(2022, 2, 7), date(2022, 10, 21), -0.25, -0.30, 1.8),
    Episode("AI boom", date(2023, 1, 9), date(2025, 1, 31), 0.36, 0.85, 0.9),
    Episode("AI doubt", date(2025, 2, 18), date(2025, 5, 2), -0.17, -0.22, 2.8),
    Episode("relief", date(2025, 5, 5), date(2025, 10, 31), 0.24, 0.22, 1.0),
    Episode("funding squeeze", date(2026, 7, 13), date(2026, 9, 25), -0.14, -0.18, 2.2),
)


@dataclass(frozen=True, eq=False)
class World:
    """Arrays over the weekdays from FIRST_DAY to LAST_DAY.

    Returns are daily logs; `turbulence` is volatility as a multiple of the calm level, smoothed.
    """

    days: Days
    market: Floats
    ai: Floats
    volatility: Floats
    ai_volatility: Floats
    turbulence: Floats


def stream(name: str) -> np.random.Generator:
    """The random numbers of one named series, the same in every process."""
    return np.random.default_rng([_SEED, zlib.crc32(name.encode())])


def fat_tailed(rng: np.random.Generator, size: int) -> Floats:
    """Student's t draws of unit variance."""
    return np.asarray(rng.standard_t(_DEGREES, size) / np.sqrt(_DEGREES / (_DEGREES - 2.0)))


def mean_reverting(rng: np.random.Generator, size: int, memory: float, deviation: float) -> Floats:
    """A first-order autoregression around 0 whose long-run standard deviation is `deviation`."""
    return decayed(rng.normal(0.0, deviation * np.sqrt(1.0 - memory**2), size), memory)


def decayed(shocks: Floats, memory: float) -> Floats:
    """Sum of past shocks, each faded by `memory` a step: x[t] = memory * x[t-1] + shocks[t]."""
    level, path = 0.0, []
    for shock in shocks.tolist():
        level = memory * level + shock
        path.append(level)
    return np.array(path)


def between(days: Days, points: dict[str, float]) -> Floats:
    """Straight lines through (ISO date, value) points, read at `days`; flat beyond the ends."""
    known = np.array(list(points), dtype="datetime64[D]").astype(np.float64)
    at = days.astype("datetime64[D]").astype(np.float64)
    return np.asarray(np.interp(at, known, np.array(list(points.values()))))


@cache
def world() -> World:
    """The hidden state, built once a process in about 15 ms."""
    everyday = np.arange(np.datetime64(FIRST_DAY), np.datetime64(LAST_DAY) + np.timedelta64(1, "D"))
    days = everyday[np.is_busday(everyday)]
    turbulence = _turbulence(days)
    wobble = np.exp(mean_reverting(stream("volatility"), len(days), 0.97, 0.28))
    volatility = _CALM_VOLATILITY * turbulence * wobble
    ai_volatility = _AI_VOLATILITY * np.sqrt(turbulence) * wobble
    return World(
        days=days,
        market=_factor("market", days, volatility, _MARKET_GROWTH),
        ai=_factor("ai", days, ai_volatility, 0.0),
        volatility=volatility,
        ai_volatility=ai_volatility,
        turbulence=turbulence,
    )


@cache
def session_days() -> Days:
    """The New York sessions of the synthetic market, FIRST_SESSION to LAST_DAY."""
    return np.array(sessions.sessions(FIRST_SESSION, LAST_DAY), dtype="datetime64[D]")


def _turbulence(days: Days) -> Floats:
    target = np.ones(len(days))
    for episode in EPISODES:
        target[_inside(days, episode)] = episode.volatility
    level, path = 1.0, []
    for wanted in target.tolist():  # fear comes within days and leaves over weeks
        level += (0.35 if wanted > level else 0.06) * (wanted - level)
        path.append(level)
    return np.array(path)


def _inside(days: Days, episode: Episode) -> NDArray[np.bool_]:
    return (days >= np.datetime64(episode.first)) & (days <= np.datetime64(episode.last))


def _factor(name: str, days: Days, volatility: Floats, growth: float) -> Floats:
    """Noise centred within each stretch, so that a stretch returns what its row says and no luck besides."""
    noise = fat_tailed(stream(name), len(days)) * volatility
    stretch = np.zeros(len(days), dtype=np.int64)
    drift = np.full(len(days), growth / YEAR)
    for number, episode in enumerate(EPISODES, start=1):
        inside = _inside(days, episode)
        total = episode.market if name == "market" else episode.ai
        drift[inside] = total / inside.sum()
        stretch[inside] = number
    edges = np.flatnonzero(np.diff(stretch)) + 1
    centred = [part - part.mean() for part in np.split(noise, edges)]
    return np.asarray(np.concatenate(centred) + drift)
