"""One print of the index: scores, composite, level and status of one method at one date."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from abri_pipeline.analytics.abri.method import BLOCKS, Component, Method, StatusRule
from abri_pipeline.analytics.abri.reading import Reading

SLACK = 1e-12  # a coverage of four times .15 is .60, whatever its last bit says


@dataclass(frozen=True, slots=True)
class Print:
    """What is published; every score lies within 0-100, None where an input is missing.

    - components: score of each of the method's components
    - composite: weighted mean of the components present; None where the status is none
    - level: only for the statuses full and official_partial
    - coverage: weight of the components present, 0-1
    - vulnerability, stress: weighted mean of the components present in the block
    - contributions: points of each component present; they sum to the composite
    - missing: for each component without a score, why
    - crowded: None where a correlation is missing
    """

    method: str
    components: dict[str, float | None]
    composite: float | None
    level: str | None
    status: str
    coverage: float
    vulnerability: float | None
    stress: float | None
    contributions: dict[str, float]
    missing: dict[str, str]
    crowded: bool | None
    readings: dict[str, Reading]


def score(method: Method, readings: Mapping[str, Reading]) -> Print:
    """Score the readings of one date.

    Sums are exact (`math.fsum`) and divided once, so a replay of the same readings gives the same bits.

    Raises:
        KeyError: the readings lack an indicator of the method; a missing value is a Reading with a reason.
    """
    components = {component.name: _component_score(component, readings, method) for component in method.components}
    present = [component for component in method.components if components[component.name] is not None]
    weights = {component.name: component.weight for component in present}
    coverage = math.fsum(weights.values())
    status = _status(method, present, coverage)
    scores = {name: value for name, value in components.items() if value is not None}
    composite = _mean(scores, weights) if status != "none" else None
    official = status in ("full", "official_partial")
    return Print(
        method=method.name,
        components=components,
        composite=composite,
        level=method.level(composite) if official and composite is not None else None,
        status=status,
        coverage=min(1.0, coverage),
        vulnerability=_block_mean("vulnerability", present, scores),
        stress=_block_mean("stress", present, scores),
        contributions={} if composite is None else {
            name: weights[name] * scores[name] / coverage for name in scores
        },
        missing={c.name: _why(c, readings) for c in method.components if components[c.name] is None},
        crowded=_crowded(method, readings),
        readings=dict(readings),
    )  # fmt: skip


def _component_score(component: Component, readings: Mapping[str, Reading], method: Method) -> float | None:
    """Weighted mean of the indicators present; None where less than the method's floor of weight is."""
    scores: dict[str, float] = {}
    weights: dict[str, float] = {}
    for indicator in component.indicators:
        value = readings[indicator.name].value
        if value is not None:
            scores[indicator.name] = indicator.scale.score(value)
            weights[indicator.name] = indicator.weight
    if not weights or math.fsum(weights.values()) < method.component_floor - SLACK:
        return None
    return _mean(scores, weights)


def _mean(scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Weighted mean, weights renormalised; within the scores' own range in spite of rounding."""
    mean = math.fsum(weights[name] * scores[name] for name in scores) / math.fsum(weights.values())
    return min(max(scores.values()), max(min(scores.values()), mean))


def _block_mean(block: str, present: Iterable[Component], scores: Mapping[str, float]) -> float | None:
    weights = {component.name: component.weight for component in present if component.block == block}
    return _mean({name: scores[name] for name in weights}, weights) if weights else None


def _status(method: Method, present: list[Component], coverage: float) -> str:
    if len(present) == len(method.components):
        return "full"
    if _meets(method.official_partial, present, coverage):
        return "official_partial"
    return "indicative" if _meets(method.indicative, present, coverage) else "none"


def _meets(rule: StatusRule, present: list[Component], coverage: float) -> bool:
    blocks = {component.block for component in present}
    enough = coverage >= rule.coverage - SLACK and len(present) >= rule.components
    return enough and (not rule.every_block or blocks == set(BLOCKS))


def _why(component: Component, readings: Mapping[str, Reading]) -> str:
    reasons = (readings[indicator.name].reason for indicator in component.indicators)
    return "; ".join(reason for reason in reasons if reason)


def _crowded(method: Method, readings: Mapping[str, Reading]) -> bool | None:
    values = [readings[name].value for name in method.crowded.indicators]
    known = [value for value in values if value is not None]
    return all(value > method.crowded.above for value in known) if len(known) == len(values) else None


def input_digest(method: Method, readings: Mapping[str, Reading], as_of: date, knowledge_at: datetime) -> str:
    """SHA-256 in hex of everything a print depends on.

    That is the method's own digest, the date, the instant of knowledge and each reading's value (by its
    bits), unit, age and source. The wording of reasons and notes stays out, so that a better sentence in a
    later release does not pose as a correction of the index.
    """
    content = {
        "method": method.digest,
        "as_of": as_of.isoformat(),
        "knowledge_at": _instant(knowledge_at),
        "readings": {
            name: [
                None if reading.value is None else (reading.value + 0.0).hex(),
                reading.unit,
                reading.observed_on.isoformat() if reading.observed_on else None,
                _instant(reading.available_at) if reading.available_at else None,
                reading.source,
            ]
            for name, reading in readings.items()
        },
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
