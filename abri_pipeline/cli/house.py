"""Opening the house for a command: the home, the warehouse, Dagster's instance."""

import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from abri_pipeline.cli.errors import CommandFailed
from abri_pipeline.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from sqlalchemy import Engine

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def writable_home(settings: Settings) -> Path:
    """The home, made where it is missing, and tried by writing into it.

    Raises:
        CommandFailed: it cannot be made or written.
    """
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):  # asking for permission says yes to root even where nothing works
            pass
    except OSError as error:
        raise CommandFailed(
            f"the home {home} cannot be written ({error.strerror}); set ABRI_HOME to a folder you may write"
        ) from error
    return home


def log_to(home: Path) -> None:
    """Send what libraries log (retries, above all) to a file of the home: stdout and stderr are the command's own."""
    from stamina.instrumentation import RetryDetails, set_on_retry_hooks

    folder = home / "logs"
    folder.mkdir(exist_ok=True)
    logging.basicConfig(
        filename=folder / "abri.log", level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )

    def retried(details: RetryDetails) -> None:
        logging.getLogger("abri.retries").warning("%s; again in %.1f s", details.caused_by, details.wait_for)

    set_on_retry_hooks([retried])


def refuse_open_bind(settings: Settings) -> None:
    """Nothing here asks for credentials, so nothing here listens beyond this machine.

    Raises:
        CommandFailed: `ABRI_BIND` is another address than loopback.
    """
    bind = settings.get("ABRI_BIND")
    if bind and bind not in LOOPBACK:
        raise CommandFailed(f"ABRI_BIND={bind} is not loopback, and no credentials are set up; use 127.0.0.1")


def open_warehouse(settings: Settings) -> "Engine":
    """The warehouse at this version's schema.

    Raises:
        DatabaseUnavailable: cause and mend in one line.
        MixedMarkets: it is synthetic, and real upstreams would be asked.
    """
    from abri_pipeline.ingest.stamp import refuse_other_market
    from abri_pipeline.warehouse.engine import open_engine
    from abri_pipeline.warehouse.migrations import upgrade

    engine = open_engine(settings)
    upgrade(engine)
    refuse_other_market(engine, settings)
    return engine


def own_books(settings: Settings) -> "Engine":
    """The warehouse for writing what a person says; no upstream is asked, so either market's will do.

    Raises:
        CommandFailed: the home cannot be written.
        DatabaseUnavailable: cause and mend in one line.
    """
    from abri_pipeline.warehouse.engine import open_engine
    from abri_pipeline.warehouse.migrations import upgrade

    writable_home(settings)
    engine = open_engine(settings)
    upgrade(engine)
    return engine


def existing_warehouse(settings: Settings) -> "Engine | None":
    """The warehouse for reading, or None where none was made yet: looking must not make one.

    Raises:
        DatabaseUnavailable: cause and mend in one line.
    """
    from abri_pipeline.warehouse.engine import address, open_engine
    from abri_pipeline.warehouse.migrations import HEAD, revision

    url = address(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return None
    engine = open_engine(settings)
    with engine.connect() as connection:
        at = revision(connection)
    if at is None:
        return None
    if at != HEAD:
        raise CommandFailed(f"the database is at revision {at} and this version needs {HEAD}; run `abri backfill`")
    return engine


def dagster_storage(settings: Settings) -> str | None:
    """The address of Dagster's own PostgreSQL, tried once; None where its records are files of the home.

    Dagster would knock for half a minute, and then fall with a traceback.

    Raises:
        CommandFailed: it is no PostgreSQL, or does not answer.
    """
    from abri_pipeline.warehouse.engine import DatabaseUnavailable, address, open_engine

    if (url := settings.get("ABRI_DAGSTER_DATABASE_URL")) is None:
        return None
    try:
        if address(url).get_backend_name() != "postgresql":
            raise CommandFailed("ABRI_DAGSTER_DATABASE_URL is for PostgreSQL; leave it out for SQLite in the home")
        open_engine(Settings({"DATABASE_URL": url}, {})).dispose()
    except DatabaseUnavailable as error:
        raise CommandFailed(str(error).replace("DATABASE_URL", "ABRI_DAGSTER_DATABASE_URL")) from None
    return url


@contextmanager
def dagster_instance(home: Path) -> Iterator["DagsterInstance"]:
    """Dagster's instance, its storage at the installed version's schema.

    The first to come makes the storage and the others wait: a UI and a daemon that met in an empty home would
    both make it, and spoil it.

    Raises:
        CommandFailed: its storage cannot be reached.
    """
    os.environ.setdefault("DAGSTER_HOME", str(PROJECT_ROOT))
    dagster_storage(Settings.load())
    import dagster
    from sqlalchemy.exc import DBAPIError

    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "schema").open("a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            instance = dagster.DagsterInstance.get()
            _migrated(instance, lock.name, dagster.__version__)
        except (DBAPIError, dagster.DagsterError) as error:
            said = str(getattr(error, "orig", error)).strip().splitlines()
            raise CommandFailed(
                f"Dagster's storage cannot be opened ({said[0] if said else 'no answer'}); "
                "check ABRI_DAGSTER_DATABASE_URL and DAGSTER_HOME"
            ) from error
        fcntl.flock(lock, fcntl.LOCK_UN)
    with instance:
        yield instance


def _migrated(instance: "DagsterInstance", lock: str, version: str) -> None:
    """Bring the storage to the version's schema, once a version: every run has a file of its own to look at."""
    storage = Settings.load().get("ABRI_DAGSTER_DATABASE_URL") or "sqlite"
    done = f"{version} {hash_of(storage)}"
    record = Path(lock)
    if record.read_text(encoding="utf-8").strip() == done:
        return
    with redirect_stdout(StringIO()):  # it counts files aloud
        instance.upgrade()
    record.write_text(done, encoding="utf-8")


def hash_of(text: str) -> str:
    """A short name for an address that must not be written down."""
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()[:12]
