"""The coverage and validation reports, over planted books."""

import json
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.quality.checks import implied
from abri_pipeline.quality.disagreement import Closes, compare
from abri_pipeline.quality.report_coverage import before_and_after, coverage_page
from abri_pipeline.quality.report_html import html
from abri_pipeline.quality.report_markdown import markdown
from abri_pipeline.quality.report_page import Page
from abri_pipeline.quality.report_targets import TARGETS, non_null_shares
from abri_pipeline.quality.report_validation import validation_page
from abri_pipeline_tests.quality.planting import (
    BAD,
    GOOD,
    NOW,
    WEEK,
    bars,
    gap,
    instruments,
    plant,
    rejection,
    row,
    run,
)

START, END = WEEK[0], WEEK[-1]


def load(engine: Engine, symbol: str, day: date, score: float, checks: dict[str, int], **given: Any) -> None:
    told = {"symbol": symbol, "timeframe": "1d", "date": day, "score": score, "checks": json.dumps(checks), "rows": 5,
            "expected": 5, "nulls": 0, "rejected": 0, "verdict": "accepted"}  # fmt: skip
    plant(engine, operations.QUALITY, row(operations.QUALITY, **(told | given)))


def section(page: Page, name: str) -> pd.DataFrame:
    [found] = [s for s in page.sections if s.name == name]
    assert found.table is not None
    return found.table


def planted(engine: Engine) -> None:
    instruments(engine, "AA", "BB")
    bars(engine, "AA", WEEK)
    bars(engine, "BB", WEEK[:3])
    gap(engine, "BB", "1d", WEEK[3:], "hole")
    load(engine, "AA", WEEK[3], 0.7, {"rows": 5, "expected": 5, "cells": 25, "unit_flip": 1, "quiet_gap": 2})
    load(engine, "AA", WEEK[4], 1.0, {"rows": 5, "quiet_gap": 1})
    load(engine, "BB", WEEK[4], 0.2, {"rows": 5, "negative_price": 4}, verdict="rejected", rejected=4)
    load(engine, "BB", WEEK[0] - timedelta(days=3), 0.1, {"envelope": 1})  # before the window
    rejection(engine, BARS, "BB", BAD, observed_on=WEEK[3], reason="close is -1.0 <b>")
    rejection(engine, BARS, "BB", GOOD, observed_on=WEEK[3], reason="close is -1.0 <b>")  # the same row, sent again
    one, other = (pd.DataFrame({"symbol": ["AA"], "date": [WEEK[4]], "close": [close]}) for close in (100.0, 102.0))
    [said] = compare(Closes("yahoo", one), Closes("massive", other)).apart["reason"]
    rejection(engine, BARS, "AA", BAD, row="AA", observed_on=WEEK[4], rule=f"quarantined: {said}", reason=said)
    told = {"symbol": "AA", "date": WEEK[1], "field": "close", "old": 100.0, "new": 101.0, "reason": "corrected"}
    plant(engine, operations.REVISIONS, row(operations.REVISIONS, **told))


def test_the_validation_report_tells_what_the_books_hold(warehouse: Engine):
    planted(warehouse)
    page = validation_page(warehouse, START, END)
    loads = section(page, "loads").set_index("symbol")
    assert loads.index.tolist() == ["BB", "AA"], "the lowest score first"
    assert loads.loc["AA", ["loads", "rows", "expected"]].tolist() == [2, 10, 10]
    assert loads.loc["AA", "rules"] == "quiet_gap 3, unit_flip 1"
    assert loads.loc["AA", ["lowest_score", "verdict"]].tolist() == [0.7, "accepted"]
    assert loads.loc["BB", ["rejected_loads", "verdict", "rules"]].tolist() == [1, "rejected", "negative_price 4"]
    assert section(page, "rejected_rows")["reason"].tolist() == ["close is -1.0 <b>"]
    assert sorted(section(page, "rejected_by_rule")["rule"]) == ["close > 0", "quarantined"]
    [apart] = section(page, "disagreements")["reason"]
    assert "yahoo says 100, massive says 102" in apart
    assert section(page, "gaps")[["symbol", "sessions", "cause"]].to_numpy().tolist() == [["BB", 2, "hole"]]
    assert section(page, "price_revisions")[["old", "new"]].to_numpy().tolist() == [[100.0, 101.0]]
    summary = dict(section(page, "summary").itertuples(index=False))
    assert (summary["loads"], summary["loads rejected"], summary["rows rejected"]) == (3, 1, 1)
    assert summary["closes quarantined, providers disagree"] == 1
    assert summary["open gaps without an explanation"] == 1


def test_every_implied_check_is_a_verification_query_and_failures_come_first(engine: Engine):
    planted(engine)
    table = section(validation_page(engine, START, END), "verification")
    assert set(zip(table["dataset"], table["check"], strict=True)) == {
        (d.name, n) for d in DATASETS for n in implied(d)
    }
    order = [{"error": 0, "warn": 1, "passed": 2}[verdict] for verdict in table["verdict"]]
    assert order == sorted(order)
    failed = table[table["verdict"] == "error"]
    assert "complete" in failed[failed["dataset"] == BARS.name]["check"].tolist()
    assert table["said"].str.len().min() > 5


def test_a_window_without_loads_is_a_report_of_nothing(engine: Engine):
    page = validation_page(engine, START, END, synthetic=True)
    assert section(page, "loads").empty
    assert section(page, "rejected_rows").empty
    for text in (markdown(page), html(page)):
        assert "SYNTHETIC" in text
        assert "slippage" not in text.lower()


def test_evidence_of_slippage_is_shown_where_it_is_handed_in(engine: Engine):
    evidence = pd.DataFrame({"symbol": ["NVDA"], "orders": [3], "median_bps": [1.25]})
    page = validation_page(engine, START, END, slippage=evidence)
    assert section(page, "slippage").equals(evidence)
    assert "1.25" in html(page)
    assert "Slippage of filled orders" in markdown(page)


def test_what_was_sent_stays_text_in_the_html_report(engine: Engine):
    planted(engine)
    assert "close is -1.0 &lt;b&gt;" in html(validation_page(engine, START, END))


def test_the_share_of_filled_cells_is_counted_and_held_against_its_target(warehouse: Engine):
    plant(warehouse, SPREADS, row(SPREADS, date=WEEK[0], hy_oas=300.0, ig_bbb_oas=100.0, hy_ig_diff=200.0),
          row(SPREADS, date=WEEK[1], hy_oas=300.0))  # fmt: skip
    figures = len([f for f in SPREADS if f.kind == "number"])
    targets = {SPREADS.name: 4 / (2 * figures), BARS.name: 0.95}
    with warehouse.connect() as connection:
        found = non_null_shares(connection, START, END, targets).set_index("dataset")
    assert found.loc[SPREADS.name, ["rows", "cells", "filled", "kept"]].tolist() == [2, 2 * figures, 4, True]
    assert found.loc[BARS.name, "kept"] is None, "no row, no verdict"
    assert pd.isna(found.loc["deals", "target"])
    assert dict(TARGETS) == {  # requirement 3.5
        "technical_indicators": 0.95, "macro_observations": 0.95, "onchain_metrics": 0.40, "features": 0.80,
    }  # fmt: skip


def test_before_and_after_says_nothing_where_no_load_has_ended(engine: Engine):
    planted(engine)
    run(engine, BARS, 1, status="running", finished_at=None)
    with engine.connect() as connection:
        assert before_and_after(connection).empty
    assert "before_and_after" not in [s.name for s in coverage_page(engine, START, END).sections]


def test_before_and_after_takes_out_what_the_last_load_brought(warehouse: Engine):
    planted(warehouse)
    started = NOW - timedelta(hours=1)
    plant(warehouse, BARS, *(row(BARS, symbol="BB", date=day, close=1.0, pulled_at=NOW) for day in WEEK[3:]))
    run(warehouse, BARS, 1, started_at=started - timedelta(days=1), finished_at=started, bars_inserted=8)
    # It counts a dividend among its new rows; the share does not.
    run(warehouse, BARS, 2, started_at=started, finished_at=NOW, bars_inserted=3)
    with warehouse.connect() as connection:
        [told] = before_and_after(connection).to_dict("records")
    assert (told["run"], told["expected"], told["before"], told["now"]) == ("job2", 10, 0.8, 1.0)


def test_a_load_of_some_symbols_is_compared_over_these(engine: Engine):
    planted(engine)
    run(engine, BARS, 1, finished_at=NOW, bars_inserted=0, symbols="BB,CC")
    with engine.connect() as connection:
        [told] = before_and_after(connection).to_dict("records")
    assert (told["expected"], told["before"], told["now"]) == (5, 0.6, 0.6)


def test_the_coverage_report_holds_matrix_and_years(engine: Engine):
    planted(engine)
    page = coverage_page(engine, START, END)
    assert section(page, "matrix")["symbol"].tolist() == ["BB", "AA"], "what lacks most first"
    assert section(page, "years")["year"].tolist() == ["2026", "2026"]
    assert section(coverage_page(engine, START, END, ["AA"]), "years")["symbol"].tolist() == ["AA"]
    assert "80.00%" in markdown(page)
