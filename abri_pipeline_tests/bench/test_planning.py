"""The figure of planning plans what it planted, at a tiny size; no time is judged."""

from pathlib import Path

from abri_pipeline_tests.bench import planning


def test_planted_sessions_are_planned_on_sqlite(tmp_path: Path) -> None:
    figure = planning.measure_at(f"sqlite:///{tmp_path / 'abri.db'}", runs=2, symbols=5, sessions=40)
    assert len(figure.samples) == len(figure.floors[0].samples) == 2
    assert figure.notes == ["40 planted sessions planned in 5 requests"]
