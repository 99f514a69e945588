"""Credit spreads and the ten-year yield."""

from abri_pipeline.contracts.model import (
    AVAILABLE_AT,
    PROVENANCE,
    Cadence,
    Continuous,
    Dataset,
    Field,
    Fresh,
    Kind,
)

SPREADS = Dataset(
    name="credit_spreads",
    title="Credit spreads",
    meaning="High-yield and BBB option-adjusted spreads with their difference, and the ten-year Treasury yield.",
    grain="one observation date, weekend month-ends included",
    key=("date",),
    observed="date",
    source="FRED: BAMLH0A0HYM2, BAMLC0A4CBBB, BAA10Y, DGS10; https://fred.stlouisfed.org",
    cadence=Cadence.BUSINESS_DAY,
    group="credit",
    kinds=("python", "fred", "table"),
    fields=(
        Field("date", Kind.DATE, "observation date", required=True),
        Field("hy_oas", Kind.NUMBER, "ICE BofA US high yield OAS", "basis points", low=0, plausible=(200, 2500)),
        Field("ig_bbb_oas", Kind.NUMBER, "ICE BofA US BBB OAS", "basis points", low=0, plausible=(60, 900)),
        Field("hy_ig_diff", Kind.NUMBER, "hy_oas - ig_bbb_oas", "basis points", plausible=(80, 1800)),
        Field("treasury_10y", Kind.NUMBER, "ten-year constant-maturity yield", "percent", plausible=(-1, 12)),
        Field("baa10y", Kind.NUMBER, "Moody's Baa yield less ten-year Treasury", "basis points", plausible=(80, 1000)),
        Field(
            "substitute", Kind.TEXT, "the series that stands in where the ICE spreads are unknown", choices=("BAA10Y",)
        ),
        AVAILABLE_AT,
        *PROVENANCE,
    ),
    expectations=(
        Fresh(warn=3, error=7),  # published one business day late
        Continuous("hy_oas", step=150),
        Continuous("ig_bbb_oas", step=60),
    ),
)
