"""A database holds one market: a synthetic one and a real one never meet in it."""

from datetime import date

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.ingest.stamp import MixedMarkets, refuse_other_market
from abri_pipeline.sandbox.server import running
from abri_pipeline.settings import Settings
from abri_pipeline_tests.ingest.small_market import SmallMarket, spread_series

JUNE = ("2024-06-17", "2024-06-28")


@pytest.fixture(scope="module")
def synthetic():
    """The address of a second sandbox, whose market is labelled synthetic."""
    market = SmallMarket(label="synthetic", series=spread_series(date(2024, 1, 2), date(2024, 7, 31)))
    with running(market) as url:
        yield url


def at(bench, label, synthetic, recorded):
    bench.settings = Settings({"ABRI_UPSTREAM_URL": synthetic if label == "synthetic" else recorded}, {})


@pytest.mark.parametrize(("first", "second"), [("synthetic", "recorded"), ("recorded", "synthetic")])
def test_rows_of_the_other_market_are_refused(any_bench, sandbox, synthetic, first, second):
    bench = any_bench
    at(bench, first, synthetic, sandbox.url)
    bench.bars(*JUNE)
    before = bench.rows(BARS)
    at(bench, second, synthetic, sandbox.url)
    with pytest.raises(MixedMarkets, match="another ABRI_HOME"):
        bench.bars("2024-07-01", "2024-07-05")
    assert bench.rows(BARS).equals(before)
    assert set(bench.rows(operations.AUDIT)["job_id"]) == {"job1"}


def test_spreads_are_refused_as_bars_are(bench, sandbox, synthetic):
    bench.bars(*JUNE)
    at(bench, "synthetic", synthetic, sandbox.url)
    with pytest.raises(MixedMarkets):
        bench.spreads(*JUNE)


def test_synthetic_rows_say_so_in_every_row(bench, sandbox, synthetic):
    at(bench, "synthetic", synthetic, sandbox.url)
    bench.bars(*JUNE)
    assert set(bench.rows(BARS)["source_provider"]) == {"synthetic"}


def test_a_synthetic_database_never_asks_a_real_upstream(bench, sandbox, synthetic):
    at(bench, "synthetic", synthetic, sandbox.url)
    refuse_other_market(bench.engine, Settings({}, {}))  # an empty database may become either
    bench.bars(*JUNE)
    refuse_other_market(bench.engine, bench.settings)
    with pytest.raises(MixedMarkets, match="ABRI_UPSTREAM_URL is not set"):
        refuse_other_market(bench.engine, Settings({}, {}))
