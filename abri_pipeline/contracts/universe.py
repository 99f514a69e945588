"""The default watchlist: what a new database follows, with the dates that bound its history.

Listing days and rename: company filings and exchange notices. A ticker is a label with dates; the instrument id
never changes. The list only seeds the database's own `instruments`, which rules from then on.
"""

from dataclasses import dataclass
from datetime import date

MAG7 = ("AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META", "TSLA")
WINDOW_START = date(2021, 1, 19)  # where the history of an instrument begins unless somebody asks for more
TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One followed security; `listed_on` is None where it traded before the platform's first week."""

    symbol: str
    name: str
    asset_class: str
    groups: tuple[str, ...] = ()
    listed_on: date | None = None
    renamed: tuple[tuple[str, date, date], ...] = ()  # (old ticker, first day, last day)

    @property
    def instrument_id(self) -> str:
        """Identity that survives a rename: market and the ticker of the day it was first followed."""
        return f"XNYS:{self.symbol}"


WATCHLIST: tuple[Instrument, ...] = (
    Instrument("AAPL", "Apple", "equity", ("mag7",)),
    Instrument("MSFT", "Microsoft", "equity", ("mag7", "hyperscaler")),
    Instrument("GOOGL", "Alphabet class A", "equity", ("mag7", "hyperscaler")),
    Instrument("AMZN", "Amazon", "equity", ("mag7", "hyperscaler")),
    Instrument("NVDA", "NVIDIA", "equity", ("mag7",)),
    Instrument(
        "META",
        "Meta Platforms",
        "equity",
        ("mag7", "hyperscaler"),
        renamed=(("FB", date(2012, 5, 18), date(2022, 6, 8)),),
    ),
    Instrument("TSLA", "Tesla", "equity", ("mag7",)),
    Instrument("SPY", "SPDR S&P 500 ETF", "etf", ("index",)),
    Instrument("QQQ", "Invesco QQQ", "etf", ("index",)),
    Instrument("XLK", "Technology Select Sector SPDR", "etf", ("index",)),
    Instrument("TQQQ", "ProShares UltraPro QQQ", "etf", ("leveraged_etf",)),
    Instrument("SOXL", "Direxion Daily Semiconductor Bull 3X", "etf", ("leveraged_etf",)),
    Instrument("TECL", "Direxion Daily Technology Bull 3X", "etf", ("leveraged_etf",)),
    Instrument("CRWV", "CoreWeave", "equity", ("ai_pure_play",), listed_on=date(2025, 3, 28)),
    Instrument("AI", "C3.ai", "equity", ("ai_pure_play",), listed_on=date(2020, 12, 9)),
    Instrument("PLTR", "Palantir", "equity", ("ai_pure_play",), listed_on=date(2020, 9, 30)),
    Instrument("GOOG", "Alphabet class C", "equity", ("mag7",)),
    Instrument("PATH", "UiPath", "equity", ("ai_pure_play",), listed_on=date(2021, 4, 21)),
)
