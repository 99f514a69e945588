"""The official print of each date."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Connection

from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.warehouse import samples

START = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("prints", "official"),
    [
        (["reconstructed", "live", "live", "reconstructed"], 1),  # the first live print, for ever
        (["reconstructed", "reconstructed", "replay"], 1),  # the newest reconstruction
        (["reconstructed", "replay", "live", "replay"], 2),
        (["replay", "replay"], None),  # a rehearsal is never official
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_official_print(connection: Connection, prints: list[str], official: int | None, backwards: bool):
    one = samples.rows(HISTORY, 1)
    rows = [
        one.assign(kind=kind, input_digest=f"print {n}", recorded_at=START + timedelta(hours=n))
        for n, kind in enumerate(prints)
    ]
    upsert(connection, HISTORY, pd.concat(rows[::-1] if backwards else rows, ignore_index=True))
    found = connection.exec_driver_sql("SELECT input_digest FROM abri_latest").scalars().all()
    assert found == ([] if official is None else [f"print {official}"])


def test_there_is_one_print_a_date_and_method(connection: Connection):
    first = samples.rows(HISTORY, 3)
    other = first.assign(method="calibrated-2.0")
    upsert(connection, HISTORY, pd.concat([first.assign(method="spec-1.1"), other], ignore_index=True))
    assert connection.exec_driver_sql("SELECT count(*) FROM abri_latest").scalar_one() == 6
    columns = connection.exec_driver_sql("SELECT * FROM abri_latest").keys()
    assert list(columns) == list(HISTORY.columns)
