"""Newer copies of the curated tables, where somebody publishes them behind `/reference`.

Belongs here: asking for the CSV files and reading their columns into ours. Does not belong here: the packaged
tables (reference room), or which of the two is used (ingest).
"""

import hashlib
import re

import pandas as pd

from abri_pipeline.providers.errors import Absent, BadRequest, Malformed
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import csv_table, dates, numbers, web_address

TABLES = ("weights", "gpu_prices", "deals", "segment_revenue")
WEIGHT_LINES = {
    **{line: line for line in ("AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "TSLA")},
    "IT_sector_asof": "IT_SECTOR",
    "IT_sector_gics2023": "IT_SECTOR_GICS2023",
}
GPU_MODELS = {
    ("H100", "80"): "H100-80GB",
    ("H200", "141"): "H200",
    ("A100", "80"): "A100-80GB",
    ("A100", "40"): "A100-40GB",
    ("L40S", "48"): "L40S",
}
_PRICE_KINDS = {"False": "on_demand", "True": "spot", "reserved": "reserved"}
_GPU_KEY = ["observed_on", "gpu_model", "source", "price_kind", "variant"]
_PRECISIONS = {"day": "day", "month": "month", "approx": "approx", "day-unsourced": "approx"}
_SEGMENTS = {"Data Center (market platform)": "Data Center"}
_QUARTER = r"FY\d{4}Q[1-4]"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_ME = "reference"


def fetch_table(transport: Transport, name: str) -> Payload:
    """The published copy of one curated table, as sent.

    Raises:
        Absent: nobody publishes one; the packaged table stands.
        UpstreamError: any other branch of the tree.
    """
    if name not in TABLES:
        raise BadRequest(_ME, f"no table is called {name[:40]!r}; known are {', '.join(TABLES)}")
    if not transport.settings.upstream_url:
        raise Absent(_ME, f"no newer copy of {name} is published; the packaged table stands")
    return transport.get(_ME, f"/{name}.csv")


def parse_weights(body: bytes) -> pd.DataFrame:
    """Read quarter-end S&P 500 weights, one row a line instead of one column.

    Returns:
        `effective_date` (datetime64[us]), `line` (share line, `IT_SECTOR` as published then,
        `IT_SECTOR_GICS2023` on the later basis), `weight` (fraction of 1; the wire has percent),
        `available_at` (datetime64[us]: the day it could first be known), `source`. Blanks have no row.

    Raises:
        Malformed: a web page, a missing column (named), or a text where a date belongs.
    """
    wide = csv_table(body, _ME, ("effective_date", "available_at", *WEIGHT_LINES))
    long = wide.assign(source=_sources(wide)).melt(
        ["effective_date", "available_at", "source"], list(WEIGHT_LINES), var_name="line", value_name="percent"
    )
    read = pd.DataFrame({
        "effective_date": dates(long["effective_date"], _ME, "effective_date"),
        "line": long["line"].map(WEIGHT_LINES),
        "weight": numbers(long["percent"]) / 100,
        "available_at": dates(long["available_at"], _ME, "available_at"),
        "source": long["source"],
    })  # fmt: skip
    return read.dropna(subset=["weight"]).sort_values(["effective_date", "line"], ignore_index=True)


def parse_gpu_prices(body: bytes) -> pd.DataFrame:
    """Read quotes of one GPU for one hour.

    Quotes that mix spot and on-demand offers belong to neither kind and are left out; models outside of
    `GPU_MODELS` too. Seller, day, model, kind and variant identify a quote: where a file repeats them, the first
    row stands. `frame.attrs` counts what was left out: `mixed`, `other_models`, `repeated`.

    Returns:
        `observed_on` (datetime64[us]), `gpu_model` (with its memory), `source` (seller or index),
        `price_kind` (on_demand, spot, reserved), `variant` ('' where none), `price_per_gpu_hour` (USD, NaN where
        the text is no number), `notes`, `source_url`.

    Raises:
        Malformed: a web page, a missing column (named), a text where a date belongs, an unknown `is_spot`.
    """
    raw = csv_table(
        body, _ME, ("date", "provider", "gpu_model", "memory_gb", "is_spot", "variant", "price_usd_per_gpu_hour")
    )
    mixed = raw["is_spot"] == "mixed"
    known = raw["is_spot"].isin(_PRICE_KINDS)
    if not (mixed | known).all():
        raise Malformed(_ME, f"column is_spot holds {raw['is_spot'][~(mixed | known)].iloc[0][:20]!r}")
    models = pd.Series(
        [GPU_MODELS.get(pair) for pair in zip(raw["gpu_model"], raw["memory_gb"], strict=True)], dtype="str"
    )
    urls = raw["sources"] if "sources" in raw else pd.Series("", raw.index)
    rows = raw["n_rows"] if "n_rows" in raw else pd.Series("", raw.index)
    read = pd.DataFrame({
        "observed_on": dates(raw["date"], _ME, "date"),
        "gpu_model": models,
        "source": raw["provider"],
        "price_kind": raw["is_spot"].map(_PRICE_KINDS),
        "variant": raw["variant"],
        "price_per_gpu_hour": numbers(raw["price_usd_per_gpu_hour"]),
        "notes": ("from " + rows + " listed offers").where(rows.str.isdigit(), None),
        "source_url": pd.Series([_repository(text) for text in urls], dtype="str"),
    })  # fmt: skip
    kept = read[known & models.notna()]
    unique = kept.drop_duplicates(_GPU_KEY, ignore_index=True)
    unique.attrs = {
        "mixed": int(mixed.sum()),
        "other_models": int((known & models.isna()).sum()),
        "repeated": len(kept) - len(unique),
    }
    return unique


def parse_deals(body: bytes) -> pd.DataFrame:
    """Read announced financing deals. Rows may be nested: nobody should sum them blindly.

    Returns:
        `deal_id` (16 hex digits from date, company and counterparty, the same in every copy of the table),
        `announced_date` (datetime64[us]), `date_precision` (day, month, approx; a day that nobody sources is
        approx), `company`, `amount_usd_millions` (NaN where none was published), `structure_type`,
        `counterparty`, `is_circular` (bool), `circularity_reason`, `source_url` (http only), `notes`.

    Raises:
        Malformed: a web page, a missing column (named), a text where a date or a flag belongs.
    """
    raw = csv_table(
        body,
        _ME,
        ("announced_date", "company", "amount_usd_millions", "structure_type", "counterparty", "is_circular",
         "circularity_reason", "source_url", "notes", "date_precision"),
    )  # fmt: skip
    flags = raw["is_circular"].str.lower().map({"true": True, "false": False})
    if flags.isna().any():
        raise Malformed(_ME, f"column is_circular holds {raw['is_circular'][flags.isna()].iloc[0][:20]!r}")
    return pd.DataFrame({
        "deal_id": _deal_ids(raw),
        "announced_date": dates(raw["announced_date"], _ME, "announced_date"),
        "date_precision": raw["date_precision"].map(_PRECISIONS).fillna("approx"),
        "company": raw["company"],
        "amount_usd_millions": numbers(raw["amount_usd_millions"]),
        "structure_type": raw["structure_type"],
        "counterparty": _blank_is_missing(raw["counterparty"]),
        "is_circular": flags.astype(bool),
        "circularity_reason": _blank_is_missing(raw["circularity_reason"]),
        "source_url": _addresses(raw["source_url"]),
        "notes": _blank_is_missing(raw["notes"]),
    })  # fmt: skip


def parse_segment_revenue(body: bytes) -> pd.DataFrame:
    """Read quarterly segment revenue; rows of whole years and of growth rates are no quarters and are left out.

    Returns:
        `ticker`, `fiscal_period` (such as FY2025Q1), `period_end` (datetime64[us]), `segment` (as the company
        names it; NVIDIA's market platform is `Data Center`), `revenue` (USD millions, NaN where the text is no
        number), `source_url` (http only). Ticker, quarter and segment identify a row; the first one stands.

    Raises:
        Malformed: a web page, a missing column (named), or a text where a date belongs.
    """
    raw = csv_table(body, _ME, ("ticker", "fiscal_period", "period_end", "segment", "revenue_usd_millions"))
    raw = raw[raw["fiscal_period"].str.fullmatch(_QUARTER) & ~raw["segment"].str.contains("%", regex=False)]
    read = pd.DataFrame({
        "ticker": raw["ticker"],
        "fiscal_period": raw["fiscal_period"],
        "period_end": dates(raw["period_end"], _ME, "period_end"),
        "segment": raw["segment"].replace(_SEGMENTS),
        "revenue": numbers(raw["revenue_usd_millions"]),
        "source_url": _addresses(raw["source"]) if "source" in raw else None,
    })  # fmt: skip
    return read.drop_duplicates(["ticker", "fiscal_period", "segment"], ignore_index=True)


def _sources(wide: pd.DataFrame) -> "pd.Series[str]":
    """Where the weights are from, as far as the table says so itself."""
    if "source" in wide:
        return wide["source"]
    evidence = wide["evidence"] if "evidence" in wide else pd.Series("none stated", wide.index, dtype="str")
    return "published reference table; evidence: " + evidence


def _deal_ids(raw: pd.DataFrame) -> list[str]:
    """Ids from what identifies a deal, untouched by case and spacing; a second deal of one key is numbered."""
    seen: dict[str, int] = {}
    ids: list[str] = []
    for parts in zip(raw["announced_date"], raw["company"], raw["counterparty"], strict=True):
        key = "|".join(" ".join(part.casefold().split()) for part in parts)
        seen[key] = seen.get(key, 0) + 1
        numbered = key if seen[key] == 1 else f"{key}|{seen[key]}"
        ids.append(hashlib.sha256(numbered.encode("utf-8", "surrogatepass")).hexdigest()[:16])
    return ids


def _addresses(texts: "pd.Series[str]") -> "pd.Series[str]":
    return pd.Series([web_address(text) for text in texts], texts.index, dtype="str")


def _repository(text: str) -> str | None:
    """The address of a source, which the GPU table gives as an address or as owner/name on GitHub."""
    return f"https://github.com/{text}" if _REPOSITORY.fullmatch(text) else web_address(text)


def _blank_is_missing(texts: "pd.Series[str]") -> "pd.Series[str]":
    return texts.mask(texts == "")
