"""The instruments of the synthetic market: loadings, levels, listing dates, splits and dividends.

Belongs here: the table of parameters. Does not belong here: any arithmetic on them.

Symbols and listing dates are the real ones, so that the platform's own instrument table fits; every number
else is invented. Splits stand on days of our own choosing, some of them in 2026: a chart asked as of an
earlier day must not know them yet. META is META throughout, as Yahoo serves it; `FB` is unknown.
"""

from dataclasses import dataclass, field
from datetime import date

from abri_pipeline.sandbox.synthetic_world import FIRST_SESSION


@dataclass(frozen=True)
class Instrument:
    """A share or an unlevered fund.

    `beta` and `ai` load on the two factors, `own` is the daily volatility of the rest; `last_close` (USD,
    split-adjusted) is the level at the end and `growth` (log, a year) the average way there, None where the
    factors alone decide. `turnover` is shares a day; `dividend` the yearly yield, quarterly from
    `dividend_from` in the months of `dividend_months`.
    """

    symbol: str
    beta: float
    ai: float
    own: float
    last_close: float
    growth: float | None
    turnover: float
    dividend: float = 0.0
    dividend_months: tuple[int, ...] = (3, 6, 9, 12)
    dividend_from: date = FIRST_SESSION
    listed_on: date = FIRST_SESSION
    splits: dict[date, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Leveraged:
    """A fund that returns three times its underlying's day, less its fee."""

    symbol: str
    underlying: str
    last_close: float
    turnover: float
    splits: dict[date, float]


CHIPS = "chip index"  # not a symbol: SOXL's underlying, served to nobody

_FEB = (2, 5, 8, 11)
_GOOGLE_SPLIT = {date(2022, 8, 15): 15.0}

INSTRUMENTS = (
    Instrument("SPY", 1.00, 0.00, 0.00015, 702.0, None, 8.0e7, 0.0135),
    Instrument("QQQ", 1.12, 0.30, 0.0025, 618.0, 0.152, 4.5e7, 0.0060),
    Instrument("XLK", 1.14, 0.40, 0.0032, 143.0, 0.158, 1.1e7, 0.0075, splits={date(2025, 11, 17): 2.0}),
    Instrument(CHIPS, 1.35, 0.85, 0.0085, 1000.0, 0.200, 1.0e6),
    Instrument("AAPL", 1.12, 0.15, 0.0098, 274.0, 0.190, 5.5e7, 0.0050, _FEB,
               splits={date(2020, 9, 14): 3.0}),
    Instrument("MSFT", 1.05, 0.35, 0.0085, 488.0, 0.185, 2.4e7, 0.0080, _FEB),
    Instrument("GOOGL", 1.08, 0.30, 0.0112, 252.0, 0.175, 3.0e7, 0.0045, dividend_from=date(2024, 6, 3),
               splits=_GOOGLE_SPLIT),
    Instrument("AMZN", 1.15, 0.30, 0.0122, 236.0, 0.160, 4.6e7, splits={date(2022, 5, 16): 20.0}),
    Instrument("NVDA", 1.75, 0.95, 0.0130, 61.0, 0.400, 7.5e8, 0.0006,
               splits={date(2021, 6, 14): 5.0, date(2024, 5, 20): 8.0, date(2026, 5, 18): 3.0}),
    Instrument("META", 1.15, 0.40, 0.0152, 344.0, 0.155, 3.6e7, 0.0035, dividend_from=date(2024, 3, 1),
               splits={date(2026, 4, 20): 2.0}),
    Instrument("TSLA", 1.45, 0.25, 0.0245, 395.0, 0.300, 1.0e8,
               splits={date(2020, 10, 12): 4.0, date(2022, 9, 19): 3.0}),
    Instrument("PLTR", 1.50, 0.90, 0.0260, 148.0, 0.420, 6.0e7, listed_on=date(2020, 9, 30)),
    Instrument("AI", 1.45, 0.90, 0.0310, 19.0, -0.220, 4.5e6, listed_on=date(2020, 12, 9)),
    Instrument("PATH", 1.30, 0.60, 0.0250, 16.0, -0.260, 1.1e7, listed_on=date(2021, 4, 21)),
    Instrument("CRWV", 1.60, 1.70, 0.0330, 96.0, 0.480, 2.0e7, listed_on=date(2025, 3, 28)),
)  # fmt: skip

LEVERAGED = (
    Leveraged("TQQQ", "QQQ", 58.0, 9.0e7, {date(2021, 3, 15): 2.0, date(2025, 9, 22): 2.0}),
    Leveraged("SOXL", CHIPS, 44.0, 7.5e7, {date(2021, 4, 12): 12.0}),
    Leveraged("TECL", "XLK", 118.0, 1.6e6, {date(2021, 4, 12): 8.0}),
)

# Google's second line: the same company, a price within half a percent, its own volume, no vote.
TWINS = {"GOOG": "GOOGL"}

SYMBOLS = tuple(
    [each.symbol for each in INSTRUMENTS if each.symbol != CHIPS] + [each.symbol for each in LEVERAGED] + list(TWINS)
)
