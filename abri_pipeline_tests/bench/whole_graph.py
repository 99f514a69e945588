"""The whole graph over five years as one Dagster run on SQLite, between its two floors."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from abri_pipeline_tests.bench.figure import Figure, Floor
from abri_pipeline_tests.bench.rooms import Market, child, environment, fresh_home, served

START, END = date(2021, 1, 19), date(2026, 1, 16)
MOST_SECONDS, MOST_RATIO = 120.0, 1.5
FETCHED = ("price_history_daily", "corporate_actions", "credit_spreads", "filings", "filing_facts")
Round = dict[str, dict[str, Any]]


def measure(runs: int, data: Path | None, start: date = START, end: date = END) -> Figure:
    """Rounds of both floors and the graph, each in a fresh home and a process of its own, beside each other in time."""
    with served(data) as market:
        with fresh_home() as home:  # a market reads its files at the first request: nobody's round should hold that
            child("plain_fetch", [start.isoformat(), end.isoformat()], environment(home, market.url))
        rounds = [one_round(market, start, end) for _ in range(runs)]
    whole = [r["real"]["process_seconds"] for r in rounds]
    return Figure(
        name="whole-graph",
        what=f"backfill {start} to {end} of the {'recorded' if data else 'synthetic'} market, one Dagster run",
        unit="s",
        samples=[r["real"]["seconds"] for r in rounds],
        target=MOST_SECONDS,
        floors=[
            Floor("the same graph, empty bodies", [r["empty"]["seconds"] for r in rounds]),
            Floor("the same fetches, one bulk insert", [r["plain"]["seconds"] for r in rounds]),
        ],
        ratio_target=MOST_RATIO,
        notes=[f"whole process, imports included: {min(whole):.1f} to {max(whole):.1f} s", *_compared(rounds[-1])],
    )


def one_round(market: Market, start: date, end: date) -> Round:
    """One measurement of each, and what each asked the market."""
    found: Round = {}
    for name, module, kind in (
        ("empty", "run_graph", ["empty"]),
        ("plain", "plain_fetch", []),
        ("real", "run_graph", ["real"]),
    ):
        with _asked(market) as asked, fresh_home() as home:
            found[name] = child(module, [*kind, start.isoformat(), end.isoformat()], environment(home, market.url))
        found[name]["requests"] = asked
    return found


@contextmanager
def _asked(market: Market) -> Iterator[list[str]]:
    """Fills the list with the requests of the block."""
    before, asked = len(market.journal.read_text().splitlines()), list[str]()
    yield asked
    asked += market.requests(before)


def _compared(last: Round) -> list[str]:
    """Whether the floors did the work they stand for, in words."""
    real, empty, plain = last["real"], last["empty"], last["plain"]
    rows, same = real["rows"], {t: (real["rows"][t], plain["rows"].get(t, 0)) for t in FETCHED}
    differing = [f"{table} {ours} against {theirs}" for table, (ours, theirs) in same.items() if ours != theirs]
    return [
        f"{real['weeks']} weeks; {sum(real['events'].values())} events, {sum(empty['events'].values())} with empty "
        "bodies (which attach no figures to a week)",
        f"{len(real['requests'])} requests, {len(plain['requests'])} by the plain fetch"
        + ("" if real["requests"] == plain["requests"] else ", not the same ones"),
        f"{sum(rows.values())} rows stored; fetched tables row for row as many as the plain fetch"
        + (f", but {'; '.join(differing)}" if differing else ""),
        f"the run ended {'green' if real['success'] else 'red'}; "
        f"CPU {real['cpu_seconds']:.1f} s, with empty bodies {empty['cpu_seconds']:.1f} s",
    ]
