"""Reading the methods that the package ships.

Methods are YAML files in `methods/`, one a published version. They are validated whole when they are read,
so that a slip in a file is refused by file and field instead of moving the index.
"""

import hashlib
import json
import math
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from abri_pipeline.analytics.abri.indicators import KNOWN, Measure
from abri_pipeline.analytics.abri.method import (
    BLOCKS,
    COMPOSITE,
    AlertThreshold,
    Component,
    Crowded,
    Method,
    ScoredIndicator,
    StatusRule,
)
from abri_pipeline.analytics.abri.scales import read_scale
from abri_pipeline.analytics.abri.section import MethodError, Section, read_yaml
from abri_pipeline.contracts.abri import COMPONENTS, LEVELS

EXACT = 1e-9  # weights are decimal fractions; their sum is 1 but for binary rounding


@lru_cache
def load_method(name: str) -> Method:
    """A method that the package ships, such as `spec-1.1`.

    Raises:
        MethodError: there is no such method, or its file is refused.
    """
    if name not in available_methods():
        raise MethodError(f"there is no method {name!r}; known are {', '.join(available_methods())}")
    file = f"{name}.yaml"
    method = parse_method(files(__package__).joinpath("methods", file).read_text("utf-8"), file)
    if method.name != name:
        raise MethodError(f"{file}: method is {method.name!r}; it must be the name of the file")
    return method


def available_methods() -> tuple[str, ...]:
    """Names of the shipped methods, sorted."""
    shipped = (entry.name for entry in files(__package__).joinpath("methods").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in shipped if name.endswith(".yaml")))


def parse_method(text: str, file: str) -> Method:
    """Read and validate the text of a method file; `file` is the name used in errors.

    Raises:
        MethodError: the text is no YAML, a field is missing, unknown or out of its bounds, an indicator is
            unknown, weights do not sum to 1, or cuts are not in order; file and field are named.
    """
    content = read_yaml(text, file)
    top = Section(content, file)
    measures = {name: _measure(name, part) for name, part in top.section("measures").sections()}
    components = _components(top.section("components"), tuple(measures))
    status = top.section("status")
    method = Method(
        name=top.text("method"),
        title=top.text("title"),
        measures=measures,
        components=components,
        component_floor=top.number("component_floor", low=0, high=1),
        levels=_levels(top.section("levels")),
        official_partial=_status_rule(status.section("official_partial")),
        indicative=_status_rule(status.section("indicative")),
        crowded=_crowded(top.section("crowded"), tuple(measures)),
        alerts=tuple(_alert(name, part, tuple(measures)) for name, part in top.section("alerts").sections()),
        digest=_digest(content),
    )
    if method.indicative.coverage > method.official_partial.coverage:
        raise status.error("indicative.coverage", "asks for more than official_partial")
    status.close()
    top.close()
    return method


def _measure(name: str, section: Section) -> Measure:
    if name not in KNOWN:
        raise section.error("", f"is not a known indicator; known are {', '.join(KNOWN)}")
    measure = KNOWN[name].configure(section)
    section.close()
    return measure


def _components(section: Section, measured: tuple[str, ...]) -> tuple[Component, ...]:
    components = tuple(_component(name, part, measured) for name, part in section.sections())
    _must_sum_to_one(section, [component.weight for component in components])
    for block in BLOCKS:
        if not any(component.block == block for component in components):
            raise section.error("", f"hold no component of the block {block}")
    return components


def _component(name: str, section: Section, measured: tuple[str, ...]) -> Component:
    if name not in COMPONENTS:
        raise section.error("", f"is not a known component; known are {', '.join(COMPONENTS)}")
    inside = section.section("indicators")
    indicators = []
    for indicator, part in inside.sections():
        if indicator not in measured:
            raise part.error("", f"is not measured by this method; measured are {', '.join(measured)}")
        weight = part.number("weight", low=0, high=1)
        indicators.append(ScoredIndicator(indicator, weight, read_scale(part.section("scale"))))
        part.close()
    _must_sum_to_one(inside, [indicator.weight for indicator in indicators])
    weight, block = section.number("weight", low=0, high=1), section.text("block", BLOCKS)
    section.close()
    return Component(name, weight, block, tuple(indicators))


def _must_sum_to_one(section: Section, weights: list[float]) -> None:
    if min(weights) <= 0:
        raise section.error("", "hold a weight of 0; leave out what does not count")
    if abs((total := math.fsum(weights)) - 1.0) > EXACT:
        raise section.error("", f"have weights that sum to {total:g}; they must sum to 1")


def _levels(section: Section) -> tuple[tuple[str, float], ...]:
    cuts = tuple((name, section.number(name, low=0, high=100)) for name in LEVELS)
    section.close()
    if cuts[0][1] != 0:
        raise section.error(LEVELS[0], "must start at 0")
    for (_, lower), (name, cut) in pairwise(cuts):
        if cut <= lower:
            raise section.error(name, f"starts at {cut:g}, not above the level before it ({lower:g})")
    return cuts


def _status_rule(section: Section) -> StatusRule:
    rule = StatusRule(
        section.number("coverage", low=0, high=1), section.whole("components"), section.flag("every_block")
    )
    section.close()
    return rule


def _crowded(section: Section, measured: tuple[str, ...]) -> Crowded:
    crowded = Crowded(section.names("indicators"), section.number("above"))
    section.close()
    if unknown := [name for name in crowded.indicators if name not in measured]:
        raise section.error("indicators", f"name {unknown[0]!r}, which this method does not measure")
    return crowded


def _alert(metric: str, section: Section, measured: tuple[str, ...]) -> AlertThreshold:
    alert = AlertThreshold(
        metric,
        section.text("watches", (COMPOSITE, *measured)),
        section.text("breach", ("above", "below")),
        section.number("warning"),
        section.number("critical"),
    )
    section.close()
    worse = alert.critical > alert.warning if alert.breach == "above" else alert.critical < alert.warning
    if not worse:
        raise section.error("critical", f"is {alert.critical:g}, not beyond the warning at {alert.warning:g}")
    return alert


def _digest(content: object) -> str:
    canonical = json.dumps(_as_floats(content), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _as_floats(content: object) -> object:
    """Whole numbers as floats, so that 30 and 30.0 are the same method."""
    if isinstance(content, dict):
        return {str(key): _as_floats(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_as_floats(item) for item in content]
    if isinstance(content, int) and not isinstance(content, bool):
        return float(content)
    return content
