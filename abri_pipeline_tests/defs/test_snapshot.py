"""What the shipped definitions hold is on one page: a change of the graph shows there, or this fails."""

import dagster as dg

from abri_pipeline_tests.defs.loaded import definitions
from abri_pipeline_tests.defs.snapshot import PAGE, page


def test_the_graph_is_the_one_on_the_page():
    shown = PAGE.read_text()
    assert page(definitions()) == shown, "intended? then: python -m abri_pipeline_tests.defs.snapshot"


def test_the_page_shows_a_lost_asset_and_a_lost_check():
    shipped = definitions()
    less = dg.Definitions(
        assets=shipped.assets[1:], asset_checks=shipped.asset_checks[2:], executor=dg.in_process_executor
    )
    lost = set(page(shipped).splitlines()) - set(page(less).splitlines())
    assert {"resource house", "job whole_graph", "  checks: complete, continuous, contract, failures, fresh"} <= lost
