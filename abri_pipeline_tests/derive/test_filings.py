"""Hyperscaler quarters from the stored facts."""

from abri_pipeline.contracts.filings import FILINGS, HYPERSCALERS
from abri_pipeline.derive import filings as quarters
from abri_pipeline.warehouse.engine import begin
from abri_pipeline_tests.derive.conftest import rows


def test_a_second_derivation_changes_nothing(engine, move):
    before = rows(engine, HYPERSCALERS, without=())
    move("2023-07-06T12:00:00Z")
    again = quarters.derive(engine)
    assert again.rows == len(before) > 0
    assert (again.inserted, again.changed) == (0, 0)
    assert rows(engine, HYPERSCALERS, without=()).equals(before)


def test_no_facts_give_no_quarters(engine):
    with begin(engine) as connection:
        connection.exec_driver_sql("DELETE FROM filing_facts")
    assert quarters.derive(engine).rows == 0


def test_a_quarter_is_known_when_its_filing_is(engine):
    known = rows(engine, FILINGS).set_index("accession")["available_at"]
    found = rows(engine, HYPERSCALERS)
    assert (found["available_at"] == found["accession"].map(known)).all()
    assert (found["filed_on"] >= found["period_end"]).all()
