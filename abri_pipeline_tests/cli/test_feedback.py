"""`abri feedback` as a person types it: exit codes, and a round trip through files."""

import json
from pathlib import Path

from abri_pipeline_tests.cli.conftest import Abri, one_line

HEADER = "order_id,symbol,side,quantity,price,filled_at,slippage_bps"
GOOD = "=cmd|1,NVDA,buy,10.5,181.25,2026-01-15T15:30:00Z,-1.25"
BAD = "a2,NVDA,buy,ten,181.25,2026-01-15T15:30:00Z,"


def test_orders_go_in_and_come_out_the_same(abri: Abri, tmp_path: Path) -> None:
    first = tmp_path / "orders.csv"
    first.write_text(f"{HEADER}\n{GOOD}\n{BAD}\n")
    some = abri("feedback", "import", str(first), "--json")
    told = json.loads(some.stdout)
    assert (some.returncode, told["inserted"], told["exit_code"]) == (3, 1, 3)
    assert told["rejected"] == [{"place": "line 3", "reason": "quantity: 'ten' is no number; write it as 1234.5"}]
    exported = abri("feedback", "export")
    assert exported.stdout.splitlines()[1].startswith("'=cmd|1,NVDA,")  # S11: no spreadsheet runs it
    for form in ("csv", "json"):
        back = tmp_path / f"back.{form}"
        back.write_text(abri("feedback", "export", "--format", form).stdout)
        again = abri("feedback", "import", str(back), "--json")
        told = json.loads(again.stdout)
        assert (again.returncode, told["unchanged"], told["inserted"], told["changed"]) == (0, 1, 0, 0)


def test_all_bad_is_a_failure_and_stores_nothing(abri: Abri, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(f"{HEADER}\n{BAD}\n")
    result = abri("feedback", "import", str(file))
    assert result.returncode == 1
    assert "line 2: quantity" in result.stderr
    assert abri("feedback", "export").stdout == f"{HEADER}\n"


def test_an_unreadable_file_is_one_line_and_makes_nothing(abri: Abri, home: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n")
    one_line(abri("feedback", "import", str(tmp_path / "orders.csv")), 1, "orders.csv", "'a'")
    one_line(abri("feedback", "import", str(tmp_path / "none.csv")), 1, "none.csv")
    one_line(abri("feedback", "export", "--format", "xlsx"), 2, "xlsx")
    assert abri("feedback", "export").stdout == f"{HEADER}\n"
    assert not home.exists()
