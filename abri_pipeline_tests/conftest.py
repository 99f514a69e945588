"""Fixtures that every room's tests may use."""

from pathlib import Path

import pytest

from abri_pipeline_tests.postgres import (  # noqa: F401 - fixtures are found by being here
    empty_postgres,
    postgres_template,
    postgres_url,
    sqlite_template,
    warehouse,
    warehouse_url,
)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The recorded market beside the project; tests on it are marked `realdata`."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("no recorded market beside the project (../shared/data)")
    return folder


# Families that start programs, serve a market or load it again and again. `pytest -m "not long"` leaves them out
# and ends within a minute; `make test` and CI run everything.
LONG = frozenset({"acceptance", "bench", "browser", "cli", "derive", "ingest", "reliability"})
TESTS = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the long families by their folder: said once, here."""
    for item in items:
        if LONG & set(item.path.relative_to(TESTS).parts[:-1]):
            item.add_marker("long")
