"""The house as a Dagster resource: settings, database, archive and transport, opened once a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import dagster as dg
from sqlalchemy import Engine

from abri_pipeline.ingest.desk import FETCHERS, Desk, Progress, silent
from abri_pipeline.ingest.stamp import refuse_other_market
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.engine import open_engine
from abri_pipeline.warehouse.migrations import upgrade

# Whom loads report to; the CLI sets it around a foreground run and draws bars.
WATCHER: ContextVar[Progress] = ContextVar("watcher", default=silent)


class House(dg.ConfigurableResource):  # type: ignore[type-arg]  # Dagster leaves its type parameter open
    """Opens what a step needs from the settings of the process."""

    def engine(self) -> Engine:
        """The warehouse, migrated to this version.

        Raises:
            DatabaseUnavailable: cause and mend in one line.
        """
        engine = open_engine(Settings.load())
        upgrade(engine)
        return engine

    @contextmanager
    def desk(
        self, job_id: str, *, full_refresh: bool = False, reread: int = 0, fetchers: int = FETCHERS
    ) -> Iterator[Desk]:
        """What a load needs, for one step.

        Raises:
            MixedMarkets: the database is synthetic and the upstreams are real.
        """
        settings = Settings.load()
        engine = self.engine()
        refuse_other_market(engine, settings)
        with Transport(settings) as transport:
            archive = Archive(settings.home / "archive")
            yield Desk(
                engine,
                archive,
                transport,
                settings,
                job_id,
                WATCHER.get(),
                full_refresh=full_refresh,
                reread=reread,
                fetchers=fetchers,
            )
        engine.dispose()
