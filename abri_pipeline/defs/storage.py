"""Where Dagster keeps its own records: the home, or PostgreSQL where `ABRI_DAGSTER_DATABASE_URL` is set.

`dagster.yaml` names these classes, so that the UI, the daemon and the CLI find one instance without any
environment of their own, and nothing is ever written beside the code.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from abri_pipeline.defs.event_log import SqliteStorage
from abri_pipeline.settings import Settings

# Telemetry is off in dagster.yaml; without this the webserver still makes two empty folders for it beside the code.
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def folder() -> Path:
    """Dagster's folder in the home."""
    return Settings.load().home / "dagster"


class Storage(DagsterStorage, ConfigurableClass):
    """Chooses: SQLite in the home, or PostgreSQL through dagster-postgres."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """No settings of its own: they come from the environment."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]  # it chooses between two storages, neither of which it is
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        """The storage that the settings name."""
        if url := Settings.load().get("ABRI_DAGSTER_DATABASE_URL"):
            from dagster_postgres import DagsterPostgresStorage

            return DagsterPostgresStorage(_psycopg2(url), inst_data=inst_data)
        return SqliteStorage.from_local(str(folder()), inst_data=inst_data)


class Artifacts(LocalArtifactStorage):
    """Dagster's files, in the home."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """No settings of its own."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Files in the home."""
        return cls(str(folder()), inst_data=inst_data)


class ComputeLogs(LocalComputeLogManager):
    """What steps print, in the home."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """No settings of its own."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Logs in the home."""
        return cls(str(folder() / "logs"), inst_data=inst_data)


def _psycopg2(url: str) -> str:
    """Dagster's storage speaks psycopg2; SQLAlchemy 2.1 reads a plain `postgresql://` as psycopg 3."""
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg2://{rest}"
