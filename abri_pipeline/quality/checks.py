"""Checks: which a contract implies, and the function of each.

Every check reads the warehouse by SQL, through whatever connection it is given, and hands back a `Verdict`. None
changes a row. Rows that break a bound never land; the checks show what was turned away, what is missing, what is
old and what looks odd.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from abri_pipeline.contracts.model import Cadence, Complete, Continuous, Dataset, Fresh, Outliers
from abri_pipeline.quality.checks_calendar import complete, fresh
from abri_pipeline.quality.checks_rows import contract, failures, ranges
from abri_pipeline.quality.checks_series import continuous, outliers
from abri_pipeline.quality.checks_verdict import Verdict

Check = Callable[[Connection, Dataset], Verdict]

CHECKS: Mapping[str, Check] = {
    "contract": contract,
    "failures": failures,
    "complete": complete,
    "fresh": fresh,
    "ranges": ranges,
    "continuous": continuous,
    "outliers": outliers,
}


def implied(dataset: Dataset) -> tuple[str, ...]:
    """The checks that a contract implies, by name, in the order of `CHECKS`."""
    asked = {
        "contract": True,
        "failures": "raw_hash" in dataset.columns,  # fetched, not computed
        # A series of every business day is expected in full too; its gaps are booked by the calendar.
        # So are the sessions of each timeframe that an instrument keeps.
        "complete": any(dataset.expects(Complete))
        or dataset.cadence is Cadence.BUSINESS_DAY
        or "timeframe" in dataset.key,
        "fresh": any(dataset.expects(Fresh)),
        "ranges": any(field.plausible for field in dataset),
        "continuous": any(dataset.expects(Continuous)),
        "outliers": any(dataset.expects(Outliers)),
    }
    return tuple(name for name in CHECKS if asked[name])


def run(connection: Connection, dataset: Dataset, name: str) -> Verdict:
    """One check of one dataset.

    Raises:
        KeyError: the contract does not imply a check of that name.
    """
    if name not in implied(dataset):
        raise KeyError(f"{dataset.name} has no check {name!r}; it has {', '.join(implied(dataset))}")
    return CHECKS[name](connection, dataset)
