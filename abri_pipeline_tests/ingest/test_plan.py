"""What is asked of the upstream: the sessions that are missing, and no more than once."""

from datetime import date

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS

JUNE = ("2024-06-17", "2024-06-28")  # nine sessions: the exchange is closed on 2024-06-19


def test_a_first_load_asks_for_the_sessions_of_the_window(bench):
    load = bench.bars("2024-06-15", "2024-06-30")  # Saturday to Sunday
    assert bench.asked() == [JUNE]
    assert (load.calls, load.total("inserted")) == (1, 9)
    assert bench.gaps("NVDA") == []


def test_a_window_known_whole_costs_no_call(bench):
    bench.bars(*JUNE)
    again = bench.bars(*JUNE)
    assert again.calls == 0
    assert [r.outcome for r in again.results] == ["unchanged"]


def test_a_window_is_widened_on_both_sides_with_one_request(bench):
    bench.bars("2024-07-08", "2024-07-12")
    load = bench.bars("2024-07-01", "2024-07-19")
    assert load.calls == 1
    assert bench.asked()[-1] == ("2024-07-01", "2024-07-19")
    assert load.total("inserted") == 9  # 14 sessions less the five stored; 2024-07-04 is none


def test_an_extension_asks_the_newest_stored_sessions_again(bench):
    bench.bars("2024-06-17", "2024-06-28")
    bench.bars("2024-07-01", "2024-07-02")
    # five sessions of overlap, so that a new dividend or split shows itself
    assert bench.asked()[-1] == ("2024-06-24", "2024-07-02")


def test_what_lies_between_two_loads_came_with_the_overlap_of_the_second(bench):
    bench.bars("2024-06-03", "2024-06-07")
    assert bench.bars("2024-07-22", "2024-07-26").calls == 1
    assert bench.bars("2024-06-03", "2024-07-26").calls == 0
    stored = set(bench.rows(BARS, symbol="NVDA")["date"].dt.date)
    assert len(stored) == 38  # sessions of the window, counted in a calendar: 20 less one in June, 20 less one in July
    coverage = bench.rows(operations.COVERAGE, symbol="NVDA")
    assert [(r.range_start.date(), r.range_end.date(), r.state) for r in coverage.itertuples()] == [
        (date(2024, 6, 3), date(2024, 7, 26), "have")
    ]
    assert bench.bars("2024-06-03", "2024-07-26").calls == 0


def test_nothing_before_the_listing_is_expected(bench):
    bench.move("2025-04-05T12:00:00Z")
    load = bench.bars("2025-03-17", "2025-04-04", "CRWV")
    assert bench.asked() == [("2025-03-28", "2025-04-04")]
    assert load.total("inserted") == 6
    assert bench.gaps("CRWV") == []


def test_a_window_before_the_listing_asks_nothing(bench):
    bench.move("2025-04-05T12:00:00Z")
    load = bench.bars("2025-03-17", "2025-03-21", "CRWV")
    assert (load.calls, load.results) == (0, [])


def test_the_future_is_not_asked_for(bench):
    load = bench.bars("2024-07-29", "2024-08-09")
    assert bench.asked() == [("2024-07-29", "2024-07-31")]
    assert load.total("inserted") == 3
    assert bench.gaps("NVDA") == []


def test_a_hole_waits_a_day_before_it_is_asked_again(bench):
    bench.market.holes = {("NVDA", date(2024, 6, 20))}
    bench.bars(*JUNE)
    assert bench.gaps("NVDA") == [("2024-06-20", "2024-06-20", "missing", "hole")]
    assert bench.bars(*JUNE).calls == 0
    bench.move("2024-08-02T11:59:59Z")
    assert bench.bars(*JUNE).calls == 0
    bench.move("2024-08-02T12:00:00Z")
    assert bench.bars(*JUNE).calls == 1
    bench.market.holes.clear()
    bench.move("2024-08-03T12:00:01Z")
    assert bench.bars(*JUNE).total("inserted") == 1
    assert bench.gaps("NVDA") == []


def test_other_loads_do_not_prolong_the_wait_of_a_hole(bench):
    bench.market.holes = {("NVDA", date(2024, 6, 20))}
    bench.bars(*JUNE)
    bench.move("2024-08-02T06:00:00Z")
    bench.bars("2024-07-01", "2024-07-05")
    bench.move("2024-08-02T12:00:01Z")
    assert bench.bars(*JUNE).calls == 1


def test_a_provisional_bar_is_read_again_once_it_can_be_final(bench):
    bench.move("2024-07-12T22:00:00Z")  # two hours after Friday's close
    bench.bars("2024-07-08", "2024-07-12")
    assert bench.rows(BARS, symbol="NVDA")["bar_status"].tolist() == ["final"] * 4 + ["provisional"]
    assert bench.bars("2024-07-08", "2024-07-12").calls == 0
    bench.market.odd = {("NVDA", date(2024, 7, 12)): {"volume": 1234}}
    bench.move("2024-07-13T10:00:00Z")  # 06:00 in New York
    load = bench.bars("2024-07-08", "2024-07-12")
    assert (load.calls, load.total("changed")) == (1, 1)
    last = bench.rows(BARS, symbol="NVDA", date=date(2024, 7, 12)).iloc[0]
    assert (last["bar_status"], last["volume"]) == ("final", 1234)
    assert bench.bars("2024-07-08", "2024-07-12").calls == 0


def test_a_full_refresh_asks_again_and_changes_nothing(bench):
    bench.bars(*JUNE)
    before = bench.rows(BARS)
    bench.move("2024-08-01T13:00:00Z")
    load = bench.bars(*JUNE, full_refresh=True)
    assert (load.calls, load.total("inserted"), load.total("changed")) == (1, 0, 0)
    assert bench.rows(BARS).equals(before)  # provenance too: what did not change keeps its first payload
