"""The quick verdict on a load is pandera's own: sound exactly where pandera finds nothing."""

import numpy as np
import pandas as pd
import pandera.errors
from hypothesis import given, settings
from hypothesis import strategies as st

from abri_pipeline.contracts.equity import BARS
from abri_pipeline.quality.schema import conform, schema, sound

PRICE = st.sampled_from([10.0, 11.0, 9.0, 0.0, -1.0, np.nan, np.inf, -np.inf])


@given(
    st.lists(
        st.tuples(PRICE, PRICE, PRICE, PRICE, st.sampled_from([0, 5, -5, None]), st.booleans()), min_size=1, max_size=4
    )
)
@settings(max_examples=150, deadline=None)
def test_sound_is_what_pandera_says(cells):
    rows = pd.DataFrame(cells, columns=["open", "high", "low", "close", "volume", "known"])
    rows["bar_status"] = rows.pop("known").map({True: "final", False: "odd"})
    rows = rows.assign(
        symbol="NVDA",
        date=pd.date_range("2024-06-17", periods=len(rows)),
        instrument_id="XNYS:NVDA",
        source_provider="yahoo",
        raw_hash="0" * 64,
        pulled_at=pd.Timestamp("2026-01-20", tz="UTC"),
    )
    load = conform(BARS, rows)
    try:
        schema(BARS).validate(load, lazy=True)
        kept = True
    except pandera.errors.SchemaErrors:
        kept = False
    assert sound(BARS, load) is kept


def test_a_plain_load_is_sound():
    row = {"symbol": "A", "date": "2024-06-17", "instrument_id": "A", "open": 10, "high": 11, "low": 9, "close": 10}
    more = {
        "volume": 5,
        "bar_status": "final",
        "source_provider": "y",
        "raw_hash": "0",
        "pulled_at": "2026-01-20T00:00Z",
    }
    assert sound(BARS, conform(BARS, pd.DataFrame([row | more])))
