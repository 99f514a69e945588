"""A connection on each kind of database whose work is undone after the test."""

import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from abri_pipeline.warehouse.engine import begin
from abri_pipeline_tests.postgres import BOTH, engine_at, fresh_database


@pytest.fixture(scope="session", params=BOTH)
def standing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine on a migrated database that nobody commits to."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("standing") / "abri.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        engine = engine_at(f"sqlite:///{path}")
        yield engine
        engine.dispose()
        return
    template = request.getfixturevalue("postgres_template")
    with fresh_database(request.getfixturevalue("postgres_url"), template) as url:
        engine = engine_at(url)
        yield engine
        engine.dispose()


class _Undone(Exception):
    pass


@pytest.fixture
def connection(standing: Engine) -> Iterator[Connection]:
    try:
        with begin(standing) as connection:
            yield connection
            raise _Undone
    except _Undone:
        pass
