"""What the shipped definitions hold is on one page: a change of the graph shows there, or this fails."""

import dagster as dg

from abri_pipeline.definitions import defs
from abri_pipeline_tests.defs.snapshot import PAGE, page


def test_the_graph_is_the_one_on_the_page():
    shown = PAGE.read_text()
    assert page(defs) == shown, "intended? then: python -m abri_pipeline_tests.defs.snapshot"


def test_the_page_shows_a_lost_asset_and_a_lost_check():
    less = dg.Definitions(assets=defs.assets[1:], asset_checks=defs.asset_checks[3:], resources=defs.resources)
    lost = set(page(defs).splitlines()) - set(page(less).splitlines())
    assert {"job whole_graph", "  checks: complete, continuous, contract, failures, fresh"} <= lost
