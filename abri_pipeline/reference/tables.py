"""The packaged reference tables, as the bytes that ship in the wheel.

Four of them have the layout of the wire `/reference/{name}.csv`, so one parser reads a packaged table and a
published one alike; a published copy replaces the packaged table whole. `deal_rulings` is ours alone and applies
to whichever copy of the deals is loaded. How the rows were chosen is told in `docs/reference.md`.
"""

from importlib.resources import files

COLUMNS: dict[str, tuple[str, ...]] = {
    # Percent of the S&P 500 at each quarter end; `available_at` is the day the holdings could be read.
    "weights": (
        "quarter", "effective_date", "AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "TSLA",
        "IT_sector_asof", "IT_sector_gics2023", "available_at", "source",
    ),
    # USD per GPU-hour, one H100 point a quarter.
    "gpu_prices": (
        "date", "provider", "gpu_model", "memory_gb", "is_spot", "variant", "price_usd_per_gpu_hour",
        "source_url", "note",
    ),
    # USD millions; an empty amount means that no source gives one.
    "deals": (
        "announced_date", "company", "amount_usd_millions", "structure_type", "counterparty", "is_circular",
        "circularity_reason", "source_url", "notes", "date_precision",
    ),
    # USD millions a fiscal quarter, rounded as the source rounds.
    "segment_revenue": (
        "ticker", "fiscal_period", "period_end", "segment", "revenue_usd_millions", "source", "note",
    ),
    # Deals that must not be summed, matched by the first three columns.
    "deal_rulings": (
        "announced_date", "company", "amount_usd_millions", "ruling", "reason", "source_url",
    ),
}  # fmt: skip
NAMES: tuple[str, ...] = tuple(COLUMNS)


class UnknownTableError(KeyError):
    """Nobody packaged a table of that name; the message lists the names there are."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the sentence in quotes


def packaged(name: str) -> bytes:
    """The CSV of one packaged table: UTF-8, a header line, LF line ends.

    Args:
        name: one of `NAMES`.

    Returns:
        The file's bytes, untouched, so that their digest names the release they came from.

    Raises:
        UnknownTableError: for any other name.
    """
    if name not in COLUMNS:
        raise UnknownTableError(f"no packaged reference table {name!r}; there are {', '.join(NAMES)}")
    return files(__package__).joinpath(f"{name}.csv").read_bytes()
