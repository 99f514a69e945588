"""SEC filings and their facts: two payloads a company, one transaction."""

import json

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.analytics.filings_companies import COMPANIES
from abri_pipeline.calendars.publication import filing_available_at
from abri_pipeline.contracts.filings import FACTS, FILINGS
from abri_pipeline.ingest import books, freshness, runs
from abri_pipeline.ingest.delivery import Delivery, combine, fetch, nothing
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.publish import Batch, publish
from abri_pipeline.providers import sec
from abri_pipeline.providers.errors import Absent, UpstreamError
from abri_pipeline.quality.gaps import Gap, Why
from abri_pipeline.quality.screen import Screened
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.engine import begin

WATCHED = ("MSFT", "GOOGL", "AMZN", "META", "NVDA")
FORMS = ("10-K", "10-Q", "10-K/A", "10-Q/A")
ARCHIVES = "https://www.sec.gov/Archives/edgar/data"


def load(desk: Desk, window: Window) -> Load:
    """Fetch each company's facts and filing index whole, and store every 10-K and 10-Q.

    A company that the SEC does not know is a recorded gap; any other failure is named in the result.

    Raises:
        MixedMarkets: the database holds the other market.
    """
    with runs.booked(desk, Load(FILINGS.name), window, len(WATCHED)) as loaded:
        for ticker in WATCHED:
            loaded.results.append(_company(desk, window, ticker))
            desk.report(loaded, len(WATCHED))
    return loaded


def _company(desk: Desk, window: Window, ticker: str) -> UnitResult:
    if not desk.full_refresh and freshness.fresh(desk.engine, ticker, FILINGS.name):
        return UnitResult(ticker, "unchanged")
    if not desk.full_refresh and (again := freshness.asked_again(desk.engine, ticker, FILINGS.name)):
        return UnitResult(
            ticker, "absent", reason=f"unknown to the SEC when last asked; asked again from {again:%Y-%m-%d %H:%M} UTC"
        )
    cik = COMPANIES[ticker].cik
    answer: Delivery | None = None
    try:
        answer = fetch(desk, ticker, FILINGS.name, None, lambda: sec.fetch_companyfacts(desk.transport, cik))
        facts = sec.parse_companyfacts(answer.body)
        index = _index(desk, ticker, cik)
        listed = sec.parse_submissions(index.body) if index else None
    except UpstreamError as error:
        return _book_failure(desk, window, ticker, error, answer)
    parts = [answer, *([index] if index else [])]
    delivery = combine(desk, ticker, parts, json.dumps([p.raw_hash for p in parts]).encode())
    return store(desk, delivery, facts, listed)


def read(archive: Archive, raw_hash: str) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Facts and, where the company had one, filing index of an archived delivery.

    Raises:
        UpstreamError: a payload is not what its wire promises.
        PayloadMissing, PayloadCorrupt: the archive cannot give one back.
    """
    parts: list[str] = json.loads(archive.get(raw_hash))
    facts = sec.parse_companyfacts(archive.get(parts[0]))
    return facts, sec.parse_submissions(archive.get(parts[1])) if len(parts) > 1 else None


def store(desk: Desk, delivery: Delivery, facts: pd.DataFrame, listed: pd.DataFrame | None) -> UnitResult:
    """Publish one company's filings and facts, from the delivery alone: a rebuild calls it too."""
    ticker = delivery.unit
    facts = facts[facts["form"].isin(FORMS)]
    filings = filings_of(ticker, COMPANIES[ticker].cik, facts, listed)

    def afterwards(connection: Connection, _screened: list[Screened]) -> None:
        books.gaps(connection, ticker, FILINGS.name, [])
        freshness.mark(connection, ticker, FILINGS.name, filings["filed_on"].min(), filings["filed_on"].max())

    return publish(
        desk,
        delivery,
        [Batch(FILINGS, filings), Batch(FACTS, _facts(ticker, facts))],
        expected=0,
        afterwards=afterwards,
    )


def _index(desk: Desk, ticker: str, cik: int) -> Delivery | None:
    """The filing index gives acceptance times; without it the filing day alone is known."""
    try:
        return fetch(desk, ticker, FILINGS.name, None, lambda: sec.fetch_submissions(desk.transport, cik))
    except Absent:
        return None


def filings_of(ticker: str, cik: int, facts: pd.DataFrame, listed: pd.DataFrame | None) -> pd.DataFrame:
    """One row a filing, from the facts it gave and, where there is one, from the company's filing index."""
    seen = facts.groupby("accession", as_index=False).agg(
        form=("form", "first"), filed_on=("filed_on", "first"), period_end=("end", "max")
    )
    seen = seen.assign(accepted_at=None, url=None)
    if listed is not None:
        listed = listed[listed["form"].isin(FORMS)]
        seen = pd.concat([listed, seen[~seen["accession"].isin(listed["accession"])]], ignore_index=True)
    index_pages = f"{ARCHIVES}/{cik}/" + seen["accession"].str.replace("-", "") + "/"
    accepted = pd.to_datetime(seen["accepted_at"], utc=True)
    filed = pd.to_datetime(seen["filed_on"]).dt.date
    known = [
        filing_available_at(day, None if pd.isna(at) else at.to_pydatetime())
        for day, at in zip(filed, accepted, strict=True)
    ]
    return seen.assign(
        ticker=ticker, filed_on=filed, accepted_at=accepted, url=seen["url"].fillna(index_pages), available_at=known
    )


def _facts(ticker: str, facts: pd.DataFrame) -> pd.DataFrame:
    """Facts under the contract's names; an instant is a period of one day, so that the key has no null."""
    return (
        facts.assign(ticker=ticker, start=facts["start"].fillna(facts["end"]))
        .drop(columns="form")
        .drop_duplicates(["accession", "tag", "unit", "start", "end"], keep="last")
    )


def _book_failure(desk: Desk, window: Window, ticker: str, error: UpstreamError, answer: Delivery | None) -> UnitResult:
    result = UnitResult(ticker, error.kind, reason=str(error))
    sent = answer or nothing(ticker, FILINGS.name, error.provider, None)
    why = Why("absent" if error.kind == "absent" else "failed", f"{error.provider}: {error.message}")
    with begin(desk.engine) as connection:
        record = books.audit(connection, desk.job_id, FILINGS.name, sent, result)
        books.gaps(connection, ticker, FILINGS.name, [Gap(window.start, window.end, 0, why)])
        if error.kind == "absent":
            freshness.wait(connection, ticker, FILINGS.name, window.start, window.end)
    desk.journal.write(record)
    return result
