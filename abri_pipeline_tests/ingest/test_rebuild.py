"""What is stored is a pure function of the archived payloads: rebuilt tables equal the stored ones, cell by cell."""

import gzip
from datetime import date

import pytest
import sqlalchemy as sa

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.ingest import filings, reference, renaming
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.rebuild import TABLES, LoadedMeanwhile, NoSuchTable, oracle, put_right, rebuild
from abri_pipeline.warehouse.engine import begin
from abri_pipeline_tests.ingest.small_market import spread_series
from abri_pipeline_tests.ingest.test_filings import FIRST, META, SECOND, company
from abri_pipeline_tests.ingest.test_reference import weights

JUNE = ("2024-06-03", "2024-06-28")
JULY = ("2024-07-01", "2024-07-19")
EX_DATE = date(2024, 7, 16)


def rebuilt(bench, table="price_history_daily"):
    return rebuild(bench.engine, bench.archive, bench.settings, table)


def violations(bench):
    return oracle(bench.engine, bench.archive, bench.settings)


def change(bench, statement, **values):
    with begin(bench.engine) as connection:
        assert connection.execute(sa.text(statement), values).rowcount > 0


def file_of(bench, digest):
    return bench.archive.root / digest[:2] / digest[2:4] / f"{digest}.gz"


def fill(bench):
    """Two symbols; one of them paid dividends and split, so that its history was read twice."""
    bench.market.dividends = {("NVDA", date(2024, 6, 12)): 1.0, ("NVDA", date(2024, 7, 10)): 2.0}
    bench.market.splits = {("NVDA", EX_DATE): 10.0}
    bench.move("2024-06-29T12:00:00Z")
    bench.bars(*JUNE, "NVDA", "QQQ")
    bench.move("2024-07-18T21:00:00Z")  # the newest bar is provisional
    bench.bars(*JULY, "NVDA", "QQQ")
    bench.move("2024-07-20T12:00:00Z")
    bench.bars(*JULY, "NVDA", "QQQ")
    return bench


@pytest.fixture
def stored(bench):
    return fill(bench)


@pytest.fixture
def anywhere(any_bench):
    """The same on each kind of database."""
    return fill(any_bench)


def test_bars_and_actions_come_back_to_the_last_cell(anywhere):
    assert len(anywhere.rows(operations.REVISIONS)) > 0  # the split re-based what was stored: the order matters
    calls = len(anywhere.rows(operations.AUDIT))
    bars, actions = rebuilt(anywhere), rebuilt(anywhere, "corporate_actions")
    assert (bars.rows, actions.rows) == (len(anywhere.rows(BARS)), 3)
    assert (bars.deliveries, bars.equal, actions.equal) == (6, True, True)
    assert violations(anywhere) == []
    assert len(anywhere.rows(operations.AUDIT)) == calls  # looking leaves no trace


def test_every_dataset_comes_back(bench):
    july = Window(date(2024, 6, 3), date(2024, 7, 31))

    def load():
        bench.spreads("2024-06-03", "2024-07-31")
        with bench.desk() as desk:
            filings.load(desk, july)
            for curated in reference.CURATED:
                reference.load(desk, curated, july)

    bench.market.series = spread_series(date(2024, 6, 3), date(2024, 7, 25))
    bench.market.facts[META] = company(**FIRST)
    bench.move("2024-07-26T12:00:00Z")
    load()
    bench.market.series = spread_series(date(2024, 7, 8), date(2024, 7, 31))  # FRED shortens its history
    bench.market.facts[META] = company(**SECOND)
    bench.market.tables["weights"] = weights("2024-06-28", NVDA="6.6")  # and most rows are withdrawn
    bench.move("2024-07-31T12:00:00Z")
    load()
    found = {table.name: rebuilt(bench, table.name) for table in TABLES[2:]}
    assert {name: one.lines() for name, one in found.items() if not one.equal} == {}
    assert {name for name, one in found.items() if one.rows == 0} == set()
    assert found["index_weights"].deliveries == 2
    assert bench.rows(TABLES[-4])["withdrawn_at"].notna().any()
    assert violations(bench) == []


def test_a_history_under_a_former_ticker_comes_back_under_the_new_one(bench):
    bench.bars(*JUNE, "AI")
    renaming.rename(bench.engine, "AI", "C3AI", date(2024, 7, 1))
    bench.bars(*JULY, "C3AI")
    assert set(bench.rows(BARS)["symbol"]) == {"C3AI"}
    assert rebuilt(bench).lines() == []


def test_a_quarantined_load_is_refused_again(bench):
    bench.bars(*JUNE)
    bench.fault("yahoo", "corrupt", value="2024-07-09")
    assert bench.bars(*JULY).results[0].outcome == "malformed"
    one = rebuilt(bench)
    assert (one.deliveries, one.rows, one.equal) == (2, 19, True)


def test_a_refused_load_whose_rows_stand_is_found(bench):
    """As if a load had been let in that the rules refuse."""
    bench.fault("yahoo", "corrupt", value="2024-07-09")
    bench.bars(*JULY)
    with begin(bench.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER ingestion_audit_no_update")
    change(bench, "UPDATE ingestion_audit SET outcome = 'stored'")
    assert "stored when it came, malformed when it is replayed" in " ".join(rebuilt(bench).unlike)


def test_an_altered_cell_is_found_and_put_right(anywhere):
    change(anywhere, "UPDATE price_history_daily SET close = close + .01 WHERE symbol = 'QQQ' AND date = '2024-06-10'")
    one = rebuilt(anywhere)
    assert one.keys("changed").to_dict("records") == [{"symbol": "QQQ", "date": one.differing["date"].iloc[0]}]
    assert one.lines() == ["QQQ 2024-06-10: changed, close is 105.01, by its payload 105.0"]
    assert violations(anywhere) == [f"price_history_daily: {line}" for line in one.lines()]
    before = anywhere.rows(operations.REVISIONS)
    assert put_right(anywhere.engine, one) == 1
    assert violations(anywhere) == []
    booked = anywhere.rows(operations.REVISIONS, symbol="QQQ")
    assert len(anywhere.rows(operations.REVISIONS)) == len(before) + 1
    assert booked[["field", "old", "new", "reason"]].values.tolist() == [
        ["close", 105.01, 105.0, "put right from the archive"]
    ]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM price_history_daily WHERE symbol = 'QQQ' AND date = '2024-06-10'", "QQQ 2024-06-10: not stored"),
        ("DELETE FROM corporate_actions WHERE date = '2024-07-16'", "NVDA 2024-07-16 split: not stored"),
        ("UPDATE price_history_daily SET volume = NULL WHERE symbol = 'QQQ' AND date = '2024-06-10'", "volume is null"),
        ("UPDATE price_history_daily SET pulled_at = '2020-01-01T00:00:00.000000Z' WHERE symbol = 'QQQ'", "pulled_at"),
    ],
)
def test_any_other_damage_is_found_and_put_right(stored, statement, told):
    change(stored, statement)
    table = "corporate_actions" if "actions" in statement else "price_history_daily"
    one = rebuilt(stored, table)
    assert any(told in line for line in one.lines())
    assert put_right(stored.engine, one) > 0
    assert violations(stored) == []


def test_a_row_without_a_payload_is_reported_and_stays(stored):
    change(
        stored,
        "INSERT INTO corporate_actions (symbol, date, action, value, source_provider, raw_hash, pulled_at) "
        "VALUES ('QQQ', '2024-06-10', 'dividend', 1, 'nobody', :hash, '2024-06-11T00:00:00.000000Z')",
        hash="0" * 64,
    )
    one = rebuilt(stored, "corporate_actions")
    assert one.lines() == ["QQQ 2024-06-10 dividend: no payload"]
    assert put_right(stored.engine, one) == 0
    assert len(stored.rows(ACTIONS)) == 4


def test_a_lost_payload_is_named_and_no_older_one_takes_its_place(stored):
    newest = stored.rows(BARS, symbol="NVDA", date=date(2024, 6, 10))["raw_hash"].iloc[0]  # the split re-based it
    file_of(stored, newest).write_bytes(gzip.compress(b"other bytes"))
    before = stored.rows(BARS)[[*BARS.key, *BARS.values]]
    one = rebuilt(stored)
    assert len(one.missing_objects) == 1
    assert newest[:12] in one.missing_objects[0]
    assert "NVDA" in one.missing_objects[0]
    assert set(one.differing.loc[one.differing["field"] == "close", "kind"]) == {"no payload"}
    assert "2024-06-10: no payload, close is 10.5, by its payload 105.0" in " ".join(one.lines())
    put_right(stored.engine, one)
    assert stored.rows(BARS)[[*BARS.key, *BARS.values]].equals(before)
    assert any(newest in line and "price_history_daily" in line for line in violations(stored))


def test_a_load_that_lands_meanwhile_is_not_undone(bench):
    bench.bars(*JUNE)
    change(bench, "UPDATE price_history_daily SET volume = 1 WHERE date = '2024-06-10'")
    one = rebuilt(bench)
    bench.bars(*JULY)
    with pytest.raises(LoadedMeanwhile, match="landed meanwhile"):
        put_right(bench.engine, one)


def test_a_computed_table_is_not_rebuilt_here(bench):
    with pytest.raises(NoSuchTable, match=r"market_metrics.*price_history_daily"):
        rebuilt(bench, "market_metrics")


def test_nothing_stored_is_nothing_wrong(bench):
    assert violations(bench) == []


def test_a_line_of_the_journal_that_disagrees_is_found(bench):
    bench.bars(*JUNE)
    path = bench.settings.home / "runtime" / "audit" / "backfill_job1.jsonl"
    path.write_text(path.read_text().replace('"rows": 19', '"rows": 20'))
    assert [line.split(":")[0] for line in violations(bench)] == ["backfill_job1.jsonl"]
    path.unlink()
    assert "in the audit only" in violations(bench)[0]
