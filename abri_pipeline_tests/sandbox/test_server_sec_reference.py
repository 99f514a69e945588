"""The SEC and reference wires over a hand-made market: only what was filed or known by then."""

import pytest

FACTS = "/sec/api/xbrl/companyfacts/CIK0000000042.json"
FILINGS = "/sec/submissions/CIK0000000042.json"


def test_facts_appear_once_their_filing_day_ends_and_empty_concepts_are_left_out(sandbox, at):
    at("2024-07-01T21:29:59Z")
    early = sandbox.get(FACTS).json()["facts"]
    assert list(early) == ["us-gaap"]
    assert list(early["us-gaap"]) == ["Assets"]
    assert [fact["val"] for fact in early["us-gaap"]["Assets"]["units"]["USD"]] == [1]
    at("2024-07-01T21:30:00Z")  # EDGAR dates a filing to the day until 17:30 New York
    late = sandbox.get(FACTS).json()["facts"]
    assert [fact["val"] for fact in late["us-gaap"]["Assets"]["units"]["USD"]] == [1, 2]
    assert set(late) == {"us-gaap", "dei"}


def test_filings_appear_when_accepted_in_every_column_and_no_older_page_is_promised(sandbox, at):
    at("2024-07-01T20:04:59Z")
    recent = sandbox.get(FILINGS).json()["filings"]["recent"]
    assert {len(column) for column in recent.values()} == {1}
    assert recent["accessionNumber"] == ["a"]
    at("2024-07-01T20:05:00Z")
    filings = sandbox.get(FILINGS).json()["filings"]
    assert filings["recent"]["accessionNumber"] == ["b", "a"]
    assert filings["files"] == []


def test_a_company_that_has_not_filed_yet_is_404(sandbox, at):
    at("2024-01-01T00:00:00Z")
    assert sandbox.get(FACTS).status_code == 404
    assert sandbox.get(FILINGS).status_code == 404


@pytest.mark.parametrize(
    ("name", "before", "after", "counts"),
    [
        ("weights", "2024-07-01T00:00:00Z", "2024-07-02T04:00:00Z", (1, 2)),
        ("gpu_prices", "2024-07-01T12:00:00Z", "2024-07-02T04:00:00Z", (1, 2)),
        ("deals", "2024-06-30T12:00:00Z", "2024-07-01T04:00:00Z", (1, 2)),
        ("segment_revenue", "2024-08-14T12:00:00Z", "2024-08-15T04:00:00Z", (1, 2)),
    ],
)
def test_reference_rows_appear_when_the_world_could_know_them(sandbox, at, name, before, after, counts):
    found = []
    for now in (before, after):
        at(now)
        answer = sandbox.get(f"/reference/{name}.csv")
        assert answer.headers["content-type"].startswith("text/csv")
        found.append(len(answer.text.splitlines()) - 1)
    assert tuple(found) == counts


def test_a_table_before_its_first_row_is_a_header_and_not_a_404(sandbox, at):
    at("2020-01-01T00:00:00Z")
    answer = sandbox.get("/reference/weights.csv")
    assert answer.status_code == 200
    assert answer.text == "effective_date,available_at\n"
