"""Opening the warehouse, and one clear line where it cannot be opened."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import DatabaseUnavailable, begin, open_engine
from abri_pipeline_tests.postgres import engine_at

SECRET = "canary-4711"  # noqa: S105 - a canary, planted to be looked for


def complaint(values: dict[str, str]) -> str:
    with pytest.raises(DatabaseUnavailable) as caught:
        open_engine(Settings(values, {}))
    text = str(caught.value)
    assert "\n" not in text
    assert SECRET not in text
    assert SECRET not in repr(caught.value.__cause__)
    return text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("not an address", "DATABASE_URL is not a database address; write sqlite"),
        (f"postgresql://me:{SECRET}@host:port/abri", "DATABASE_URL is not a database address"),
        (f"mysql://me:{SECRET}@host/abri", "DATABASE_URL names 'mysql'"),
        (f"postgresql://me:{SECRET}@127.0.0.1:1/abri", "PostgreSQL at 127.0.0.1:1/abri cannot be reached"),
        (f"postgres://me:{SECRET}@127.0.0.1:1/abri?sslmode={SECRET}x", "PostgreSQL at 127.0.0.1:1/abri cannot"),
    ],
)
def test_a_bad_address_is_one_line_without_the_password(url: str, expected: str):
    assert complaint({"DATABASE_URL": url}).startswith(expected)


def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path):
    path = tmp_path / "abri.db"
    path.write_bytes(b"these are my notes, not a database" * 100)
    text = complaint({"DATABASE_URL": f"sqlite:///{path}"})
    assert str(path) in text
    assert "not a database" in text
    assert path.read_bytes().startswith(b"these are my notes")


def test_a_home_that_cannot_be_made_names_the_setting(tmp_path: Path):
    (tmp_path / "file").write_text("")
    text = complaint({"ABRI_HOME": str(tmp_path / "file" / "home")})
    assert "cannot make the folder" in text
    assert "ABRI_HOME" in text


def test_a_read_only_home_names_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # The suite may run as root, who may write anywhere: so the operating system's answer is what is changed.
    monkeypatch.setattr("os.access", lambda path, _mode: Path(path) != tmp_path)
    text = complaint({"ABRI_HOME": str(tmp_path)})
    assert f"{tmp_path} is read-only" in text
    assert "ABRI_HOME" in text


def test_a_fresh_home_is_made(tmp_path: Path):
    engine = open_engine(Settings({"ABRI_HOME": str(tmp_path / "new" / "home")}, {}))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 1
    engine.dispose()
    assert (tmp_path / "new" / "home" / "abri.db").exists()


@pytest.mark.postgres
@pytest.mark.parametrize("warehouse_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_goes_through_psycopg_3(warehouse_url: str, scheme: str):
    engine = engine_at(warehouse_url.replace("postgresql", scheme, 1))
    assert engine.dialect.driver == "psycopg"
    engine.dispose()


def test_a_transaction_is_all_or_nothing(warehouse: Engine):
    with begin(warehouse) as connection:
        connection.exec_driver_sql("CREATE TABLE note (word TEXT)")
        connection.exec_driver_sql("INSERT INTO note VALUES ('kept')")
    with pytest.raises(DBAPIError), begin(warehouse) as connection:
        connection.exec_driver_sql("INSERT INTO note VALUES ('lost')")
        connection.exec_driver_sql("CREATE TABLE other (word TEXT)")
        connection.exec_driver_sql("SELECT no_such_column FROM note")
    with warehouse.connect() as connection:
        assert connection.exec_driver_sql("SELECT word FROM note").scalars().all() == ["kept"]
        with pytest.raises(DBAPIError):
            connection.exec_driver_sql("SELECT * FROM other")


@pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)
def test_sqlite_writers_queue_and_readers_pass(warehouse: Engine):
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with begin(warehouse) as connection:
            order.append("second")
            connection.exec_driver_sql("INSERT INTO house VALUES ('b', 'b', 'b')")

    thread = threading.Thread(target=second)
    thread.start()
    with begin(warehouse) as connection:
        inside.set()
        connection.exec_driver_sql("INSERT INTO house VALUES ('a', 'a', 'a')")
        with warehouse.connect() as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM house").scalar_one() == 0
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
