"""The watchlist is changed by what is said, and nothing stored is lost by it."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.ingest import instruments, watchlist
from abri_pipeline.ingest.instruments import Facts, WatchlistFault
from abri_pipeline.ingest.watchlist import UnknownSymbol
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import upsert

NOW = "2026-01-20T02:00:00Z"


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    monkeypatch.setenv("ABRI_NOW", NOW)


def rows(engine, table, **equal):
    with engine.connect() as connection:
        return frame(connection, table, where=[(name, "=", value) for name, value in equal.items()])


def symbols(engine, classes=watchlist.EQUITIES):
    with engine.connect() as connection:
        return [one.symbol for one in watchlist.followed(connection, classes=classes)]


def test_a_new_instrument_joins_the_default_list(warehouse):
    facts = Facts(name=" Berkshire Hathaway B ", groups=("value",), timeframes=("1h", "1d"), listed_on=date(1996, 5, 9))
    done = instruments.add(warehouse, "brk.b", facts)
    assert (done.symbol, done.instrument_id, done.did) == ("BRK-B", "XNYS:BRK-B", "added")
    assert len(symbols(warehouse)) == 19
    one = rows(warehouse, operations.INSTRUMENTS, symbol="BRK-B").iloc[0]
    assert (one["name"], one["asset_class"], one["exchange_calendar"]) == ("Berkshire Hathaway B", "equity", "XNYS")
    assert (one["timeframes"], one["groups"], one["active"]) == ("1h,1d", "value", True)
    assert one["added_at"] == pd.Timestamp(NOW)
    label = rows(warehouse, operations.INSTRUMENT_SYMBOLS, symbol="BRK-B").iloc[0]
    assert (label["valid_from"], label["valid_to"]) == (pd.Timestamp("1996-05-09"), pd.NaT)


@pytest.mark.parametrize("again", ["BRK.B", "BRK-B", "brk-b"])
def test_share_classes_are_one_instrument_however_they_are_written(warehouse, again):
    instruments.add(warehouse, "BRK.B", Facts())
    assert instruments.add(warehouse, again, Facts()).did == "unchanged"
    assert len(rows(warehouse, operations.INSTRUMENTS)) == 19
    with warehouse.connect() as connection:
        assert [one.symbol for one in watchlist.followed(connection, [again])] == ["BRK-B"]


def test_removed_is_inactive_and_added_again_it_is_the_same_instrument(warehouse, monkeypatch):
    assert instruments.remove(warehouse, "path").did == "removed"
    assert "PATH" not in symbols(warehouse)
    assert instruments.remove(warehouse, "PATH").did == "unchanged"
    monkeypatch.setenv("ABRI_NOW", "2026-01-21T02:00:00Z")
    back = instruments.add(warehouse, "PATH", Facts())
    assert (back.did, back.instrument_id) == ("reactivated", "XNYS:PATH")
    one = rows(warehouse, operations.INSTRUMENTS, symbol="PATH").iloc[0]
    assert one["listed_on"] == pd.Timestamp("2021-04-21")  # what nobody said anew stays
    assert one["added_at"] == pd.Timestamp("2026-01-21T02:00:00Z")
    assert len(rows(warehouse, operations.INSTRUMENTS)) == 18


def test_only_what_is_said_changes(warehouse):
    done = instruments.add(warehouse, "NVDA", Facts(name="Nvidia Corp"))
    assert (done.did, done.facts) == ("changed", ("name",))
    one = rows(warehouse, operations.INSTRUMENTS, symbol="NVDA").iloc[0]
    assert (one["name"], one["groups"], one["added_at"]) == ("Nvidia Corp", "mag7", pd.NaT)


def test_a_coin_is_followed_but_not_by_what_loads_equities(warehouse):
    done = instruments.add(warehouse, "BTCUSDT", Facts(asset_class="crypto"))
    assert done.instrument_id == "CRYPTO:BTCUSDT"
    assert "BTCUSDT" not in symbols(warehouse)
    assert symbols(warehouse, ("crypto",)) == ["BTCUSDT"]
    assert rows(warehouse, operations.INSTRUMENTS, symbol="BTCUSDT").iloc[0]["exchange_calendar"] == "24/7"
    with pytest.raises(WatchlistFault, match="two instruments"):
        instruments.add(warehouse, "BTCUSDT", Facts(asset_class="equity"))


def test_c6_a_ticker_that_another_instrument_carried_needs_its_day(warehouse):
    with pytest.raises(WatchlistFault, match=r"until 2022-06-08 \(XNYS:META"):
        instruments.add(warehouse, "FB", Facts())
    with pytest.raises(WatchlistFault, match="since when"):
        instruments.add(warehouse, "FB", Facts(listed_on=date(2022, 6, 8)))
    done = instruments.add(warehouse, "FB", Facts(listed_on=date(2025, 7, 1)))
    assert done.instrument_id == "XNYS:FB"
    assert {"FB", "META"} <= set(symbols(warehouse))


def test_c6_a_former_ticker_is_told_with_its_new_one(warehouse):
    watchlist.seed(warehouse)
    with warehouse.connect() as connection, pytest.raises(UnknownSymbol, match="FB is META since 2022-06-09"):
        watchlist.followed(connection, ["FB"])


def test_the_next_holder_of_a_delisted_ticker_is_not_taken_for_the_old(warehouse):
    instruments.add(warehouse, "AI", Facts(delisted_on=date(2025, 6, 30)))
    with pytest.raises(WatchlistFault, match="abri watch rename AI"):
        instruments.add(warehouse, "AI", Facts(listed_on=date(2025, 9, 1)))


FAULTS = {
    "class": ({"asset_class": "bond"}, "bond"),
    "timeframe": ({"timeframes": ("2h",)}, "2h"),
    "no timeframe": ({"timeframes": ()}, "no timeframe"),
    "group": ({"groups": ("Mag 7",)}, "Mag 7"),
    "comma": ({"groups": ("a;b",)}, "a;b"),
    "empty name": ({"name": "  "}, "name is empty"),
    "long name": ({"name": "x" * 121}, "120"),
    "control": ({"name": "a\x1b[31m"}, "control"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_facts_that_make_no_sense_are_refused(case):
    said, word = FAULTS[case]
    with pytest.raises(WatchlistFault, match=word):
        Facts(**said)


def test_a_listing_that_ends_before_it_begins_is_refused_and_changes_nothing(warehouse):
    watchlist.seed(warehouse)
    before = rows(warehouse, operations.INSTRUMENTS)
    with pytest.raises(WatchlistFault, match="before it is listed"):
        instruments.add(warehouse, "CRWV", Facts(delisted_on=date(2025, 3, 27)))
    assert rows(warehouse, operations.INSTRUMENTS).equals(before)


def test_s8_s2_hostile_texts_are_stored_as_text_or_not_at_all(warehouse):
    name = "Robert'); DROP TABLE instruments;-- <b>x</b>"
    instruments.add(warehouse, "BOBBY", Facts(name=name))
    assert rows(warehouse, operations.INSTRUMENTS, symbol="BOBBY").iloc[0]["name"] == name
    assert len(rows(warehouse, operations.INSTRUMENTS)) == 19


def test_nobody_that_was_never_followed_is_removed(warehouse):
    with pytest.raises(UnknownSymbol, match="XXXX was never"):
        instruments.remove(warehouse, "XXXX")


def test_c5_open_gaps_are_cut_to_a_new_listing(warehouse):
    watchlist.seed(warehouse)

    def gap(first, last, sessions, timeframe="1d"):
        return {"symbol": "AI", "timeframe": timeframe, "gap_start": first, "gap_end": last, "sessions": sessions,
                "state": "missing", "attempts": 2, "cause": "hole", "reason": "not there",
                "updated_at": datetime(2026, 1, 1, tzinfo=UTC)}  # fmt: skip

    planted = [
        gap(date(2025, 6, 2), date(2025, 6, 3), 2),
        gap(date(2025, 6, 27), date(2025, 7, 2), 4),
        gap(date(2025, 8, 4), date(2025, 8, 8), 5),
        gap(date(2025, 8, 4), date(2025, 8, 8), 5, "filings"),
    ]
    with begin(warehouse) as connection:
        upsert(connection, operations.GAPS, pd.DataFrame(planted))
    instruments.add(warehouse, "AI", Facts(delisted_on=date(2025, 6, 30)))
    left = rows(warehouse, operations.GAPS, symbol="AI", state="missing")
    spans = {(r.timeframe, str(r.gap_start.date()), str(r.gap_end.date()), r.sessions) for r in left.itertuples()}
    assert spans == {
        ("1d", "2025-06-02", "2025-06-03", 2),
        ("1d", "2025-06-27", "2025-06-30", 2),
        ("filings", "2025-08-04", "2025-08-08", 5),
    }
