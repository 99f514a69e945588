"""Migrations lead to exactly the schema that the contracts declare."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from abri_pipeline.contracts.catalog import TABLES
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.migrations import HEAD, HERE, SchemaTooNew, draft, revision, upgrade
from abri_pipeline.warehouse.tables import metadata, table_rules
from abri_pipeline_tests.postgres import engine_at

REDRAW = "a contract changed: run python -m abri_pipeline.warehouse.migrations.draft (or add a revision, once released)"


def test_alembic_finds_no_difference_to_the_contracts(connection: Connection):
    context = MigrationContext.configure(connection)
    assert compare_metadata(context, metadata) == [], REDRAW


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_the_first_schema_is_drawn_from_the_contracts(name: str):
    text = (HERE / "initial" / f"{name}.sql").read_text(encoding="utf-8")
    assert text == draft.script(name), REDRAW
    assert "%" not in text  # psycopg would take it for a parameter


def test_every_rule_is_in_the_database(connection: Connection):
    if connection.dialect.name == "postgresql":
        rows = connection.exec_driver_sql("SELECT conname FROM pg_constraint WHERE contype = 'c'")
        found = set(rows.scalars())
    else:
        text = "".join(connection.exec_driver_sql("SELECT coalesce(sql, '') FROM sqlite_master").scalars())
        found = {name for table in TABLES for name, _ in table_rules(table) if f"CONSTRAINT {name} CHECK" in text}
    assert {name for table in TABLES for name, _ in table_rules(table)} <= found


@pytest.mark.postgres
@pytest.mark.parametrize("warehouse_url", ["postgres"], indirect=True)
def test_daily_bars_leave_room_in_their_pages(warehouse: Engine):
    with warehouse.connect() as connection:
        query = "SELECT reloptions FROM pg_class WHERE relname = 'price_history_daily'"
        assert connection.exec_driver_sql(query).scalar_one() == ["fillfactor=90"]


def test_at_head_there_is_nothing_to_do(warehouse: Engine):
    assert upgrade(warehouse) is False
    with warehouse.connect() as connection:
        assert revision(connection) == HEAD


def test_head_is_the_newest_revision_there_is():
    config = Config()
    config.set_main_option("script_location", str(HERE))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_no_revision_reads_the_contracts():
    for path in sorted((HERE / "versions").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        read = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        read |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
        own = {module for module in read if module.startswith("abri_pipeline")}
        assert own <= {"abri_pipeline.warehouse.types"}, path.name


STARTED = """
import sys
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import open_engine
from abri_pipeline.warehouse.migrations import upgrade
engine = open_engine(Settings({"DATABASE_URL": sys.argv[1]}, {}))
sys.stdin.readline()
sys.stdout.write(str(upgrade(engine)))
"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_two_processes_that_start_together_migrate_once(kind: str, request: pytest.FixtureRequest, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/abri.db" if kind == "sqlite" else request.getfixturevalue("empty_postgres")
    processes = [
        subprocess.Popen([sys.executable, "-c", STARTED, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:  # both wait at the line before the upgrade
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(said) == ["False", "True"]


def test_a_database_of_a_newer_version_is_left_alone(warehouse: Engine):
    with begin(warehouse) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999_later'")
    with pytest.raises(SchemaTooNew, match="9999_later"):
        upgrade(warehouse)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_migration_that_fails_leaves_nothing(kind: str, request: pytest.FixtureRequest, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/abri.db" if kind == "sqlite" else request.getfixturevalue("empty_postgres")
    engine = engine_at(url)
    with begin(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE house (in_the_way TEXT)")  # the last table but one to be made
    with pytest.raises(Exception, match="house"):
        upgrade(engine)
    with engine.connect() as connection:
        assert revision(connection) is None
    engine.dispose()
