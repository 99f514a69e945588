"""Economic series from FRED: with a key through fredapi, without one from the public CSV.

Belongs here: the query, the seam under fredapi, FRED's error texts, reading of its three shapes.
Does not belong here: which series are wanted (ingest), units and publication lags (contracts, derive).
"""

import csv
import io
import re
from datetime import date
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from abri_pipeline.providers.errors import Absent, BadRequest, Malformed, RateLimited, Refused, UpstreamError
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import json_object, utf8

_SERIES = re.compile(r"[A-Z0-9_]{1,60}")
_KEY_MEND = "set FRED_API_KEY to a key from https://fred.stlouisfed.org/docs/api/api_key.html, or unset it"
_DTD = re.compile(r"<!\s*(doctype|entity)", re.IGNORECASE)  # where all of XML's dangers live
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def fetch_series(
    transport: Transport, series_id: str, api_key: str | None = None, *, as_of: date | None = None
) -> Payload:
    """One series from its first observation on, as sent, in a single request.

    Args:
        transport: the one client.
        series_id: FRED's id, such as `BAMLH0A0HYM2`.
        api_key: asks the API through fredapi; None asks the public CSV, which knows no vintages.
        as_of: with a key: the vintage of this day (St. Louis) instead of today's.

    Raises:
        Absent: FRED does not know the series.
        Refused: the key is not valid; the message says how to mend it.
        UpstreamError: any other branch of the tree.
    """
    if not _SERIES.fullmatch(series_id):
        raise BadRequest("fred", f"{series_id[:40]!r} is no FRED series id; write it as BAMLH0A0HYM2")
    try:
        if api_key is None:
            return transport.get("fredgraph", "/fredgraph.csv", {"id": series_id})
        return _through_fredapi(transport, series_id, api_key, as_of)
    except Absent as error:
        raise error.told_as(Absent, f"does not know the series {series_id}; check the id") from error
    except BadRequest as error:
        raise _explained(error, series_id) from error


def _through_fredapi(transport: Transport, series_id: str, api_key: str, as_of: date | None) -> Payload:
    """Let fredapi build and send the request, and keep the bytes of the answer.

    fredapi knows neither timeouts nor error kinds, and reads a value at a time; so its one fetch method goes
    through our transport and gives it back an empty document: rows are read from the bytes by `parse_series`.
    """
    from urllib.parse import parse_qsl, urlsplit

    from fredapi import Fred

    sent: list[Payload] = []

    class OverTransport(Fred):  # type: ignore[misc]  # fredapi ships no types
        root_url = "fred:"

        def __init__(self) -> None:
            # not super().__init__: with HTTP_PROXY set it would install a proxy into urllib for the whole process
            self.api_key = api_key

        def _Fred__fetch_data(self, url: str) -> Any:  # noqa: N802 - the mangled name of fredapi's one fetch method
            parts = urlsplit(url)
            asked = {**dict(parse_qsl(parts.query)), "api_key": api_key}
            sent.append(transport.get("fred", parts.path, asked))
            return ElementTree.Element("observations")

    day = as_of.isoformat() if as_of else None
    OverTransport().get_series(series_id, **({"realtime_start": day, "realtime_end": day} if day else {}))
    return sent[0]


def _explained(error: BadRequest, series_id: str) -> UpstreamError:
    """A 400 of FRED under the branch that its text means; all of them share one status."""
    told = error.detail.lower()
    if "does not exist" in told:
        return error.told_as(Absent, f"does not know the series {series_id}; check the id")
    if "api_key" in told or "api key" in told or "not registered" in told:
        return error.told_as(Refused, f"does not accept the key: {_KEY_MEND}")
    if "rate limit" in told or "too many requests" in told:
        return error.told_as(RateLimited, "asked too often; wait a minute and run again")
    return error


def parse_series(body: bytes, content_type: str = "") -> pd.DataFrame:
    """Read a series, whichever of FRED's shapes (XML, JSON, CSV) it came in.

    Args:
        body: the bytes as sent.
        content_type: as sent; named in the error where the bytes are none of the three.

    Returns:
        `observed_on` (datetime64[us]) and `value` (float64, in the series' own unit), one row a date in order.
        Missing values (`.` or blank) have no row.

    Raises:
        Absent, Refused, RateLimited, BadRequest: the body is one of FRED's error answers.
        Malformed: anything else that is no series.
    """
    words = utf8(body, "fred").lstrip()
    if words.startswith("{"):
        pairs = _json_pairs(body)
    elif words.startswith("<"):
        pairs = _xml_pairs(words, content_type)
    else:
        pairs = _csv_pairs(words, content_type)
    return _frame(pairs)


def _frame(pairs: list[tuple[str, str]]) -> pd.DataFrame:
    kept = [(day, value) for day, value in pairs if value not in (".", "")]
    if wrong := next((day for day, _ in kept if not _DAY.fullmatch(day)), None):
        raise Malformed("fred", f"{wrong[:20]!r} is no date")
    try:
        days = pd.to_datetime([day for day, _ in kept], format="%Y-%m-%d").as_unit("us")
        values = pd.to_numeric(pd.Series([value for _, value in kept], dtype="str")).astype("float64")
    except (ValueError, OverflowError) as error:
        raise Malformed("fred", f"an observation is no date or number ({str(error)[:60]})") from error
    if not values.between(-1e300, 1e300).all():
        raise Malformed("fred", "an observation is no finite number")
    frame = pd.DataFrame({"observed_on": days, "value": values})
    # with several vintages in one answer the last one of a date is the current one
    return frame.drop_duplicates("observed_on", keep="last").sort_values("observed_on", ignore_index=True)


def _json_pairs(body: bytes) -> list[tuple[str, str]]:
    found = json_object(body, "fred")
    if "error_message" in found:
        raise _error_answer(str(found["error_message"]))
    try:
        return [(str(o["date"]), str(o["value"]).strip()) for o in found["observations"]]
    except (KeyError, TypeError) as error:
        raise Malformed("fred", "the JSON answer holds no observations") from error


def _xml_pairs(words: str, content_type: str) -> list[tuple[str, str]]:
    if _DTD.search(words):
        raise Malformed("fred", f"the answer ({content_type or 'no type'}) is a web page or carries a DTD; not read")
    try:
        root = ElementTree.fromstring(words)  # noqa: S314 - no DTD gets here, see above
    except ElementTree.ParseError as error:
        raise Malformed("fred", f"the answer is no XML ({error})") from error
    except ValueError as error:  # an encoding declared that Python does not know
        raise Malformed("fred", "the answer is XML in an unknown encoding") from error
    if root.tag == "error":
        raise _error_answer(root.get("message", ""))
    if root.tag != "observations":
        raise Malformed("fred", f"the XML answer is a {root.tag[:20]!r}, not observations")
    return [(o.get("date", ""), o.get("value", "").strip()) for o in root if o.tag == "observation"]


def _csv_pairs(words: str, content_type: str) -> list[tuple[str, str]]:
    try:
        header, *records = [r for r in csv.reader(io.StringIO(words), strict=True) if r] or [[]]
    except csv.Error as error:
        raise Malformed("fred", f"the answer is no CSV ({error})") from error
    if len(header) != 2 or header[0] not in ("observation_date", "DATE"):
        raise Malformed("fred", f"the answer ({content_type or 'no type'}) lacks the column observation_date")
    if any(len(record) != 2 for record in records):
        raise Malformed("fred", "a record has not two fields; the answer may be cut off")
    return [(day, value.strip()) for day, value in records]


def _error_answer(message: str) -> UpstreamError:
    """FRED's error document as an error of the tree."""
    return _explained(BadRequest("fred", f"does not accept the request: {message[:200]}", detail=message), "asked for")
