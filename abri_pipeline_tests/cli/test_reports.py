"""`abri gaps` and the reports: tables, JSON, files, and what is mistyped."""

import json
import shutil
from pathlib import Path

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline_tests.cli.conftest import Abri, one_line
from abri_pipeline_tests.postgres import engine_at
from abri_pipeline_tests.quality.planting import WEEK, bars, gap, instruments, plant, row


@pytest.fixture
def stored(home: Path, sqlite_template: Path) -> Path:
    """A home with two instruments, one of which lacks two sessions; the market is synthetic."""
    home.mkdir()
    shutil.copy(sqlite_template, home / "abri.db")
    engine = engine_at(f"sqlite:///{home / 'abri.db'}")
    instruments(engine, "AA", "BB")
    bars(engine, "AA", WEEK)
    bars(engine, "BB", WEEK[:3])
    gap(engine, "BB", "1d", WEEK[3:], "hole")
    plant(engine, operations.STAMP, row(operations.STAMP, name="market", value="synthetic"))
    engine.dispose()
    return home


def test_gaps_are_listed_with_their_cause_and_counted_in_the_matrix(abri: Abri, stored: Path) -> None:
    told = json.loads(abri("gaps", "--json").stdout)
    assert told["synthetic"]
    assert told["window"] == {"start": "2026-01-12", "end": "2026-01-16"}
    [one] = told["gaps"]
    assert (one["symbol"], one["start"], one["end"], one["sessions"]) == ("BB", "2026-01-15", "2026-01-16", 2)
    assert (one["cause"], one["explained"], one["reason"]) == ("hole", False, "planted as hole")
    found = json.loads(abri("gaps", "--matrix", "--json", "--end", "2026-01-15").stdout)
    assert [(r["symbol"], r["expected"], r["stored"], r["missing"]) for r in found["matrix"]] == [
        ("AA", 4, 4, 0),
        ("BB", 4, 3, 1),
    ]
    shown = abri("gaps", "--matrix", "--symbols", "bb")
    assert shown.returncode == 0
    assert "SYNTHETIC" in shown.stdout
    assert "60.00%" in shown.stdout
    assert "AA" not in shown.stdout
    one_line(abri("gaps", "--symbols", "XX"), 2, "XX", "not on the watchlist")


def test_reports_are_written_whole_and_labelled(abri: Abri, stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "validation.html"
    assert abri("report", "validation", "--out", str(out)).returncode == 0
    page = out.read_text()
    assert page.startswith("<!doctype html>")
    assert "SYNTHETIC" in page
    assert "Verification queries" in page
    written = abri("report", "coverage", "--format", "md", "--start", "2026-01-12", "--end", "2026-01-16")
    assert written.stdout.startswith("# Coverage")
    assert "SYNTHETIC" in written.stdout
    assert "| BB | 1d | 5 | 3 | 0 | 2 | 60.00% |" in written.stdout
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == [], "no half-written file is left"


def test_a_file_that_cannot_be_written_is_named(abri: Abri, stored: Path, tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "report.md"
    one_line(abri("report", "coverage", "--out", str(target)), 1, str(target), "--out")


def test_an_empty_house_has_no_gaps_and_no_report(abri: Abri, home: Path, tmp_path: Path) -> None:
    assert "nothing is stored yet" in abri("gaps").stderr
    assert json.loads(abri("gaps", "--matrix", "--json").stdout)["matrix"] == []
    one_line(abri("report", "validation", "--out", str(tmp_path / "r.md")), 1, "nothing is stored yet")
    assert not (tmp_path / "r.md").exists()
    assert not home.exists()


MISTYPED = {
    "no format": (("report", "coverage", "--format", "pdf"), "pdf"),
    "no suffix": (("report", "validation", "--out", "report.txt"), "report.txt"),
    "two formats": (("report", "validation", "--json", "--out", "report.md"), "--json"),
    "no day": (("gaps", "--start", "soon"), "soon"),
    "no symbols": (("gaps", "--symbols", ","), "--symbols"),
}


@pytest.mark.parametrize("case", MISTYPED)
def test_what_is_mistyped_is_a_usage_error(abri: Abri, case: str) -> None:
    arguments, word = MISTYPED[case]
    one_line(abri(*arguments), 2, word)


def test_a_window_that_ends_before_it_starts_is_refused(abri: Abri, stored: Path) -> None:
    one_line(abri("gaps", "--start", "2026-01-16", "--end", "2026-01-12"), 2, "swap")
