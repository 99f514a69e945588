"""docs/reliability.md names tests that exist, and a row for each fault."""

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
PAGE = TESTS.parent / "docs" / "reliability.md"
IDS = re.findall(
    r"\S+",
    "R1 R2 R3 R4 R5 R6 R7 R8 R9 R10 P1 P2 P3 P4 P5 P6 P7 P9 P10 V1 V2 V4 V5 V6 C1 C2 C3 C5 C6 C9 C10 O1 O3 S7 S8",
)
ROWS = {
    found.group(1): line
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if (found := re.match(r"\| ([A-Z]\d+) \|", line))
}


@lru_cache
def functions(path: Path) -> frozenset[str]:
    """The tests of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_each_fault_has_its_row():
    assert list(ROWS) == IDS


@pytest.mark.parametrize("fault", IDS)
def test_each_row_names_tests_that_exist_and_one_by_its_id(fault: str):
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", ROWS[fault])
    assert [f"{path}::{name}" for path, name in named if name not in functions(TESTS / path)] == []
    assert any(re.match(rf"test_(\w+_)?{fault.lower()}_", name) for _, name in named)


@pytest.mark.realdata
def test_the_rows_are_those_of_the_matrix(shared: Path):
    matrix = (shared / "spec" / "faults.md").read_text(encoding="utf-8")
    wanted = [fault for fault in re.findall(r"^\| ([A-Z]\d+) \|", matrix, re.MULTILINE) if fault[0] in "RPVCO"]
    assert [fault for fault in ROWS if fault[0] in "RPVCO"] == wanted
