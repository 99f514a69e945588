"""The index."""

from abri_pipeline.contracts.model import RECORDED_AT, Cadence, Dataset, Field, Fresh, Kind

COMPONENTS = (
    "concentration",
    "correlation",
    "credit_stress",
    "gpu_deflation",
    "capex_intensity",
    "revenue_gap",
    "deal_flow",
)
LEVELS = ("Normal", "Elevated", "Bubble", "Extreme")


def _score(name: str, meaning: str) -> Field:
    return Field(name, Kind.NUMBER, meaning, "0-100", low=0, high=100)


HISTORY = Dataset(
    name="abri_history",
    title="ABRI history",
    meaning="Every print of the index, append-only: a correction is a new row that names what it supersedes.",
    grain="one print of one method for one date as known at one instant",
    key=("as_of", "method", "knowledge_at", "input_digest"),
    observed="as_of",
    source="computed from the datasets it depends on, as known at knowledge_at",
    cadence=Cadence.WEEK,
    group="index",
    kinds=("python", "table"),
    inputs=("market_metrics", "credit_spreads", "gpu_prices", "hyperscaler_metrics", "segment_revenue", "deals"),
    append_only=True,
    fields=(
        Field("as_of", Kind.DATE, "last session the print looks at", required=True),
        Field("method", Kind.TEXT, "method and version", required=True),
        Field("knowledge_at", Kind.INSTANT, "nothing known later was read", required=True),
        Field("input_digest", Kind.TEXT, "SHA-256 of method and inputs", required=True),
        Field(
            "kind", Kind.TEXT, "how the print came about", required=True, choices=("live", "reconstructed", "replay")
        ),
        Field(
            "status",
            Kind.TEXT,
            "how much of the index is there",
            required=True,
            choices=("full", "official_partial", "indicative", "none"),
        ),
        *(_score(f"{name}_score", f"score of {name}; null where an input is missing") for name in COMPONENTS),
        _score("composite_score", "weighted mean of the components present"),
        Field("level", Kind.TEXT, "level of the composite; null where the status shows none", choices=LEVELS),
        _score("vulnerability", "sub-index of what could break"),
        _score("stress", "sub-index of what is breaking"),
        _score("abri_c", "correlation-aware composite (calibrated-2.0)"),
        _score("p5", "5th percentile of the band"),
        _score("p50", "median of the band"),
        _score("p95", "95th percentile of the band"),
        Field("coverage", Kind.NUMBER, "weight of the components present", "fraction", required=True, low=0, high=1),
        Field("crowded", Kind.FLAG, "both correlations above .85"),
        Field(
            "inputs",
            Kind.DOCUMENT,
            "each indicator: value, unit, as-of, available at, source, or why missing",
            required=True,
        ),
        Field("supersedes", Kind.TEXT, "input_digest of the print this one corrects"),
        Field("reason", Kind.TEXT, "why it was printed"),
        RECORDED_AT,
    ),
    expectations=(Fresh(warn=6, error=12),),  # weekly, printed on the Monday after
)
