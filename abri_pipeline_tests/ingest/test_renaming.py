"""C6: a new ticker, the same instrument: its history follows, what was recorded under the old name stays."""

from datetime import date

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.catalog import TABLES
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.ingest import instruments, renaming, watchlist
from abri_pipeline.ingest.instruments import Facts, WatchlistFault
from abri_pipeline.ingest.ticker import BadSymbol
from abri_pipeline.ingest.watchlist import UnknownSymbol
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.quality.planting import plant, row

JUNE = ("2024-06-17", "2024-06-28")
ON = date(2024, 7, 1)
LABELLED = ("price_history_daily", "corporate_actions", "coverage", "backfill_gaps", "backfill_progress",
            "data_quality_log")  # fmt: skip


def test_every_table_by_current_ticker_follows_and_records_do_not():
    names = {table.name for table in renaming.labelled()}
    assert names >= set(LABELLED)
    by_symbol = {table.name for table in TABLES if "symbol" in table.columns}
    kept = {"ingestion_audit", "price_revisions", "provider_decisions", "rejected_rows", "execution_feedback"}
    assert by_symbol - names <= kept | {"instruments", "instrument_symbols"} | {
        table.name for table in TABLES if table.append_only
    }


def test_the_whole_history_follows_in_both_databases(any_bench):
    bench = any_bench
    bench.market.dividends = {("PLTR", date(2024, 6, 20)): 1.0}
    bench.market.holes = {("PLTR", date(2024, 6, 25))}
    bench.bars(*JUNE, "PLTR")
    before = {name: bench.rows(table) for name, table in _tables().items()}
    assert all(len(rows) for rows in before.values())
    done = renaming.rename(bench.engine, "pltr", "PLNT", ON)
    assert (done.instrument_id, done.old, done.new) == ("XNYS:PLTR", "PLTR", "PLNT")
    assert done.rows == {name: len(rows) for name, rows in before.items()}
    for name, table in _tables().items():
        after = bench.rows(table)
        assert set(after["symbol"]) == {"PLNT"}
        assert after.drop(columns="symbol").equals(before[name].drop(columns="symbol")), name
    assert set(bench.rows(operations.AUDIT)["symbol"]) == {"PLTR"}
    labels = bench.rows(operations.INSTRUMENT_SYMBOLS, instrument_id="XNYS:PLTR")
    assert [(r.symbol, str(r.valid_from.date()), str(r.valid_to)[:10]) for r in labels.itertuples()] == [
        ("PLNT", "2024-07-01", "NaT"),
        ("PLTR", "2020-09-30", "2024-06-30"),
    ]


def test_what_is_stored_is_not_asked_for_again_under_the_new_name(bench):
    bench.bars(*JUNE, "PLTR")
    renaming.rename(bench.engine, "PLTR", "PLNT", ON)
    assert bench.bars(*JUNE, "PLNT").calls == 0
    load = bench.bars("2024-06-17", "2024-07-03", "PLNT")
    assert load.total("inserted") == 3
    bars = bench.rows(BARS)
    assert (set(bars["symbol"]), set(bars["instrument_id"]), len(bars)) == ({"PLNT"}, {"XNYS:PLTR"}, 12)


def test_a_series_or_filing_of_the_same_word_keeps_its_books(bench):
    watchlist.seed(bench.engine)
    days = {"range_start": date(2024, 6, 3), "range_end": date(2024, 6, 28), "state": "have"}
    for timeframe in ("1d", "5m", "filings"):
        plant(bench.engine, operations.COVERAGE, row(operations.COVERAGE, symbol="META", timeframe=timeframe, **days))
    renaming.rename(bench.engine, "META", "ZUCK", ON)
    coverage = bench.rows(operations.COVERAGE)
    assert dict(zip(coverage["timeframe"], coverage["symbol"], strict=True)) == {
        "1d": "ZUCK", "5m": "ZUCK", "filings": "META",
    }  # fmt: skip
    named = [(c.symbol, c.last) for c in _carried(bench.engine) if c.instrument_id == "XNYS:META"]
    assert named == [("FB", date(2022, 6, 8)), ("META", date(2024, 6, 30)), ("ZUCK", None)]


REFUSED = {
    "no such": (("XXXX", "YYYY", ON), UnknownSymbol, "XXXX is not on the watchlist"),
    "itself": (("PLTR", "pltr", ON), WatchlistFault, "already"),
    "another's": (("PLTR", "NVDA", ON), WatchlistFault, "another instrument's"),
    "removed one's": (("PLTR", "PATH", ON), WatchlistFault, "another instrument's"),
    "once another's": (("PLTR", "FB", date(2022, 6, 8)), WatchlistFault, "was XNYS:META until 2022-06-08"),
    "ahead": (("PLTR", "PLNT", date(2024, 8, 2)), WatchlistFault, "lies ahead"),
    "before it was": (("CRWV", "CORE", date(2024, 7, 1)), WatchlistFault, "since 2025-03-28"),
    "weekend": (("PLTR", "PLNT", date(2024, 6, 29)), WatchlistFault, "does not trade"),
    "no ticker": (("PLTR", "../etc", ON), BadSymbol, "no ticker"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_right_changes_nothing(bench, case):
    arguments, error, word = REFUSED[case]
    instruments.remove(bench.engine, "PATH")
    before = bench.rows(operations.INSTRUMENTS), bench.rows(operations.INSTRUMENT_SYMBOLS)
    with pytest.raises(error, match=word):
        renaming.rename(bench.engine, *arguments)
    after = bench.rows(operations.INSTRUMENTS), bench.rows(operations.INSTRUMENT_SYMBOLS)
    assert all(a.equals(b) for a, b in zip(after, before, strict=True))


def test_a_rename_that_meets_rows_of_the_new_name_is_undone_whole(any_bench):
    bench = any_bench
    bench.bars(*JUNE, "PLTR")
    with begin(bench.engine) as connection:  # bars that somebody left behind under the new name
        left = bench.rows(BARS).head(1).assign(symbol="PLNT")
        upsert(connection, BARS, left)
    with pytest.raises(Exception, match=r"(?i)unique"):
        renaming.rename(bench.engine, "PLTR", "PLNT", ON)
    assert bench.rows(operations.INSTRUMENTS, instrument_id="XNYS:PLTR").iloc[0]["symbol"] == "PLTR"
    assert set(bench.rows(operations.COVERAGE)["symbol"]) == {"PLTR"}


def test_a_ticker_may_be_taken_back_and_its_next_holder_has_an_identity_of_its_own(bench):
    renaming.rename(bench.engine, "PLTR", "PLNT", ON)
    done = instruments.add(bench.engine, "PLTR", Facts(listed_on=date(2024, 7, 15)))
    assert done.instrument_id == "XNYS:PLTR@2024-07-15"
    ids = bench.rows(operations.INSTRUMENTS).set_index("symbol")["instrument_id"]
    assert (ids["PLNT"], ids["PLTR"]) == ("XNYS:PLTR", "XNYS:PLTR@2024-07-15")


def _tables():
    return {t.name: t for t in (BARS, ACTIONS, operations.COVERAGE, operations.GAPS, operations.PROGRESS,
                                operations.QUALITY)}  # fmt: skip


def _carried(engine):
    with engine.connect() as connection:
        return watchlist.carried(connection)
