"""The engine without Dagster: 252 recorded symbols, five years of days, on PostgreSQL, above the least such work.

The floor asks for the same charts in as many threads, parses the JSON into tuples, archives each body at the same
compression with the same care, and sends every row in one COPY: no plan, no rules, no books, no locks.
"""

import os
import resource
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import psycopg
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.ingest import equity
from abri_pipeline.ingest.desk import FETCHERS, Desk, Window
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.bench.bars_upsert import server, warehouse
from abri_pipeline_tests.bench.figure import Figure, Floor
from abri_pipeline_tests.bench.plain_fetch import chart as lean_chart
from abri_pipeline_tests.bench.rooms import NOW, Market, served

WINDOW = Window(date(2021, 1, 19), date(2026, 1, 16))
RATIO = 3.0
MEMORY_MB = 600.0


def measure(runs: int, data: Path) -> Figure:
    """Each round: a fresh database and archive, the engine, then the floor, against one served market."""
    names = sorted(
        pd.read_parquet(data / "universe" / "sp500_half_daily.parquet", columns=["symbol"])["symbol"].unique()
    )
    own, floor, stored = [], [], 0
    os.environ["ABRI_NOW"] = NOW
    with served(data) as market, server() as url:
        _floor(market, url, names[:8])  # the market reads its files once
        for _ in range(runs):
            seconds, stored = _engine(market, url, names)
            own.append(seconds)
            floor.append(_floor(market, url, names))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figure(
        name="engine",
        what=f"{len(names)} symbols, {stored:,} rows through the engine into PostgreSQL",
        unit="s",
        samples=own,
        target=120.0,
        floors=[Floor("same requests, lean parse, archive, one COPY", floor)],
        ratio_target=RATIO,
        notes=[f"peak memory of the process {memory:,.0f} MB; the target is {MEMORY_MB:,.0f}"],
    )


def _engine(market: Market, url: str, names: list[str]) -> tuple[float, int]:
    """Seconds of one load into an empty database, and the rows it stored."""
    home = Path(tempfile.mkdtemp(prefix="abri-bench-engine-"))
    settings = Settings({"ABRI_HOME": str(home), "ABRI_UPSTREAM_URL": market.url, "DATABASE_URL": url}, {})
    try:
        with warehouse(_emptied(url)) as engine, Transport(settings) as transport:
            _watch(engine, names)
            desk = Desk(engine, Archive(home / "archive"), transport, settings, "bench")
            began = time.perf_counter()
            load = equity.load(desk, WINDOW)
            took = time.perf_counter() - began
            if load.failed:
                raise RuntimeError(f"the load failed for {[r.unit for r in load.failed][:5]}")
            return took, load.total("inserted")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _watch(engine: Engine, names: list[str]) -> None:
    rows = [
        {
            "instrument_id": f"XNYS:{name}",
            "symbol": name,
            "name": name,
            "asset_class": "equity",
            "exchange_calendar": "XNYS",
            "active": True,
            "timeframes": "1d",
            "groups": "",
        }
        for name in names
    ]
    with begin(engine) as connection:
        upsert(connection, operations.INSTRUMENTS, pd.DataFrame(rows))


def _emptied(url: str) -> str:
    """A fresh database on the server."""
    name = f"engine_{time.monotonic_ns()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _floor(market: Market, url: str, names: list[str]) -> float:
    """Seconds of the least work that stores the same bars."""
    home = Path(tempfile.mkdtemp(prefix="abri-bench-floor-"))
    archive = Archive(home)
    columns = "symbol text, date date, o float8, h float8, l float8, c float8, v int8, a float8"
    try:
        with (
            httpx.Client(base_url=market.url, trust_env=False, timeout=60) as client,
            psycopg.connect(_emptied(url)) as db,
        ):
            db.execute(f"CREATE TABLE bare ({columns}, s text, p text, r text, t text)")
            began = time.perf_counter()
            with ThreadPoolExecutor(FETCHERS) as pool:
                parts = pool.map(lambda name: _lean(client, archive, name), names)
                with db.cursor() as cursor, cursor.copy("COPY bare FROM STDIN") as copy:
                    for part in parts:
                        for key, row in part.items():
                            copy.write_row((*key, *row))
            db.commit()
            return time.perf_counter() - began
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _lean(client: httpx.Client, archive: Archive, name: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    kept = _Keeping(client, archive)
    return lean_chart(kept, name, WINDOW.start, WINDOW.end).get("price_history_daily", {})  # type: ignore[arg-type]  # it only gets


class _Keeping:
    """A client that archives what it gets."""

    def __init__(self, client: httpx.Client, archive: Archive) -> None:
        self._client, self._archive = client, archive

    def get(self, path: str, params: dict[str, Any]) -> httpx.Response:
        """Ask, and keep the body."""
        answer = self._client.get(path, params=params)
        self._archive.put(answer.content)
        return answer
