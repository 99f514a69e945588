"""The invented ledger of financing deals, in the recorded table's layout.

Belongs here: sixty deals between companies that do not exist. Does not belong here: any real name.

Money follows the AI factor: the more it has gained over the past half year, the more is lent and invested.
So deal flow, prices and spreads tell one story.
"""

import numpy as np
import pandas as pd

from abri_pipeline.sandbox.synthetic_world import Days, stream, world

COUNT = 64
_FIRST = np.datetime64("2021-01-04")
_HALF_YEAR = 130  # weekdays
_CIRCULAR = 0.4
_STRUCTURES = ("equity", "corporate_debt", "spv", "vendor_financing", "lease", "other")
_FREQUENCIES = (0.34, 0.26, 0.18, 0.08, 0.06, 0.08)
_BORROWERS = ("Synthetic Compute", "Synthetic Labs", "Synthetic Grid", "Synthetic Models", "Synthetic Halls")
_LENDERS = ("Synthetic Chips", "Synthetic Cloud", "Synthetic Bank", "Synthetic Credit Fund", "Synthetic Bonds")


def deals() -> pd.DataFrame:
    """One row a deal, oldest first; amounts in USD millions, each a binding commitment. Cells are text."""
    rng = stream("deals")
    days, mood = _announcements(rng)
    circular = rng.random(COUNT) < _CIRCULAR
    amounts = 900.0 * np.exp(1.6 * mood + rng.normal(0.0, 0.8, COUNT))
    years = (days - _FIRST).astype(np.float64) / 365.25
    amounts *= np.exp(0.45 * years)
    text = np.datetime_as_string(days, unit="D").tolist()
    return pd.DataFrame(
        {
            "announced_date": text,
            "company": [f"{name} (invented)" for name in rng.choice(_BORROWERS, COUNT).tolist()],
            "amount_usd_millions": [str(max(50, int(round(amount, -1)))) for amount in amounts.tolist()],
            "structure_type": rng.choice(_STRUCTURES, COUNT, p=_FREQUENCIES).tolist(),
            "counterparty": [
                _LENDERS[pick % 2] if loop else _LENDERS[2 + pick % 3]
                for pick, loop in zip(rng.integers(0, 6, COUNT).tolist(), circular.tolist(), strict=True)
            ],
            "is_circular": ["true" if loop else "false" for loop in circular.tolist()],
            "circularity_reason": [
                "synthetic: the financier sells the recipient its compute" if loop else "" for loop in circular.tolist()
            ],
            "source_url": [f"https://example.invalid/synthetic/deal-{n:02d}" for n in range(1, COUNT + 1)],
            "notes": "synthetic deal, invented",
            "evidence": "source",
            "date_precision": rng.choice(["day", "month"], COUNT, p=[0.9, 0.1]).tolist(),
        }
    )


def _announcements(rng: np.random.Generator) -> tuple[Days, np.ndarray]:
    """Weekdays, oldest first, denser when the AI factor has risen; and that rise, a log return."""
    state = world()
    total = np.cumsum(state.ai + 0.5 * state.market)
    rise = np.zeros(len(total))
    rise[_HALF_YEAR:] = total[_HALF_YEAR:] - total[:-_HALF_YEAR]
    since = int(np.searchsorted(state.days, _FIRST))
    appetite = np.exp(2.0 * rise[since:])
    at = since + np.sort(rng.choice(len(appetite), COUNT, replace=False, p=appetite / appetite.sum()))
    return state.days[at], rise[at]
