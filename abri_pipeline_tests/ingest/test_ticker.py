"""S8: whatever is typed for a symbol is refused, or stands for exactly one instrument."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.ingest.ticker import BadSymbol, canonical

REFUSED = [
    "../../etc", "..", "BRK/B", "BRK\\B", "^GSPC", "GC=F", "DX-Y.NYB", "A" * 300, "", " ", "-", "123", "A--B", "-B",
    "B-", "'; DROP TABLE instruments; --", "<script>alert(1)</script>", "NVDA\x00", "NV DA", "NVDA,MSFT", "NVDA\n--",
    "%00", "\uff2e\uff36\uff24\uff21", "\u017fpy", "\u0131bm", "\ufb01s",  # capitals of these would be ours
]  # fmt: skip


@pytest.mark.parametrize("typed", REFUSED)
def test_s8_what_no_exchange_lists_is_refused(typed):
    with pytest.raises(BadSymbol, match="is no ticker of an instrument") as refused:
        canonical(typed)
    assert len(str(refused.value)) < 250  # whatever was typed, the line stays short


@pytest.mark.parametrize(
    ("typed", "ours"),
    [("NVDA", "NVDA"), ("nvda", "NVDA"), (" nvda ", "NVDA"), ("BRK.B", "BRK-B"), ("brk-b", "BRK-B"),
     ("1000000BABYDOGEUSDT", "1000000BABYDOGEUSDT"), ("BTC-USD", "BTC-USD")],
)  # fmt: skip
def test_s8_one_instrument_has_one_spelling(typed, ours):
    assert canonical(typed) == ours


@given(st.text(max_size=40))
def test_s8_a_spelling_is_its_own_spelling_and_safe_as_a_file_name(typed):
    try:
        spelled = canonical(typed)
    except BadSymbol:
        return
    assert canonical(spelled) == spelled
    assert set(spelled) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
    assert spelled == typed.strip().upper().replace(".", "-")
