"""The quality score of a load, and its verdict, from counts alone."""

from collections.abc import Mapping

Counts = Mapping[str, int]

# What one defect costs where it is a share of the load: the factor falls by this much for each share of 1.
# `missing` stops at 0.6, which passes: an absent session is booked as a gap already, and turning away the rows that
# did come would only widen it. `nulls` costs 0.2 at the 5 % that still pass.
SHARES: Mapping[str, float] = {
    "missing": 0.4,
    "nulls": 4.0,
    "off_calendar": 1.0,
    "duplicate": 1.0,
    "zero_price": 2.0,
    "envelope": 2.0,
    "zero_volume": 1.0,
}
# What one defect costs however long the load is: one missed split spoils every row before it, and one negative
# price is enough to turn a load away (0.5 is below 0.6).
EVENTS: Mapping[str, float] = {
    "negative_price": 0.5,
    "negative_volume": 0.5,
    "missed_split": 0.15,
    "split_not_applied": 0.15,
    "unit_flip": 0.05,
    "extreme_return": 0.05,
    "quiet_gap": 0.01,
}
PASSES = 0.6  # requirement 3.4: below it a load is rejected
NULLS_PASS = 20  # one null in 20 required cells, exactly 5 %, still passes (requirement 3.4)
FORBIDDEN = {"negative_price": "a negative price", "negative_volume": "a negative volume"}


def score(counts: Counts) -> float:
    """Quality of a load, 0 (nothing of it can be trusted) to 1 (no defect found).

    Reads `expected`, `rows`, `cells` and the count of each rule from the counts kept in `data_quality_log.checks`,
    and nothing else. One more of any defect never raises it: each rule is a factor that only falls with its count.
    """
    surplus = counts.get("duplicate", 0) + counts.get("off_calendar", 0)
    days = max(1, counts.get("expected", 0) or counts.get("rows", 0) - surplus)
    cells = max(1, counts.get("cells", 0))
    result = 1.0
    for rule, cost in SHARES.items():
        share = counts.get(rule, 0) / (cells if rule == "nulls" else days)
        result *= max(0.0, 1.0 - cost * min(1.0, share))
    for rule, cost in EVENTS.items():
        result *= (1.0 - cost) ** counts.get(rule, 0)
    return result


def refusals(counts: Counts) -> tuple[str, ...]:
    """Why a load may not be published, in words; empty where it may."""
    found = [f"{counts[rule]} rows with {said}" for rule, said in FORBIDDEN.items() if counts.get(rule, 0)]
    missing, cells = counts.get("nulls", 0), counts.get("cells", 0)
    if missing * NULLS_PASS > cells:
        found.append(f"{missing} of {cells} required cells are missing, more than 5 %")
    if score(counts) < PASSES:
        found.append(f"score {score(counts):.3f} is below {PASSES}")
    return tuple(found)


def verdict(counts: Counts) -> str:
    """`accepted` or `rejected`, as stored in `data_quality_log.verdict`."""
    return "rejected" if refusals(counts) else "accepted"
