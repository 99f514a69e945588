"""The declared prefixes are those of the routes, and no fault can name another."""

import pytest

from abri_pipeline.sandbox.faults import Fault, FaultError
from abri_pipeline.sandbox.synthetic import SyntheticMarket
from abri_pipeline.sandbox.wires import PREFIXES, routes


def test_the_prefixes_are_those_of_the_routes():
    assert {route.path.split("/")[1] for route in routes(SyntheticMarket())} == set(PREFIXES)


def test_a_fault_of_an_unknown_upstream_is_refused_by_name():
    with pytest.raises(FaultError, match="'nosuch' names no upstream; served are yahoo"):
        Fault.parse("nosuch:status=503")
