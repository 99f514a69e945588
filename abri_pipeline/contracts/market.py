"""Index weights and market metrics."""

from abri_pipeline.contracts.model import (
    AVAILABLE_AT,
    PROVENANCE,
    RECORDED_AT,
    Cadence,
    Dataset,
    Field,
    Fresh,
    Kind,
)

LINES = ("AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "TSLA", "IT_SECTOR", "IT_SECTOR_GICS2023")

WITHDRAWN_AT = Field("withdrawn_at", Kind.INSTANT, "when a newer copy of the table no longer held the row")

WEIGHTS = Dataset(
    name="index_weights",
    title="S&P 500 anchor weights",
    meaning="Quarter-end weights of each Magnificent Seven line and of the IT sector on both GICS bases.",
    grain="one line at one quarter end",
    key=("effective_date", "line"),
    observed="effective_date",
    source="iShares IVV holdings, computed; a newer copy behind /reference replaces the packaged table",
    cadence=Cadence.QUARTER,
    group="reference",
    kinds=("python", "table"),
    fields=(
        Field("effective_date", Kind.DATE, "last session of the quarter", required=True),
        Field("line", Kind.TEXT, "share line or sector", required=True, choices=LINES),
        Field("weight", Kind.NUMBER, "share of the index", "fraction", required=True, low=0, high=1),
        AVAILABLE_AT,
        Field("source", Kind.TEXT, "where the number is from", required=True),
        WITHDRAWN_AT,
        *PROVENANCE,
    ),
)

METRICS = Dataset(
    name="market_metrics",
    title="Market metrics",
    meaning="Concentration of the S&P 500 and the correlations of NVIDIA and the Mag7 basket with it.",
    grain="one NYSE session",
    key=("date",),
    observed="date",
    source="computed from price_history_daily and index_weights",
    cadence=Cadence.SESSION,
    group="market",
    kinds=("python", "table"),
    inputs=("price_history_daily", "corporate_actions", "index_weights"),
    fields=(
        Field("date", Kind.DATE, "exchange session", required=True),
        Field(
            "mag7_weight",
            Kind.NUMBER,
            "Mag7 share of the S&P 500, drifted from the last anchor",
            "fraction",
            low=0,
            high=1,
            plausible=(0.10, 0.60),
        ),
        Field(
            "tech_weight",
            Kind.NUMBER,
            "IT sector weight as published, held from the last anchor",
            "fraction",
            low=0,
            high=1,
            plausible=(0.10, 0.60),
        ),
        Field(
            "tech_weight_gics2023",
            Kind.NUMBER,
            "IT sector weight on the 2023 GICS basis, held",
            "fraction",
            low=0,
            high=1,
            plausible=(0.10, 0.60),
        ),
        Field(
            "nvda_spy_corr", Kind.NUMBER, "60-session correlation of log returns, NVDA with SPY", "r", low=-1, high=1
        ),
        Field(
            "mag7_spy_corr",
            Kind.NUMBER,
            "60-session correlation of log returns, equal-weight Mag7 with SPY",
            "r",
            low=-1,
            high=1,
        ),
        Field("weights_anchor_on", Kind.DATE, "quarter end the weights are drifted from"),
        Field("leveraged_etf_aum", Kind.NUMBER, "assets of TQQQ, SOXL and TECL; null where unknown", "USD", low=0),
        AVAILABLE_AT,
        RECORDED_AT,
    ),
    expectations=(Fresh(warn=1, error=7),),
)
