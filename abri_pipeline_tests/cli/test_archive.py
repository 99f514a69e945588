"""`abri archive` and `abri rebuild` as a person runs them, over a small database made beside them."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from abri_pipeline.contracts.equity import BARS
from abri_pipeline.ingest import equity
from abri_pipeline.ingest.desk import Desk, Window
from abri_pipeline.providers.transport import Transport
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.engine import begin, open_engine
from abri_pipeline.warehouse.migrations import upgrade
from abri_pipeline.warehouse.reads import frame
from abri_pipeline_tests.cli.conftest import Abri, one_line

TABLE = "price_history_daily"


@pytest.fixture
def engine(sandbox: str, home: Path) -> Iterator[Engine]:
    """Ten sessions of one symbol, stored."""
    settings = Settings({"ABRI_HOME": str(home), "ABRI_UPSTREAM_URL": sandbox}, {})
    engine = open_engine(settings)
    upgrade(engine)
    with Transport(settings) as transport:
        desk = Desk(engine, Archive(home / "archive"), transport, settings, "job")
        equity.load(desk, Window(date(2026, 1, 5), date(2026, 1, 16)), ["NVDA"])
    yield engine
    engine.dispose()


def payload(engine: Engine, home: Path) -> Path:
    with engine.connect() as connection:
        digest = str(frame(connection, BARS)["raw_hash"].iloc[0])
    return home / "archive" / digest[:2] / digest[2:4] / f"{digest}.gz"


def test_a_table_that_equals_its_payloads(abri: Abri, engine: Engine) -> None:
    result = abri("rebuild", TABLE, "--check")
    assert result.returncode == 0
    assert "10 rows from 1 payloads: 0 rows differ" in result.stderr


def test_what_differs_is_shown_by_a_check_and_put_right_without(abri: Abri, engine: Engine) -> None:
    with begin(engine) as connection:
        connection.execute(sa.text("UPDATE price_history_daily SET volume = 1 WHERE date = '2026-01-09'"))
    checked = abri("rebuild", TABLE, "--check", "--json")
    assert checked.returncode == 1
    cells = json.loads(checked.stdout)["differing"]
    assert [(cell["row"], cell["field"], cell["stored"]) for cell in cells] == [("NVDA 2026-01-09", "volume", "1")]
    mended = abri("rebuild", TABLE)
    assert mended.returncode == 0
    assert "1 put right" in mended.stderr


def test_a_damaged_payload_is_named_refetched_and_the_way_on_is_told(abri: Abri, engine: Engine, home: Path) -> None:
    path = payload(engine, home)
    path.write_bytes(b"damaged")
    found = abri("archive", "verify")
    assert found.returncode == 1
    assert path.stem in found.stderr
    assert "abri archive verify --refetch" in found.stderr
    one_line(abri("archive", "gc", "--older-than", "0"), 1, path.stem, "nothing was removed")
    assert abri("rebuild", TABLE).returncode == 3
    again = json.loads(abri("archive", "verify", "--refetch", "--json").stdout)
    assert again["read_again"] == [f"{TABLE} NVDA 2026-01-05 to 2026-01-16"]
    assert again["run"][:2] == ["abri backfill --start 2026-01-05 --end 2026-01-16", f"abri rebuild {TABLE}"]
    assert again["exit_code"] == 3
    assert not path.exists()


def test_what_nobody_needs_is_removed(abri: Abri, engine: Engine, home: Path) -> None:
    archive = Archive(home / "archive")
    orphan = archive.put(b"nobody needs it")
    path = archive.root / orphan[:2] / orphan[2:4] / f"{orphan}.gz"
    os.utime(path, (1e9, 1e9))
    size = path.stat().st_size
    dry = abri("archive", "gc", "--dry-run")
    assert f"1 payloads nobody needs and 0 unfinished files would go: {size} bytes" in dry.stderr
    assert path.exists()
    gone = json.loads(abri("archive", "gc", "--json").stdout)
    assert (gone["objects"], gone["bytes"], gone["exit_code"]) == ([orphan], size, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("rebuild", "market_metrics"), 2, TABLE),
        (("archive",), 2, "Missing command"),
        (("archive", "gc", "--older-than", "nan"), 2, "--older-than"),
        (("archive", "verify"), 1, "abri backfill"),
        (("rebuild", TABLE), 1, "abri backfill"),
    ],
)
def test_bad_input_is_one_line(abri: Abri, home: Path, arguments: tuple[str, ...], code: int, word: str) -> None:
    one_line(abri(*arguments), code, word)
    assert not home.exists()
