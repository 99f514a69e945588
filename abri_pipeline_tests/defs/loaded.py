"""The shipped definitions, loaded once for all tests.

Dagster 1.13 reads pydantic's old `__fields__` wherever a resource is made, and calls single-run policies beta, once
for each asset; both warn at import, where a test's own filter does not reach.
"""

import warnings
from functools import cache

import dagster as dg


@cache
def definitions() -> dg.Definitions:
    """What `abri_pipeline.definitions` gives Dagster."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The `__fields__` attribute")
        warnings.filterwarnings("ignore", message="Parameter `backfill_policy`")
        from abri_pipeline.definitions import defs

        defs.resolve_asset_graph()
    return defs
