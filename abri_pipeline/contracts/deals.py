"""Financing deals."""

from abri_pipeline.contracts.market import WITHDRAWN_AT
from abri_pipeline.contracts.model import AVAILABLE_AT, PROVENANCE, RECORDED_AT, Cadence, Dataset, Field, Kind

STRUCTURES = ("spv", "corporate_debt", "sale_leaseback", "equity", "lease", "vendor_financing", "other")

DEALS = Dataset(
    name="deals",
    title="Financing deals",
    meaning="Announced financings of AI infrastructure and AI companies, each with its source.",
    grain="one announced deal",
    key=("deal_id",),
    observed="announced_date",
    source="curated ledger with a source URL a row; a newer copy behind /reference replaces it",
    cadence=Cadence.EVENT,
    group="deals",
    kinds=("python", "table"),
    fields=(
        Field("deal_id", Kind.TEXT, "stable id from date, company and counterparty", required=True),
        Field("announced_date", Kind.DATE, "day of announcement", required=True),
        Field(
            "date_precision",
            Kind.TEXT,
            "how exactly the day is known",
            required=True,
            choices=("day", "month", "approx"),
        ),
        Field("company", Kind.TEXT, "who raises the money", required=True),
        Field(
            "amount_usd_millions", Kind.NUMBER, "binding amount; null where none was published", "USD millions", above=0
        ),
        Field("structure_type", Kind.TEXT, "form of the financing", required=True, choices=STRUCTURES),
        Field("counterparty", Kind.TEXT, "who provides it"),
        Field("is_circular", Kind.FLAG, "the financier or its affiliate sells to the company", required=True),
        Field("circularity_reason", Kind.TEXT, "why it counts as circular"),
        Field("scored", Kind.FLAG, "the amount enters deal volume once", required=True),
        Field("ruling", Kind.TEXT, "why it is not scored"),
        Field("source_url", Kind.TEXT, "where the deal is reported"),
        Field("notes", Kind.TEXT, "what a reader should know"),
        AVAILABLE_AT,
        RECORDED_AT,
        WITHDRAWN_AT,
        *PROVENANCE,
    ),
)
