"""The packaged tables: every row has its source, keys are unique, values are allowed and tidy."""

import csv
import hashlib
import io
import zipfile
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from abri_pipeline.reference import COLUMNS, NAMES, UnknownTableError, packaged

MAG7 = ("AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "TSLA")
STRUCTURES = {"spv", "corporate_debt", "sale_leaseback", "equity", "lease", "vendor_financing", "other"}
RULINGS = {"nested", "commitment", "intent", "target", "terminated"}
KEYS = {
    "weights": ("quarter",),
    "gpu_prices": ("date", "gpu_model", "provider", "is_spot", "variant"),
    "deals": ("announced_date", "company", "amount_usd_millions"),
    "segment_revenue": ("ticker", "fiscal_period", "segment"),
    "deal_rulings": ("announced_date", "company", "amount_usd_millions"),
}
SOURCE = {"gpu_prices": "source_url", "deals": "source_url", "segment_revenue": "source", "deal_rulings": "source_url"}
DATES = {
    "weights": ("effective_date", "available_at"),
    "gpu_prices": ("date",),
    "deals": ("announced_date",),
    "segment_revenue": ("period_end",),
    "deal_rulings": ("announced_date",),
}


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(packaged(name).decode())))


def is_plain_web_address(url: str) -> bool:
    parts = urlsplit(url)
    return (
        parts.scheme in {"http", "https"}
        and "." in (parts.hostname or "")
        and parts.username is None
        and parts.password is None
        and not any(c.isspace() for c in url)
        and not any(word in parts.query.lower() for word in ("api_key", "apikey", "token", "password"))
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://host.example/x",
        "https://user:secret@host.example/",
        "https://host.example/a (page 2)",
        "https://host.example/?api_key=1",
        "idem",
        "",
    ],
)
def test_the_address_rule_refuses_what_it_should(url):
    assert not is_plain_web_address(url)


@pytest.mark.parametrize("name", sorted(SOURCE))
def test_every_row_has_a_web_source(name):
    assert [r for r in rows(name) if not is_plain_web_address(r[SOURCE[name]])] == []


def test_every_weight_names_its_source():
    assert {r["source"] for r in rows("weights")} == {"iShares IVV holdings, computed"}


@pytest.mark.parametrize("name", NAMES)
def test_header_is_the_declared_layout_and_no_cell_spills_over(name):
    lines = list(csv.reader(io.StringIO(packaged(name).decode())))
    assert tuple(lines[0]) == COLUMNS[name]
    assert {len(line) for line in lines} == {len(COLUMNS[name])}


@pytest.mark.parametrize("name", NAMES)
def test_file_is_tidy(name):
    body = packaged(name)
    assert body.endswith(b"\n") and b"\r" not in body
    again = io.StringIO()
    csv.writer(again, lineterminator="\n").writerows(csv.reader(io.StringIO(body.decode())))
    assert again.getvalue().encode() == body, "quotes only where they are needed"
    assert all(v == v.strip() for r in rows(name) for v in r.values())


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_unique(name):
    keys = [tuple(r[k] for k in KEYS[name]) for r in rows(name)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", ["weights", "gpu_prices", "deals", "deal_rulings"])
def test_rows_are_in_order_of_time(name):
    days = [r[DATES[name][0]] for r in rows(name)]
    assert days == sorted(days)


@pytest.mark.parametrize("name", NAMES)
def test_dates_parse(name):
    for row in rows(name):
        for column in DATES[name]:
            assert date.fromisoformat(row[column]).isoformat() == row[column]


@pytest.mark.parametrize("name", NAMES)
def test_no_text_can_become_a_formula_or_a_tag(name):
    cells = [v for r in rows(name) for v in r.values()]
    assert [v for v in cells if v[:1] in {"=", "+", "@", "-"} or "<" in v or "javascript:" in v.lower()] == []


def test_weights_cover_every_quarter_end_from_2019_to_2025():
    wanted = ["2019Q4"] + [f"{y}Q{q}" for y in range(2020, 2026) for q in range(1, 5)]
    assert [r["quarter"] for r in rows("weights")] == wanted


def test_weights_are_percentages_and_both_alphabet_lines_are_there():
    for row in rows("weights"):
        assert row["effective_date"] < row["available_at"]
        for line in (*MAG7, "IT_sector_asof", "IT_sector_gics2023"):
            if line == "TSLA" and row["effective_date"] < "2020-12-21":
                assert float(row[line]) == 0, "not a member yet: its true weight is zero"
            else:
                assert 0 < float(row[line]) < 100
        assert float(row["IT_sector_gics2023"]) <= float(row["IT_sector_asof"])


@pytest.mark.parametrize(
    ("quarter", "mag7", "it"),
    [("2022Q4", 0.200, 0.257), ("2023Q4", 0.280, 0.289), ("2024Q4", 0.335, 0.325), ("2025Q4", 0.349, 0.344)],
)
def test_year_end_weights_are_the_published_ones(quarter, mag7, it):
    row = next(r for r in rows("weights") if r["quarter"] == quarter)
    assert sum(float(row[line]) for line in MAG7) / 100 == pytest.approx(mag7, abs=5e-4)
    assert float(row["IT_sector_asof"]) / 100 == pytest.approx(it, abs=5e-4)


def test_one_h100_point_a_quarter_on_demand():
    quarters = []
    for row in rows("gpu_prices"):
        day = date.fromisoformat(row["date"])
        quarters.append((day.year, (day.month + 2) // 3))
        assert (row["gpu_model"], row["memory_gb"], row["is_spot"]) == ("H100", "80", "False")
        assert 1 < float(row["price_usd_per_gpu_hour"]) < 8, "a price of an instance is not a price of a GPU"
    assert quarters == [(y, q) for y in (2023, 2024, 2025) for q in (1, 2, 3, 4)]


def test_deals_use_the_allowed_words():
    for row in rows("deals"):
        assert row["structure_type"] in STRUCTURES
        assert row["date_precision"] in {"day", "month", "approx"}
        assert row["is_circular"] in {"true", "false"}
        assert (row["is_circular"] == "true") == bool(row["circularity_reason"])
        assert row["company"] and row["counterparty"]
        assert row["amount_usd_millions"] == "" or float(row["amount_usd_millions"]) > 0


def test_rulings_use_the_allowed_words_and_give_a_reason():
    for row in rows("deal_rulings"):
        assert row["ruling"] in RULINGS
        assert row["reason"]
        assert float(row["amount_usd_millions"]) > 0


def test_a_deal_noted_as_not_summable_has_its_ruling():
    ruled = {tuple(r[k] for k in KEYS["deals"]): r["ruling"] for r in rows("deal_rulings")}
    phrases = {"commitment only": "commitment", "target only": "target", "letter of intent": "intent"}
    for row in rows("deals"):
        for phrase, ruling in phrases.items():
            if phrase in row["notes"].lower():
                assert ruled[tuple(row[k] for k in KEYS["deals"])] == ruling


def test_segment_revenue_is_quarters_in_usd():
    for row in rows("segment_revenue"):
        assert row["fiscal_period"][:2] == "FY" and row["fiscal_period"][-2] == "Q"
        assert 1_000 < float(row["revenue_usd_millions"]) < 200_000
        assert "%" not in row["segment"]


def test_an_unknown_table_is_named_in_one_plain_line():
    with pytest.raises(UnknownTableError, match=r"^no packaged reference table 'prices'; there are weights, ") as e:
        packaged("prices")
    assert isinstance(e.value, KeyError)
    with pytest.raises(UnknownTableError):
        packaged("../settings")


def test_the_wheel_carries_the_same_bytes(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    root = Path(__file__).resolve().parents[2]
    wheel = next(WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(wheel) as archive:
        for name in NAMES:
            shipped = archive.read(f"abri_pipeline/reference/{name}.csv")
            assert hashlib.sha256(shipped).digest() == hashlib.sha256(packaged(name)).digest()
