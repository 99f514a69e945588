"""The COPY stream against a second implementation that follows the manual one field at a time."""

import struct
from datetime import UTC, date, datetime

import pandas as pd

from abri_pipeline.contracts.model import Kind, Table
from abri_pipeline.warehouse.cells import cells
from abri_pipeline.warehouse.copy_binary import CHUNK_BYTES, stream
from abri_pipeline_tests.warehouse.test_cells import ONE

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def one_field(kind: Kind, value: object) -> bytes:
    if value is None:
        return struct.pack(">i", -1)
    if isinstance(value, date) and not isinstance(value, datetime):
        data = struct.pack(">i", (value - EPOCH.date()).days)
    elif isinstance(value, datetime):
        gap = value - EPOCH
        data = struct.pack(">q", (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds)
    elif kind is Kind.FLAG:
        data = struct.pack(">?", value)
    elif isinstance(value, str):
        data = value.encode()
    else:
        data = struct.pack(">d" if kind is Kind.NUMBER else ">q", value)
    return struct.pack(">i", len(data)) + data


def slowly(table: Table, rows: list[tuple[object, ...]]) -> bytes:
    body = b"".join(
        struct.pack(">h", len(row))
        + b"".join(one_field(field.kind, value) for field, value in zip(table, row, strict=True))
        for row in rows
    )
    return b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0) + body + struct.pack(">h", -1)


LONG = "ü" * (CHUNK_BYTES // 5)  # two rows fill a chunk
ROWS: list[tuple[object, ...]] = [
    (1, date(1999, 12, 31), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "a", -0.5, -1, True),
    (2, None, None, None, None, None, None),
    (3, date(2024, 2, 29), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), "", 1e300, 2**62, False),
    (4, date(2000, 1, 1), EPOCH, LONG, 0.1, 0, None),
    (5, date(2024, 2, 29), None, "ünï", None, None, True),
]


def framed(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(ONE.columns), dtype=object)


def test_every_kind_null_and_length_is_as_the_manual_says():
    for rows in (ROWS, ROWS[:1], ROWS[1:2], [ROWS[0], ROWS[4]]):
        pieces = list(stream(list(cells(ONE, framed(rows)).values())))
        assert b"".join(pieces) == slowly(ONE, rows)
    pieces = list(stream(list(cells(ONE, framed(ROWS)).values())))
    assert len(pieces) > 3  # more than one chunk between signature and trailer
