"""`abri doctor`: every setting with its origin, and whether everything is in its place."""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

from abri_pipeline.calendars import clock
from abri_pipeline.cli import errors, house, report, show, upstream
from abri_pipeline.cli.errors import CommandFailed
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import NAMES, Settings

PACKAGES = (
    "dagster",
    "dagster-webserver",
    "pandas",
    "numpy",
    "sqlalchemy",
    "psycopg",
    "yfinance",
    "fredapi",
    "pandera",
)
PORTS = {"Dagster UI": 3000, "dashboard": 8501, "sandbox": 8900}
OK, NOTE, BROKEN = "ok", "note", "broken"
_STYLES = {OK: "green", NOTE: "yellow", BROKEN: "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, a `note` to know of, or `broken`."""

    about: str
    state: str
    said: str


def doctor(*, as_json: bool) -> int:
    """Look at everything, changing nothing; exit code 1 where something is broken."""
    settings = Settings.load()
    found = findings(settings)
    shown = [{"name": n, "value": _value(settings, n), "origin": settings.origin.get(n, "default")} for n in NAMES]
    code = errors.FAILED if any(f.state == BROKEN for f in found) else errors.DONE
    if as_json:
        terminal().document({"settings": shown, "findings": [asdict(f) for f in found], "exit_code": code})
        return code
    terminal().show(
        show.table("Settings", ("name", "value", "origin"), [tuple(row.values()) for row in shown]),
        show.table("Findings", ("", "about", "said"), [(f.state, f.about, f.said) for f in found]),
    )
    if code:
        terminal().note("abri: broken: " + "; ".join(f"{f.about}: {f.said}" for f in found if f.state == BROKEN))
    return code


def _value(settings: Settings, name: str) -> str:
    """A setting as it may be shown; where it is not set, what holds in its place."""
    standing = {
        "ABRI_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "ABRI_DAGSTER_DATABASE_URL": f"SQLite in {settings.home / 'dagster'}",
        "ABRI_UPSTREAM_URL": "the real upstreams",
        "ABRI_BIND": house.LOOPBACK[0],
    }
    return settings.masked(name) or standing.get(name, "")


def findings(settings: Settings) -> list[Finding]:
    """Everything looked at, in the order in which a person would mend it."""
    looks: dict[str, Callable[[Settings], Finding]] = {
        "Python": _python, "packages": _packages, "clock": _clock, "bind": _bind, "home": _home,
        "database": _database, "runs": _runs, "Dagster's storage": _dagster, "upstream": _upstream, "FRED": _fred,
        "SEC": _sec,
    }  # fmt: skip
    return [_looked(about, look, settings) for about, look in looks.items()] + [_port(*each) for each in PORTS.items()]


def _looked(about: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    from abri_pipeline.providers import redact

    redact.remember(settings.secrets())
    try:
        return look(settings)
    except errors.expected() as error:
        return Finding(about, BROKEN, redact.text(" ".join(errors.explain(error)[1].split())))


def _python(_settings: Settings) -> Finding:
    running = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", OK if sys.version_info >= (3, 11) else BROKEN, f"{running}; 3.11 or newer is needed")


def _packages(_settings: Settings) -> Finding:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", BROKEN, f"missing: {', '.join(missing)}; run `make demo`, which installs them")
    return Finding("packages", OK, ", ".join(found))


def _clock(_settings: Settings) -> Finding:
    frozen = clock.frozen()
    if frozen:
        return Finding("clock", NOTE, f"frozen by ABRI_NOW at {frozen.isoformat()}")
    return Finding("clock", OK, clock.now().isoformat(timespec="seconds"))


def _bind(settings: Settings) -> Finding:
    house.refuse_open_bind(settings)
    return Finding("bind", OK, settings.get("ABRI_BIND") or "127.0.0.1")


def _home(settings: Settings) -> Finding:
    home = settings.home
    if not home.exists() and (parent := next(p for p in home.parents if p.exists())).is_dir() and _makes(str(parent)):
        return Finding("home", OK, f"{home} is made at first use")
    return Finding("home", OK, f"{house.writable_home(settings)} can be written")


def _makes(folder: str) -> bool:
    return os.access(folder, os.W_OK) and not folder.startswith("/proc")


def _database(settings: Settings) -> Finding:
    from abri_pipeline.warehouse.migrations import HEAD

    engine = house.existing_warehouse(settings)
    if engine is None:
        return Finding("database", OK, "nothing is stored yet; the tables are made at first use")
    holds = report.market_of(engine) or "nothing yet"
    if holds == "synthetic" and settings.upstream_url is None:
        return Finding("database", NOTE, f"schema {HEAD}, holds a SYNTHETIC market; it refuses real upstreams")
    return Finding("database", OK, f"{engine.dialect.name}, schema {HEAD}, holds: {holds}")


def _runs(settings: Settings) -> Finding:
    from abri_pipeline.ingest.runs import orphans

    engine = house.existing_warehouse(settings)
    if found := orphans(engine) if engine else []:
        return Finding("runs", NOTE, f"killed, and interrupted to whoever runs next: {', '.join(found)}")
    return Finding("runs", OK, "none was killed at work")


def _dagster(settings: Settings) -> Finding:
    if house.dagster_storage(settings) is None:
        return Finding("Dagster's storage", OK, f"SQLite in {settings.home / 'dagster'}")
    return Finding("Dagster's storage", OK, "PostgreSQL answers")


def _upstream(settings: Settings) -> Finding:
    if settings.upstream_url is None:
        return Finding("upstream", OK, "the real hosts (not asked by doctor)")
    label = upstream.market(settings)
    said = f"{settings.upstream_url} answers" + (f", serving a {label} market" if label else "")
    holds = report.market_of(house.existing_warehouse(settings))
    if label and holds and (label == "synthetic") != (holds == "synthetic"):
        raise CommandFailed(f"{said}, but the database holds a {holds} one; use another ABRI_HOME")
    return Finding("upstream", OK, said)


def _fred(settings: Settings) -> Finding:
    if settings.get("FRED_API_KEY"):
        return Finding("FRED", OK, "FRED_API_KEY is set")
    said = "FRED_API_KEY is not set: the key-less CSV is used, which shows the ICE spreads for 3 years only"
    return Finding("FRED", NOTE, said)


def _sec(settings: Settings) -> Finding:
    if settings.get("ABRI_CONTACT"):
        return Finding("SEC", OK, "ABRI_CONTACT is set")
    return Finding("SEC", NOTE, "ABRI_CONTACT is not set: the real SEC is not asked; set it to your name and mail")


def _port(name: str, number: int) -> Finding:
    from abri_pipeline.sandbox.server import listening

    try:
        listening(number).close()
    except OSError:
        return Finding(f"port {number}", NOTE, f"in use; the {name} needs another one, or runs there already")
    return Finding(f"port {number}", OK, f"free for the {name}")
