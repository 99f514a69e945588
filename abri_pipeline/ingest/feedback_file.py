"""Files of filled orders: rows read from CSV and JSON, and written so that reading them again gives the same.

Belongs here: the two formats, and one cell at a time turned into a value or a reason. Does not belong here:
storing (feedback). A spreadsheet takes a cell that begins with =, +, - or @ for a formula: such a text is written
with an apostrophe before it, and read without.
"""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from abri_pipeline.contracts.model import Field, Kind
from abri_pipeline.contracts.operations import FEEDBACK
from abri_pipeline.ingest.ticker import BadSymbol, canonical

COLUMNS = ("order_id", "symbol", "side", "quantity", "price", "filled_at", "slippage_bps")
LARGEST = 64 * 2**20  # bytes of a file: about half a million orders
LONGEST = 200  # characters of an order id
FIRST_YEAR = 1970
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_FORMULA = re.compile(r"'*[=+\-@\uff1d\uff0b\uff0d\uff20]")  # the full-width forms as well


class UnreadableFile(ValueError):
    """A file that holds no orders in a form we know; the message names it and says what is wrong."""


class BadCell(ValueError):
    """A value that its column cannot hold; the message says why."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One order as it stands in the file: `place` is `line 7` or `item 3`."""

    place: str
    cells: Mapping[str, Any]
    fault: str = ""


def read(path: Path) -> Iterator[Raw]:
    """The rows of a file, by its ending: `.csv` (a header line, UTF-8) or `.json` (a list, or `{"orders": list}`).

    Raises:
        UnreadableFile: another ending, too large, not UTF-8, no header, an unknown or missing column, broken JSON.
        OSError: it cannot be opened.
    """
    readers: dict[str, Callable[[str, Path], Iterator[Raw]]] = {".csv": _csv, ".json": _json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UnreadableFile(f"{path.name} is neither .csv nor .json")
    with path.open("rb") as file:
        body = file.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise UnreadableFile(f"{path.name} is larger than {LARGEST // 2**20} MB; split it")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path.name} is not UTF-8 (byte {error.start})") from error
    return reader(text, path)


def _csv(text: str, path: Path) -> Iterator[Raw]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        _known(header, path)
        before = lines.line_num
        for cells in lines:
            place, before = f"line {before + 1}", lines.line_num
            if len(cells) == len(header):
                yield Raw(place, {name: _told(cell) for name, cell in zip(header, cells, strict=True)})
            elif cells:
                yield Raw(place, {}, f"{len(cells)} cells where the header has {len(header)}")
    except csv.Error as error:
        raise UnreadableFile(f"{path.name} breaks off at line {lines.line_num}: {error}") from error


def _known(header: list[str], path: Path) -> None:
    if len(set(header)) != len(header):
        raise UnreadableFile(f"{path.name} names a column twice")
    if unknown := [name for name in header if name not in COLUMNS]:
        raise UnreadableFile(f"{path.name} has a column {unknown[0][:40]!r}; known are {', '.join(COLUMNS)}")
    if missing := [name for name in COLUMNS if name not in header and FEEDBACK[name].required]:
        raise UnreadableFile(f"{path.name} has no column {', '.join(missing)}")


def _told(cell: str) -> str:
    """A cell of a CSV without the apostrophe that keeps spreadsheets from running it."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _json(text: str, path: Path) -> Iterator[Raw]:
    try:
        # NaN and Infinity are no JSON: they come as words, which no number cell takes.
        document = json.loads(text, parse_constant=str)
    except RecursionError as error:
        raise UnreadableFile(f"{path.name} is nested too deep") from error
    except ValueError as error:
        raise UnreadableFile(f"{path.name} is not JSON: {error}") from error
    orders = document.get("orders") if isinstance(document, dict) else document
    if not isinstance(orders, list):
        raise UnreadableFile(f'{path.name} holds neither a list of orders nor {{"orders": [...]}}')
    for number, order in enumerate(orders, 1):
        place = f"item {number}"
        if not isinstance(order, dict):
            yield Raw(place, {}, "no object with the columns as names")
        elif unknown := [name for name in order if name not in COLUMNS]:
            yield Raw(place, {}, f"unknown name {unknown[0][:40]!r}")
        else:
            yield Raw(place, order)


def values(raw: Raw) -> dict[str, Any]:
    """The typed values of one order.

    Raises:
        BadCell: the first cell that its column cannot hold, by name.
    """
    if raw.fault:
        raise BadCell(raw.fault)
    return {name: _value(FEEDBACK[name], raw.cells.get(name)) for name in COLUMNS}


def _value(field: Field, cell: Any) -> Any:
    if isinstance(cell, str):
        cell = cell.strip() or None
    if cell is None:
        if field.required:
            raise BadCell(f"{field.name} is missing")
        return None
    try:
        if field.name == "symbol":
            return canonical(_text(cell))
        if field.name == "side":
            return _side(_text(cell).lower())
        return {Kind.TEXT: _text, Kind.NUMBER: _number, Kind.INSTANT: _instant}[field.kind](cell)
    except (BadCell, BadSymbol) as error:
        raise BadCell(f"{field.name}: {error}") from error


def _side(word: str) -> str:
    if word not in FEEDBACK["side"].choices:
        raise BadCell(f"{_shown(word)} is none of {', '.join(FEEDBACK['side'].choices)}")
    return word


def _text(cell: Any) -> str:
    if not isinstance(cell, str):
        raise BadCell(f"{_shown(cell)} is no text")
    if len(cell) > LONGEST or not cell.isprintable():
        raise BadCell(f"{_shown(cell)} is longer than {LONGEST} characters or holds control characters")
    return cell


def _number(cell: Any) -> float:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise BadCell(f"{_shown(cell)} is no number")
    if isinstance(cell, str) and not _NUMBER.fullmatch(cell):
        raise BadCell(f"{_shown(cell)} is no number; write it as 1234.5")
    try:
        number = float(cell)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadCell(f"{_shown(cell)} is beyond any number")
    return number


def _instant(cell: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(cell))
        if moment.tzinfo is None:
            raise BadCell(f"{_shown(cell)} has no offset; write it as 2026-01-16T15:30:00Z")
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        if isinstance(error, BadCell):
            raise
        raise BadCell(f"{_shown(cell)} is no instant; write it as 2026-01-16T15:30:00Z") from error
    if moment.year < FIRST_YEAR:
        raise BadCell(f"{_shown(cell)} lies before {FIRST_YEAR}")
    return moment


def _shown(cell: Any) -> str:
    told = repr(cell)
    return told if len(told) <= 40 else told[:40] + "…"


def as_csv(orders: pd.DataFrame) -> str:
    """Orders as CSV, safe to open in a spreadsheet; numbers keep every digit."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([[_neutral(cell) for cell in order.values()] for order in as_records(orders)])
    return out.getvalue()


def as_records(orders: pd.DataFrame) -> list[dict[str, Any]]:
    """Orders as JSON takes them: instants in ISO 8601 to the microsecond, null where nothing is known."""
    kept = orders[list(COLUMNS)].astype(object).where(orders[list(COLUMNS)].notna(), None)
    kept["filled_at"] = [f"{moment.to_pydatetime():%Y-%m-%dT%H:%M:%S.%fZ}" for moment in orders["filled_at"]]
    return [{str(name): cell for name, cell in order.items()} for order in kept.to_dict("records")]


def _neutral(cell: Any) -> Any:
    """Numbers are ours and cannot be formulas; a text that a spreadsheet would run gets an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
