"""The archive's upkeep: damage is named and mended, and nothing that a table needs is ever removed."""

import gzip
import json
import os
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.ingest import upkeep
from abri_pipeline.ingest.rebuild import oracle, put_right, rebuild
from abri_pipeline_tests.ingest.small_market import spread_series

JUNE = ("2024-06-17", "2024-06-28")
LONG_AGO = 1e9


def file_of(bench, digest):
    return bench.archive.root / digest[:2] / digest[2:4] / f"{digest}.gz"


def aged(bench, *bodies):
    """Payloads that nobody names, put long ago."""
    digests = [bench.archive.put(body) for body in bodies]
    for digest in digests:
        os.utime(file_of(bench, digest), (LONG_AGO, LONG_AGO))
    return digests


def hash_of(bench, symbol):
    return bench.rows(BARS, symbol=symbol)["raw_hash"].iloc[0]


def test_a_whole_archive_is_told_so(any_bench):
    any_bench.bars(*JUNE, "NVDA", "QQQ")
    found = upkeep.verify(any_bench.engine, any_bench.archive)
    assert (found.objects, found.lost, found.lines()) == (2, [], [])


@pytest.mark.parametrize("damage", [b"", b"no gzip at all", gzip.compress(b"other bytes"), None])
def test_a_lost_payload_is_named_with_what_rests_on_it(bench, damage):
    bench.bars(*JUNE, "NVDA", "QQQ")
    lost = hash_of(bench, "NVDA")
    if damage is None:
        file_of(bench, lost).unlink()
    else:
        file_of(bench, lost).write_bytes(damage)
    found = upkeep.verify(bench.engine, bench.archive)
    assert found.unproven == [lost]
    assert (lost in found.missing, lost in found.corrupt) == (damage is None, damage is not None)
    assert found.needed_by[lost] == {"price_history_daily", "ingestion_audit"}
    assert [str(loss) for loss in found.losses[lost]] == ["price_history_daily NVDA 2024-06-17 to 2024-06-28"]


def test_what_is_read_again_is_only_what_was_lost(any_bench):
    bench = any_bench
    bench.bars(*JUNE, "NVDA", "QQQ")
    bench.bars("2024-07-01", "2024-07-12", "NVDA", "QQQ")
    lost = hash_of(bench, "NVDA")
    file_of(bench, lost).write_bytes(b"no gzip at all")
    losses = upkeep.reopen(bench.engine, bench.archive, upkeep.verify(bench.engine, bench.archive))
    assert [(loss.symbol, str(loss.start), str(loss.end)) for loss in losses] == [("NVDA", *JUNE)]
    assert lost not in bench.archive
    again = bench.bars(JUNE[0], "2024-07-12", "NVDA", "QQQ")
    assert again.calls == 1
    assert again.total("inserted") == again.total("changed") == 0
    put_right(bench.engine, rebuild(bench.engine, bench.archive, bench.settings, BARS.name))
    found = upkeep.verify(bench.engine, bench.archive)
    assert found.unproven == []  # every row rests on a payload that is there
    assert rebuild(bench.engine, bench.archive, bench.settings, BARS.name).differing.empty
    assert bench.bars(JUNE[0], "2024-07-12", "NVDA", "QQQ").calls == 0


def test_the_same_answer_fills_its_own_place(bench):
    bench.bars(*JUNE, "NVDA", "QQQ")
    lost = hash_of(bench, "NVDA")
    file_of(bench, lost).write_bytes(b"")
    upkeep.reopen(bench.engine, bench.archive, upkeep.verify(bench.engine, bench.archive))
    bench.bars(*JUNE, "NVDA", "QQQ")
    assert lost in bench.archive
    assert oracle(bench.engine, bench.archive) == []


def test_a_lost_part_of_a_manifest_is_read_again_with_the_whole(bench):
    bench.market.series = spread_series(date(2024, 6, 3), date(2024, 7, 31))
    bench.spreads(*JUNE)
    manifest = bench.rows(SPREADS)["raw_hash"].iloc[0]
    part = json.loads(bench.archive.get(manifest))["DGS10"]
    file_of(bench, part).unlink()
    found = upkeep.verify(bench.engine, bench.archive)
    assert found.missing == {part}
    assert "credit_spreads" in found.lines()[0]
    assert [str(loss) for loss in upkeep.reopen(bench.engine, bench.archive, found)] == ["credit_spreads FRED spreads"]
    assert bench.spreads(*JUNE).calls == 4
    assert oracle(bench.engine, bench.archive) == []


def test_what_nobody_needs_goes_and_what_is_young_stays(any_bench):
    bench = any_bench
    bench.bars(*JUNE, "NVDA")
    needed = set(bench.archive)
    old, young = aged(bench, b"old")[0], bench.archive.put(b"young")
    half = file_of(bench, old).with_name("half.part")
    half.write_bytes(b"half")
    os.utime(half, (LONG_AGO, LONG_AGO))
    size = file_of(bench, old).stat().st_size
    dry = upkeep.collect(bench.engine, bench.archive, dry_run=True)
    assert (dry.objects, dry.temporaries, dry.bytes) == ((old,), 1, size + 4)
    assert old in bench.archive
    assert half.exists()
    assert upkeep.collect(bench.engine, bench.archive) == dry
    assert set(bench.archive) == needed | {young}
    assert bench.archive.temporaries() == []
    assert upkeep.collect(bench.engine, bench.archive, timedelta(0)).objects == (young,)
    assert oracle(bench.engine, bench.archive) == []


def test_nothing_is_removed_while_a_manifest_cannot_be_read(bench):
    bench.market.series = spread_series(date(2024, 6, 3), date(2024, 7, 31))
    bench.spreads(*JUNE)
    orphan = aged(bench, b"orphan")[0]
    file_of(bench, bench.rows(SPREADS)["raw_hash"].iloc[0]).write_bytes(b"")
    with pytest.raises(upkeep.ArchiveDamaged, match="nothing was removed"):
        upkeep.collect(bench.engine, bench.archive, timedelta(0))
    assert orphan in bench.archive


def test_a_payload_in_no_row_but_in_a_book_is_needed(bench):
    """A load that was refused as a whole left no row, but its payload is what the refusal rests on."""
    bench.fault("yahoo", "corrupt", value="2024-06-20")
    bench.bars(*JUNE)
    assert bench.rows(BARS).empty
    kept = set(bench.archive)
    assert set(bench.rows(operations.REJECTED)["payload_hash"]) == kept
    assert upkeep.collect(bench.engine, bench.archive, timedelta(0)).objects == ()


BODIES = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6, unique=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=BODIES,
    shape=st.sampled_from(["pages", "series", "list"]),
    days=st.sampled_from([0, 1, 5000]),
    data=st.data(),
)
def test_whatever_a_table_names_survives(bench, bodies, shape, days, data):
    """Some payloads are named by a row, some by a manifest that a row names, some by nobody; ages are any."""
    digests = aged(bench, *bodies)
    chosen = data.draw(st.sets(st.sampled_from(digests)))
    listed = data.draw(st.sets(st.sampled_from(digests), min_size=1))
    told = {
        "pages": {"abri_manifest": [{"request": {}, "pages": sorted(listed)}]},
        "series": {f"S{n}": digest for n, digest in enumerate(sorted(listed))},
        "list": sorted(listed),
    }[shape]
    manifest = bench.archive.put(json.dumps(told).encode())
    name(bench, {*chosen, manifest})
    upkeep.collect(bench.engine, bench.archive, timedelta(days=days))
    left = set(bench.archive)
    assert {*chosen, *listed, manifest} <= left
    if days < 5000:
        assert not (set(digests) - chosen - listed) & left
    name(bench, set())
    upkeep.collect(bench.engine, bench.archive, timedelta(0))


def name(bench, digests):
    """Let the refused rows name these payloads and no others."""
    import pandas as pd
    import sqlalchemy as sa

    from abri_pipeline.warehouse.engine import begin
    from abri_pipeline.warehouse.upsert import upsert

    with begin(bench.engine) as connection:
        connection.execute(sa.text("DELETE FROM rejected_rows"))
        told = {"row": "r", "rule": "x", "dataset": "d", "reason": "why", "recorded_at": pd.Timestamp.now("UTC")}
        rows = [{"payload_hash": digest, **told} for digest in digests]
        if rows:
            upsert(connection, operations.REJECTED, pd.DataFrame(rows))
