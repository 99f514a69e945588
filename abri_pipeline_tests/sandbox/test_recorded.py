"""A market from a folder: a hand-made one for the layout, the recorded one for the figures."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from abri_pipeline.sandbox.recorded import NoRecordedMarket, RecordedMarket
from abri_pipeline.sandbox.server import running

AT_THE_END = "2026-01-20T02:00:00Z"
HEADER = "date,open,high,low,close,adj_close,volume,dividends,splits,close_raw,volume_raw"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest folder of the layout."""
    files = {
        "equity_daily/AAA.csv": "\n".join(
            [HEADER, "2024-01-03,2,2,2,2.123456,2.1,20,0,0,2,20", "2024-01-02,1,1,1,1,1,10,0,0,1,10"]
        ),
        "fred/DGS10.csv": "date,value\n2024-01-02,3.95\n2024-01-03,\n",
        "fred/X_not_fred.csv": "date,value\n2024-01-02,1\n",
        "sec/companyfacts/CIK0000000007.json": json.dumps({"cik": 7, "facts": {}}),
        "deals/deals.csv": "announced_date,company,amount_usd_millions\n2024-01-02,NA,010\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    universe = pd.DataFrame(
        {
            "date": pd.to_datetime(["2024-01-02", "2024-01-02"]),
            "symbol": pd.Categorical(["AAA", "BBB"]),
            **{name: [9.0, 9.0] for name in ("open", "high", "low", "close", "adj_close")},
            "volume": [1, 1],
            "dividends": np.array([0.24, 0.24], dtype="float32"),
            "splits": np.array([1.281, 1.281], dtype="float32"),
        }
    )
    (tmp_path / "universe").mkdir()
    universe.to_parquet(tmp_path / "universe" / "half.parquet")
    return tmp_path


def test_equity_daily_wins_over_the_universe_and_comes_in_order(folder):
    bars = RecordedMarket(folder).bars("AAA")
    assert bars["close"].tolist() == [1.0, 2.123456]
    assert bars["volume"].tolist() == [10, 20]


def test_32_bit_amounts_of_the_universe_are_read_as_the_decimals_they_mean(folder):
    bars = RecordedMarket(folder).bars("BBB")
    assert (bars["dividends"][0], bars["splits"][0]) == (0.24, 1.281)


def test_missing_pieces_are_none(folder):
    market = RecordedMarket(folder)
    assert market.bars("CCC") is None
    assert market.intraday("AAA", "1m") is None
    assert market.fred("UNRATE") is None
    assert market.companyfacts(8) is None
    assert market.submissions(7) is None
    assert market.reference("weights") is None
    assert market.reference("anything") is None
    assert market.companyfacts(7) == {"cik": 7, "facts": {}}


def test_a_blank_fred_value_is_missing_and_a_file_from_elsewhere_is_no_series(folder):
    market = RecordedMarket(folder)
    assert market.fred("DGS10")["value"].tolist() == ["3.95", "."]
    assert market.fred("X_not_fred") is None


def test_reference_cells_are_the_files_own_text(folder):
    row = RecordedMarket(folder).reference("deals").iloc[0]
    assert (row["company"], row["amount_usd_millions"]) == ("NA", "010")


@pytest.mark.parametrize("symbol", ["../fred/DGS10", "..", ".hidden", "", "A/B", "A\\B", "A\0B", "A" * 300])
def test_no_symbol_leaves_the_folder(folder, symbol):
    market = RecordedMarket(folder)
    assert market.bars(symbol) is None
    assert market.intraday(symbol, "1m") is None
    assert market.fred(symbol) is None


def test_a_folder_of_another_layout_is_refused_with_the_mend(tmp_path):
    with pytest.raises(NoRecordedMarket, match="leave --data out"):
        RecordedMarket(tmp_path)
    with pytest.raises(NoRecordedMarket, match="nowhere"):
        RecordedMarket(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def replay(shared: Path):
    """A client of the recorded market; `ABRI_NOW` of the test decides its answers."""
    with running(RecordedMarket(shared / "data")) as base, httpx.Client(base_url=base) as client:
        yield client


def chart(replay: httpx.Client, symbol: str) -> tuple[dict, dict]:
    query = {"period1": 0, "period2": 4_000_000_000, "interval": "1d", "events": "div,splits"}
    result = replay.get(f"/yahoo/v8/finance/chart/{symbol}", params=query).json()["chart"]["result"][0]
    return result, result["indicators"]["quote"][0]


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", ["NVDA", "SPY", "TQQQ", "CRWV", "XLK"])
def test_at_the_end_a_chart_is_the_file_to_the_digit(replay, shared, at, symbol):
    at(AT_THE_END)
    result, quote = chart(replay, symbol)
    file = pd.read_csv(shared / "data/equity_daily" / f"{symbol}.csv")
    assert [f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d}" for stamp in result["timestamp"]] == file["date"].tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert quote[name] == file[name].tolist()
    assert result["indicators"]["adjclose"][0]["adjclose"] == file["adj_close"].tolist()
    paid = [event["amount"] for event in result.get("events", {}).get("dividends", {}).values()]
    assert paid == [amount for amount in file["dividends"].tolist() if amount]


@pytest.mark.realdata
def test_nvda_before_and_after_its_split_of_2024_06_10(replay, at):
    """Closed at 1,208.88 on 2024-06-07 before the ten-for-one split, and at 121.79 on the Monday after."""
    at("2024-06-07T20:00:00Z")
    _, before = chart(replay, "NVDA")
    assert (before["close"][-1], before["volume"][-1]) == (1208.88, 41_238_600)
    at("2024-06-10T20:00:00Z")
    result, after = chart(replay, "NVDA")
    assert after["close"][-2:] == [120.888, 121.79]
    assert after["volume"][-2] == 412_386_000
    assert [event["splitRatio"] for event in result["events"]["splits"].values()] == ["4:1", "10:1"]


@pytest.mark.realdata
def test_before_any_split_nvda_is_as_it_traded(replay, shared, at):
    at("2021-07-19T20:00:00Z")
    _, quote = chart(replay, "NVDA")
    file = pd.read_csv(shared / "data/equity_daily/NVDA.csv")
    raw = file[file["date"] <= "2021-07-19"]
    np.testing.assert_allclose(quote["close"], raw["close_raw"], atol=0.005)
    np.testing.assert_allclose(quote["volume"], raw["volume_raw"], rtol=1e-6)


@pytest.mark.realdata
def test_the_universe_serves_what_equity_daily_lacks(replay, at):
    at(AT_THE_END)
    assert len(chart(replay, "GOOG")[0]["timestamp"]) == 1256
    assert replay.get("/yahoo/v8/finance/chart/PATH?range=1d").status_code == 404


@pytest.mark.realdata
def test_both_text_formats_of_intraday_stamps_are_read(replay, at):
    at(AT_THE_END)
    for symbol, interval, newest in (("SPY", "1m", "2026-01-16T20:59"), ("NVDA", "5m", "2026-01-16T20:55")):
        window = {"interval": interval, "period1": 1_768_348_800, "period2": 1_768_780_800}
        answer = replay.get(f"/yahoo/v8/finance/chart/{symbol}", params=window)
        stamps = answer.json()["chart"]["result"][0]["timestamp"]
        assert datetime.fromisoformat(f"{newest}Z").timestamp() == stamps[-1]


@pytest.mark.realdata
def test_fred_stops_at_what_was_published(replay, at):
    at(AT_THE_END)  # the evening of Martin Luther King day: Friday's values come on Tuesday
    newest = {
        name: replay.get(f"/fredgraph/fredgraph.csv?id={name}").text.split()[-1].split(",")[0]
        for name in ("BAMLH0A0HYM2", "DGS10", "CPIAUCSL", "UNRATE")
    }
    assert newest == {
        "BAMLH0A0HYM2": "2026-01-15", "DGS10": "2026-01-15", "CPIAUCSL": "2025-12-01", "UNRATE": "2025-12-01",
    }  # fmt: skip


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("now", "newest"), [("2024-05-29T20:00:00Z", "2024-04-28"), ("2024-05-29T21:30:00Z", "2024-04-28")]
)
def test_nvda_facts_stop_at_what_was_filed(replay, at, now, newest):
    """The 10-Q for the quarter to 2024-04-28 was filed on 2024-05-29 (accession 0001045810-24-000124)."""
    at(now)
    facts = replay.get("/sec/api/xbrl/companyfacts/CIK0001045810.json").json()["facts"]
    filed = {row["filed"] for row in facts["us-gaap"]["StockholdersEquity"]["units"]["USD"]}
    assert max(filed) == ("2024-05-29" if now.endswith("21:30:00Z") else "2024-02-21")


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["weights", "gpu_prices", "deals", "segment_revenue"])
def test_reference_tables_grow_with_time(replay, at, name):
    lengths = []
    for now in ("2023-06-30T00:00:00Z", "2025-01-31T00:00:00Z", AT_THE_END):
        at(now)
        lengths.append(len(replay.get(f"/reference/{name}.csv").text.splitlines()))
    assert 1 < lengths[0] < lengths[1] < lengths[2]
