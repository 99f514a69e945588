"""Filled orders: judged by the contract, stored once, written so that they come back the same."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abri_pipeline.ingest import feedback, feedback_file
from abri_pipeline.ingest.feedback_file import COLUMNS, UnreadableFile, as_csv, as_records, read
from abri_pipeline_tests.postgres import engine_at

HEADER = ",".join(COLUMNS)
GOOD = {"order_id": "a1", "symbol": "NVDA", "side": "buy", "quantity": "10", "price": "181.25",
        "filled_at": "2026-01-15T15:30:00Z", "slippage_bps": "1.5"}  # fmt: skip


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    monkeypatch.setenv("ABRI_NOW", "2026-01-20T02:00:00Z")


@pytest.fixture
def warehouse_sqlite(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "abri.db")
    engine = engine_at(f"sqlite:///{tmp_path / 'abri.db'}")
    yield engine
    engine.dispose()


def csv_of(tmp_path, *rows, name="orders.csv"):
    path = tmp_path / name
    lines = [",".join(f'"{cell}"' for cell in (GOOD | row).values()) for row in rows]
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path


def bring(engine, path):
    return feedback.store(engine, read(path))


def test_good_orders_are_stored_once(warehouse, tmp_path):
    path = csv_of(tmp_path, {}, {"order_id": "a2", "symbol": "brk.b", "side": "sell", "slippage_bps": ""})
    first = bring(warehouse, path)
    assert (first.read, first.stored.inserted, first.rejected) == (2, 2, [])
    again = bring(warehouse, path)
    assert (again.stored.inserted, again.stored.changed, again.stored.unchanged) == (0, 0, 2)
    stored = feedback.orders(warehouse).set_index("order_id")
    assert stored.loc["a2", "symbol"] == "BRK-B"
    assert pd.isna(stored.loc["a2", "slippage_bps"])  # unknown stays unknown
    assert stored.loc["a1", "filled_at"] == pd.Timestamp("2026-01-15T15:30:00Z")


def test_a_correction_replaces_its_order(warehouse, tmp_path):
    bring(warehouse, csv_of(tmp_path, {}))
    done = bring(warehouse, csv_of(tmp_path, {"price": "181.5"}))
    assert (done.stored.inserted, done.stored.changed) == (0, 1)
    assert feedback.orders(warehouse)["price"].tolist() == [181.5]


BAD = {
    "negative quantity": ({"quantity": "-1"}, "quantity > 0"),
    "zero price": ({"price": "0"}, "price > 0"),
    "huge price": ({"price": "1e9"}, "price <= 1e+08"),
    "side": ({"side": "hold"}, "'hold' is none of buy, sell"),
    "no symbol": ({"symbol": ""}, "symbol is missing"),
    "path": ({"symbol": "../../etc"}, "no ticker"),
    "nan": ({"price": "NaN"}, "no number"),
    "inf": ({"price": "inf"}, "no number"),
    "beyond": ({"price": "1e400"}, "beyond any number"),
    "null word": ({"quantity": "null"}, "no number"),
    "dash": ({"quantity": "-"}, "no number"),
    "decimal comma": ({"price": "181,25"}, "no number"),
    "thousands": ({"price": "1_000"}, "no number"),
    "other digits": ({"price": "\u0661\u0662"}, "no number"),
    "no offset": ({"filled_at": "2026-01-15T15:30:00"}, "no offset"),
    "no instant": ({"filled_at": "yesterday"}, "no instant"),
    "edge of time": ({"filled_at": "0001-01-01T00:00:00+05:00"}, "no instant"),
    "long ago": ({"filled_at": "1815-06-18T11:30:00Z"}, "1970"),
    "ahead": ({"filled_at": "2026-01-20T02:00:01Z"}, "lies ahead"),
    "slippage": ({"slippage_bps": "1e7"}, "slippage_bps <= 1e+06"),
    "long id": ({"order_id": "x" * 201}, "longer than 200"),
    "control": ({"order_id": "a\x1b[31m"}, "control characters"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_named_by_line_and_reason_and_the_others_land(warehouse_sqlite, tmp_path, case):
    cells, word = BAD[case]
    done = bring(warehouse_sqlite, csv_of(tmp_path, {}, {"order_id": "a2"} | cells, {"order_id": "a3"}))
    (refused,) = done.rejected
    assert refused.place == "line 3"
    assert word in refused.reason
    assert feedback.orders(warehouse_sqlite)["order_id"].tolist() == ["a1", "a3"]


def test_the_same_row_twice_is_one_order_and_a_second_word_on_it_is_refused(warehouse_sqlite, tmp_path):
    done = bring(warehouse_sqlite, csv_of(tmp_path, {}, {}, {"price": "200"}))
    assert [(r.place, "stands in line 2" in r.reason) for r in done.rejected] == [("line 4", True)]
    assert feedback.orders(warehouse_sqlite)["price"].tolist() == [181.25]


def test_lines_are_counted_as_an_editor_counts_them(warehouse_sqlite, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(f'\ufeff{HEADER}\r\n"a\nb",NVDA,buy,1,1,2026-01-15T15:30:00Z,\r\n\r\na2,NVDA\r\n', encoding="utf-8")
    done = bring(warehouse_sqlite, path)
    assert [(r.place, r.reason[:8]) for r in done.rejected] == [("line 2", "order_id"), ("line 5", "2 cells ")]


def test_json_is_read_as_csv_is(warehouse_sqlite, tmp_path):
    path = tmp_path / "orders.json"
    good = GOOD | {"quantity": 10, "price": 181.25, "slippage_bps": None}
    rows = [
        good,
        good | {"order_id": 7},
        good | {"order_id": "b", "price": True},
        "x",
        good | {"order_id": "c", "x": 1},
    ]
    text = json.dumps({"orders": rows})[:-2] + ', {"order_id": "d", "symbol": "SPY", "side": "buy", "quantity": NaN}]}'
    path.write_text(text)
    done = bring(warehouse_sqlite, path)
    assert [(r.place, r.reason) for r in done.rejected] == [
        ("item 2", "order_id: 7 is no text"),
        ("item 3", "price: True is no number"),
        ("item 4", "no object with the columns as names"),
        ("item 5", "unknown name 'x'"),
        ("item 6", "quantity: 'NaN' is no number; write it as 1234.5"),
    ]
    assert feedback.orders(warehouse_sqlite)["order_id"].tolist() == ["a1"]


FILES = {
    "ending": ("orders.xlsx", b"x", "neither"),
    "header": ("o.csv", b"order_id,symbol\n", "no column side"),
    "empty": ("o.csv", b"", "no column order_id"),
    "unknown column": ("o.csv", HEADER.encode() + b",fee\n", "'fee'"),
    "column twice": ("o.csv", HEADER.encode() + b",side\n", "twice"),
    "open quote": ("o.csv", HEADER.encode() + b'\n"a1,NVDA', "breaks off"),
    "encoding": ("o.csv", b"\xff\xfeo", "UTF-8"),
    "not json": ("o.json", b"{", "not JSON"),
    "no list": ("o.json", b'{"orders": 1}', "neither a list"),
    "deep": ("o.json", b"[" * 100_000, "too deep"),
    "endless number": ("o.json", b"[" + b"9" * 5000 + b"]", "not JSON"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_holds_no_orders_is_refused_whole(tmp_path, case):
    name, body, word = FILES[case]
    (tmp_path / name).write_bytes(body)
    with pytest.raises(UnreadableFile, match=word):
        list(read(tmp_path / name))


def test_s7_a_file_beyond_all_measure_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(feedback_file, "LARGEST", 1000)
    (tmp_path / "o.csv").write_bytes(b"x" * 1001)
    with pytest.raises(UnreadableFile, match="larger"):
        list(read(tmp_path / "o.csv"))


printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
ids = (
    printable
    | printable.map(lambda text: "=" + text)
    | st.sampled_from(["'=1", "''=1", "'", "-1", "@x", "+", "\uff1dx"])
)
numbers = st.floats(1e-9, 1e7)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
an_order = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["NVDA", "BRK-B", "BTCUSDT"]),
        "side": st.sampled_from(["buy", "sell"]),
        "quantity": numbers,
        "price": numbers,
        "filled_at": st.integers(0, 1_767_139_200_000_000).map(lambda us: EPOCH + timedelta(microseconds=us)),
        "slippage_bps": st.none() | st.floats(-1e5, 1e5),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(ids, an_order, min_size=1, max_size=6))
def test_s11_what_is_exported_comes_back_the_same_and_no_cell_is_a_formula(tmp_path, orders):
    told = [{"order_id": name} | order for name, order in orders.items()]
    frame = pd.DataFrame(told, columns=COLUMNS).astype({"filled_at": "datetime64[us, UTC]", "slippage_bps": "float64"})
    (tmp_path / "o.csv").write_text(as_csv(frame), encoding="utf-8", newline="")
    (tmp_path / "o.json").write_text(json.dumps({"orders": as_records(frame)}))
    for name in ("o.csv", "o.json"):
        assert [feedback_file.values(raw) for raw in read(tmp_path / name)] == told
    for line in (tmp_path / "o.csv").read_text(encoding="utf-8").splitlines()[1:]:
        assert line.lstrip('"')[0] not in "=+-@\uff1d\uff0b\uff0d\uff20\t\r"


def test_slippage_by_symbol_over_new_yorks_days(warehouse, tmp_path):
    rows = [
        {"order_id": "1", "quantity": "1", "price": "100", "slippage_bps": "2"},
        {"order_id": "2", "quantity": "3", "price": "100", "slippage_bps": "-2"},
        {"order_id": "3", "quantity": "1", "price": "100", "slippage_bps": "10"},
        {"order_id": "4", "slippage_bps": ""},
        {"order_id": "5", "symbol": "SPY", "slippage_bps": ""},
        {"order_id": "6", "filled_at": "2026-01-15T04:59:59Z", "slippage_bps": "900"},  # the evening before
        {"order_id": "7", "filled_at": "2026-01-16T05:00:00Z", "slippage_bps": "900"},  # midnight after
        {"order_id": "8", "symbol": "SPY", "filled_at": "2026-01-16T04:59:59Z", "slippage_bps": ""},
    ]
    bring(warehouse, csv_of(tmp_path, *rows))
    found = feedback.slippage_summary(warehouse, date(2026, 1, 15), date(2026, 1, 15)).set_index("symbol")
    nvda, spy = found.loc["NVDA"], found.loc["SPY"]
    assert (nvda["orders"], nvda["measured"], nvda["notional"]) == (4, 3, 500.0)
    assert nvda["median_bps"] == 2
    assert nvda["p95_bps"] == pytest.approx(2 + 0.9 * 8)
    assert nvda["weighted_bps"] == pytest.approx((2 * 100 - 2 * 300 + 10 * 100) / 500)
    assert (spy["orders"], spy["measured"], spy["notional"]) == (2, 0, 0.0)
    assert spy[["median_bps", "p95_bps", "weighted_bps"]].isna().all()
    none = feedback.slippage_summary(warehouse, date(2025, 1, 1), date(2025, 1, 2))
    assert none.empty
    assert list(none.columns) == list(found.reset_index().columns)
