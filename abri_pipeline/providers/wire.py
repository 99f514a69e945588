"""Reading bytes as the text, JSON or CSV that a wire promises; anything else is `Malformed`.

Belongs here: strict reading shared by the parsers. Does not belong here: meaning of single fields.
"""

import csv
import io
import json
import re
from typing import Any

import numpy as np
import pandas as pd

from abri_pipeline.providers.errors import Malformed

_HTTP = re.compile(r"https?://[^\s\"'<>()]+")


def utf8(body: bytes, provider: str) -> str:
    """The body as text.

    Raises:
        Malformed: it is not UTF-8, or begins with a byte-order mark.
    """
    try:
        words = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(provider, f"the answer is not UTF-8 (byte {error.start})") from error
    if words.startswith("\ufeff"):
        raise Malformed(provider, "the answer begins with a byte-order mark, which this wire does not send")
    return words


def json_object(body: bytes, provider: str) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        Malformed: it is no JSON, or no object.
    """
    words = utf8(body, provider)
    try:
        found = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise Malformed(provider, f"the answer is no JSON ({str(error)[:80]})") from error
    if not isinstance(found, dict):
        raise Malformed(provider, f"the answer is a JSON {type(found).__name__}, not an object")
    return found


def csv_table(body: bytes, provider: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """The body as a table of texts, one row a record, blanks as ''.

    Raises:
        Malformed: a web page, a missing column (named), a record of another width, or no CSV.
    """
    words = utf8(body, provider)
    if words.lstrip()[:1] == "<":
        raise Malformed(provider, f"the answer is a web page, not a CSV table with column {columns[0]!r}")
    try:
        header, *records = [r for r in csv.reader(io.StringIO(words), strict=True) if r] or [[]]
    except csv.Error as error:
        raise Malformed(provider, f"the answer is no CSV ({error})") from error
    if missing := [c for c in columns if c not in header]:
        raise Malformed(provider, f"the CSV table lacks the column {', '.join(missing)}")
    if len(set(header)) != len(header):
        raise Malformed(provider, "the CSV table names a column twice")
    for number, record in enumerate(records, start=2):
        if len(record) != len(header):
            raise Malformed(provider, f"record {number} has {len(record)} fields, the header {len(header)}")
    return pd.DataFrame(records, columns=header, dtype="str")


def numbers(texts: "pd.Series[Any]") -> "pd.Series[float]":
    """Texts as floats; what is no finite number (blank, `.`, `1,5`, `1e400`) is missing."""
    found = pd.to_numeric(texts, errors="coerce").astype("float64")
    return found.where(np.isfinite(found))


def dates(texts: "pd.Series[Any]", provider: str, column: str) -> "pd.Series[pd.Timestamp]":
    """ISO dates as midnights without zone; blanks are missing.

    Raises:
        Malformed: a text that is no ISO date.
    """
    try:
        found = pd.to_datetime(texts.where(texts != ""), format="%Y-%m-%d", errors="raise")
    except (ValueError, OverflowError) as error:
        raise Malformed(provider, f"column {column} holds a text that is no date ({str(error)[:80]})") from error
    return found.astype("datetime64[us]")


def web_address(text: str) -> str | None:
    """The first http address in a text, or None; other schemes are nobody's source."""
    found = _HTTP.search(text)
    return found.group().rstrip(".,;") if found else None
