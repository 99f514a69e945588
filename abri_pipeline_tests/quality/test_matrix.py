"""The completeness matrix and the list of open gaps."""

from datetime import date

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.quality.matrix import completeness_matrix, totals, worst
from abri_pipeline.quality.report_gaps import known_span, open_gaps
from abri_pipeline_tests.quality.planting import WEEK, bars, gap, instruments, plant, row


def matrix(engine: Engine, *symbols: str) -> pd.DataFrame:
    with engine.connect() as connection:
        return completeness_matrix(connection, WEEK, symbols)


def counts(found: pd.DataFrame) -> list[tuple[object, ...]]:
    columns = ["symbol", "timeframe", "expected", "stored", "explained", "missing"]
    return list(found[columns].itertuples(index=False, name=None))


def test_each_instrument_is_counted_within_its_listing(warehouse: Engine):
    instruments(warehouse, "AA", "PATH", "HOLE")
    instruments(warehouse, "IPO", listed_on=WEEK[3])
    instruments(warehouse, "LATER", listed_on=date(2026, 2, 2))
    bars(warehouse, "AA", WEEK)
    bars(warehouse, "HOLE", [WEEK[0], WEEK[1], WEEK[3]])
    bars(warehouse, "IPO", WEEK[3:])
    gap(warehouse, "PATH", "1d", WEEK, "absent")
    gap(warehouse, "HOLE", "1d", WEEK[2:3], "skipped", state="verified_empty")
    found = matrix(warehouse)
    assert counts(found) == [
        ("AA", "1d", 5, 5, 0, 0),
        ("HOLE", "1d", 5, 3, 1, 1),
        ("IPO", "1d", 2, 2, 0, 0),
        ("LATER", "1d", 0, 0, 0, 0),
        ("PATH", "1d", 5, 0, 5, 0),
    ]
    assert found["share"].tolist()[:3] == [1.0, 0.6, 1.0]
    assert pd.isna(found["share"][3])
    assert found["oldest"].tolist()[:3] == [pd.Timestamp(day) for day in (WEEK[0], WEEK[0], WEEK[3])]
    assert found["newest"].tolist()[1] == pd.Timestamp(WEEK[3])
    assert pd.isna(found["newest"][4])
    assert worst(found, 2)["symbol"].tolist() == ["HOLE", "PATH"]
    [told] = totals(found).to_dict("records")
    assert (told["symbols"], told["expected"], told["stored"], told["explained"], told["missing"]) == (5, 17, 10, 6, 1)
    assert counts(matrix(warehouse, "IPO")) == [("IPO", "1d", 2, 2, 0, 0)]


def test_an_empty_house_has_an_empty_matrix(engine: Engine):
    assert matrix(engine).empty
    assert totals(matrix(engine)).empty


def test_other_timeframes_are_counted_by_their_books(engine: Engine):
    instruments(engine, "AA", "BB")
    bars(engine, "AA", WEEK)
    bars(engine, "BB", WEEK)
    for number, (start, end, state) in enumerate([(WEEK[0], WEEK[1], "unavailable"), (WEEK[2], WEEK[4], "have")]):
        told = {"symbol": "AA", "timeframe": "1h", "range_start": start, "range_end": end, "state": state}
        plant(engine, operations.COVERAGE, row(operations.COVERAGE, number, **told))
    gap(engine, "AA", "1h", WEEK[3:4], "hole")
    gap(engine, "AA", "filings", WEEK, "failed")  # a dataset is no timeframe
    assert counts(matrix(engine)) == [
        ("AA", "1h", 5, 2, 2, 1),
        ("AA", "1d", 5, 5, 0, 0),
        ("BB", "1d", 5, 5, 0, 0),
    ]


def listed(engine: Engine, *symbols: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        found = open_gaps(connection, WEEK, symbols)
    columns = ["symbol", "timeframe", "start", "end", "sessions", "cause", "explained", "reason"]
    return list(found.rows[columns].itertuples(index=False, name=None))


def test_gaps_are_cut_to_what_is_missing_still_and_unbooked_holes_are_told(engine: Engine):
    instruments(engine, "AA", "BB", "CC")
    bars(engine, "AA", WEEK[1:2])
    bars(engine, "BB", WEEK[2:])
    bars(engine, "CC", WEEK)
    gap(engine, "AA", "1d", WEEK, "absent")
    gap(engine, "BB", "1d", WEEK[:1], "rejected")
    gap(engine, "CC", "1d", WEEK[:1], "hole")  # stored since, and the book does not know yet
    gap(engine, "GOOGL", "filings", WEEK[:1], "failed")
    assert listed(engine) == [
        ("BB", "1d", WEEK[0], WEEK[0], 1, "rejected", False, "planted as rejected"),
        ("BB", "1d", WEEK[1], WEEK[1], 1, "hole", False, "never asked for"),
        ("GOOGL", "filings", WEEK[0], WEEK[0], 1, "failed", False, "planted as failed"),
        ("AA", "1d", WEEK[0], WEEK[0], 1, "absent", True, "planted as absent"),
        ("AA", "1d", WEEK[2], WEEK[4], 3, "absent", True, "planted as absent"),
    ]
    assert listed(engine, "BB")[0][0] == "BB"
    assert {one[0] for one in listed(engine, "BB")} == {"BB"}
    with engine.connect() as connection:
        by_cause = open_gaps(connection, WEEK).by_cause()
    told = {one["cause"]: (one["gaps"], one["symbols"], one["sessions"]) for one in by_cause.to_dict("records")}
    assert told == {"absent": (2, 1, 4), "failed": (1, 1, 1), "hole": (1, 1, 1), "rejected": (1, 1, 1)}


def test_c3_a_market_wide_miss_is_listed_once_and_no_symbol_beside_it(engine: Engine):
    names = [f"S{number}" for number in range(6)]
    instruments(engine, *names)
    for name in names:
        bars(engine, name, WEEK[:4])
        gap(engine, name, "1d", WEEK[4:], "hole")
    with engine.connect() as connection:
        found = open_gaps(connection, WEEK)
    assert found.rows.empty
    assert [(one.start, one.symbols) for one in found.wide] == [(WEEK[4], 6)]


def test_the_known_span_reaches_over_bars_and_open_gaps(engine: Engine):
    assert known_span(engine) is None
    gap(engine, "AA", "1d", WEEK[4:], "failed")
    gap(engine, "AA", "filings", [date(2025, 1, 2)], "failed")
    assert known_span(engine) == (WEEK[4], WEEK[4])
    bars(engine, "AA", WEEK[1:3])
    assert known_span(engine) == (WEEK[1], WEEK[4])
