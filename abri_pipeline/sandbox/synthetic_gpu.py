"""Weekly GPU rental prices of the synthetic world, in the recorded table's layout.

Belongs here: price lists of invented clouds. Does not belong here: any index over them.

A model has one going rate that falls along invented way-points. A cloud asks its own multiple of it, changes
its list only now and then, and joins when it joins: so medians jump with the mix while matched prices do not.
"""

import numpy as np
import pandas as pd

from abri_pipeline.sandbox.synthetic_world import LABEL, LAST_DAY, Days, Floats, between, stream

_COLUMNS = ["iso_week", "provider", "gpu_model", "memory_gb", "is_spot", "variant", "date",
            "price_usd_per_gpu_hour", "n_rows", "sources"]  # fmt: skip

# (cloud, first week, multiple of the going rate, sells spot)
_CLOUDS = (
    ("synthetic-north", "2021-01-03", 1.10, True),
    ("synthetic-harbor", "2021-01-03", 0.98, False),
    ("synthetic-meadow", "2021-06-06", 0.90, True),
    ("synthetic-summit", "2023-02-05", 1.22, True),
    ("synthetic-delta", "2023-09-03", 0.82, False),
    ("synthetic-orchard", "2024-10-06", 0.88, True),
)
# (model, memory GB, variant, first week, going rate on demand in USD per GPU-hour)
_MODELS = (
    ("H100", 80, "SXM5", "2022-11-06", {"2022-11-06": 8.0, "2023-06-01": 6.9, "2024-01-01": 4.4, "2024-07-01": 3.2,
                                        "2025-01-01": 2.5, "2025-12-01": 2.0, "2026-12-31": 1.75}),
    ("A100", 80, "SXM4", "2021-01-03", {"2021-01-03": 3.6, "2022-11-01": 2.9, "2024-01-01": 1.95,
                                        "2025-06-01": 1.35, "2026-12-31": 1.1}),
    ("H200", 141, "SXM", "2024-09-01", {"2024-09-01": 4.6, "2025-06-01": 3.3, "2026-12-31": 2.6}),
)  # fmt: skip
_SPOT = 0.62  # of the on-demand price
_CHANGE_A_WEEK = 0.22


def gpu_prices() -> pd.DataFrame:
    """One row a week (Sunday), cloud, model and kind; USD per single GPU-hour. All cells are text."""
    sundays = np.arange(np.datetime64("2021-01-03"), np.datetime64(LAST_DAY), 7)
    blocks = [
        _listing(sundays, cloud, model, spot)
        for model in _MODELS
        for cloud in _CLOUDS
        for spot in ((False, True) if cloud[3] else (False,))
    ]
    frame = pd.concat(blocks)[_COLUMNS]
    return frame.sort_values(["date", "provider", "gpu_model", "is_spot"], ignore_index=True)


def _listing(
    sundays: Days, cloud: tuple[str, str, float, bool], model: tuple[str, int, str, str, dict[str, float]],
    spot: bool,
) -> pd.DataFrame:  # fmt: skip
    provider, joined, multiple, _ = cloud
    name, memory, variant, launched, rate = model
    weeks = sundays[sundays >= max(np.datetime64(joined), np.datetime64(launched))]
    price = _listed(f"{provider} {name} {spot}", between(weeks, rate) * multiple * (_SPOT if spot else 1.0))
    calendar = pd.DatetimeIndex(weeks).isocalendar()
    return pd.DataFrame(
        {
            "iso_week": [f"{y}-W{w:02d}" for y, w in zip(calendar["year"], calendar["week"], strict=True)],
            "provider": provider,
            "gpu_model": name,
            "memory_gb": str(memory),
            "is_spot": str(spot),
            "variant": variant,
            "date": np.datetime_as_string(weeks, unit="D"),
            "price_usd_per_gpu_hour": [f"{value:.4f}" for value in price.tolist()],
            "n_rows": "1",
            "sources": LABEL,
        }
    )


def _listed(name: str, wanted: Floats) -> Floats:
    """A price list: the wanted price of the last week in which the cloud changed its list."""
    rng = stream(f"gpu {name}")
    changed = rng.random(len(wanted)) < _CHANGE_A_WEEK
    changed[0] = True
    wanted = wanted * np.exp(rng.normal(0.0, 0.02, len(wanted)))
    last_change = np.maximum.accumulate(np.where(changed, np.arange(len(wanted)), 0))
    return np.asarray(wanted[last_change])
