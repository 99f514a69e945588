"""`abri watch` as a person types it."""

import json
from pathlib import Path

import pytest

from abri_pipeline_tests.cli.conftest import Abri, one_line


def listed(abri: Abri, *more: str) -> dict[str, dict[str, object]]:
    return {one["symbol"]: one for one in json.loads(abri("watch", "list", "--json", *more).stdout)["instruments"]}


def test_looking_at_the_watchlist_makes_no_database(abri: Abri, home: Path) -> None:
    result = abri("watch", "list")
    assert (result.returncode, "no watchlist yet" in result.stderr) == (0, True)
    assert not home.exists()


def test_a_symbol_is_added_removed_renamed_and_listed(abri: Abri) -> None:
    added = abri("watch", "add", "brk.b", "--name", "Berkshire B", "--groups", "value, class_b", "--json")
    assert json.loads(added.stdout) == {
        "symbol": "BRK-B", "instrument_id": "XNYS:BRK-B", "did": "added", "changed": [],
    }  # fmt: skip
    assert abri("watch", "remove", "PATH").returncode == 0
    renamed = abri("watch", "rename", "AI", "CAI", "--on", "2026-01-12", "--json")
    assert json.loads(renamed.stdout)["instrument_id"] == "XNYS:AI"
    now = listed(abri, "--all")
    assert now["BRK-B"]["groups"] == ["value", "class_b"]
    assert now["PATH"]["active"] is False
    assert now["CAI"]["formerly"] == [{"symbol": "AI", "from": "2020-12-09", "to": "2026-01-11"}]
    shown = abri("watch", "list").stdout
    assert "PATH" not in shown
    assert "FB to 2022-06-08" in shown
    assert "Berkshire B" in shown


MISTYPED = {
    "path": (("add", "../../etc"), "no ticker"),
    "index": (("add", "^GSPC"), "no ticker"),
    "html": (("rename", "AI", "<b>", "--on", "2026-01-12"), "no ticker"),
    "no day": (("add", "ORCL", "--listed-on", "soon"), "--listed-on"),
    "no timeframe": (("add", "ORCL", "--timeframes", "2h"), "2h"),
    "no date of a rename": (("rename", "AI", "CAI"), "--on"),
}


@pytest.mark.parametrize("case", MISTYPED)
def test_s8_what_is_mistyped_is_one_line_and_makes_nothing(abri: Abri, home: Path, case: str) -> None:
    arguments, word = MISTYPED[case]
    one_line(abri("watch", *arguments), 2, word)
    assert not home.exists()


def test_an_unknown_or_taken_symbol_is_a_usage_error(abri: Abri) -> None:
    one_line(abri("watch", "remove", "XXXX"), 2, "XXXX")
    one_line(abri("watch", "add", "FB"), 2, "2022-06-08", "--listed-on")
    one_line(abri("watch", "rename", "AI", "NVDA", "--on", "2026-01-12"), 2, "NVDA")
