"""The stamp of a database: it holds a real market or a synthetic one, and refuses the other."""

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import upsert

SYNTHETIC = "synthetic"
REAL = "real"


class MixedMarkets(RuntimeError):
    """Synthetic rows and a real upstream met in one database, or the reverse."""


def market_of(label: str | None) -> str:
    """Which market a payload is from, by the label its sender put on it."""
    return SYNTHETIC if label == SYNTHETIC else REAL


def held(connection: Connection) -> str | None:
    """The market the database holds, or None where nothing was stored yet."""
    rows = frame(connection, operations.STAMP, where=[("name", "=", "market")])
    return None if rows.empty else str(rows["value"].iloc[0])


def stamp(connection: Connection, market: str) -> None:
    """Stamp an empty database with the market, or refuse rows of the other one.

    Raises:
        MixedMarkets: the database holds the other market.
    """
    holds = held(connection)
    if holds is None:
        row = {"name": "market", "value": market, "recorded_at": clock.now()}
        upsert(connection, operations.STAMP, pd.DataFrame([row]))
    elif holds != market:
        raise MixedMarkets(
            f"this database holds a {holds} market and the upstream sends a {market} one; "
            f"use another ABRI_HOME (or DATABASE_URL), or point ABRI_UPSTREAM_URL at a {holds} upstream"
        )


def refuse_other_market(engine: Engine, settings: Settings) -> None:
    """Refuse before any call: a synthetic database must never ask a real upstream.

    Raises:
        MixedMarkets: the database is synthetic and no stand-in upstream is set.
    """
    with engine.connect() as connection:
        if held(connection) == SYNTHETIC and settings.upstream_url is None:
            raise MixedMarkets(
                "this database holds a synthetic market and ABRI_UPSTREAM_URL is not set, so real upstreams would be "
                "asked; use another ABRI_HOME, or start `abri sandbox` and set ABRI_UPSTREAM_URL"
            )
