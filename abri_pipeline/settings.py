"""Every setting, read once from the environment and `.env`, with its origin.

Belongs here: names, defaults and masking of settings. Does not belong here: what they are used for.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent

SECRETS = frozenset({
    "FRED_API_KEY", "MASSIVE_API_KEY", "ALPHAVANTAGE_API_KEY", "STOOQ_API_KEY", "SMTP_PASSWORD",
})  # fmt: skip
NAMES = (
    "ABRI_HOME", "DATABASE_URL", "ABRI_DAGSTER_DATABASE_URL", "ABRI_UPSTREAM_URL", "ABRI_NOW", "FRED_API_KEY",
    "MASSIVE_API_KEY", "ALPHAVANTAGE_API_KEY", "STOOQ_API_KEY", "ABRI_CONTACT", "SMTP_HOST", "SMTP_PORT",
    "SMTP_USER", "SMTP_PASSWORD", "ALERT_RECIPIENT", "DASHBOARD_URL", "ABRI_BIND",
)  # fmt: skip


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and the mend."""


@lru_cache(maxsize=1)
def _dotenv() -> dict[str, str]:
    """`.env` of the project, if there is one; the environment wins over it."""
    from dotenv import dotenv_values

    return {k: v for k, v in dotenv_values(PROJECT_ROOT / ".env").items() if v}


@dataclass(frozen=True, slots=True)
class Settings:
    """The platform's settings. `origin` says for each name where its value came from."""

    values: dict[str, str]
    origin: dict[str, str]

    @classmethod
    def load(cls) -> "Settings":
        """Read the environment, then `.env`; names with neither stay absent."""
        values: dict[str, str] = {}
        origin: dict[str, str] = {}
        for name in NAMES:
            if value := os.environ.get(name, "").strip():
                values[name], origin[name] = value, "environment"
            elif value := _dotenv().get(name, "").strip():
                values[name], origin[name] = value, ".env"
            else:
                origin[name] = "default"
        return cls(values, origin)

    def get(self, name: str) -> str | None:
        """The value of a setting, or None where it is not set."""
        return self.values.get(name)

    @property
    def home(self) -> Path:
        """Where all state lives (`ABRI_HOME`, default `var/` in the project)."""
        return Path(self.values.get("ABRI_HOME") or PROJECT_ROOT / "var").expanduser().resolve()

    @property
    def database_url(self) -> str:
        """The warehouse (`DATABASE_URL`, default SQLite in the home)."""
        return self.values.get("DATABASE_URL") or f"sqlite:///{self.home / 'abri.db'}"

    @property
    def upstream_url(self) -> str | None:
        """One base address that stands in for every upstream, without a trailing slash."""
        url = self.values.get("ABRI_UPSTREAM_URL")
        return url.rstrip("/") if url else None

    def secrets(self) -> tuple[str, ...]:
        """The secret values that must never be printed, longest first."""
        found = {v for k, v in self.values.items() if k in SECRETS}
        return tuple(sorted(found, key=len, reverse=True))

    def masked(self, name: str) -> str:
        """A value as it may be shown: secrets by their last two characters, URLs without password."""
        value = self.values.get(name, "")
        if name in SECRETS and value:
            return "…" + value[-2:] if len(value) > 8 else "…"
        if name.endswith("_URL") and value and "://" not in value:
            return "…"  # no address at all: any part of it may be the password
        if name.endswith("_URL") and "@" in value:
            scheme, _, rest = value.partition("://")
            user = rest.rpartition("@")[0].partition(":")[0]
            return f"{scheme}://{user}:…@{rest.rpartition('@')[2]}"
        return value
