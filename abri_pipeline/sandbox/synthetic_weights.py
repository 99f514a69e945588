"""The published quarter-end weights of the synthetic index, in the recorded table's layout.

Belongs here: the table. Does not belong here: the share counts behind it (`synthetic_shares`).

Percent with three decimals, as text. The technology sector is Apple, Microsoft and Nvidia plus the sector's
other members, who follow the technology fund; before 2023-03-20 the sector as published also held the
payment companies that GICS then moved out.
"""

import numpy as np
import pandas as pd

from abri_pipeline.calendars import publication
from abri_pipeline.sandbox import synthetic_shares
from abri_pipeline.sandbox.synthetic_equities import known_bars
from abri_pipeline.sandbox.synthetic_world import LABEL, LAST_DAY, Floats, session_days

_OTHER_TECHNOLOGY = 10.5  # percent of the index at the end
_PAYMENTS = 3.6  # percent, moved out of the sector
_OTHER_COMMUNICATION = 3.1
_GICS_CHANGE = np.datetime64("2023-03-20")


def weights() -> pd.DataFrame:
    """One row a quarter end; available on the next business day. All cells are text."""
    ends = synthetic_shares.quarter_ends()
    ends = ends[ends < np.datetime64(LAST_DAY)]
    lines = {line: (100.0 * synthetic_shares.weight(line, ends)).round(3) for line in synthetic_shares.LINES}
    google = lines["GOOGL"] + lines["GOOG"]
    technology = lines["AAPL"] + lines["MSFT"] + lines["NVDA"] + _other_technology(ends)
    days = ends.astype(object)
    columns: dict[str, list[str]] = {
        "quarter": [f"{day.year}Q{(day.month - 1) // 3 + 1}" for day in days],
        "effective_date": [day.isoformat() for day in days],
        **{line: _text(values) for line, values in lines.items()},
        "GOOGL_plus_GOOG": _text(google),
        "MAG7": _text(np.sum(list(lines.values()), axis=0)),
        "IT_sector_asof": _text(technology + np.where(ends < _GICS_CHANGE, _PAYMENTS, 0.0)),
        "IT_sector_gics2023": _text(technology),
        "COMM_sector": _text(lines["META"] + google + _OTHER_COMMUNICATION),
        "available_at": [publication.next_business_day(day).isoformat() for day in days],
        "evidence": [LABEL] * len(days),
        "note": ["synthetic market, not the S&P 500"] * len(days),
    }
    return pd.DataFrame(columns)


def _other_technology(ends: np.ndarray) -> Floats:
    rows = np.searchsorted(session_days(), ends)
    relative = known_bars("XLK")["close"].to_numpy() / known_bars("SPY")["close"].to_numpy()
    # A square root, because the fund is mostly the three giants that are counted by name already.
    return np.asarray((_OTHER_TECHNOLOGY * np.sqrt(relative[rows] / relative[-1])).round(3))


def _text(values: Floats) -> list[str]:
    return [f"{value:.3f}" for value in values.tolist()]
