"""`abri status --providers`: who is asked for bars, what is left of their quotas, and why one was chosen."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from abri_pipeline.calendars import clock
from abri_pipeline.cli import house, show
from abri_pipeline.cli.errors import DONE
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Engine

    from abri_pipeline.providers.registry import Provider


def status(*, as_json: bool) -> int:
    """Show every provider of the registry, with what the books know of it."""
    from abri_pipeline.providers.registry import Registry

    settings = Settings.load()
    registry = Registry.load(settings)
    engine = house.existing_warehouse(settings)
    books = _Books(engine)
    found = [_provider(one, books) for one in registry.providers.values()]
    if as_json:
        terminal().document({"now": clock.wall().isoformat(), "providers": found})
    else:
        _draw(found)
    return DONE


class _Books:
    """The tables that speak of providers, read once; empty where there is no database yet."""

    def __init__(self, engine: "Engine | None") -> None:
        from abri_pipeline.contracts import operations
        from abri_pipeline.warehouse.reads import frame
        from abri_pipeline.warehouse.usage import Usage

        self.usage = Usage(engine) if engine else None
        tables = (operations.ARMS, operations.DECISIONS, operations.PROVIDER_METRICS)
        if engine is None:
            self.arms = self.decisions = self.metrics = None
            return
        with engine.connect() as connection:
            self.arms, self.decisions, self.metrics = (frame(connection, table) for table in tables)

    def of(self, table: "pd.DataFrame | None", provider: str, column: str = "provider") -> list[Any]:
        """The rows of one provider."""
        from abri_pipeline.warehouse.reads import records

        return [] if table is None else list(records(table[table[column] == provider]))

    def last_decision(self, provider: str) -> dict[str, Any] | None:
        """The newest choice in which it answered or was tried."""
        from abri_pipeline.warehouse.reads import records

        if self.decisions is None or self.decisions.empty:
            return None
        tried = self.decisions["tried"].str.split(",").map(lambda names: provider in names)
        own = self.decisions[tried | (self.decisions["chosen"] == provider)]
        newest = next(records(own.sort_values("recorded_at", kind="stable").tail(1)), None)
        if newest is None:
            return None
        return {
            "symbol": newest.symbol,
            "dataset": newest.dataset,
            "chosen": newest.chosen or None,
            "tried": newest.tried.split(","),
            "reason": newest.reason,
            "recorded_at": newest.recorded_at.isoformat(),
        }


def _provider(one: "Provider", books: _Books) -> dict[str, Any]:
    return {
        "provider": one.name,
        "usable": one.usable,
        "why_not": _why_not(one),
        "plan": one.declared.plan,
        "serves": list(one.declared.datasets),
        "quota": _quota(one, books),
        "arms": [_arm(arm) for arm in books.of(books.arms, one.name)],
        "last_decision": books.last_decision(one.name),
        "today": _today(one.name, books),
    }


def _why_not(one: "Provider") -> str | None:
    if not one.declared.enabled:
        return "switched off in providers.yaml"
    return None if one.key_set else f"{one.declared.key} is not set"


def _quota(one: "Provider", books: _Books) -> list[dict[str, Any]]:
    from abri_pipeline.providers.quota import named

    if books.usage is None:
        return [
            {"window": named(o), "unit": o.unit, "limit": o.amount, "used": 0, "basis": o.basis} for o in one.limits
        ]
    return [
        {
            "window": named(s.limit),
            "unit": s.limit.unit,
            "limit": s.limit.amount,
            "used": s.used,
            "basis": s.limit.basis,
            "frees_at": s.frees_at.isoformat() if s.frees_at else None,
        }
        for s in books.usage.standing(one.name, one.limits, clock.wall())
    ]


def _arm(row: Any) -> dict[str, Any]:
    """What the choice is made by: the expected reward as it counts now, and the circuit."""
    from abri_pipeline.providers.bandit import Arm

    now, until = clock.wall(), _instant(row.open_until)
    arm = Arm(row.provider, row.alpha, row.beta, _instant(row.learnt_at), _instant(row.asked_at))
    is_open = until is not None and until > now
    return {
        "dataset": row.dataset,
        "expected_reward": round(arm.faded(now).mean, 4),
        "failures_in_a_row": int(row.failures),
        "circuit": "open" if is_open else "closed",
        "open_until": until.isoformat() if until and is_open else None,
        "asked_at": arm.asked_at.isoformat() if arm.asked_at else None,
    }


def _instant(value: Any) -> datetime | None:
    return None if value is None or value != value else value.to_pydatetime()


def _today(provider: str, books: _Books) -> dict[str, Any]:
    today = clock.now().date()
    rows = [row for row in books.of(books.metrics, provider) if row.date.date() == today]
    counts = {name: sum(int(getattr(row, name)) for row in rows) for name in ("requests", "successes", "failures")}
    limited = sum(int(row.rate_limited) for row in rows)
    latency = next((row.median_latency_ms for row in rows if row.median_latency_ms == row.median_latency_ms), None)
    return counts | {"rate_limited": limited, "median_latency_ms": latency}


def _draw(found: list[dict[str, Any]]) -> None:
    columns = ("provider", "usable", "plan", "quota used", "expected", "circuit", "requests", "ok", "last decision")
    figures = ("requests", "ok")
    terminal().show(show.table("Providers", columns, [_line(one) for one in found], figures))


def _line(one: dict[str, Any]) -> tuple[Any, ...]:
    quota = ", ".join(_spent(limit) for limit in one["quota"]) or "no limit is stated"
    expected = ", ".join(f"{arm['dataset']} {arm['expected_reward']:.3f}" for arm in one["arms"]) or "-"
    opened = [f"{arm['dataset']} open until {arm['open_until']}" for arm in one["arms"] if arm["circuit"] == "open"]
    circuit = ", ".join(opened) or ("closed" if one["arms"] else "-")
    last = one["last_decision"]
    said = f"{last['symbol']} {last['dataset']}: {last['reason']}" if last else "-"
    usable = "yes" if one["usable"] else f"no: {one['why_not']}"
    today = one["today"]
    return one["provider"], usable, one["plan"], quota, expected, circuit, today["requests"], today["successes"], said


def _spent(limit: dict[str, Any]) -> str:
    if limit["basis"] == "polite":
        return f"at most {limit['limit']} {limit['unit']}s per {limit['window']}"
    frees = f", frees at {limit['frees_at']}" if limit.get("frees_at") else ""
    return f"{limit['used']} of {limit['limit']} {limit['unit']}s per {limit['window']}{frees}"
