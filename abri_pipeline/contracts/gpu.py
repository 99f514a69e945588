"""GPU rental prices."""

from abri_pipeline.contracts.market import WITHDRAWN_AT
from abri_pipeline.contracts.model import AVAILABLE_AT, PROVENANCE, Cadence, Dataset, Field, Kind

MODELS = ("H100-80GB", "H200", "A100-80GB", "A100-40GB", "L40S")

PRICES = Dataset(
    name="gpu_prices",
    title="GPU rental prices",
    meaning="What one GPU costs for one hour, by model, seller and kind of contract.",
    grain="one quote of one seller for one model on one day",
    key=("observed_on", "gpu_model", "source", "price_kind", "variant"),
    observed="observed_on",
    source="curated points with their source; a newer copy behind /reference replaces the packaged table",
    cadence=Cadence.WEEK,
    group="gpu",
    kinds=("python", "table"),
    fields=(
        Field("observed_on", Kind.DATE, "day of capture", required=True),
        Field("gpu_model", Kind.TEXT, "model with its memory", required=True, choices=MODELS),
        Field("source", Kind.TEXT, "seller or index", required=True),
        Field("price_kind", Kind.TEXT, "kind of contract", required=True, choices=("on_demand", "spot", "reserved")),
        Field("variant", Kind.TEXT, "what tells two quotes of one seller apart; '' where nothing does", required=True),
        Field(
            "price_per_gpu_hour",
            Kind.NUMBER,
            "price of one GPU for one hour",
            "USD",
            required=True,
            above=0,
            high=100,
            plausible=(0.3, 15),
        ),
        Field("notes", Kind.TEXT, "what a reader should know"),
        Field("source_url", Kind.TEXT, "where the number is found"),
        AVAILABLE_AT,
        WITHDRAWN_AT,
        *PROVENANCE,
    ),
)
