"""Migrations: how a database of an older version becomes one of this version, with no row lost.

History is frozen. A revision never imports the contracts: what it did must stay what it does. The first revision
is plain SQL, `initial/sqlite.sql` and `initial/postgresql.sql`.

While the first revision is unreleased, a changed contract is drawn anew with

    python -m abri_pipeline.warehouse.migrations.draft

and a development database is made anew. After the release a changed contract gets a revision of its own:

    alembic revision --autogenerate -m "what changes"

which reads its settings from `[tool.alembic]` in `pyproject.toml` and the database from `DATABASE_URL`. Autogenerate
does not see CHECKs, views and triggers: write them by hand. A test compares every database with the contracts and
fails until they agree. `HEAD` names the newest revision; raise it with each one.
"""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lock

HEAD = "0001_initial"
HERE = Path(__file__).resolve().parent


class SchemaTooNew(Exception):
    """The database was made by a newer version of ABRI than this one."""


def upgrade(engine: Engine) -> bool:
    """Bring the database to this version; returns whether anything was done.

    At head it costs one small query. Two processes that start together wait for each other, and the whole way is
    one transaction in both databases: it is done or it is not.

    Raises:
        SchemaTooNew: the database holds a revision this version does not know.
    """
    with engine.connect() as connection:
        if revision(connection) == HEAD:
            return False
    with begin(engine) as connection:
        unit_lock(connection, "migrations")
        if revision(connection) == HEAD:  # somebody else was first
            return False
        _run(connection)
    return True


def revision(connection: Connection) -> str | None:
    """The revision the database is at, or None where it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()


def _run(connection: Connection) -> None:
    # Alembic takes a tenth of a second to import, and most starts are at head already.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaTooNew(
            f"the database is at revision {revision(connection)}, which this version does not know ({error}); "
            "run the newest version of ABRI, or set DATABASE_URL to another database"
        ) from error
