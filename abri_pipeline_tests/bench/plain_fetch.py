"""The second floor of a backfill: the same requests, read as leanly as Python can, and one bulk insert.

`plain_fetch START END` asks the market at ABRI_UPSTREAM_URL for what a backfill asks it, four threads at a time,
and stores the rows in one SQLite transaction, one `executemany` a table. No archive, no rules, no books, no frames:
curated tables go in as the lines of their CSV, and nothing is derived. Writes a JSON line.
"""

import csv
import io
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from abri_pipeline.analytics.filings_companies import COMPANIES
from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts.universe import WATCHLIST
from abri_pipeline.ingest.credit import SERIES
from abri_pipeline.ingest.desk import FETCHERS
from abri_pipeline.ingest.filings import FORMS, WATCHED

Rows = dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]
"""Rows by table and key."""
CURATED = ("weights", "gpu_prices", "segment_revenue", "deals")
PROVENANCE = ("upstream", "0" * 64, "2026-01-20T02:00:00.000000Z")
NEW_YORK = ZoneInfo("America/New_York")


def main(start: date, end: date) -> dict[str, object]:
    """Fetch and store; seconds are those of both, without imports and without the calendar's first building."""
    days = [day for day in closed_sessions(clock.now()) if start <= day <= end]
    began, worked = time.perf_counter(), time.process_time()
    with _client() as client, ThreadPoolExecutor(FETCHERS) as pool:
        found = _gathered(pool.map(lambda ask: ask[0](client, *ask[1:]), _asks(days)))
    _insert(Path(os.environ["ABRI_HOME"]) / "plain.db", found)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - worked,
        "rows": {table: len(rows) for table, rows in found.items()},
    }


def _client() -> httpx.Client:
    return httpx.Client(base_url=os.environ["ABRI_UPSTREAM_URL"], trust_env=False, timeout=60)


def _asks(days: list[date]) -> Iterable[tuple[Any, ...]]:
    """What a backfill asks, as function and arguments."""
    for instrument in WATCHLIST:
        if own := [day for day in days if instrument.listed_on is None or instrument.listed_on <= day]:
            yield chart, instrument.symbol, own[0], own[-1]
    yield from ((_series, name) for name in SERIES)
    yield from ((_company, ticker) for ticker in WATCHED)
    yield from ((_table, name) for name in CURATED)


def chart(client: httpx.Client, symbol: str, first: date, last: date) -> Rows:
    bounds = (first, last + timedelta(days=1))
    period1, period2 = (int(datetime(d.year, d.month, d.day, tzinfo=NEW_YORK).timestamp()) for d in bounds)
    params: dict[str, str | int] = {"period1": period1, "period2": period2, "interval": "1d", "events": "div,splits"}
    answer = client.get(f"/yahoo/v8/finance/chart/{symbol}", params=params)
    if answer.status_code != httpx.codes.OK:
        return {}
    result = answer.json()["chart"]["result"][0]
    quote, adjusted = result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]["adjclose"]
    columns = (quote[name] for name in ("open", "high", "low", "close", "volume"))
    bars = {
        (symbol, _day(stamp)): (*values, "final", *PROVENANCE)
        for stamp, *values in zip(result["timestamp"], *columns, adjusted, strict=True)
    }
    events = result.get("events", {})
    actions = {(symbol, _day(e["date"]), "dividend"): (e["amount"],) for e in events.get("dividends", {}).values()}
    actions |= {
        (symbol, _day(e["date"]), "split"): (e["numerator"] / e["denominator"],)
        for e in events.get("splits", {}).values()
    }
    return {"price_history_daily": bars, "corporate_actions": {k: (*v, *PROVENANCE) for k, v in actions.items()}}


def _day(stamp: int) -> str:
    return datetime.fromtimestamp(stamp, UTC).date().isoformat()


def _series(client: httpx.Client, name: str) -> Rows:
    lines = csv.reader(io.StringIO(client.get("/fredgraph/fredgraph.csv", params={"id": name}).text))
    next(lines)
    column = list(SERIES).index(name)
    values = ((day, float(value)) for day, value in lines if value not in ("", "."))
    return {"credit_spreads": {(day,): (column, value) for day, value in values}}


def _company(client: httpx.Client, ticker: str) -> Rows:
    cik = f"CIK{COMPANIES[ticker].cik:010d}.json"
    answer = client.get(f"/sec/api/xbrl/companyfacts/{cik}")
    if answer.status_code != httpx.codes.OK:
        return {}
    facts = {
        (f["accn"], f"{taxonomy}:{tag}", unit, f.get("start", f["end"]), f["end"]): (
            ticker, f["filed"], f["val"], *PROVENANCE,
        )
        for taxonomy, concepts in answer.json()["facts"].items() if taxonomy in ("us-gaap", "dei")
        for tag, concept in concepts.items()
        for unit, found in concept["units"].items()
        for f in found if f["form"] in FORMS
    }  # fmt: skip
    filings = {(key[0],): (ticker, row[1], *PROVENANCE) for key, row in facts.items()}
    index = client.get(f"/sec/submissions/{cik}")
    if index.status_code == httpx.codes.OK:
        recent = index.json()["filings"]["recent"]
        listed = zip(recent["accessionNumber"], recent["form"], recent["filingDate"], strict=True)
        filings |= {(one,): (ticker, filed, *PROVENANCE) for one, form, filed in listed if form in FORMS}
    return {"filing_facts": facts, "filings": filings}


def _table(client: httpx.Client, name: str) -> Rows:
    lines = csv.reader(io.StringIO(client.get(f"/reference/{name}.csv").text))
    next(lines)
    return {name: {(number,): (*line, *PROVENANCE) for number, line in enumerate(lines)}}


def _gathered(parts: Iterable[Rows]) -> Rows:
    """All answers as one set of tables; the four series of a date become one row."""
    found: Rows = {}
    for part in parts:
        for table, rows in part.items():
            into = found.setdefault(table, {})
            if table != "credit_spreads":
                into.update(rows)
                continue
            for key, (column, value) in rows.items():
                row = list(into.get(key, (None,) * len(SERIES) + PROVENANCE))
                row[column] = value
                into[key] = tuple(row)
    return found


def _insert(path: Path, found: Rows) -> None:
    """Every row in one transaction, under the settings of our own warehouse."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("BEGIN")
        for table, rows in found.items():
            if not rows:
                continue
            key, row = next(iter(rows.items()))
            names = [f"c{number}" for number in range(len(key) + len(row))]
            primary = ", ".join(names[: len(key)])
            database.execute(f'CREATE TABLE "{table}" ({", ".join(names)}, PRIMARY KEY ({primary}))')
            places = ", ".join("?" * len(names))
            values = ((*k, *v) for k, v in rows.items())
            database.executemany(f'INSERT INTO "{table}" VALUES ({places})', values)
        database.execute("COMMIT")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(date.fromisoformat(sys.argv[1]), date.fromisoformat(sys.argv[2]))) + "\n")
