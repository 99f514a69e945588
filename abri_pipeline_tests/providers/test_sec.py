"""EDGAR's two documents."""

import json
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers.errors import Absent, BadRequest, Malformed
from abri_pipeline.providers.sec import (
    fetch_companyfacts,
    fetch_submission_page,
    fetch_submissions,
    parse_companyfacts,
    parse_submissions,
    submission_pages,
)

CAPEX = {"start": "2024-01-29", "end": "2024-07-28", "val": 1346000000, "accn": "0001045810-24-000264",
         "fy": 2025, "fp": "Q2", "form": "10-Q", "filed": "2024-08-28"}  # fmt: skip
EQUITY = {"end": "2024-07-28", "val": 58157000000, "accn": "0001045810-24-000264", "fy": 2025, "fp": "Q2",
          "form": "10-Q", "filed": "2024-08-28"}  # fmt: skip
SHARES = {
    "end": "2024-08-23",
    "val": 24530000000,
    "accn": "0001045810-24-000264",
    "form": "10-Q",
    "filed": "2024-08-28",
}
FACTS = {
    "cik": 1045810,
    "entityName": "NVIDIA CORP",
    "facts": {
        "dei": {"EntityCommonStockSharesOutstanding": {"units": {"shares": [SHARES]}}},
        "us-gaap": {
            "PaymentsToAcquireProductiveAssets": {"units": {"USD": [CAPEX, {**CAPEX, "frame": "CY2024Q2"}]}},
            "StockholdersEquity": {"units": {"USD": [EQUITY]}},
        },
        "ecd": {"Else": {"units": {"USD": [CAPEX]}}},
    },
}
RECENT = {
    "accessionNumber": ["0001045810-24-000264", "0001045810-24-000200"],
    "filingDate": ["2024-08-28", "2024-06-01"],
    "reportDate": ["2024-07-28", ""],
    "acceptanceDateTime": ["2024-08-28T20:36:12.000Z", ""],
    "form": ["10-Q", "4"],
    "primaryDocument": ["nvda-20240728.htm", ""],
    "size": [1, 2],
}
PAGE = "CIK0001045810-submissions-001.json"
SUBMISSIONS = {"cik": "0001045810", "filings": {"recent": RECENT, "files": [{"name": PAGE}, {"name": "../../etc"}]}}


def body(found: object) -> bytes:
    return json.dumps(found).encode()


def test_paths_carry_the_padded_cik(upstream, transport, answer) -> None:
    upstream.will(answer(b"{}"))
    fetch_companyfacts(transport, 1045810)
    fetch_submissions(transport, 789019)
    fetch_submission_page(transport, PAGE)
    assert upstream.paths == [
        "/sec/api/xbrl/companyfacts/CIK0001045810.json",
        "/sec/submissions/CIK0000789019.json",
        f"/sec/submissions/{PAGE}",
    ]


def test_a_company_that_edgar_does_not_hold_is_named(upstream, transport, answer) -> None:
    upstream.will(answer(b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", 404))
    with pytest.raises(Absent, match="no filings of CIK 42; check the CIK"):
        fetch_submissions(transport, 42)


@pytest.mark.parametrize("cik", [0, -1, 10**10])
def test_a_number_that_is_no_cik_is_not_asked(transport, cik) -> None:
    with pytest.raises(BadRequest):
        fetch_companyfacts(transport, cik)
    with pytest.raises(BadRequest):
        fetch_submission_page(transport, "../../etc/passwd")
    assert not transport.calls


def test_facts_of_both_taxonomies_are_read_once_each() -> None:
    facts = parse_companyfacts(body(FACTS)).set_index("tag")
    assert sorted(facts.index) == [
        "dei:EntityCommonStockSharesOutstanding",
        "us-gaap:PaymentsToAcquireProductiveAssets",
        "us-gaap:StockholdersEquity",
    ]
    capex = facts.loc["us-gaap:PaymentsToAcquireProductiveAssets"]
    assert capex.to_dict() == {
        "accession": "0001045810-24-000264",
        "unit": "USD",
        "start": pd.Timestamp("2024-01-29"),
        "end": pd.Timestamp("2024-07-28"),
        "value": 1346000000.0,
        "form": "10-Q",
        "filed_on": pd.Timestamp("2024-08-28"),
    }
    assert pd.isna(facts.loc["us-gaap:StockholdersEquity", "start"])


def test_a_company_without_facts_is_empty_and_typed() -> None:
    empty = parse_companyfacts(body({"facts": {}}))
    assert empty.empty
    assert empty.dtypes.equals(parse_companyfacts(body(FACTS)).dtypes)


def test_filings_are_read_with_their_instants_and_addresses() -> None:
    filings = parse_submissions(body(SUBMISSIONS))
    assert filings["form"].tolist() == ["10-Q", "4"]
    assert filings["period_end"].tolist() == [pd.Timestamp("2024-07-28"), pd.NaT]
    assert filings["accepted_at"].iloc[0] == datetime(2024, 8, 28, 20, 36, 12, tzinfo=UTC)
    assert pd.isna(filings["accepted_at"].iloc[1])
    assert filings["url"].tolist() == [
        "https://www.sec.gov/Archives/edgar/data/1045810/000104581024000264/nvda-20240728.htm",
        "https://www.sec.gov/Archives/edgar/data/1045810/000104581024000200/",
    ]


def test_a_page_of_older_filings_reads_the_same() -> None:
    main = parse_submissions(body(SUBMISSIONS))
    pd.testing.assert_frame_equal(parse_submissions(body(RECENT), 1045810), main)
    with pytest.raises(Malformed, match="CIK"):
        parse_submissions(body(RECENT))


def test_pages_are_listed_and_foreign_names_are_not() -> None:
    assert submission_pages(body(SUBMISSIONS)) == [PAGE]
    assert submission_pages(body({"filings": {"recent": {}}})) == []


@pytest.mark.parametrize(
    "found",
    [
        {},
        [],
        {"facts": []},
        {"facts": {"us-gaap": {"X": {}}}},
        {"facts": {"us-gaap": {"X": {"units": {"USD": [{**CAPEX, "val": "much"}]}}}}},
        {"facts": {"us-gaap": {"X": {"units": {"USD": [{**CAPEX, "end": "soon"}]}}}}},
        {"facts": {"us-gaap": {"X": {"units": {"USD": [{"val": 1}]}}}}},
        {"facts": {"us-gaap": {"\ud800": {"units": {"USD": [CAPEX]}}}}},
    ],
)
def test_other_facts_are_malformed(found) -> None:
    with pytest.raises(Malformed):
        parse_companyfacts(body(found))


@pytest.mark.parametrize(
    "change",
    [
        {"form": ["10-Q"]},
        {"filingDate": ["soon", ""]},
        {"accessionNumber": ["x", "y"]},
        {"acceptanceDateTime": ["noon", ""]},
        {"form": None},
    ],
)
def test_other_lists_of_filings_are_malformed(change) -> None:
    with pytest.raises(Malformed):
        parse_submissions(body({**RECENT, **change}), 1)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_malformed(noise) -> None:
    for parse in (parse_companyfacts, parse_submissions, submission_pages):
        with pytest.raises(Malformed):
            parse(noise)


@pytest.mark.realdata
def test_nvidias_facts_are_read_whole(shared) -> None:
    raw = (shared / "data" / "sec" / "companyfacts" / "CIK0001045810.json").read_bytes()
    facts = parse_companyfacts(raw)
    assert len(facts) == 26_849
    assert not facts.duplicated(["accession", "tag", "unit", "start", "end"]).any()
    fy2025 = facts[
        (facts["tag"] == "us-gaap:PaymentsToAcquireProductiveAssets")
        & (facts["start"] == pd.Timestamp("2024-01-29"))
        & (facts["end"] == pd.Timestamp("2025-01-26"))
    ]
    assert set(fy2025["value"]) == {3_236_000_000.0}


@pytest.mark.realdata
def test_microsofts_filings_are_read_whole(shared) -> None:
    raw = (shared / "data" / "sec" / "submissions" / "CIK0000789019.json").read_bytes()
    filings = parse_submissions(raw)
    assert len(filings) == 1006
    assert len(submission_pages(raw)) == 2
    newest = filings[filings["form"] == "10-Q"].iloc[0]
    assert (newest["period_end"], newest["filed_on"]) == (pd.Timestamp("2025-12-31"), pd.Timestamp("2026-01-28"))
