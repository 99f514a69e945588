"""A method of the index: frozen data that says what is measured, scored, weighed and named.

Belongs here: the shape of a method. Does not belong here: reading and validating the file of one
(`method_file`), and applying it (`prints`).
"""

from dataclasses import dataclass

from abri_pipeline.analytics.abri.indicators import Measure
from abri_pipeline.analytics.abri.scales import Scale

BLOCKS = ("vulnerability", "stress")
COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class ScoredIndicator:
    """An indicator inside a component, with its share of it and its scale."""

    name: str
    weight: float
    scale: Scale


@dataclass(frozen=True, slots=True)
class Component:
    """One of the seven components: its share of the composite, its block and its indicators."""

    name: str
    weight: float
    block: str
    indicators: tuple[ScoredIndicator, ...]


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What a print needs for a status: share of weight, number of components, one a block or not."""

    coverage: float
    components: int
    every_block: bool


@dataclass(frozen=True, slots=True)
class Crowded:
    """The trade is crowded when every one of these indicators is above the line."""

    indicators: tuple[str, ...]
    above: float


@dataclass(frozen=True, slots=True)
class AlertThreshold:
    """Lines of one alert metric; `watches` is an indicator or `composite`, `breach` is above or below."""

    metric: str
    watches: str
    breach: str
    warning: float
    critical: float


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A validated method. `digest` is the SHA-256 of its values, whatever the file's layout and comments."""

    name: str
    title: str
    measures: dict[str, Measure]
    components: tuple[Component, ...]
    component_floor: float
    levels: tuple[tuple[str, float], ...]
    official_partial: StatusRule
    indicative: StatusRule
    crowded: Crowded
    alerts: tuple[AlertThreshold, ...]
    digest: str

    def level(self, composite: float) -> str:
        """The level whose cut is the highest at or below the composite."""
        return [name for name, cut in self.levels if composite >= cut][-1]
