"""Views of the warehouse."""

from abri_pipeline.contracts.abri import HISTORY

_DAY_START = {  # midnight UTC of a day, as an instant is stored
    "sqlite": "(\"{}\" || 'T00:00:00.000000Z')",
    "postgresql": "(\"{}\"::timestamp AT TIME ZONE 'UTC')",
}
_MONDAY = {  # of the week that holds a day
    "sqlite": "date(\"date\", 'weekday 0', '-6 days')",
    "postgresql": "date_trunc('week', \"date\"::timestamp)::date",
}


def statements(dialect: str) -> list[str]:
    """One CREATE VIEW a view, for `sqlite` or `postgresql`."""
    return [_abri_latest(), _ohlc_bars(dialect)]


def _abri_latest() -> str:
    """The official print of each date and method: the first live one for ever, else the newest reconstruction.

    A replay is a rehearsal and never official.
    """
    columns = ",\n    ".join(f'"{name}"' for name in HISTORY.columns)
    return f"""CREATE VIEW abri_latest AS
SELECT
    {columns}
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY as_of, method
        ORDER BY
            CASE kind WHEN 'live' THEN 0 ELSE 1 END,
            CASE kind WHEN 'live' THEN recorded_at END,
            recorded_at DESC, knowledge_at DESC, input_digest
    ) AS place
    FROM abri_history
    WHERE kind IN ('live', 'reconstructed')
) AS ranked
WHERE place = 1"""


def _ohlc_bars(dialect: str) -> str:
    """Equity bars of every timeframe under one roof: intraday and 4h as stored, days, and weeks put together here.

    A bar's `datetime` is its start; a day's is midnight UTC of its date and a week's that of its Monday. A week is
    shown from the first session after it on, so that no half week passes for a whole one.
    """
    monday, start = _MONDAY[dialect], _DAY_START[dialect]
    prices = ", ".join(f'b."{name}"' for name in ("open", "high", "low", "close"))
    return f"""CREATE VIEW ohlc_bars AS
SELECT
    b.symbol, b.timeframe, b."datetime", b."date",
    {prices}, CAST(NULL AS DOUBLE PRECISION) AS adj_close, b.volume, b.source_provider
FROM price_history_intraday AS b
UNION ALL
SELECT b.symbol, '1d', {start.format("date")}, b."date", {prices}, b.adj_close, b.volume, b.source_provider
FROM price_history_daily AS b
UNION ALL
SELECT
    w.symbol, '1w', {start.format("monday")}, w.monday,
    o."open", w.high, w.low, c."close", c.adj_close, w.volume, c.source_provider
FROM (
    SELECT
        symbol, {monday} AS monday, min("date") AS first_day, max("date") AS last_day,
        max(high) AS high, min(low) AS low, CAST(sum(volume) AS BIGINT) AS volume
    FROM price_history_daily
    GROUP BY symbol, {monday}
) AS w
JOIN price_history_daily AS o ON o.symbol = w.symbol AND o."date" = w.first_day
JOIN price_history_daily AS c ON c.symbol = w.symbol AND c."date" = w.last_day
WHERE w.monday < (SELECT {monday} FROM price_history_daily ORDER BY "date" DESC LIMIT 1)"""
