"""The vocabulary in which every table is declared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a field holds; each room maps it to its own types."""

    DATE = "date"  # a day of the exchange, or a UTC day
    INSTANT = "instant"  # a moment in UTC
    TEXT = "text"
    NUMBER = "number"  # a 64-bit float
    COUNT = "count"  # a 64-bit integer
    FLAG = "flag"
    DOCUMENT = "document"  # JSON as text


class Cadence(StrEnum):
    """How often a dataset gains observations."""

    SESSION = "every trading session"
    BUSINESS_DAY = "every business day"
    WEEK = "weekly"
    QUARTER = "quarterly"
    EVENT = "when it happens"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its meaning and what may stand in it.

    `low`/`high` are inclusive hard bounds and `above` an exclusive one: a row outside them is rejected.
    `plausible` is a soft range: a value outside lands, and the range check names it.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    low: float | None = None
    above: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    plausible: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """Every instrument has a row (or an explained gap) on every session it was listed."""

    per: str = "symbol"


@dataclass(frozen=True, slots=True)
class Fresh:
    """The newest observation lags the calendar by no more than this many sessions."""

    warn: int = 1
    error: int = 7


@dataclass(frozen=True, slots=True)
class Continuous:
    """No step between neighbouring rows larger than `step` (log change where `log`, else absolute)."""

    column: str
    step: float
    log: bool = False
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Outliers:
    """Year-on-year log change of `column` within `limit` robust deviations (median and MAD) of its own past."""

    column: str
    by: str
    order: str
    limit: float = 5.0


Expectation = Complete | Fresh | Continuous | Outliers


@dataclass(frozen=True, kw_only=True)
class Table:
    """A stored table: what it means, its key and its fields."""

    name: str
    meaning: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    orders: tuple[tuple[str, str], ...] = ()  # pairs (a, b): a <= b wherever both are known
    append_only: bool = False

    def __post_init__(self) -> None:
        names = [f.name for f in self.fields]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: a field is declared twice")
        if unknown := {*self.key, *(c for pair in self.orders for c in pair)} - set(names):
            raise ValueError(f"{self.name}: no such field {sorted(unknown)}")

    def __getitem__(self, name: str) -> Field:
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(f"{self.name} has no field {name!r}")

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all fields, in order."""
        return tuple(f.name for f in self.fields)

    @property
    def values(self) -> tuple[str, ...]:
        """Columns whose change makes a row a new version: neither key nor bookkeeping."""
        return tuple(n for n in self.columns if n not in self.key and n not in BOOKKEEPING)


@dataclass(frozen=True, kw_only=True)
class Dataset(Table):
    """A table that is also a partitioned asset."""

    title: str
    grain: str
    observed: str  # the field whose date decides the ABRI week of a row
    source: str
    cadence: Cadence
    group: str
    kinds: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    owners: tuple[str, ...] = ("team:data",)
    expectations: tuple[Expectation, ...] = field(default=())

    def expects(self, kind: type[Expectation]) -> Iterator[Expectation]:
        """The expectations of one kind."""
        return (e for e in self.expectations if isinstance(e, kind))


PROVENANCE = (
    Field("source_provider", Kind.TEXT, "who sent the payload the row was read from", required=True),
    Field("raw_hash", Kind.TEXT, "SHA-256 of the archived payload, in hex", required=True),
    Field("pulled_at", Kind.INSTANT, "when the payload was received", required=True),
)
AVAILABLE_AT = Field("available_at", Kind.INSTANT, "when the world could first know the row", required=True)
RECORDED_AT = Field("recorded_at", Kind.INSTANT, "when the platform first stored this version", required=True)
# A row whose values are the same keeps its first provenance: a replay changes nothing.
BOOKKEEPING = frozenset({*(f.name for f in PROVENANCE), RECORDED_AT.name})
