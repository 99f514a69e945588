"""Hyperscaler quarters, from stored filing facts and segment revenue."""

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.analytics.filings import hyperscaler_metrics
from abri_pipeline.calendars import clock
from abri_pipeline.calendars.publication import filing_available_at
from abri_pipeline.contracts.filings import FACTS, FILINGS, HYPERSCALERS
from abri_pipeline.derive.result import Derived, store
from abri_pipeline.warehouse.reads import frame


def derive(engine: Engine) -> Derived:
    """Compute and store every quarter and vintage that the stored facts give."""
    with engine.connect() as connection:
        facts = frame(connection, FACTS, columns=["ticker", "accession", "tag", "unit", "start", "end", "value"])
        filings = frame(connection, FILINGS, columns=["accession", "form", "filed_on", "accepted_at"])
    if facts.empty:
        return Derived(0, 0, 0)
    facts = facts.merge(filings, on="accession")
    quarters = [hyperscaler_metrics(str(t), rows.drop(columns="ticker")) for t, rows in facts.groupby("ticker")]
    rows = pd.concat(quarters, ignore_index=True)
    known = [
        filing_available_at(filed.date(), None if pd.isna(at) else at.to_pydatetime())
        for filed, at in zip(rows["filed_on"], rows["accepted_at"], strict=True)
    ]
    rows = rows.drop(columns="accepted_at").assign(available_at=known, recorded_at=clock.now())
    return store(engine, HYPERSCALERS, rows)
