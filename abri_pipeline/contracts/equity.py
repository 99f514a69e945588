"""Equity bars and corporate actions."""

from abri_pipeline.contracts.model import (
    PROVENANCE,
    Cadence,
    Complete,
    Continuous,
    Dataset,
    Field,
    Fresh,
    Kind,
)

BARS = Dataset(
    name="price_history_daily",
    title="Daily equity bars",
    meaning="Open, high, low, close and volume of every watched instrument on every NYSE session.",
    grain="one instrument on one session",
    key=("symbol", "date"),
    observed="date",
    source="Yahoo chart API through yfinance; https://finance.yahoo.com",
    cadence=Cadence.SESSION,
    group="market",
    kinds=("python", "yahoo", "table"),
    fields=(
        Field("symbol", Kind.TEXT, "the instrument's current ticker", required=True),
        Field("date", Kind.DATE, "exchange session", required=True),
        Field("instrument_id", Kind.TEXT, "identity that survives a rename", required=True),
        Field("open", Kind.NUMBER, "first price, split-adjusted", "USD", above=0),
        Field("high", Kind.NUMBER, "highest price, split-adjusted", "USD", above=0),
        Field("low", Kind.NUMBER, "lowest price, split-adjusted", "USD", above=0),
        Field("close", Kind.NUMBER, "last price, split-adjusted", "USD", required=True, above=0),
        Field("adj_close", Kind.NUMBER, "close, also adjusted for dividends", "USD", above=0),
        Field("volume", Kind.COUNT, "shares traded, split-adjusted", "shares", low=0),
        Field("market_cap", Kind.NUMBER, "close x shares outstanding; null where shares are unknown", "USD", above=0),
        Field(
            "bar_status",
            Kind.TEXT,
            "final from 06:00 New York on the day after the session",
            required=True,
            choices=("provisional", "final"),
        ),
        *PROVENANCE,
    ),
    orders=(("low", "high"), ("low", "open"), ("low", "close"), ("open", "high"), ("close", "high")),
    expectations=(
        Complete(),
        Fresh(warn=1, error=7),
        Continuous("close", step=0.6, log=True, by="symbol"),
    ),
)

ACTIONS = Dataset(
    name="corporate_actions",
    title="Corporate actions",
    meaning="Dividends and splits on their ex-dates, from the same payload as the bars they adjust.",
    grain="one action of one instrument on one ex-date",
    key=("symbol", "date", "action"),
    observed="date",
    source="Yahoo chart API, events of the same payload; https://finance.yahoo.com",
    cadence=Cadence.EVENT,
    group="market",
    kinds=("python", "yahoo", "table"),
    fields=(
        Field("symbol", Kind.TEXT, "the instrument's current ticker", required=True),
        Field("date", Kind.DATE, "ex-date", required=True),
        Field("action", Kind.TEXT, "what happened", required=True, choices=("dividend", "split")),
        Field("value", Kind.NUMBER, "USD a share (split-adjusted), or new shares for one old", required=True, above=0),
        *PROVENANCE,
    ),
)
