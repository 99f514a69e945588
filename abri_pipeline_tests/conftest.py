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
