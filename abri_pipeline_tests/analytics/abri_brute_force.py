"""spec-1.1 written a second time from the published text: slow, row by row, sharing no code with the package."""

import calendar
import math
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from abri_pipeline.analytics.abri import Inputs

Row = dict[str, Any]
WEIGHTS = {
    "concentration": 0.15, "correlation": 0.10, "credit_stress": 0.15, "gpu_deflation": 0.15,
    "capex_intensity": 0.15, "revenue_gap": 0.10, "deal_flow": 0.20,
}  # fmt: skip
STRESS = {"correlation", "credit_stress", "gpu_deflation"}


def rows_known(frame: pd.DataFrame, observed: str, as_of: date, known: datetime) -> list[Row]:
    rows: list[Row] = [
        {key: None if pd.isna(value) else value for key, value in row.items()} for row in frame.to_dict("records")
    ]
    return [row for row in rows if row[observed] <= as_of and row["available_at"] <= known]


def months_back(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    last = calendar.monthrange(month // 12, month % 12 + 1)[1]
    return date(month // 12, month % 12 + 1, min(day.day, last))


def newest_version(rows: list[Row], *key: str) -> list[Row]:
    best: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        name = tuple(row[part] for part in key)
        if name not in best or row["available_at"] > best[name]["available_at"]:
            best[name] = row
    return list(best.values())


def newest_metric(rows: list[Row], column: str, as_of: date) -> float | None:
    usable = [row for row in rows if row[column] is not None and (as_of - row["date"]).days <= 8]
    return max(usable, key=lambda row: row["date"])[column] if usable else None


def credit_rank(rows: list[Row], as_of: date) -> float | None:
    history = [
        row for row in newest_version(rows, "date")
        if row["date"].weekday() < 5 and row["date"] > months_back(as_of, 60)
        and row["hy_ig_diff"] is not None and row["substitute"] is None
    ]  # fmt: skip
    history.sort(key=lambda row: row["date"])
    if not history or history[0]["date"] > months_back(as_of, 12) or (as_of - history[-1]["date"]).days > 10:
        return None
    return sum(row["hy_ig_diff"] <= history[-1]["hy_ig_diff"] for row in history) / len(history)


def h100_median(rows: list[Row]) -> float | None:
    quotes = [
        row for row in rows
        if row["gpu_model"] == "H100-80GB" and row["price_kind"] == "on_demand"
        and row["price_per_gpu_hour"] is not None
    ]  # fmt: skip
    if not quotes:
        return None
    week = max(row["observed_on"].isocalendar()[:2] for row in quotes)
    prices = sorted(
        row["price_per_gpu_hour"]
        for row in newest_version(quotes, "observed_on", "source", "variant")
        if row["observed_on"].isocalendar()[:2] == week
    )
    middle = len(prices) // 2
    return prices[middle] if len(prices) % 2 else (prices[middle - 1] + prices[middle]) / 2


def firm_quarter(rows: list[Row], ticker: str) -> Row | None:
    mine = [row for row in rows if row["ticker"] == ticker]
    return max(mine, key=lambda row: (row["period_end"], row["filed_on"])) if mine else None


def capex_mean(rows: list[Row]) -> float | None:
    quarters = [firm_quarter(rows, ticker) for ticker in ("MSFT", "GOOGL", "AMZN", "META")]
    total = 0.0
    for quarter in quarters:
        if quarter is None or quarter["capex"] is None or quarter["operating_cf"] <= 0:
            return None
        total += quarter["capex"] / quarter["operating_cf"]
    return total / 4


def gap_ratio(filings: list[Row], segments: list[Row]) -> float | None:
    quarters = [firm_quarter(filings, ticker) for ticker in ("MSFT", "GOOGL", "AMZN", "META")]
    shares = {"Azure": 0.20, "Google Cloud": 0.25, "AWS": 0.15, "Data Center": 1.0}
    earned = 0.0
    for segment, share in shares.items():
        mine = [row for row in segments if row["segment"] == segment]
        if not mine:
            return None
        earned += share * max(mine, key=lambda row: row["period_end"])["revenue"]
    if any(quarter is None or quarter["capex"] is None for quarter in quarters):
        return None
    return 0.60 * sum(quarter["capex"] for quarter in quarters if quarter) / earned


def deal_change(rows: list[Row], as_of: date) -> float | None:
    middle, start = months_back(as_of, 6), months_back(as_of, 12)
    priced = [row for row in rows if row["amount_usd_millions"] is not None and row["scored"]]
    recent = sum(row["amount_usd_millions"] for row in priced if row["announced_date"] > middle)
    prior = sum(row["amount_usd_millions"] for row in priced if start < row["announced_date"] <= middle)
    return (recent - prior) / prior if prior else None


def scores(given: Inputs, as_of: date, known: datetime) -> dict[str, float | None]:
    """The seven scores, 0-100, None where an input is missing."""
    market = rows_known(given.market, "date", as_of, known)
    filings = rows_known(given.filings, "period_end", as_of, known)
    segments = rows_known(given.segments, "period_end", as_of, known)
    weight = newest_metric(market, "mag7_weight", as_of)
    correlation = newest_metric(market, "nvda_spy_corr", as_of)
    rank = credit_rank(rows_known(given.credit, "date", as_of, known), as_of)
    price = h100_median(rows_known(given.gpu, "observed_on", as_of, known))
    capex, gap = capex_mean(filings), gap_ratio(filings, segments)
    change = deal_change(rows_known(given.deals, "announced_date", as_of, known), as_of)
    raw = {
        "concentration": None if weight is None else (weight - 0.40) / 0.20 * 100,
        "correlation": None if correlation is None else (correlation - 0.50) / 0.45 * 100,
        "credit_stress": None if rank is None else rank * 100,
        "gpu_deflation": None if price is None else (8.00 - price) / 7.50 * 100,
        "capex_intensity": None if capex is None else (capex - 0.40) / 0.40 * 100,
        "revenue_gap": None if gap is None else 50 + 50 * math.log(gap) / math.log(3),
        "deal_flow": None if change is None else 50 + 50 * change,
    }
    return {name: None if value is None else min(100.0, max(0.0, value)) for name, value in raw.items()}


def composite(found: dict[str, float | None]) -> tuple[str, float | None]:
    """Status and composite of the scores."""
    present = {name: value for name, value in found.items() if value is not None}
    weight = sum(WEIGHTS[name] for name in present)
    both = bool(STRESS & set(present)) and bool(set(present) - STRESS)
    status = "none"
    if len(present) == 7:
        status = "full"
    elif weight >= 0.5999999 and len(present) >= 4 and both:
        status = "official_partial"
    elif weight >= 0.3499999 and len(present) >= 2:
        status = "indicative"
    value = sum(WEIGHTS[name] * score for name, score in present.items()) / weight if weight else None
    return status, None if status == "none" else value


def mondays_instant(as_of: date) -> datetime:
    """A knowledge instant three days after `as_of`, late on that day, in UTC."""
    day = as_of + timedelta(days=3)
    return datetime.fromisoformat(f"{day}T22:00:00+00:00")
