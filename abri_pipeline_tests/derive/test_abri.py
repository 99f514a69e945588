"""Weekly prints: append-only, told as live or reconstructed, and blind to whatever came after K."""

import json
import re
from datetime import timedelta

import pandas as pd
import pytest
from sqlalchemy.exc import DBAPIError

from abri_pipeline.calendars import weeks
from abri_pipeline.contracts.abri import COMPONENTS, HISTORY
from abri_pipeline.contracts.market import METRICS
from abri_pipeline.derive import abri, market
from abri_pipeline.derive import filings as quarters
from abri_pipeline.warehouse.engine import begin
from abri_pipeline_tests.derive.conftest import WINDOW, rows

KEYS = weeks.weeks(WINDOW.start, WINDOW.end)
LAST = KEYS[-1]  # Monday 2023-06-26; its K is 2023-07-03 18:00 New York, a day before the clock of these tests
INPUTS = ("market_metrics", "credit_spreads", "gpu_prices", "hyperscaler_metrics", "segment_revenue", "deals")


@pytest.fixture
def ready(engine):
    """A database with metrics, ready to print."""
    market.derive(engine, WINDOW.start, WINDOW.end)
    return engine


def run(engine, sql, *values):
    with begin(engine) as connection:
        return connection.exec_driver_sql(sql, values).rowcount


def correct(engine, day, value):
    assert run(engine, f"UPDATE {METRICS.name} SET nvda_spy_corr = ? WHERE date = ?", value, str(day)) == 1


def test_every_closed_week_is_printed_once(ready):
    first = abri.derive(ready, KEYS)
    assert (first.rows, first.inserted) == (len(KEYS), len(KEYS))
    again = abri.derive(ready, KEYS)
    assert (again.inserted, again.changed) == (0, 0)
    prints = rows(ready, HISTORY)
    assert prints["as_of"].dt.date.tolist() == [weeks.as_of(key) for key in KEYS]
    assert prints["status"].iloc[-1] == "full"  # the synthetic market gives all seven


def test_an_open_week_is_not_printed(ready, move):
    move("2023-07-03T21:59:59Z")  # a second before K
    assert abri.derive(ready, [LAST]).inserted == 0
    move("2023-07-03T22:00:00Z")
    assert abri.derive(ready, [LAST]).inserted == 1


def test_weeks_before_2022_are_not_printed(ready):
    assert abri.derive(ready, ["2021-12-27"]).rows == 0


def test_week_by_week_is_the_same_bits_as_at_once(ready, copies):
    other = copies()
    market.derive(other, WINDOW.start, WINDOW.end)
    abri.derive(ready, KEYS[-8:])
    for key in KEYS[-8:]:
        abri.derive(other, [key])
    pd.testing.assert_frame_equal(rows(ready, HISTORY), rows(other, HISTORY), check_exact=True)


def test_a_print_is_never_rewritten(ready):
    abri.derive(ready, [LAST])
    for sql in ("UPDATE abri_history SET composite_score = 1", "DELETE FROM abri_history"):
        with pytest.raises(DBAPIError, match="append-only"):
            run(ready, sql)


def test_a_correction_is_a_new_row_that_names_the_old_one(ready, move):
    abri.derive(ready, [LAST])
    first = rows(ready, HISTORY, without=())
    correct(ready, weeks.as_of(LAST), 0.95)
    move("2023-07-06T12:00:00Z")
    assert abri.derive(ready, [LAST]).inserted == 1
    both = rows(ready, HISTORY, without=()).sort_values("recorded_at", ignore_index=True)
    pd.testing.assert_frame_equal(both[:1], first)
    assert both.loc[1, "supersedes"] == first.loc[0, "input_digest"]
    assert both.loc[1, "correlation_score"] == 100.0
    assert both.loc[1, "knowledge_at"] == first.loc[0, "knowledge_at"]
    correct(ready, weeks.as_of(LAST), 0.90)
    move("2023-07-07T12:00:00Z")
    abri.derive(ready, [LAST])
    third = rows(ready, HISTORY, without=()).sort_values("recorded_at").iloc[-1]
    assert third["supersedes"] == both.loc[1, "input_digest"]


def kept_in(engine, table):
    """The column that says when a row of the table was stored."""
    with engine.connect() as connection:
        columns = [r[1] for r in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
    return "recorded_at" if "recorded_at" in columns else "pulled_at"


def timely(engine):
    """As if every row had been stored the moment it was public."""
    for table in INPUTS:
        run(engine, f"UPDATE {table} SET {kept_in(engine, table)} = available_at")


def test_a_print_of_timely_rows_is_live(ready):
    timely(ready)
    abri.derive(ready, [LAST])
    assert rows(ready, HISTORY)["kind"].tolist() == ["live"]


def test_a_print_made_long_after_its_week_is_reconstructed(ready, move):
    timely(ready)
    known = weeks.knowledge_at(LAST)
    move((known + timedelta(days=30)).isoformat())
    abri.derive(ready, [LAST])
    assert rows(ready, HISTORY)["kind"].tolist() == ["live"]
    move((known + timedelta(days=30, seconds=1)).isoformat())
    correct(ready, weeks.as_of(LAST), 0.95)
    abri.derive(ready, [LAST])
    assert rows(ready, HISTORY, without=()).sort_values("recorded_at")["kind"].tolist() == ["live", "reconstructed"]


# Stored on 5 July: what the print of 30 June shows of markets, quotes and deals was public in June, so it came in
# time; the quarters it shows ended in March and were public in May.
@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ("market_metrics", "live"),
        ("credit_spreads", "live"),
        ("gpu_prices", "live"),
        ("deals", "live"),
        ("hyperscaler_metrics", "reconstructed"),
        ("segment_revenue", "reconstructed"),
    ],
)
def test_a_print_that_shows_a_backfilled_row_is_reconstructed(ready, table, kind):
    timely(ready)
    run(ready, f"UPDATE {table} SET {kept_in(ready, table)} = '2023-07-05T11:00:00.000000Z'")
    abri.derive(ready, [LAST])
    assert rows(ready, HISTORY)["kind"].tolist() == [kind]


def test_a_row_is_backfilled_after_thirty_days(ready):
    for late, kind in ((timedelta(days=30), "live"), (timedelta(days=30, seconds=1), "reconstructed")):
        timely(ready)
        day = weeks.as_of(LAST)
        closed = rows(ready, METRICS).set_index("date").loc[str(day), "available_at"]
        stored = (closed + late).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        run(ready, "UPDATE market_metrics SET recorded_at = ? WHERE date = ?", stored, str(day))
        correct(ready, day, 0.90 if kind == "live" else 0.91)
        abri.derive(ready, [LAST])
        assert kind in rows(ready, HISTORY)["kind"].tolist()
    assert sorted(rows(ready, HISTORY)["kind"]) == ["live", "reconstructed"]


def test_what_came_after_k_is_not_seen(ready, copies):
    """The prints up to K are the same bits in a database that never held a row the world learnt after K."""
    last = KEYS[len(KEYS) // 2]
    known = weeks.knowledge_at(last).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    early = copies()
    removed = {
        table: run(early, f"DELETE FROM {table} WHERE available_at > ?", known)
        for table in (*INPUTS[1:], "filings", "index_weights")
    }
    removed["bars"] = run(early, "DELETE FROM price_history_daily WHERE date > ?", str(weeks.as_of(last)))
    run(early, "DELETE FROM filing_facts WHERE accession NOT IN (SELECT accession FROM filings)")
    run(early, "DELETE FROM hyperscaler_metrics")
    assert all(removed.values()), removed
    quarters.derive(early)
    market.derive(early, WINDOW.start, weeks.as_of(last))
    upto = KEYS[: KEYS.index(last) + 1]
    abri.derive(early, upto)
    abri.derive(ready, KEYS)
    seen = rows(ready, HISTORY)
    seen = seen[seen["as_of"] <= pd.Timestamp(weeks.as_of(last))].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows(early, HISTORY), seen, check_exact=True)


def test_what_is_shown_and_cited_was_public_by_k(ready):
    abri.derive(ready, KEYS)
    cited = 0
    for made in rows(ready, HISTORY).itertuples():
        for reading in json.loads(made.inputs).values():
            if reading["value"] is None:
                assert reading["reason"]
                continue
            assert pd.Timestamp(reading["available_at"]) <= made.knowledge_at
            assert pd.Timestamp(reading["observed_on"]) <= made.as_of
            for filed in re.findall(r"filed (\d{4}-\d\d-\d\d)", reading["source"]):
                cited += 1
                assert pd.Timestamp(filed, tz="America/New_York") <= made.knowledge_at
    assert cited >= 4 * len(KEYS)  # four firms a print


def test_each_missing_component_says_why(ready):
    run(ready, "DELETE FROM gpu_prices")
    abri.derive(ready, [LAST])
    made = rows(ready, HISTORY).iloc[0]
    missing = {name for name in COMPONENTS if pd.isna(made[f"{name}_score"])}
    assert missing == {"gpu_deflation"}
    assert made["reason"].startswith("gpu_deflation missing: no on_demand price of H100-80GB was known by 2023-07-03")
    assert made["status"] == "official_partial"
    assert made["coverage"] == pytest.approx(0.85)


def test_a_week_that_was_not_loaded_is_not_printed(ready):
    assert run(ready, f"DELETE FROM market_metrics WHERE date = '{weeks.as_of(LAST)}'") == 1
    abri.derive(ready, KEYS[-2:])  # an outage on a Monday must not become the official print
    assert rows(ready, HISTORY)["as_of"].dt.date.tolist() == [weeks.as_of(KEYS[-2])]


def test_prices_alone_print_blanks_with_reasons(ready):
    engine = ready
    for table in INPUTS:
        if table != "market_metrics":
            run(engine, f"DELETE FROM {table}")
    abri.derive(engine, [LAST])
    made = rows(engine, HISTORY).iloc[0]
    assert (made["status"], made["coverage"]) == ("none", 0.25)
    assert pd.isna(made["composite_score"])
    assert made["level"] is None
