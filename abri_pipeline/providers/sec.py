"""Filings and their facts from SEC EDGAR.

Belongs here: companyfacts and submissions, asked and read. Does not belong here: quarters made of facts
(analytics), which companies are watched (ingest).
"""

import re
from typing import Any

import pandas as pd

from abri_pipeline.providers.errors import Absent, BadRequest, Malformed
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import dates, json_object

TAXONOMIES = ("us-gaap", "dei")
_PAGE = re.compile(r"CIK\d{10}-submissions-\d{3}\.json")
_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
_SUBMISSION_COLUMNS = ("accessionNumber", "form", "reportDate", "filingDate", "acceptanceDateTime", "primaryDocument")


def fetch_companyfacts(transport: Transport, cik: int) -> Payload:
    """Every un-dimensioned XBRL fact of a company, as sent.

    Raises:
        Absent: no company of that CIK files XBRL.
        Refused: `ABRI_CONTACT` is missing, or the SEC blocks us.
        UpstreamError: any other branch of the tree.
    """
    return _document(transport, f"/api/xbrl/companyfacts/CIK{_padded(cik)}.json", f"facts of CIK {cik}")


def fetch_submissions(transport: Transport, cik: int) -> Payload:
    """The about 1,000 newest filings of a company, as sent; older ones are on `submission_pages`.

    Raises:
        UpstreamError: as `fetch_companyfacts`.
    """
    return _document(transport, f"/submissions/CIK{_padded(cik)}.json", f"filings of CIK {cik}")


def fetch_submission_page(transport: Transport, name: str) -> Payload:
    """One page of older filings, by the name that `submission_pages` gives.

    Raises:
        BadRequest: the name is none of the SEC's.
        UpstreamError: as `fetch_companyfacts`.
    """
    if not _PAGE.fullmatch(name):
        raise BadRequest("sec", f"{name[:60]!r} is no page of submissions")
    return _document(transport, f"/submissions/{name}", f"page {name}")


def parse_companyfacts(body: bytes) -> pd.DataFrame:
    """Read a company's facts of the us-gaap and dei taxonomies, every form and vintage.

    Returns:
        `accession`, `tag` (taxonomy and concept, such as `us-gaap:Revenues`), `unit`, `start` (datetime64[us],
        NaT for an instant), `end`, `value` (float64, in the unit), `form`, `filed_on`; one row a fact of one
        filing.

    Raises:
        Malformed: the body is no companyfacts document.
    """
    facts = json_object(body, "sec").get("facts")
    if not isinstance(facts, dict):
        raise Malformed("sec", "the answer holds no facts")
    try:
        rows = [
            (f["accn"], f"{taxonomy}:{tag}", unit, f.get("start", ""), f["end"], f["val"], f["form"], f["filed"])
            for taxonomy in TAXONOMIES
            for tag, concept in facts.get(taxonomy, {}).items()
            for unit, found in concept["units"].items()
            for f in found
        ]
        columns = list(zip(*rows, strict=True)) or [()] * 8
        accession, tags, units, start, end, values, form, filed = columns
        frame = pd.DataFrame({
            "accession": pd.Series(accession, dtype="str"),
            "tag": pd.Series(tags, dtype="str"),
            "unit": pd.Series(units, dtype="str"),
            "start": _days(start, "start"),
            "end": _days(end, "end"),
            "value": pd.Series(values, dtype="float64"),
            "form": pd.Series(form, dtype="str"),
            "filed_on": _days(filed, "filed"),
        })  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise _unknown_shape("companyfacts", error) from error
    # the same fact is listed once for every frame that uses it
    return frame.drop_duplicates(["accession", "tag", "unit", "start", "end"], keep="last", ignore_index=True)


def parse_submissions(body: bytes, cik: int | None = None) -> pd.DataFrame:
    """Read a list of filings: the main document, or one page of older filings.

    Args:
        body: the bytes as sent.
        cik: the company, needed for the addresses on a page of older filings, which does not name it.

    Returns:
        `accession`, `form`, `period_end` (datetime64[us], NaT where the filing reports on no period),
        `filed_on`, `accepted_at` (UTC, NaT where not given), `url` (the filing's main document on sec.gov).

    Raises:
        Malformed: the body is no list of filings.
    """
    document = json_object(body, "sec")
    try:
        recent = document["filings"]["recent"] if "filings" in document else document
        texts = pd.DataFrame({name: pd.Series(recent[name], dtype="str") for name in _SUBMISSION_COLUMNS})
        if len({len(recent[name]) for name in _SUBMISSION_COLUMNS}) > 1:
            raise ValueError("the columns differ in length")
        company = int(document.get("cik") or cik or 0)
        if not company:
            raise ValueError("it names no company: pass the CIK")
        if not texts["accessionNumber"].str.fullmatch(_ACCESSION).all():
            raise ValueError("an accession number has another form")
        accepted = pd.to_datetime(texts["acceptanceDateTime"].replace("", None), utc=True, format="ISO8601")
        return pd.DataFrame({
            "accession": texts["accessionNumber"],
            "form": texts["form"],
            "period_end": dates(texts["reportDate"], "sec", "reportDate"),
            "filed_on": dates(texts["filingDate"], "sec", "filingDate"),
            "accepted_at": accepted.astype("datetime64[us, UTC]"),
            "url": _addresses(company, texts),
        })  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise _unknown_shape("submissions", error) from error


def submission_pages(body: bytes) -> list[str]:
    """Names of the pages with older filings, newest first; empty where there are none.

    Raises:
        Malformed: the body is no submissions document.
    """
    try:
        names = [page["name"] for page in json_object(body, "sec")["filings"].get("files") or []]
    except (KeyError, TypeError, AttributeError) as error:
        raise _unknown_shape("submissions", error) from error
    return [name for name in names if isinstance(name, str) and _PAGE.fullmatch(name)]


def _document(transport: Transport, path: str, what: str) -> Payload:
    """One document of EDGAR; a missing one is told by what it should have held."""
    try:
        return transport.get("sec", path)
    except Absent as error:
        raise error.told_as(Absent, f"holds no {what}; check the CIK") from error


def _addresses(cik: int, texts: pd.DataFrame) -> "pd.Series[str]":
    """Where each filing can be read; its folder where no main document is named."""
    folder = texts["accessionNumber"].str.replace("-", "", regex=False)
    return f"https://www.sec.gov/Archives/edgar/data/{cik}/" + folder + "/" + texts["primaryDocument"]


def _days(texts: tuple[Any, ...], column: str) -> "pd.Series[pd.Timestamp]":
    """ISO dates; a company has few different ones, so each is read once."""
    codes, different = pd.factorize(pd.Series(texts, dtype="str"))
    read = dates(pd.Series(different, dtype="str"), "sec", column)
    return pd.Series(read.to_numpy()[codes], dtype="datetime64[us]")


def _padded(cik: int) -> str:
    if not 0 < cik < 10**10:
        raise BadRequest("sec", f"{cik} is no CIK; it has one to ten digits")
    return f"{cik:010d}"


def _unknown_shape(what: str, error: Exception) -> Malformed:
    return Malformed("sec", f"the {what} document has an unknown shape ({type(error).__name__}: {str(error)[:80]})")
