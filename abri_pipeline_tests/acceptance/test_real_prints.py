"""The 211 weekly prints of the recorded market: their dates, what they may know, and why parts are missing."""

import json
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from abri_pipeline.contracts.abri import COMPONENTS, HISTORY
from abri_pipeline.contracts.filings import HYPERSCALERS

pytestmark = [pytest.mark.realdata, pytest.mark.timeout(900)]

NEW_YORK = ZoneInfo("America/New_York")
WEIGHTS = dict(zip(COMPONENTS, (0.15, 0.10, 0.15, 0.15, 0.15, 0.10, 0.20), strict=True))


@pytest.fixture
def prints(done):
    return done.rows(HISTORY)


def instants(prints):
    return [k.to_pydatetime() for k in prints["knowledge_at"]]


def test_one_print_a_week_at_its_last_session(prints, files):
    sessions = pd.read_csv(files / "equity_daily" / "SPY.csv", parse_dates=["date"])["date"]
    sessions = sessions[sessions.between("2022-01-03", "2026-01-18")]
    last = sessions.groupby(sessions.dt.to_period("W-SUN")).max()
    assert len(last) == len(prints) == 211
    assert prints["as_of"].tolist() == last.astype("datetime64[s]").tolist()
    assert (str(prints["as_of"].iloc[0].date()), str(prints["as_of"].iloc[-1].date())) == ("2022-01-07", "2026-01-16")
    assert date(2022, 4, 14) in set(prints["as_of"].dt.date)  # Good Friday's week ends on Thursday
    assert set(prints["method"]) == {"spec-1.1"}


def test_k_is_the_following_monday_at_six_in_new_york(prints):
    for as_of, known in zip(prints["as_of"].dt.date, instants(prints), strict=True):
        monday = as_of + timedelta(days=7 - as_of.weekday())
        assert known == datetime.combine(monday, time(18), NEW_YORK)


def test_every_missing_component_has_its_reason_and_no_other(prints):
    for row in prints.itertuples():
        missing = {name for name in COMPONENTS if pd.isna(getattr(row, f"{name}_score"))}
        told = {part.split(" missing: ")[0] for part in (row.reason or "").split("; ") if " missing: " in part}
        assert told == missing
        assert row.coverage == pytest.approx(1 - sum(WEIGHTS[name] for name in missing))


def test_market_and_credit_are_there_in_every_week(prints):
    for name in ("concentration", "correlation", "credit_stress"):
        assert prints[f"{name}_score"].notna().all()


def test_gpu_deflation_begins_with_the_first_quote(prints, files):
    quotes = pd.read_csv(files / "gpu" / "gpu_prices_weekly.csv", dtype=str)
    h100 = quotes[(quotes["gpu_model"] == "H100") & (quotes["memory_gb"] == "80") & (quotes["is_spot"] == "False")]
    first = pd.Timestamp(h100["date"].min())
    assert (prints["gpu_deflation_score"].notna() == (prints["as_of"] >= first)).all()


def test_deal_flow_needs_a_year_with_deals_before(prints):
    scores = prints.set_index("as_of")["deal_flow_score"]
    assert scores[:"2022-10-07"].isna().all()  # the ledger begins in April 2022: no volume half a year before
    assert scores["2024-01-01":].notna().all()


def test_nothing_read_was_published_after_k(prints):
    seen = 0
    for known, text in zip(instants(prints), prints["inputs"], strict=True):
        for name, reading in json.loads(text).items():
            if reading["value"] is None:
                assert reading["reason"], name
                continue
            seen += 1
            assert datetime.fromisoformat(reading["available_at"]) <= known, name
            assert date.fromisoformat(reading["observed_on"]) <= known.date()
    assert seen > 1000


def test_a_firm_counts_from_its_first_filing_on(done, prints, files):
    """Which filings were known, recomputed from the SEC's own documents; acceptance is at most hours off its day."""
    firms = {"MSFT": 789019, "META": 1326801}
    first = {}
    for firm, cik in firms.items():
        facts = json.loads((files / "sec" / "companyfacts" / f"CIK{cik:010d}.json").read_bytes())["facts"]["us-gaap"]
        rows = [
            fact["filed"]
            for tag in ("PaymentsToAcquirePropertyPlantAndEquipment", "NetCashProvidedByUsedInOperatingActivities")
            for fact in facts[tag]["units"]["USD"]
            if fact["form"] in ("10-K", "10-Q", "10-K/A", "10-Q/A")
        ]
        first[firm] = date.fromisoformat(min(rows))
    for row in prints.itertuples():
        reading = json.loads(row.inputs)["avg_capex_ocf"]
        assert reading["value"] is None  # two of the four firms are not in the recorded market
        unfiled = reading["reason"].split("needed): ")[1].split("; ")[0].split(" ha")[0]
        for firm, filed in first.items():
            if row.knowledge_at.date() < filed:
                assert firm in unfiled
            if row.as_of.date() > filed + timedelta(days=100):
                assert firm not in unfiled
        assert {"GOOGL", "AMZN"} <= set(unfiled.replace(" and ", ", ").split(", "))
    assert done.rows(HYPERSCALERS)["filed_on"].min().year < 2022  # NVDA's are older: it is no member of the group


def test_a_history_loaded_years_later_is_reconstructed(prints):
    assert set(prints[prints["as_of"] < "2025-12-01"]["kind"]) == {"reconstructed"}
    assert prints["supersedes"].isna().all()
