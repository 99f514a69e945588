"""Credit spreads and the fear gauge of the synthetic market.

Belongs here: the daily FRED series that are driven by the market factor: BAMLH0A0HYM2 and BAMLC0A4CBBB
(option-adjusted spreads), BAA10Y and VIXCLS. Does not belong here: rates and the economy
(`synthetic_macro`).

The log of a spread falls when the market factor rises, is pulled towards a level that turbulence lifts, and
has a little noise of its own. Percent, two decimals, like the real series.
"""

from functools import cache

import numpy as np
import pandas as pd

from abri_pipeline.calendars import sessions
from abri_pipeline.sandbox.synthetic_world import (
    YEAR,
    Days,
    Floats,
    decayed,
    mean_reverting,
    stream,
    world,
)

_PULL = 0.985  # memory of a spread, a weekday


@cache
def daily() -> dict[str, pd.Series]:
    """The four series over all weekdays by series id, unrounded, indexed by day; the wire's form is in
    `synthetic_macro`."""
    state = world()
    spreads = {
        "BAMLH0A0HYM2": _spread("high yield", 4.1, market=-1.9, turbulence=0.30, noise=0.009),
        "BAMLC0A4CBBB": _spread("bbb", 1.55, market=-1.2, turbulence=0.26, noise=0.007),
        "BAA10Y": _spread("baa", 2.15, market=-0.8, turbulence=0.20, noise=0.008),
        "VIXCLS": _fear(state.volatility, state.market),
    }
    return {series_id: pd.Series(values, index=state.days) for series_id, values in spreads.items()}


def weekend_month_ends(days: Days) -> Days:
    """Month ends on a Saturday or Sunday: the two ICE series are also struck on those."""
    months = np.unique(days.astype("datetime64[M]"))
    ends: Days = (months + 1).astype("datetime64[D]") - 1
    weekend: Days = ends[~np.is_busday(ends)]
    return weekend


def stock_exchange_holidays(days: Days) -> Days:
    """Weekdays of the synthetic sessions' years on which New York's stock exchange does not trade."""
    traded = sessions.sessions(days[0].astype(object), days[-1].astype(object))
    return np.setdiff1d(days, np.array(traded, dtype="datetime64[D]"))


def _spread(name: str, level: float, market: float, turbulence: float, noise: float) -> Floats:
    state = world()
    steady = np.log(level) + turbulence * np.log(state.turbulence)
    # The factor's mean drift is in the level already; only news about it moves a spread.
    news = market * (state.market - state.market.mean())
    news += stream(f"{name} spread").normal(0.0, noise, len(state.days))
    slow = mean_reverting(stream(f"{name} cycle"), len(state.days), 0.998, 0.10)
    return np.asarray(np.exp(steady + slow + decayed(news, _PULL)))


def _fear(volatility: Floats, market: Floats) -> Floats:
    """Annualised volatility with a premium, jumping with the last week's falls; index points."""
    noise = mean_reverting(stream("fear"), len(market), 0.9, 0.05)
    week = decayed(-market, 0.8)
    level = 100.0 * np.sqrt(YEAR) * volatility * 1.2 * np.exp(noise) + 90.0 * week + 3.0
    return np.asarray(np.maximum(9.0, level))
