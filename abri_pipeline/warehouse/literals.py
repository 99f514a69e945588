"""Cells as Python values a driver can bind."""

from typing import Any

import numpy as np
import numpy.typing as npt

from abri_pipeline.contracts.model import Kind
from abri_pipeline.warehouse.cells import Cells


def literals(cells: Cells) -> list[Any]:
    """One Python value a cell: str, float, int, bool or None; days and instants as ISO text.

    The text of an instant is the one SQLite stores (`2026-01-20T02:00:00.000000Z`); PostgreSQL reads it too.
    """
    distinct = _texts(cells).tolist()
    if cells.codes is None:
        return list(distinct)
    distinct.append(None)  # -1 picks the last
    return [distinct[code] for code in cells.codes.tolist()]


def _texts(cells: Cells) -> npt.NDArray[Any]:
    if cells.kind is Kind.DATE:
        return np.datetime_as_string(cells.distinct.astype("datetime64[D]"))
    if cells.kind is Kind.INSTANT:
        texts = np.datetime_as_string(cells.distinct.astype("datetime64[us]"), unit="us")
        return np.char.add(texts, "Z")
    return cells.distinct
