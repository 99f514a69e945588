"""The curated tables as somebody publishes them."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers.errors import Absent, BadRequest, Malformed
from abri_pipeline.providers.reference import (
    fetch_table,
    parse_deals,
    parse_gpu_prices,
    parse_segment_revenue,
    parse_weights,
)
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings

WEIGHTS = b"""quarter,effective_date,AAPL,MSFT,NVDA,AMZN,META,GOOGL,GOOG,TSLA,MAG7,\
IT_sector_asof,IT_sector_gics2023,available_at,evidence
2022Q4,2022-12-30,6.047,5.563,1.132,2.32,0.842,1.64,1.462,1.029,20.036,25.737,22.545,2023-01-02,source
2023Q1,2023-03-31,7.141,6.249,1.99,2.681,1.374,1.799,1.572,,24.431,26.08,26.08,2023-04-03,source
"""
GPU = b"""iso_week,provider,gpu_model,memory_gb,is_spot,variant,date,price_usd_per_gpu_hour,n_rows,sources
2024-W39,lambda,H100,80,False,PCIe,2024-09-25,2.49,2,owner/repo
2024-W39,lambda,H100,80,False,PCIe,2024-09-25,9.99,2,owner/repo
2024-W39,vast.ai,H100,80,mixed,any,2024-09-25,3.28,6,owner/repo
2024-W39,aws,A100,40,True,,2024-09-25,"1,23",6,https://prices.example/a100
2024-W39,aws,A100,80,True,,2024-09-25,1.23,6,javascript:alert(1)
2024-W39,aws,V100,16,False,,2024-09-25,1.0,6,owner/repo
2025-W42,prime,H200,141,reserved,,2025-10-19,3.1,,owner/repo
"""
DEALS = b"""announced_date,company,amount_usd_millions,structure_type,counterparty,is_circular,circularity_reason,\
source_url,notes,evidence,date_precision
2025-09-22,OpenAI,100000,vendor_financing,NVIDIA,true,the supplier invests,https://news.example/deal,commitment,source,day
2022-04-11,Amazon,,corporate_debt,public bonds,false,,,,unsourced,day-unsourced
2022-04-11,amazon ,5,corporate_debt,Public  Bonds,False,,javascript:alert(1),,unsourced,month
"""
SEGMENTS = b"""ticker,fiscal_period,period_end,segment,revenue_usd_millions,source,evidence,note
AMZN,FY2024Q1,2024-03-31,AWS,25037,see https://ir.example/q1 (table 3),source,
AMZN,FY2024,2024-12-31,AWS (full year),107556,,unsourced,
MSFT,,2025-09-30,Azure and other cloud services growth % y/y (not USD),40,idem,source,
NVDA,FY2025Q1,2024-04-28,Data Center (market platform),22563,,unsourced,
MSFT,FY2024Q1,2023-09-30,Intelligent Cloud (as originally reported),24259,,unsourced,
MSFT,FY2024Q1,2023-09-30,Intelligent Cloud (post Aug-2024 recast),20013,,unsourced,
"""
PARSERS = {
    "weights": parse_weights,
    "gpu_prices": parse_gpu_prices,
    "deals": parse_deals,
    "segment_revenue": parse_segment_revenue,
}
TABLES = {"weights": WEIGHTS, "gpu_prices": GPU, "deals": DEALS, "segment_revenue": SEGMENTS}


def test_a_published_table_is_fetched(upstream, transport, answer) -> None:
    upstream.will(answer(WEIGHTS, Content_Type="text/csv"))
    assert fetch_table(transport, "weights").body == WEIGHTS
    assert upstream.paths == ["/reference/weights.csv"]


def test_a_table_that_nobody_publishes_is_absent(upstream, transport, answer) -> None:
    upstream.will(answer(b"", 404))
    with pytest.raises(Absent):
        fetch_table(transport, "deals")
    with Transport(Settings({}, {})) as alone:
        with pytest.raises(Absent, match="packaged table stands"):
            fetch_table(alone, "deals")
        assert not alone.calls
    with pytest.raises(BadRequest):
        fetch_table(transport, "../secrets")


def test_weights_become_fractions_a_line() -> None:
    weights = parse_weights(WEIGHTS)
    assert len(weights) == 19  # ten lines a quarter, one blank cell
    read = weights.set_index(["effective_date", "line"])["weight"]
    assert read[pd.Timestamp("2022-12-30"), "NVDA"] == pytest.approx(0.01132)
    assert read[pd.Timestamp("2022-12-30"), "IT_SECTOR"] == pytest.approx(0.25737)
    assert read[pd.Timestamp("2022-12-30"), "IT_SECTOR_GICS2023"] == pytest.approx(0.22545)
    assert (pd.Timestamp("2023-03-31"), "TSLA") not in read.index
    assert set(weights["available_at"]) == {pd.Timestamp("2023-01-02"), pd.Timestamp("2023-04-03")}


def test_gpu_quotes_keep_their_kind_apart() -> None:
    prices = parse_gpu_prices(GPU)
    assert prices.attrs == {"mixed": 1, "other_models": 1, "repeated": 1}
    assert prices[["gpu_model", "price_kind"]].to_numpy().tolist() == [
        ["H100-80GB", "on_demand"],
        ["A100-40GB", "spot"],
        ["A100-80GB", "spot"],
        ["H200", "reserved"],
    ]
    assert prices["price_per_gpu_hour"].iloc[0] == 2.49
    assert pd.isna(prices["price_per_gpu_hour"].iloc[1])  # a decimal comma is no number
    assert prices["source_url"].iloc[:2].tolist() == ["https://github.com/owner/repo", "https://prices.example/a100"]
    assert pd.isna(prices["source_url"].iloc[2])
    assert not prices.duplicated(["observed_on", "gpu_model", "source", "price_kind", "variant"]).any()


def test_an_unknown_kind_of_price_is_malformed() -> None:
    with pytest.raises(Malformed, match="is_spot"):
        parse_gpu_prices(GPU.replace(b",mixed,", b",maybe,"))


def test_deals_have_stable_and_different_ids() -> None:
    deals = parse_deals(DEALS)
    assert deals["deal_id"].is_unique
    assert deals["deal_id"].str.fullmatch("[0-9a-f]{16}").all()
    lines = DEALS.splitlines()
    again = parse_deals(b"\n".join([lines[0], lines[1]])).loc[0, "deal_id"]
    assert again == deals.loc[0, "deal_id"]
    assert deals["is_circular"].tolist() == [True, False, False]
    assert deals["date_precision"].tolist() == ["day", "approx", "month"]
    assert pd.isna(deals.loc[1, "amount_usd_millions"])
    assert deals["source_url"].isna().tolist() == [False, True, True]


def test_only_quarters_of_segments_are_read() -> None:
    revenue = parse_segment_revenue(SEGMENTS)
    assert revenue["segment"].tolist() == [
        "AWS",
        "Data Center",
        "Intelligent Cloud (as originally reported)",
        "Intelligent Cloud (post Aug-2024 recast)",
    ]
    assert revenue.loc[0, "source_url"] == "https://ir.example/q1"
    assert not revenue.duplicated(["ticker", "fiscal_period", "segment"]).any()


@pytest.mark.parametrize(
    ("name", "column"),
    [("weights", "NVDA"), ("gpu_prices", "memory_gb"), ("deals", "is_circular"), ("segment_revenue", "period_end")],
)
def test_a_missing_column_is_named(name, column) -> None:
    with pytest.raises(Malformed, match=column):
        PARSERS[name](TABLES[name].replace(column.encode(), b"other", 1))


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize(
    "noise", [b"", b"<html>hello</html>", b"a\x00b,c\n", b'"open', b"\xff\xfe", b"\xef\xbb\xbfa,b"]
)
def test_what_is_no_table_is_malformed(name, noise) -> None:
    with pytest.raises(Malformed):
        PARSERS[name](noise)


@pytest.mark.parametrize("name", PARSERS)
def test_a_table_cut_off_is_malformed(name) -> None:
    with pytest.raises(Malformed):
        PARSERS[name](TABLES[name][:-40])


@pytest.mark.parametrize("name", PARSERS)
def test_an_empty_table_is_empty_and_typed(name) -> None:
    empty = PARSERS[name](TABLES[name].splitlines()[0] + b"\n")
    assert empty.empty
    assert list(empty) == list(PARSERS[name](TABLES[name]))


@given(st.sampled_from(sorted(PARSERS)), st.binary(max_size=80))
def test_any_bytes_after_a_header_are_read_or_malformed(name, noise) -> None:
    try:
        PARSERS[name](TABLES[name].splitlines()[0] + b"\n" + noise)
    except Malformed as error:
        assert error.kind == "malformed"


@pytest.mark.realdata
def test_the_recorded_tables_are_read_whole(shared) -> None:
    data = shared / "data"
    weights = parse_weights((data / "weights" / "sp500_weights_quarterly.csv").read_bytes())
    mag7 = weights[~weights["line"].str.startswith("IT_")].groupby("effective_date")["weight"].sum()
    assert mag7[["2022-12-30", "2023-12-29", "2024-12-31", "2025-12-31"]].round(3).tolist() == [
        0.200,
        0.280,
        0.335,
        0.349,
    ]
    prices = parse_gpu_prices((data / "gpu" / "gpu_prices_weekly.csv").read_bytes())
    assert (len(prices), prices.attrs) == (997, {"mixed": 30, "other_models": 0, "repeated": 0})
    deals = parse_deals((data / "deals" / "deals.csv").read_bytes())
    assert (len(deals), int(deals["is_circular"].sum())) == (89, 50)
    assert deals["deal_id"].is_unique
    assert len(parse_segment_revenue((data / "sec" / "segment_revenue.csv").read_bytes())) == 126
