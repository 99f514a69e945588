"""Whose history nobody has asked for yet."""

import shutil
from datetime import UTC, date, datetime

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.ingest import instruments, watchlist
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.instruments import Facts
from abri_pipeline.ingest.newcomers import newcomers
from abri_pipeline_tests.postgres import engine_at
from abri_pipeline_tests.quality.planting import plant, row

NOW = datetime(2026, 1, 20, 2, tzinfo=UTC)  # Monday, 21:00 in New York: the week to the 16th has closed
LAST = date(2026, 1, 18)


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    monkeypatch.setenv("ABRI_NOW", "2026-01-20T02:00:00Z")


@pytest.fixture
def sqlite_engine(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "abri.db")
    engine = engine_at(f"sqlite:///{tmp_path / 'abri.db'}")
    yield engine
    engine.dispose()


def covered(engine, symbol, first, last, state="have"):
    one = row(operations.COVERAGE, symbol=symbol, timeframe="1d", range_start=first, range_end=last, state=state)
    plant(engine, operations.COVERAGE, one)


def everybody_covered(engine):
    watchlist.seed(engine)
    with engine.connect() as connection:
        for one in watchlist.followed(connection):
            covered(engine, one.symbol, date(2024, 1, 2), date(2026, 1, 16))


def new(engine, now=NOW):
    return {one.symbol: one.wanted for one in newcomers(engine, now)}


def test_an_untouched_default_list_is_new(sqlite_engine):
    watchlist.seed(sqlite_engine)
    found = new(sqlite_engine)
    assert len(found) == 18
    assert found["NVDA"] == Window(date(2021, 1, 19), LAST)
    assert found["CRWV"] == Window(date(2025, 3, 28), LAST)


def test_the_default_list_is_not_new_because_somebody_wanted_fewer_years_of_it(sqlite_engine):
    everybody_covered(sqlite_engine)
    assert new(sqlite_engine) == {}


def test_a_daily_run_that_came_first_does_not_hide_the_past_of_a_new_symbol(sqlite_engine):
    everybody_covered(sqlite_engine)
    instruments.add(sqlite_engine, "ORCL", Facts())
    assert new(sqlite_engine) == {"ORCL": Window(date(2021, 1, 19), LAST)}
    covered(sqlite_engine, "ORCL", date(2026, 1, 12), date(2026, 1, 16))
    assert "ORCL" in new(sqlite_engine)
    covered(sqlite_engine, "ORCL", date(2021, 1, 19), date(2026, 1, 9), "missing")  # asked for, and not there
    assert new(sqlite_engine) == {}


def test_what_was_removed_for_a_while_has_a_hole_that_is_wanted(sqlite_engine, monkeypatch):
    everybody_covered(sqlite_engine)
    instruments.remove(sqlite_engine, "PATH")
    assert new(sqlite_engine) == {}
    monkeypatch.setenv("ABRI_NOW", "2026-02-10T02:00:00Z")
    instruments.add(sqlite_engine, "PATH", Facts())
    assert new(sqlite_engine, datetime(2026, 2, 10, 2, tzinfo=UTC)) == {
        "PATH": Window(date(2021, 4, 21), date(2026, 2, 8))
    }


@pytest.mark.parametrize(
    "facts",
    [Facts(listed_on=date(2026, 1, 20)), Facts(delisted_on=date(2021, 1, 15)), Facts(asset_class="crypto")],
    ids=["listed this week", "gone before the window", "coin"],
)
def test_without_a_closed_week_of_its_own_nothing_is_wanted(sqlite_engine, facts):
    everybody_covered(sqlite_engine)
    instruments.add(sqlite_engine, "ORCL", facts)
    assert new(sqlite_engine) == {}
