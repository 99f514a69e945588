"""Filings of the synthetic companies: the wire's shape and the identities that cumulative figures obey."""

import re
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from abri_pipeline.calendars import publication
from abri_pipeline.calendars.new_york import day_of
from abri_pipeline.sandbox.synthetic import SyntheticMarket
from abri_pipeline.sandbox.synthetic_companies import BY_TICKER, COMPANIES, quarters

market = SyntheticMarket()
TICKERS = [company.ticker for company in COMPANIES]
CASH = "NetCashProvidedByUsedInOperatingActivities"
PPE = "PaymentsToAcquirePropertyPlantAndEquipment"
PRODUCTIVE = "PaymentsToAcquireProductiveAssets"


def concepts(ticker: str) -> dict[str, Any]:
    body = market.companyfacts(BY_TICKER[ticker].cik)
    assert body is not None
    found: dict[str, Any] = body["facts"]["us-gaap"]
    return found


def facts(ticker: str, tag: str) -> pd.DataFrame:
    frame = pd.DataFrame(concepts(ticker)[tag]["units"]["USD"])
    for column in ("start", "end", "filed"):
        if column in frame:
            frame[column] = pd.to_datetime(frame[column])
    return frame


def recent(ticker: str) -> pd.DataFrame:
    body = market.submissions(BY_TICKER[ticker].cik)
    assert body is not None
    return pd.DataFrame(body["filings"]["recent"])


@pytest.mark.parametrize("ticker", TICKERS)
def test_body_has_the_shape_of_the_wire_and_says_synthetic(ticker: str):
    body = market.companyfacts(BY_TICKER[ticker].cik)
    assert body is not None
    assert list(body) == ["cik", "entityName", "facts"]
    assert body["cik"] == BY_TICKER[ticker].cik
    assert "synthetic" in body["entityName"]
    for entry in body["facts"]["us-gaap"].values():
        assert set(entry) == {"label", "description", "units"}
        for row in entry["units"]["USD"]:
            assert {"end", "val", "accn", "fy", "fp", "form", "filed"} <= set(row)
            assert isinstance(row["val"], int)
            assert re.fullmatch(r"\d{10}-\d{2}-\d{6}", row["accn"])
            assert row["form"] in ("10-K", "10-Q")
            assert row["end"] < row["filed"] <= "2026-12-31"


@pytest.mark.parametrize("ticker", TICKERS)
def test_submissions_and_facts_name_the_same_filings_on_the_same_days(ticker: str):
    listed = recent(ticker)
    assert listed["accessionNumber"].is_unique
    assert listed["acceptanceDateTime"].is_monotonic_decreasing
    reports = listed[listed["form"] != "8-K"].set_index("accessionNumber")
    stated = facts(ticker, CASH).drop_duplicates("accn").set_index("accn")
    assert set(stated.index) == set(reports.index)
    joined = reports.join(stated[["filed"]])
    assert (pd.to_datetime(joined["filingDate"]) == joined["filed"]).all()
    for row in joined.itertuples():
        accepted = datetime.fromisoformat(row.acceptanceDateTime)
        assert day_of(accepted) == date.fromisoformat(row.filingDate)
        # A reader who only knows the day may be later than the acceptance, never earlier.
        assert accepted <= publication.filing_available_at(date.fromisoformat(row.filingDate), None)
        lag = date.fromisoformat(row.filingDate) - date.fromisoformat(row.reportDate)
        assert timedelta(days=24) <= lag <= timedelta(days=44)


@pytest.mark.parametrize("ticker", TICKERS)
def test_cash_flows_are_cumulative_from_the_fiscal_year_start(ticker: str):
    company_quarters = quarters(ticker)
    cash = facts(ticker, CASH)
    for report in {(q.fiscal_year, q.year_start) for q in company_quarters if 2018 <= q.fiscal_year <= 2025}:
        own = cash[cash["start"] == pd.Timestamp(report[1])].drop_duplicates("end").sort_values("end")
        of_year = [q for q in company_quarters if q.fiscal_year == report[0]]
        windows = own.set_index("end")["val"]
        steps = windows.loc[[pd.Timestamp(q.end) for q in of_year]].diff().fillna(windows.iloc[0])
        assert steps.tolist() == [q.figures["cash"] for q in of_year]


@pytest.mark.parametrize("ticker", TICKERS)
def test_quarters_tile_the_calendar_and_can_be_differenced(ticker: str):
    tiled = quarters(ticker)
    for before, after in pairwise(tiled):
        assert after.start == before.end + timedelta(days=1)
    assert all(80 <= (q.end - q.start).days + 1 <= 100 for q in tiled)


def test_fiscal_calendars():
    ends = {(t, q.fiscal_year): q.end for t in TICKERS for q in quarters(t) if q.number == 4}
    assert ends["MSFT", 2024] == date(2024, 6, 30)
    assert ends["ORCL", 2024] == date(2024, 5, 31)
    assert ends["GOOGL", 2024] == date(2024, 12, 31)
    assert ends["NVDA", 2025] == date(2025, 1, 26)
    assert all(ends["NVDA", year].weekday() == 6 and ends["NVDA", year].month == 1 for year in range(2015, 2027))
    assert ends["NVDA", 2021] - ends["NVDA", 2020] == timedelta(days=371)


def test_tags_change_where_the_companies_changed_them():
    assert {PPE, PRODUCTIVE} <= set(concepts("NVDA"))
    assert facts("NVDA", PPE)["filed"].max() < pd.Timestamp("2019-10-01") <= facts("NVDA", PRODUCTIVE)["filed"].min()
    assert PRODUCTIVE in concepts("AMZN")
    assert PPE not in concepts("AMZN")
    for ticker in ("MSFT", "GOOGL", "META"):
        assert PPE in concepts(ticker)
    merged = facts("GOOGL", "LongTermDebtAndCapitalLeaseObligations")
    assert set(merged["form"]) == {"10-Q"}
    assert merged["filed"].between("2020-09-01", "2024-09-30").all()
    assert facts("META", "LongTermDebtNoncurrent")["end"].min() > pd.Timestamp("2022-08-01")
    assert facts("MSFT", "OperatingLeaseLiabilityNoncurrent")["end"].min() > pd.Timestamp("2018-12-31")


def test_amazon_also_files_trailing_windows_that_are_no_fiscal_year():
    cash = facts("AMZN", CASH)
    days = (cash["end"] - cash["start"]).dt.days + 1
    trailing = cash[(days > 350) & (cash["end"].dt.month != 12)]
    assert len(trailing) > 50
    q1 = cash[(cash["end"] == "2025-03-31")].set_index("start")["val"]
    assert q1[pd.Timestamp("2024-04-01")].max() > 3 * q1[pd.Timestamp("2025-01-01")].max()
    assert not [t for t in TICKERS if t != "AMZN" and _trailing(t)]


def _trailing(ticker: str) -> bool:
    cash = facts(ticker, CASH)
    year_starts = {pd.Timestamp(q.year_start) for q in quarters(ticker)}
    return not cash["start"].isin(year_starts).all()


def test_meta_restates_one_year_and_mixing_vintages_gives_a_wrong_quarter():
    every = facts("META", PPE)
    in_the_year = every["start"] == pd.Timestamp("2022-01-01")
    capex = every[in_the_year]
    first, last = capex.drop_duplicates("end", keep="first"), capex.drop_duplicates("end", keep="last")
    originals, restated = first.set_index("end")["val"], last.set_index("end")["val"]
    assert len(restated) == 4
    assert (restated > originals).all()
    year, nine_months = pd.Timestamp("2022-12-31"), pd.Timestamp("2022-09-30")
    right = restated[year] - restated[nine_months]
    mixed = restated[year] - originals[nine_months]
    assert mixed != right
    others = every[~in_the_year].groupby(["start", "end"])["val"].nunique()
    assert (others == 1).all()


@pytest.mark.parametrize("ticker", ["MSFT", "GOOGL", "AMZN", "META"])
def test_capital_intensity_rises_over_the_years(ticker: str):
    share = {q.end.year: q.figures["capex"] / q.figures["cash"] for q in quarters(ticker) if q.end.month == 6}
    assert share[2025] > 1.4 * share[2021]
    assert 0.1 < min(share.values()) < max(share.values()) < 1.5


def test_shares_outstanding_are_as_filed_and_agree_with_the_index():
    body = market.companyfacts(BY_TICKER["NVDA"].cik)
    assert body is not None
    rows = body["facts"]["dei"]["EntityCommonStockSharesOutstanding"]["units"]["shares"]
    counts = pd.Series({pd.Timestamp(row["end"]): row["val"] for row in rows})
    before, after = counts[:"2024-05-20"].iloc[-1], counts["2024-05-20":].iloc[0]
    assert after / before == pytest.approx(8.0, rel=0.02)
    google = market.companyfacts(BY_TICKER["GOOGL"].cik)
    assert google is not None
    assert "dei" not in google["facts"]


def test_frames_stand_on_the_newest_statement_of_a_calendar_like_period_only():
    cash = facts("META", CASH)
    framed = cash[cash["frame"].notna()]
    assert framed["frame"].str.fullmatch(r"CY\d{4}(Q[1-4])?").all()
    assert framed.duplicated(["start", "end"]).sum() == 0
    assert 0.1 < len(framed) / len(cash) < 0.6
