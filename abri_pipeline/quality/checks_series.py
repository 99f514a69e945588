"""Checks along a series: steps between neighbours, and quarters far from a company's own past."""

from datetime import timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.contracts.model import Continuous, Dataset, Outliers
from abri_pipeline.quality.checks_verdict import EXAMPLES, Rows, Verdict, cell, judge
from abri_pipeline.warehouse.reads import frame

# Rows further apart are no neighbours: between two weeks that were loaded alone lies more than a step.
NEIGHBOURS = timedelta(days=7)
# A normal sample's standard deviation is 1.4826 times its median absolute deviation.
MAD_TO_SD = 1.4826
PAST = 8  # changes a company must show before a further one can be judged
# Four quarters earlier, fiscal calendars of 52 and 53 weeks included.
YEAR = (timedelta(days=350), timedelta(days=380))
FLOOR = 0.05  # a company that grew alike every year would otherwise make any other growth an outlier


def continuous(connection: Connection, dataset: Dataset) -> Verdict:
    """No step between neighbouring rows is larger than declared; weekend rows belong to no session and are left out."""
    pairs, found = 0, 0
    shown: Rows = []
    for rule in dataset.expects(Continuous):
        if not isinstance(rule, Continuous):
            continue
        steps = _steps(connection, dataset, rule)
        large = steps[steps["step"].abs() > rule.step]
        pairs += len(steps)
        found += len(large)
        shown += [
            {
                "what": f"{row.by} {rule.column}".strip(),
                "from": f"{row.day_before:%Y-%m-%d}",
                "to": f"{row.day:%Y-%m-%d}",
                "before": cell(row.before),
                "after": cell(row.value),
                "step": cell(row.step),
                "allowed": f"{rule.step:g}" + (" (log)" if rule.log else ""),
            }
            for row in large.sort_values("day", ascending=False).head(EXAMPLES).itertuples()
        ]
    first = (
        f", such as {shown[0]['what']} {shown[0]['before']} to {shown[0]['after']} on {shown[0]['to']}" if shown else ""
    )
    return judge(
        found,
        "warn",
        f"{pairs} steps, none larger than declared",
        f"{found} steps are larger than declared{first}",
        pairs=pairs,
        steps=shown[:EXAMPLES],
    )


def _steps(connection: Connection, dataset: Dataset, rule: Continuous) -> pd.DataFrame:
    """One row a pair of neighbours: by, day, value, day_before, before, step."""
    named = [rule.by] if rule.by else []
    where = [(rule.column, "is not", None)]
    rows = frame(connection, dataset, columns=[*named, dataset.observed, rule.column], where=where)
    rows = rows.set_axis([*(["by"] if named else []), "day", "value"], axis=1)
    rows = rows.assign(by=rows["by"] if named else "").loc[rows["day"].dt.day_of_week < 5].sort_values(["by", "day"])
    before = rows.groupby("by")[["day", "value"]].shift()
    rows = rows.assign(day_before=before["day"], before=before["value"])
    near = rows[(rows["day"] - rows["day_before"]) <= NEIGHBOURS]
    step = np.log(near["value"] / near["before"]) if rule.log else near["value"] - near["before"]
    found: pd.DataFrame = near.assign(step=step)
    return found


def outliers(connection: Connection, dataset: Dataset) -> Verdict:
    """No quarter's growth on the year lies far outside the company's own past growth.

    With g = ln(x / x four quarters earlier), and m and s the median and 1.4826 x the median absolute deviation of
    the company's earlier g (8 at least; s is taken as 0.05 at least), a quarter is an outlier where
    |g - m| > limit x s.
    Growth in logs with a robust scale: a company that doubles each year is no outlier, and one odd quarter does
    not widen the range for the next. Each quarter counts once, as its newest filing knows it.
    """
    judged, shown, limit = 0, [], 0.0
    for rule in dataset.expects(Outliers):
        if not isinstance(rule, Outliers):
            continue
        limit = rule.limit
        scored = _deviations(connection, dataset, rule)
        judged += len(scored)
        far = scored[scored["deviations"].abs() > rule.limit].sort_values(["day", "by"], ascending=[False, True])
        shown += [
            {
                "what": f"{row.by} {rule.column}",
                "period": f"{row.day:%Y-%m-%d}",
                "value": cell(row.value),
                "a year before": cell(row.before),
                "growth (log)": cell(row.growth),
                "past median": cell(row.centre),
                "deviations": f"{row.deviations:+.1f}",
            }
            for row in far.itertuples()
        ]
    named = ", ".join(f"{s['what']} {s['period']} ({s['deviations']})" for s in shown[:3])
    return judge(
        len(shown),
        "warn",
        f"{judged} quarters judged, none beyond {limit:g} robust deviations of the company's own past",
        f"{len(shown)} of {judged} quarters beyond {limit:g} robust deviations of the company's own past: {named}",
        judged=judged,
        outliers=shown[:EXAMPLES],
    )


def _deviations(connection: Connection, dataset: Dataset, rule: Outliers) -> pd.DataFrame:
    """One row a quarter with enough past: by, day, value, before, growth, centre, deviations."""
    columns = [rule.by, rule.order, "filed_on", rule.column]
    rows = frame(connection, dataset, columns=columns, where=[(rule.column, ">", 0.0)])
    rows = rows.sort_values("filed_on").drop_duplicates([rule.by, rule.order], keep="last")
    rows = rows.rename(columns={rule.by: "by", rule.order: "day", rule.column: "value"})
    scored = [_score(own.sort_values("day")) for _, own in rows.groupby("by")]
    columns = ["by", "day", "value", "before", "growth", "centre", "deviations"]
    return pd.concat(scored, ignore_index=True)[columns] if scored else pd.DataFrame(columns=columns)


def _score(own: pd.DataFrame) -> pd.DataFrame:
    """The growth of one company's quarters, each against those before it."""
    own = own.assign(before=[_year_before(own, day) for day in own["day"]])
    own = own.dropna(subset="before").assign(growth=lambda f: np.log(f["value"] / f["before"]))
    growth = own["growth"].to_numpy()
    centre = np.array([np.median(growth[:i]) if i >= PAST else np.nan for i in range(len(growth))])
    spread = [np.median(np.abs(growth[:i] - centre[i])) if i >= PAST else np.nan for i in range(len(growth))]
    scale = np.maximum(MAD_TO_SD * np.array(spread, dtype=float), FLOOR)
    return own.assign(centre=centre, deviations=(growth - centre) / scale).dropna(subset="deviations")


def _year_before(own: pd.DataFrame, day: pd.Timestamp) -> float:
    """The value of the quarter that ended a year before, or NaN where none is stored."""
    earlier = own[own["day"].between(day - YEAR[1], day - YEAR[0])]
    return float(earlier["value"].iloc[-1]) if len(earlier) else float("nan")
