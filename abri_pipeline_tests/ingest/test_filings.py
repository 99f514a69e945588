"""Filings: one transaction a company; a restatement is a new vintage and never rewrites an old one."""

from datetime import date
from itertools import count

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.filings import FACTS, FILINGS, HYPERSCALERS
from abri_pipeline.derive import filings as quarters
from abri_pipeline.ingest import filings
from abri_pipeline.ingest.desk import Window

META = 1326801
WINDOW = Window(date(2024, 1, 1), date(2024, 7, 31))
CAPEX, CASH = "PaymentsToAcquirePropertyPlantAndEquipment", "NetCashProvidedByUsedInOperatingActivities"


def fact(accession, filed, start, end, millions, form="10-Q"):
    return {"accn": accession, "filed": filed, "start": start, "end": end, "val": millions * 10**6, "form": form}


def company(**concepts):
    us_gaap = {tag: {"label": tag, "units": {"USD": facts}} for tag, facts in concepts.items()}
    return {"cik": META, "entityName": "Meta", "facts": {"us-gaap": us_gaap}}


FIRST = {
    CAPEX: [fact("0001326801-24-000049", "2024-04-25", "2024-01-01", "2024-03-31", 6400)],
    CASH: [fact("0001326801-24-000049", "2024-04-25", "2024-01-01", "2024-03-31", 19246)],
}
# The first quarter told again and otherwise by a later report.
SECOND = {
    CAPEX: [*FIRST[CAPEX], fact("0001326801-24-000069", "2024-07-25", "2024-01-01", "2024-03-31", 6500)],
    CASH: FIRST[CASH],
}


def load(bench, full_refresh=False):
    with bench.desk(full_refresh) as desk:
        loaded = filings.load(desk, WINDOW)
    quarters.derive(bench.engine)
    return loaded


_minute = count()


def on(day):
    """A minute of a day that no other test has used: the sandbox keeps the documents of a minute."""
    hour, minute = divmod(next(_minute), 60)
    return f"{day}T{12 + hour}:{minute:02d}:00Z"


@pytest.fixture
def meta(any_bench):
    any_bench.move(on("2024-05-01"))
    any_bench.market.facts[META] = company(**FIRST)
    return any_bench


def test_a_filing_without_index_counts_from_the_close_of_edgar(meta):
    load(meta)
    filing = meta.rows(FILINGS).iloc[0]
    assert (filing["ticker"], str(filing["filed_on"].date())) == ("META", "2024-04-25")
    assert str(filing["available_at"]) == "2024-04-25 21:30:00+00:00"
    assert "sec.gov/Archives/edgar/data/1326801/000132680124000049" in filing["url"]
    assert len(meta.rows(FACTS)) == 2


def test_the_index_gives_the_minute_of_acceptance(meta):
    meta.market.filed[META] = {
        "cik": str(META),
        "filings": {
            "recent": {
                "accessionNumber": ["0001326801-24-000049"],
                "form": ["10-Q"],
                "reportDate": ["2024-03-31"],
                "filingDate": ["2024-04-25"],
                "acceptanceDateTime": ["2024-04-24T20:05:00.000Z"],
                "primaryDocument": ["meta-20240331.htm"],
            },
            "files": [],
        },
    }
    load(meta)
    filing = meta.rows(FILINGS).iloc[0]
    assert str(filing["available_at"]) == str(filing["accepted_at"]) == "2024-04-24 20:05:00+00:00"
    assert str(meta.rows(HYPERSCALERS)["available_at"].iloc[0]) == "2024-04-24 20:05:00+00:00"


def test_a_restatement_is_a_new_vintage(meta):
    load(meta)
    before = meta.rows(HYPERSCALERS)
    assert before[["fiscal_period", "capex", "operating_cf"]].values.tolist() == [["FY2024Q1", 6400.0, 19246.0]]
    meta.market.facts[META] = company(**SECOND)
    meta.move(on("2024-07-26"))
    load(meta)
    after = meta.rows(HYPERSCALERS)
    assert after[["filed_on", "capex"]].astype(str).values.tolist() == [
        ["2024-04-25", "6400.0"],
        ["2024-07-25", "6500.0"],
    ]
    assert after[:1].equals(before)


def test_a_restatement_is_unknown_before_it_is_filed(meta):
    meta.market.facts[META] = company(**SECOND)
    load(meta)  # 2024-05-01
    assert meta.rows(FACTS)["filed_on"].max().date() == date(2024, 4, 25)


def test_a_company_the_sec_does_not_know_is_a_gap(meta):
    loaded = load(meta)
    assert {r.unit: r.outcome for r in loaded.results} == {
        "MSFT": "absent", "GOOGL": "absent", "AMZN": "absent", "META": "stored", "NVDA": "absent",
    }  # fmt: skip
    assert loaded.failed == []
    assert [g[2:] for g in meta.gaps("AMZN")] == [("missing", "absent")]
    assert meta.gaps("META") == []


def test_a_company_the_sec_does_not_know_is_asked_for_again_after_a_day(meta):
    meta.move("2024-05-01T12:00:00Z")
    first = load(meta)
    again = load(meta)
    assert (first.calls > 0, again.calls) == (True, 0)
    assert {r.unit: r.outcome for r in again.results}["AMZN"] == "absent"
    meta.move("2024-05-02T12:00:01Z")
    assert load(meta).calls > again.calls
    assert load(meta, full_refresh=True).calls > 0


@pytest.mark.parametrize("fault", [{"kind": "truncate"}, {"kind": "html"}, {"kind": "status", "value": "503"}])
def test_an_answer_that_cannot_be_read_stores_nothing_and_is_repaired(meta, fault):
    meta.fault("sec", match="companyfacts/CIK0001326801", **fault)
    loaded = load(meta)
    assert [r.unit for r in loaded.failed] == ["META"]
    assert meta.rows(FACTS).empty
    assert meta.rows(FILINGS).empty
    assert [g[2:] for g in meta.gaps("META")] == [("missing", "failed")]
    meta.faults.switches.clear()
    assert load(meta).failed == []
    assert meta.gaps("META") == []
    assert len(meta.rows(HYPERSCALERS)) == 1


def test_a_replay_changes_nothing(meta):
    load(meta)
    before = {t: meta.rows(t) for t in (FILINGS, FACTS, HYPERSCALERS)}
    loaded = load(meta, full_refresh=True)
    assert (loaded.total("inserted"), loaded.total("changed")) == (0, 0)
    for table, rows in before.items():
        assert meta.rows(table).equals(rows)


def test_each_table_of_the_payload_has_its_own_verdict(meta):
    load(meta)
    book = meta.rows(operations.QUALITY, symbol="META").set_index("timeframe")
    assert book["rows"].to_dict() == {"filings": 1, "filing_facts": 2}
