"""Equity bars shorter than a day."""

from abri_pipeline.contracts.model import PROVENANCE, Cadence, Dataset, Field, Kind

# Minutes of one bar. Those fetched are asked of a provider; 4h is put together from ours and asked of nobody.
MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240}
FETCHED = ("1m", "5m", "15m", "30m", "1h")
RESAMPLED = ("4h",)

BARS = Dataset(
    name="price_history_intraday",
    title="Intraday equity bars",
    meaning=(
        "Open, high, low, close and volume of the instruments that keep a timeframe below the day, in regular hours. "
        "Bars of 4h are put together from ours, from the opening bell on."
    ),
    grain="one bar of one instrument in one timeframe",
    key=("symbol", "timeframe", "datetime"),
    observed="date",
    source="Yahoo chart API through yfinance, https://finance.yahoo.com; Massive where its key is set",
    cadence=Cadence.SESSION,
    group="market",
    kinds=("python", "yahoo", "table"),
    fields=(
        Field("symbol", Kind.TEXT, "the instrument's current ticker", required=True),
        Field("timeframe", Kind.TEXT, "length of the bar", required=True, choices=tuple(MINUTES)),
        Field("datetime", Kind.INSTANT, "start of the bar", required=True),
        Field("date", Kind.DATE, "exchange session the bar belongs to", required=True),
        Field("instrument_id", Kind.TEXT, "identity that survives a rename", required=True),
        Field("open", Kind.NUMBER, "first price, split-adjusted", "USD", above=0),
        Field("high", Kind.NUMBER, "highest price, split-adjusted", "USD", above=0),
        Field("low", Kind.NUMBER, "lowest price, split-adjusted", "USD", above=0),
        Field("close", Kind.NUMBER, "last price, split-adjusted", "USD", required=True, above=0),
        Field("volume", Kind.COUNT, "shares traded as the feed counts them, split-adjusted", "shares", low=0),
        *PROVENANCE,
    ),
    orders=(("low", "high"), ("low", "open"), ("low", "close"), ("open", "high"), ("close", "high")),
)
