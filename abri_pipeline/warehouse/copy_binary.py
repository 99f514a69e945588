"""PostgreSQL's binary COPY format, written by numpy a chunk at a time.

Each chunk is one byte matrix: a row's field count, then for each column a 4-byte length and the padded value. A
boolean matrix says which bytes are real, and `matrix[mask]` is the ragged stream of the wire format.
Format: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS-BINARY-FORMAT
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from abri_pipeline.contracts.model import Kind
from abri_pipeline.warehouse.cells import Cells

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no header extension
TRAILER = b"\xff\xff"
CHUNK_BYTES = 8_000_000  # stays near the processor's cache and bounds memory when one text is long
_EPOCH_DAYS = 10_957  # 2000-01-01, PostgreSQL's epoch, in days since 1970
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400_000_000
_Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Encoded:
    """The distinct values of a column as bytes: (n, width) padded on the right, with each one's length."""

    codes: npt.NDArray[np.int64] | None
    data: _Bytes
    lengths: npt.NDArray[np.int64]

    def rows(self, part: slice) -> tuple[_Bytes, npt.NDArray[np.int64]]:
        """Bytes and lengths of some cells; a null has length -1."""
        if self.codes is None:
            return self.data[part], self.lengths[part]
        codes = self.codes[part]
        # The last row of both arrays stands for null, and -1 picks it.
        return self.data[codes], self.lengths[codes]


def stream(columns: Sequence[Cells]) -> Iterator[bytes]:
    """The whole COPY stream of some columns of one length, in pieces of some megabytes."""
    encoded = [_encode(column) for column in columns]
    total = len(columns[0])
    step = max(1, CHUNK_BYTES // (2 + sum(4 + e.data.shape[1] for e in encoded)))
    yield SIGNATURE
    for start in range(0, total, step):
        yield _chunk(encoded, slice(start, min(start + step, total)))
    yield TRAILER


def _chunk(encoded: Sequence[_Encoded], part: slice) -> bytes:
    count = part.stop - part.start
    width = 2 + sum(4 + e.data.shape[1] for e in encoded)
    matrix = np.empty((count, width), dtype=np.uint8)
    mask = np.ones((count, width), dtype=bool)
    matrix[:, :2] = np.frombuffer(len(encoded).to_bytes(2, "big"), dtype=np.uint8)
    at, full = 2, True
    for column in encoded:
        data, lengths = column.rows(part)
        end = at + 4 + data.shape[1]
        matrix[:, at : at + 4] = _big_endian(lengths, ">i4")
        matrix[:, at + 4 : end] = data
        if (lengths != data.shape[1]).any():
            mask[:, at + 4 : end] = np.arange(data.shape[1]) < lengths[:, None]
            full = False
        at = end
    return matrix.tobytes() if full else matrix[mask].tobytes()


def _encode(column: Cells) -> _Encoded:
    data, lengths = _texts(column.distinct) if column.kind in {Kind.TEXT, Kind.DOCUMENT} else _fixed(column)
    if column.codes is not None:
        data = np.vstack([data, np.zeros((1, data.shape[1]), dtype=np.uint8)])
        lengths = np.append(lengths, -1)
    return _Encoded(column.codes, data, lengths)


def _fixed(column: Cells) -> tuple[_Bytes, npt.NDArray[np.int64]]:
    values = column.distinct
    if not len(values):
        data = np.zeros((0, 0), dtype=np.uint8)
    elif column.kind is Kind.DATE:
        data = _big_endian(values - _EPOCH_DAYS, ">i4")
    elif column.kind is Kind.INSTANT:
        data = _big_endian(values - _EPOCH_MICROSECONDS, ">i8")
    elif column.kind is Kind.NUMBER:
        data = _big_endian(values, ">f8")
    elif column.kind is Kind.COUNT:
        data = _big_endian(values, ">i8")
    else:
        data = values.astype(np.uint8).reshape(-1, 1)
    return data, np.full(len(values), data.shape[1], dtype=np.int64)


def _texts(values: npt.NDArray[Any]) -> tuple[_Bytes, npt.NDArray[np.int64]]:
    encoded = [value.encode() for value in values]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    width = int(lengths.max(initial=0))
    padded = b"".join(value.ljust(width, b"\0") for value in encoded)
    return np.frombuffer(padded, dtype=np.uint8).reshape(len(encoded), width), lengths


def _big_endian(values: npt.NDArray[Any], dtype: str) -> _Bytes:
    array = np.ascontiguousarray(values, dtype=np.dtype(dtype))
    return array.view(np.uint8).reshape(len(array), array.dtype.itemsize)
