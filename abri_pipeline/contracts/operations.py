"""The platform's own books: what was asked, what came back, what is missing and why."""

from abri_pipeline.contracts.model import RECORDED_AT, Field, Kind, Table

GAP_STATES = ("missing", "verified_empty", "unfillable", "filled")
COVERAGE_STATES = ("have", "verified_empty", "unavailable", "missing")
RUN_STATES = ("running", "done", "partial", "failed", "interrupted")
# Why an expected observation is not there. `absent` and `skipped` explain it; the others ask for a repair.
GAP_CAUSES = ("absent", "skipped", "hole", "rejected", "failed")
EXPLAINED = ("absent", "skipped")
OUTCOMES = ("stored", "unchanged", "empty", "absent", "transient", "permanent", "malformed", "refused")


def _text(name: str, meaning: str, required: bool = True, choices: tuple[str, ...] = ()) -> Field:
    return Field(name, Kind.TEXT, meaning, required=required, choices=choices)


def _count(name: str, meaning: str) -> Field:
    return Field(name, Kind.COUNT, meaning, required=True, low=0)


def _at(name: str, meaning: str, required: bool = True) -> Field:
    return Field(name, Kind.INSTANT, meaning, required=required)


def _day(name: str, meaning: str, required: bool = True) -> Field:
    return Field(name, Kind.DATE, meaning, required=required)


INSTRUMENTS = Table(
    name="instruments",
    meaning="The watchlist: what is followed, since when it is listed, and in which groups.",
    key=("instrument_id",),
    fields=(
        _text("instrument_id", "identity that survives a rename"),
        _text("symbol", "current ticker"),
        _text("name", "name of the company or fund"),
        _text("asset_class", "what it is", choices=("equity", "etf", "crypto")),
        _text("exchange_calendar", "calendar of its sessions"),
        _day("listed_on", "first session; null where older than the platform", required=False),
        _day("delisted_on", "last session; null while listed", required=False),
        Field("active", Kind.FLAG, "followed now", required=True),
        _text("timeframes", "timeframes kept, comma-separated"),
        _text("groups", "groups it belongs to, comma-separated"),
        _at("added_at", "when somebody last put it on the watchlist; null for the default list", required=False),
    ),
)
INSTRUMENT_SYMBOLS = Table(
    name="instrument_symbols",
    meaning="Tickers are labels with dates: which one an instrument carried when.",
    key=("instrument_id", "symbol", "valid_from"),
    fields=(
        _text("instrument_id", "the instrument"),
        _text("symbol", "the ticker"),
        _day("valid_from", "first session under it"),
        _day("valid_to", "last session under it; null while it lasts", required=False),
    ),
)
COVERAGE = Table(
    name="coverage",
    meaning="Which ranges are stored or known empty, so that nothing is asked twice.",
    key=("symbol", "timeframe", "range_start"),
    fields=(
        _text("symbol", "instrument's current ticker, or the series"),
        _text("timeframe", "timeframe, or the dataset of a series"),
        _day("range_start", "first day"),
        _day("range_end", "last day"),
        _text("state", "what is known of the range", choices=COVERAGE_STATES),
        _at("next_attempt_at", "not asked again before", required=False),
        _at("updated_at", "when this was learnt"),
    ),
    orders=(("range_start", "range_end"),),
)
REJECTED = Table(
    name="rejected_rows",
    meaning="Rows that broke a rule and never landed, with the rule and the reason.",
    key=("payload_hash", "row", "rule"),
    fields=(
        _text("payload_hash", "archived payload the row was in"),
        _text("row", "key of the row in its payload"),
        _text("rule", "rule it broke"),
        _text("dataset", "table it was meant for"),
        _text("symbol", "instrument or series", required=False),
        _day("observed_on", "day the row speaks of", required=False),
        _text("reason", "what was wrong, in words"),
        _at("recorded_at", "when it was rejected"),
    ),
)
RUNS = Table(
    name="backfill_runs",
    meaning="One row a dataset in a run: what was asked for and how it ended.",
    key=("run_id",),
    fields=(
        _text("run_id", "Dagster run and dataset"),
        _text("kind", "dataset that was loaded"),
        _at("started_at", "start"),
        _at("finished_at", "end; null while it runs", required=False),
        _day("window_start", "first day asked for"),
        _day("window_end", "last day asked for"),
        _count("symbols_requested", "instruments or series asked for"),
        _count("symbols_done", "of them stored or explained"),
        _text("symbols_failed", "names that failed, comma-separated", required=False),
        _count("bars_inserted", "new rows"),
        _count("bars_changed", "rows whose values changed"),
        _count("upstream_calls", "requests sent"),
        _text("status", "how it ended", choices=RUN_STATES),
        _text("symbols", "tickers it was narrowed to, comma-separated; null for all", required=False),
        _text("owner", "process that runs it: host and process id", required=False),
        _at("heartbeat_at", "last sign of life", required=False),
    ),
)
PROGRESS = Table(
    name="backfill_progress",
    meaning="How far each instrument's history reaches.",
    key=("symbol", "timeframe"),
    fields=(
        _text("symbol", "instrument's current ticker"),
        _text("timeframe", "timeframe"),
        _day("oldest_bar", "oldest stored session"),
        _day("newest_bar", "newest stored session"),
        _at("last_updated", "last change"),
    ),
)
GAPS = Table(
    name="backfill_gaps",
    meaning="Expected observations that are not stored, each with its reason.",
    key=("symbol", "timeframe", "gap_start"),
    fields=(
        _text("symbol", "instrument or series"),
        _text("timeframe", "timeframe, or the dataset of a series"),
        _day("gap_start", "first missing day"),
        _day("gap_end", "last missing day"),
        _count("sessions", "sessions missing"),
        _text("state", "what is known", choices=GAP_STATES),
        _count("attempts", "times it was asked for"),
        _text("cause", "kind of reason", choices=GAP_CAUSES),
        _text("reason", "why it is missing, in words"),
        _at("updated_at", "last change"),
    ),
    orders=(("gap_start", "gap_end"),),
)
AUDIT = Table(
    name="ingestion_audit",
    meaning="One record a fetch, written in the transaction of its rows.",
    key=("audit_id",),
    append_only=True,
    fields=(
        _text("audit_id", "id of the record"),
        _text("job_id", "Dagster run"),
        _text("symbol", "instrument or series"),
        _text("dataset", "table"),
        _text("provider", "upstream"),
        _day("window_start", "first day asked for", required=False),
        _day("window_end", "last day asked for", required=False),
        _count("attempt", "attempts the fetch took"),
        _text("outcome", "what came of it", choices=OUTCOMES),
        _count("rows", "rows read"),
        _count("unchanged", "of them already stored alike"),
        _text("timeframe", "timeframe of the bars, or the dataset", required=False),
        _at("pulled_at", "when the payload was received", required=False),
        _text("raw_hash", "archived payload", required=False),
        Field("latency_ms", Kind.NUMBER, "time the fetch took", "milliseconds", low=0),
        _text("error", "what went wrong", required=False),
        _at("recorded_at", "when it was written"),
    ),
)
QUALITY = Table(
    name="data_quality_log",
    meaning="What validation found in each load of an instrument.",
    key=("symbol", "timeframe", "date"),
    fields=(
        _text("symbol", "instrument or series"),
        _text("timeframe", "timeframe, or the dataset of a series"),
        _day("date", "last day of the load"),
        Field("score", Kind.NUMBER, "quality score", "0-1", low=0, high=1),
        _count("rows", "rows read"),
        _count("expected", "rows the calendar expects"),
        _count("nulls", "missing required cells"),
        _count("rejected", "rows rejected"),
        Field("checks", Kind.DOCUMENT, "count a rule"),
        _text("verdict", "accepted, or rejected", choices=("accepted", "rejected")),
    ),
)
QUOTA = Table(
    name="quota_usage",
    meaning="Calls charged to each provider, a grain of its limit's window at a time.",
    key=("provider", "unit", "window_start"),
    fields=(
        _text("provider", "upstream"),
        _text("unit", "window of the limit in words, such as `minute` or `6 seconds`"),
        _at("window_start", "start of the grain"),
        _count("used", "calls charged in the grain"),
        _count("limit", "calls allowed in any window of the unit"),
    ),
)
REVISIONS = Table(
    name="price_revisions",
    meaning="Every change of a final bar: what it was, what it is, and why.",
    key=("symbol", "date", "recorded_at", "field"),
    append_only=True,
    fields=(
        _text("symbol", "instrument's current ticker"),
        _day("date", "session of the bar"),
        _at("recorded_at", "when the change was stored"),
        _text("field", "column that changed"),
        Field("old", Kind.NUMBER, "value before; null where it had none"),
        Field("new", Kind.NUMBER, "value after; null where it lost it"),
        _text("reason", "why it changed"),
        _text("raw_hash", "archived payload that says so", required=False),
    ),
)
ARMS = Table(
    name="provider_arms",
    meaning="What is known of each provider for a dataset: its rewards, its failures in a row, its circuit.",
    key=("provider", "dataset"),
    fields=(
        _text("provider", "upstream"),
        _text("dataset", "what it is asked for, such as `equity 1d`"),
        Field("alpha", Kind.NUMBER, "rewards, faded", low=0, required=True),
        Field("beta", Kind.NUMBER, "complements of the rewards, faded", low=0, required=True),
        _at("learnt_at", "instant the two are faded to", required=False),
        _at("asked_at", "last request", required=False),
        _count("failures", "failures in a row"),
        _at("open_until", "not asked before", required=False),
    ),
)
DECISIONS = Table(
    name="provider_decisions",
    meaning="Every choice of a provider, with the reason and what came of it.",
    key=("decision_id",),
    append_only=True,
    fields=(
        _text("decision_id", "id of the choice"),
        _text("job_id", "Dagster run"),
        _text("symbol", "instrument"),
        _text("dataset", "what was asked for"),
        _text("chosen", "provider that answered; empty where none did"),
        _text("tried", "providers asked, in order, comma-separated"),
        _text("reason", "why in this order, and why each one before the last was left"),
        Field("seed", Kind.COUNT, "seed of the draws", required=True, low=0),
        _at("recorded_at", "when"),
    ),
)
PROVIDER_METRICS = Table(
    name="provider_metrics",
    meaning="Each provider's requests of a day and how they ended.",
    key=("provider", "date"),
    fields=(
        _text("provider", "upstream"),
        _day("date", "UTC day"),
        _count("requests", "requests sent"),
        _count("successes", "answers with data"),
        _count("rate_limited", "told to wait"),
        _count("failures", "every other failure"),
        Field("median_latency_ms", Kind.NUMBER, "median time an answer took", "milliseconds", low=0),
        Field("quality", Kind.NUMBER, "mean quality of the answers", "0-1", low=0, high=1),
    ),
)
FEEDBACK = Table(
    name="execution_feedback",
    meaning="Orders as they were filled, told by whoever traded: evidence of slippage.",
    key=("order_id",),
    fields=(
        _text("order_id", "the broker's id of the order"),
        _text("symbol", "ticker that was traded"),
        _text("side", "what was done", choices=("buy", "sell")),
        Field("quantity", Kind.NUMBER, "shares or coins filled", "shares", required=True, above=0, high=1e12),
        Field("price", Kind.NUMBER, "average price of the fill", "USD", required=True, above=0, high=1e8),
        _at("filled_at", "when it was filled"),
        Field(
            "slippage_bps",
            Kind.NUMBER,
            "price paid against the price expected, positive where worse; null where nothing was expected",
            "basis points",
            low=-1e6,
            high=1e6,
        ),
        RECORDED_AT,
    ),
)
STAMP = Table(
    name="house",
    meaning="What this database is: a real market, or a synthetic one; the two never mix.",
    key=("name",),
    fields=(_text("name", "what is stamped"), _text("value", "the stamp"), _at("recorded_at", "when")),
)
