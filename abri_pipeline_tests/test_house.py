"""The house keeps its own rules: imports run one way, one clock, small documented modules, a tidy root.

Read from the syntax trees, so that an import inside a function counts like one at the top.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "abri_pipeline"

# Who may import whom, as docs/architecture.md draws it. `calendars.clock` is the clock alone.
FACTS = {"contracts", "settings"}
SOURCES = FACTS | {"calendars", "providers", "analytics"}
JUDGED = SOURCES | {"warehouse", "quality"}
BUILT = JUDGED | {"ingest", "derive", "notify"}
MAY_IMPORT: dict[str, set[str]] = {
    "settings": set(),
    "contracts": {"settings"},
    "calendars": FACTS,
    "providers": FACTS | {"calendars.clock"},
    "analytics": FACTS,
    "reference": FACTS,
    "warehouse": SOURCES,
    "quality": SOURCES | {"warehouse"},
    "ingest": JUDGED | {"reference"},
    "derive": JUDGED | {"reference"},
    "notify": JUDGED | {"ingest", "derive"},
    "defs": BUILT,
    "definitions": {"defs"},
    "dashboard": BUILT,
    "sandbox": FACTS | {"calendars"},
    "cli": BUILT | {"defs", "definitions", "sandbox", "dashboard"},
}
# Libraries that belong to some rooms only.
ONLY_IN: dict[str, set[str]] = {
    "dagster": {"defs", "definitions", "cli"},
    "dagster_postgres": {"defs"},
    "sqlalchemy": {"warehouse", "quality", "ingest", "derive", "defs", "cli", "dashboard"},
    "psycopg": {"warehouse"},
    "alembic": {"warehouse"},
    "pandera": {"quality"},
    "httpx": {"providers", "cli"},  # the command line asks whether its own servers answer
    "requests": {"providers"},
    "urllib.request": set(),
    "yfinance": {"providers"},
    "fredapi": {"providers"},
    "smtplib": {"notify"},
    "exchange_calendars": {"calendars"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox", "cli"},
    "typer": {"cli"},
    "rich": {"cli"},
    "streamlit": {"dashboard"},
    "unittest": set(),
}
CLOCK = "calendars/clock.py"
WALL_CLOCK = {"datetime.now", "datetime.today", "datetime.utcnow", "date.today", "time.time", "time.time_ns",
              "time.localtime", "time.gmtime", "Timestamp.now", "Timestamp.today", "Timestamp.utcnow"}  # fmt: skip
NEVER = {"time.sleep", "print", "breakpoint", "eval", "exec"}
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
NO_NAME_OF_A_FILE = {"utils", "util", "helpers", "helper", "manager", "misc", "common", "base"}
TOP = {"abri_pipeline", "abri_pipeline_tests", "dagster.yaml", "workspace.yaml", "docs", "pyproject.toml", "Makefile",
       "README.md", "requirements.lock", "LICENSE", "NOTICE", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md",
       "docker-compose.yml", "Dockerfile"}  # fmt: skip


@dataclass(frozen=True)
class Module:
    """One file of the package: `room` is its folder, or its own name at the top."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def room(self) -> str:
        return self.name.partition("/")[0].removesuffix(".py")

    @property
    def lines(self) -> int:
        return len(self.path.read_text().splitlines())

    @property
    def tree(self) -> ast.Module:
        return parsed(self.path)

    def imports(self) -> Iterator[str]:
        """Full dotted names of everything imported, `from a import b` as both `a` and `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name} imports relatively"
                yield str(node.module)
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def calls(self) -> Iterator[tuple[str, int]]:
        """The last two parts of the name of every call, with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                parts = ast.unparse(node.func).split(".")
                yield ".".join(parts[-2:]), node.lineno

    def rooms(self) -> set[str]:
        """The other rooms this module imports; of the calendars, the clock by its own name."""
        names = {n.removeprefix("abri_pipeline.") for n in self.imports() if n.startswith("abri_pipeline.")}
        if "calendars" in names and {n for n in names if n.startswith("calendars.")} == {"calendars.clock"}:
            names.discard("calendars")  # `from calendars import clock` names the folder as well
        found = {n if n.startswith("calendars.clock") else n.partition(".")[0] for n in names}
        found = {"calendars.clock" if n.startswith("calendars.clock.") else n for n in found}
        return {n for n in found if n.partition(".")[0] != self.room}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


# A migration is history, frozen as it was written.
MODULES = [Module(p) for p in sorted(PACKAGE.rglob("*.py")) if "versions" not in p.parts]
ROOMS = sorted({m.room for m in MODULES})
every_room = pytest.mark.parametrize("room", ROOMS)


def of(room: str) -> list[Module]:
    return [m for m in MODULES if m.room == room]


def test_the_package_is_read():
    assert len(MODULES) > 60
    assert {"contracts", "providers", "calendars", "warehouse", "quality", "defs"} <= {m.room for m in MODULES}
    assert "__init__" in {m.room for m in MODULES}


@every_room
def test_imports_run_one_way(room: str):
    for module in of(room):
        if module.room == "__init__":
            assert not module.rooms()
            continue
        assert module.room in MAY_IMPORT, f"{module.room} is no room of the house"
        allowed = MAY_IMPORT[module.room]
        crossed = {room for room in module.rooms() if room not in allowed and room.partition(".")[0] not in allowed}
        assert not crossed, f"{module.name} imports {', '.join(sorted(crossed))}"


def test_only_ingest_and_derive_read_the_reference_and_only_cli_the_sandbox():
    readers = {room: {m.room for m in MODULES if room in m.rooms()} for room in ("reference", "sandbox")}
    assert readers["reference"] <= {"ingest", "derive"}
    assert readers["sandbox"] <= {"cli"}


def test_the_table_of_imports_has_no_circle():
    left = {room: {r.partition(".")[0] for r in allowed} for room, allowed in MAY_IMPORT.items()}
    while ready := {room for room, allowed in left.items() if not allowed & left.keys()}:
        left = {room: allowed for room, allowed in left.items() if room not in ready}
    assert not left, f"a circle: {', '.join(sorted(left))}"


@every_room
def test_libraries_stay_in_their_rooms(room: str):
    for module in of(room):
        for name in module.imports():
            for library, rooms in ONLY_IN.items():
                if name == library or name.startswith(f"{library}."):
                    assert module.room in rooms, f"{module.name} imports {library}"


@every_room
def test_one_clock(room: str):
    for module in of(room):
        if module.name == CLOCK:
            continue
        # Of the time module, what measures a span may be used; what tells the hour may not.
        told = [f"line {line}: {call}" for call, line in module.calls() if call in WALL_CLOCK]
        assert not told, f"{module.name} reads the wall clock, which only {CLOCK} may: {told}"
        assert not {"time.time", "time.time_ns", "time.sleep"} & set(module.imports()), module.name


@every_room
def test_nothing_sleeps_prints_or_evaluates(room: str):
    for module in of(room):
        assert not [f"line {line}: {call}" for call, line in module.calls() if call in NEVER], module.name


@every_room
def test_errors_are_caught_by_name(room: str):
    for module in of(room):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler):
                caught = set(re.findall(r"\w+", ast.unparse(node.type))) if node.type else {"everything"}
                raises_again = any(isinstance(n, ast.Raise) and n.exc is None for n in node.body)
                assert not caught & {"Exception", "everything"}, f"{module.name}:{node.lineno} catches everything"
                assert "BaseException" not in caught or raises_again, f"{module.name}:{node.lineno} swallows it"


@every_room
def test_modules_are_small_documented_and_named_for_what_they_hold(room: str):
    for module in of(room):
        assert ast.get_docstring(module.tree), f"{module.name} has no docstring"
        assert module.lines <= LONGEST_FILE, f"{module.name} has {module.lines} lines: split it"
        assert not NO_NAME_OF_A_FILE & set(module.path.stem.split("_")), module.name


@every_room
def test_functions_are_short(room: str):
    for module in of(room):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{module.name}: {node.name} has {length} lines"


@every_room
def test_a_silenced_rule_says_why(room: str):
    for module in of(room):
        for number, line in enumerate(module.path.read_text().splitlines(), 1):
            for mark in ("# noqa", "# type: ignore"):
                _, found, rest = line.partition(mark)
                if found:
                    words = rest.partition("]")[2] if mark == "# type: ignore" else rest.partition(" ")[2]
                    named = rest.startswith("[") if mark == "# type: ignore" else rest.startswith(":")
                    assert named, f"{module.name}:{number} silences every rule"
                    assert len(re.findall(r"[A-Za-z]{2,}", words)) >= 2, f"{module.name}:{number} gives no reason"


def test_the_tests_are_small_too():
    long = [p.name for p in ROOT.joinpath("abri_pipeline_tests").rglob("*.py") if len(p.read_text().splitlines()) > 400]
    assert not long


def tracked() -> list[str]:
    answer = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"],  # noqa: S607 - the git on the path is the one a developer uses
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        pytest.skip("not a git checkout: what is part of the project cannot be told from what lies about")
    return answer.stdout.splitlines()


def test_the_root_is_tidy():
    top = {path.partition("/")[0] for path in tracked()}
    strangers = {name for name in top - TOP if not name.startswith(".")}
    assert not strangers, f"{', '.join(sorted(strangers))} at the top level"


def test_every_room_says_what_belongs_in_it():
    for room in sorted({m.room for m in MODULES if m.path.parent.parent == PACKAGE}):
        docstring = ast.get_docstring(parsed(PACKAGE / room / "__init__.py")) or ""
        assert "belong" in docstring.lower(), f"{room}/__init__.py does not say what belongs in it"
