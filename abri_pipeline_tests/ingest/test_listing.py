"""C5 and C6 at the planner: nothing is wanted outside a listing, and a renamed instrument is one."""

import shutil
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.ingest import instruments, watchlist
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.instruments import Facts
from abri_pipeline.ingest.plan import plan
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline_tests.postgres import engine_at

NOW = datetime(2026, 1, 20, 2, tzinfo=UTC)
WHOLE = Window(date(2021, 1, 19), date(2026, 1, 16))


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    monkeypatch.setenv("ABRI_NOW", "2026-01-20T02:00:00Z")


@pytest.fixture
def sqlite_engine(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "abri.db")
    engine = engine_at(f"sqlite:///{tmp_path / 'abri.db'}")
    yield engine
    engine.dispose()


def needs(engine, window=WHOLE, *symbols):
    with engine.connect() as connection:
        return plan(connection, watchlist.followed(connection, symbols), window, NOW)


def test_c5_an_ipo_is_wanted_from_its_first_session(sqlite_engine):
    watchlist.seed(sqlite_engine)
    (need,) = needs(sqlite_engine, WHOLE, "CRWV")
    assert (need.sessions[0], need.sessions[-1]) == (date(2025, 3, 28), date(2026, 1, 16))
    assert needs(sqlite_engine, Window(date(2021, 1, 19), date(2025, 3, 27)), "CRWV") == []


def test_c5_a_delisted_instrument_is_wanted_to_its_last_session(sqlite_engine):
    instruments.add(sqlite_engine, "AI", Facts(delisted_on=date(2025, 6, 30)))
    (need,) = needs(sqlite_engine, WHOLE, "AI")
    assert (need.sessions[0], need.sessions[-1]) == (date(2021, 1, 19), date(2025, 6, 30))
    assert needs(sqlite_engine, Window(date(2025, 7, 1), date(2026, 1, 16)), "AI") == []


def test_c6_facebook_and_meta_are_one_need_over_both_tickers(sqlite_engine):
    watchlist.seed(sqlite_engine)
    own = [need for need in needs(sqlite_engine) if need.listed.instrument_id == "XNYS:META"]
    assert [need.listed.symbol for need in own] == ["META"]
    assert own[0].sessions == sessions(WHOLE.start, WHOLE.end)
    assert len(own[0].sessions) == 1256


def test_a_removed_instrument_is_not_wanted(sqlite_engine):
    instruments.remove(sqlite_engine, "PATH")
    assert "PATH" not in {need.listed.symbol for need in needs(sqlite_engine)}


days = st.dates(date(2018, 1, 1), date(2027, 6, 30))


# one empty database serves all examples: planning only reads
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed_on=st.none() | days, delisted_on=st.none() | days, start=days, length=st.integers(0, 900))
def test_c5_no_session_outside_the_listing_is_ever_wanted(sqlite_engine, listed_on, delisted_on, start, length):
    window = Window(start, date.fromordinal(start.toordinal() + length))
    listed = Listed("XNYS:X", "X", listed_on, delisted_on)
    with sqlite_engine.connect() as connection:
        found = plan(connection, [listed], window, NOW)
    wanted = [
        d
        for d in sessions(window.start, window.end)
        if (listed_on or d) <= d <= (delisted_on or d) and d <= date(2026, 1, 16)
    ]
    assert [d for need in found for d in need.sessions] == wanted
