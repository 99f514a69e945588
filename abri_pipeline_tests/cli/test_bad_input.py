"""Bad input: one clear line naming cause and mend, the right code, no traceback, nothing lost."""

import json
import socket
import time
from pathlib import Path

import pytest

from abri_pipeline_tests.cli.conftest import WINDOW, Abri, one_line

MISTYPED = {
    "no command": (("backfil",), "backfill"),
    "no option": (("backfill", "--nope"), "--nope"),
    "no window": (("backfill",), "--start"),
    "two windows": (("backfill", "--start", "2026-01-05", "--days", "3"), "not both"),
    "no date": (("backfill", "--start", "yesterday"), "2026-01-16"),
    "no such day": (("backfill", "--start", "2026-02-30"), "2026-02-30"),
    "another way to write it": (("backfill", "--start", "20260105"), "20260105"),
    "end before start": (("backfill", "--start", "2026-01-09", "--end", "2026-01-05"), "swap"),
    "future": (("backfill", "--start", "2026-02-02"), "after today"),
    "future window": (("backfill", "--start", "2026-02-02", "--end", "2026-02-06"), "after today"),
    "weekend": (("backfill", "--start", "2026-01-10", "--end", "2026-01-11"), "did not trade"),
    "holiday": (("backfill", "--start", "2026-01-19", "--end", "2026-01-19"), "did not trade"),
    "before history": (("backfill", "--start", "2017-12-29", "--end", "2026-01-16"), "2018-01-01"),
    "no days": (("backfill", "--days", "0"), "1 or more"),
    "days before any calendar": (("backfill", "--days", "99999999999"), "99999999999"),
    "days in words": (("backfill", "--days", "ten"), "--days"),
    "no symbols": (("backfill", *WINDOW, "--symbols", " , "), "--symbols"),
    "no layout": (("sandbox", "--data", "/nowhere"), "/nowhere"),
    "no fault": (("sandbox", "--fault", "yahoo:strike"), "strike"),
    "no such port": (("sandbox", "--port", "99999"), "65535"),
    "no such port of the UI": (("up", "--port", "0"), "--port"),
    "no such port below": (("up", "--sandbox-port", "-1"), "--sandbox-port"),
    "too many weeks": (("report", "index", "--weeks", "999999999999999999999"), "--weeks"),
    "nothing typed": ((), "Missing command"),
    "no report named": (("report",), "Missing command"),
    "no weeks": (("report", "index", "--weeks", "0"), "--weeks"),
    "no report": (("report", "weather"), "weather"),
    "no day of a report": (("report", "coverage", "--start", "soon"), "soon"),
}


@pytest.mark.parametrize("case", MISTYPED)
def test_what_is_mistyped_is_a_usage_error_in_one_line(abri: Abri, home: Path, case: str) -> None:
    arguments, word = MISTYPED[case]
    one_line(abri(*arguments), 2, word)
    assert not home.exists()


def test_unknown_symbols_are_named_before_anything_starts(abri: Abri, home: Path) -> None:
    odd = ["XXXX", "../../ETC", "BRK/B", "'; DROP TABLE INSTRUMENTS; --", "A" * 300]
    one_line(abri("backfill", *WINDOW, "--symbols", ",".join(["NVDA", *odd])), 2, "not on the watchlist", *odd)
    assert not (home / "dagster").exists()


def test_an_upstream_that_nobody_serves_is_told_before_anything_starts(abri: Abri, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    result = abri("backfill", *WINDOW, ABRI_UPSTREAM_URL=f"http://127.0.0.1:{port}")
    one_line(result, 1, f"127.0.0.1:{port}", "ABRI_UPSTREAM_URL", "nothing lost")
    assert not (home / "dagster").exists()


BROKEN = {
    "upstream": ({"ABRI_UPSTREAM_URL": "foo"}, "ABRI_UPSTREAM_URL"),
    "clock": ({"ABRI_NOW": "noon"}, "ABRI_NOW"),
    "clock without offset": ({"ABRI_NOW": "2026-01-20T02:00:00"}, "ABRI_NOW"),
    "corrupt database": ({"DATABASE_URL": "postgres//user:hunter22@"}, "DATABASE_URL"),
    "database without a file": ({"DATABASE_URL": "sqlite:///"}, "DATABASE_URL"),
    "database in memory": ({"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL"),
    "foreign database": ({"DATABASE_URL": "mysql://user:hunter22@host/abri"}, "mysql"),
    "dead database": ({"DATABASE_URL": "postgresql://user:hunter22@127.0.0.1:9/abri"}, "127.0.0.1:9"),
    "dead Dagster storage": ({"ABRI_DAGSTER_DATABASE_URL": "postgresql://user:hunter22@127.0.0.1:9/d"}, "ABRI_DAGSTER"),
    "corrupt Dagster storage": ({"ABRI_DAGSTER_DATABASE_URL": "postgres//user:hunter22@"}, "ABRI_DAGSTER_DATABASE_URL"),
    "Dagster storage in SQLite": ({"ABRI_DAGSTER_DATABASE_URL": "sqlite:////tmp/d.db"}, "PostgreSQL"),
    "home in a file": ({"ABRI_HOME": __file__ + "/home"}, "ABRI_HOME"),
    "home that cannot be made": ({"ABRI_HOME": "/proc/abri"}, "ABRI_HOME"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_setting_is_named_with_its_mend(abri: Abri, case: str) -> None:
    settings, word = BROKEN[case]
    result = abri("backfill", *WINDOW, **settings)
    one_line(result, 1, word)
    assert "hunter22" not in result.stderr


@pytest.mark.parametrize("case", [name for name in BROKEN if "home" not in name])
def test_the_doctor_finds_a_broken_setting(abri: Abri, case: str) -> None:
    settings, word = BROKEN[case]
    result = abri("doctor", "--json", **settings)
    broken = [f for f in json.loads(result.stdout)["findings"] if f["state"] == "broken"]
    assert result.returncode == 1
    assert any(word in finding["said"] for finding in broken)
    assert "hunter22" not in result.stdout


def test_a_file_that_is_no_database_is_left_alone(abri: Abri, home: Path) -> None:
    home.mkdir()
    (home / "abri.db").write_text("my diary, which is no database at all" * 40)
    before = (home / "abri.db").read_bytes()
    one_line(abri("backfill", *WINDOW), 1, "abri.db")
    assert (home / "abri.db").read_bytes() == before


@pytest.mark.parametrize("command", [("sandbox", "--port"), ("up", "--port")])
def test_a_port_in_use_is_named_before_anything_starts(abri: Abri, home: Path, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        one_line(abri(*command, port), 1, port, "in use", "--port")
    assert not home.exists()


def test_nothing_is_served_beyond_this_machine(abri: Abri) -> None:
    one_line(abri("up", ABRI_BIND="0.0.0.0"), 1, "ABRI_BIND", "127.0.0.1")  # noqa: S104 - that it is refused


def test_an_error_is_one_document_for_a_machine(abri: Abri) -> None:
    result = abri("backfill", "--start", "2026-02-02", "--json")
    assert json.loads(result.stdout)["exit_code"] == result.returncode == 2


def test_help_and_usage_answer_at_once(abri: Abri) -> None:
    began = time.perf_counter()
    assert abri("--help").returncode == 0
    assert abri("backfill", "--nope").returncode == 2
    # dagster or pandas alone would take longer than both together
    assert time.perf_counter() - began < 2
