"""The figure of gap detection finds what it planted, at a tiny size; no time is judged."""

from pathlib import Path

import pytest

from abri_pipeline_tests.bench import gap_detection


def test_planted_holes_are_found_on_sqlite(tmp_path: Path) -> None:
    figure = gap_detection.measure_at(f"sqlite:///{tmp_path / 'abri.db'}", runs=2, symbols=6, sessions=25)
    assert figure.what.startswith("gaps of 6 symbols x 25 sessions")
    assert len(figure.samples) == len(figure.floors[0].samples) == 2
    assert figure.notes == ["15 planted holes found, none beside them"]


@pytest.mark.postgres
def test_planted_holes_are_found_on_postgresql(empty_postgres: str) -> None:
    assert len(gap_detection.measure_at(empty_postgres, runs=1, symbols=6, sessions=25).samples) == 1
