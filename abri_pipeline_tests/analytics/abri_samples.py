"""Small and random inputs of the index, for its tests."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from abri_pipeline.analytics.abri import Inputs

MARKET = ["date", "mag7_weight", "nvda_spy_corr", "mag7_spy_corr", "available_at"]
CREDIT = ["date", "hy_ig_diff", "substitute", "available_at"]
GPU = ["observed_on", "gpu_model", "source", "price_kind", "variant", "price_per_gpu_hour", "available_at"]
FILINGS = ["ticker", "fiscal_period", "filed_on", "period_end", "capex", "operating_cf", "available_at"]
SEGMENTS = ["ticker", "fiscal_period", "period_end", "segment", "revenue", "available_at"]
DEALS = ["announced_date", "amount_usd_millions", "scored", "available_at"]
NAMES = ("market", "credit", "gpu", "filings", "segments", "deals")
OBSERVED = dict(zip(NAMES, ("date", "date", "observed_on", "period_end", "period_end", "announced_date"), strict=True))
GROUP = ("MSFT", "GOOGL", "AMZN", "META")
SOLD = (("MSFT", "Azure"), ("MSFT", "Intelligent Cloud"), ("GOOGL", "Google Cloud"), ("AMZN", "AWS"),
        ("NVDA", "Data Center"))  # fmt: skip


def at(day: str | date, hour: int = 21) -> datetime:
    """An instant in UTC."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def inputs(**rows: list[tuple[object, ...]]) -> Inputs:
    """Inputs from rows in the column order of the lists above; datasets left out are unknown."""
    columns = dict(zip(NAMES, (MARKET, CREDIT, GPU, FILINGS, SEGMENTS, DEALS), strict=True))
    return Inputs(**{name: pd.DataFrame(rows.get(name, []), columns=columns[name]) for name in NAMES})


def changed(given: Inputs, **frames: pd.DataFrame) -> Inputs:
    """The same inputs with some datasets replaced."""
    return Inputs(**({name: getattr(given, name) for name in NAMES} | frames))


def random_inputs(seed: int, *, first: date = date(2021, 1, 4), days: int = 900) -> Inputs:
    """A random market with an outage, holes, weekend rows, late versions, restatements and missing amounts."""
    rng = np.random.default_rng(seed)
    span = [first + timedelta(days=n) for n in range(days)]
    outage = set(span[400:425])  # longer than a market value or a spread may be old
    daily = [day for day in span if day not in outage]
    return inputs(
        market=[_market(rng, day) for day in daily if day.weekday() < 5 and rng.random() > 0.05],
        credit=[row for day in daily if rng.random() > 0.1 for row in _credit(rng, day)],
        gpu=[_gpu(rng, day) for day in span if rng.random() > 0.85],
        filings=[row for firm in GROUP for row in _filings(rng, firm, first, days)],
        segments=[row for seller in SOLD for row in _segments(rng, seller, first, days)],
        deals=[_deal(rng, day) for day in span if rng.random() > 0.9],
    )


def _late(rng: np.random.Generator, day: date, longest: int) -> datetime:
    return at(day + timedelta(days=int(rng.integers(0, longest))))


def _market(rng: np.random.Generator, day: date) -> tuple[object, ...]:
    values = [None if rng.random() < 0.1 else float(rng.uniform(0.3, 1.0)) for _ in range(3)]
    return (day, *values, _late(rng, day, 3))


def _credit(rng: np.random.Generator, day: date) -> list[tuple[object, ...]]:
    versions = 2 if rng.random() < 0.1 else 1
    substitute = "BAA10Y" if rng.random() < 0.03 else None
    return [
        (day, None if rng.random() < 0.03 else float(np.round(rng.uniform(150, 600))), substitute,
         at(day + timedelta(days=1 + 20 * version)))
        for version in range(versions)
    ]  # fmt: skip


def _gpu(rng: np.random.Generator, day: date) -> tuple[object, ...]:
    model = str(rng.choice(["H100-80GB", "H100-80GB", "A100-80GB"]))
    kind = str(rng.choice(["on_demand", "on_demand", "spot"]))
    price = None if rng.random() < 0.05 else float(np.round(rng.uniform(0.3, 9), 2))
    return (day, model, str(rng.choice(["lambda", "aws", "runpod"])), kind, "", price, _late(rng, day, 9))


def _filings(rng: np.random.Generator, firm: str, first: date, days: int) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number in range(days // 91):
        end = first + timedelta(days=91 * number)
        for delay in (30, 200) if rng.random() < 0.3 else (30,):
            filed = end + timedelta(days=delay)
            capex = None if rng.random() < 0.03 else float(rng.uniform(1e3, 2e4))
            cash = float(rng.uniform(-1e3, 4e4))
            rows.append((firm, f"Q{number}", filed, end, capex, cash, at(filed)))
    return rows


def _segments(rng: np.random.Generator, seller: tuple[str, str], first: date, days: int) -> list[tuple[object, ...]]:
    ends = [(number, first + timedelta(days=91 * number)) for number in range(days // 91)]
    return [
        (seller[0], f"Q{number}", end, seller[1], float(rng.uniform(1e3, 5e4)), at(end + timedelta(days=31)))
        for number, end in ends
    ]


def _deal(rng: np.random.Generator, day: date) -> tuple[object, ...]:
    amount = None if rng.random() < 0.2 else float(np.round(rng.lognormal(8, 1)))
    return (day, amount, bool(rng.random() > 0.1), _late(rng, day, 40))
