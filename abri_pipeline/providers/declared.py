"""What `providers.yaml` may say: its fields, checked one by one, with errors that name file and field.

Belongs here: reading and validation of the file. Does not belong here: choosing among providers (`registry`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import get_args

from abri_pipeline.providers.bars import STEPS, Adjustment
from abri_pipeline.providers.declared_section import RegistryError, Section, shown
from abri_pipeline.providers.hosts import UPSTREAMS
from abri_pipeline.providers.symbols import Era, SymbolRules
from abri_pipeline.settings import NAMES

TIERS = ("primary", "secondary", "fallback")
PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "month": 2_678_400}  # a month is its longest
UNITS = ("call", "weight")
BASES = ("documented", "enforced", "polite")
ASSET_CLASSES = ("equity", "crypto")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of `unit` in any window of `every` periods.

    Attributes:
        amount: how many.
        unit: `call`, or the vendor's `weight`.
        period: `second`, `minute`, `hour`, `day` or `month`.
        every: how many periods the window spans.
        basis: `documented`, `enforced` or `polite`.
    """

    amount: int
    unit: str
    period: str
    every: int
    basis: str

    @property
    def seconds(self) -> int:
        """Length of the window; a month counts its longest."""
        return self.every * PERIODS[self.period]


@dataclass(frozen=True, slots=True)
class Plan:
    """One of a vendor's plans: its limits and how many days it reaches back (None: all)."""

    limits: tuple[Limit, ...]
    reach: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One timeframe of one asset class.

    Attributes:
        reach: days back from today, None without bound.
        max_span: days of one request, None without bound.
        plans: the plans that include it; empty means all.
    """

    reach: int | None = None
    max_span: int | None = None
    plans: tuple[str, ...] = ()


@dataclass(frozen=True)
class Declared:
    """One provider as the file declares it; `tiers` says for which asset classes its tier is another."""

    name: str
    enabled: bool
    tier: str
    tiers: Mapping[str, str]
    plan: str
    plans: Mapping[str, Plan]
    datasets: tuple[str, ...]
    bars: Mapping[str, Mapping[str, Offer]]
    symbols: SymbolRules
    key: str | None = None
    adjustment: Adjustment | None = None
    weight: int = 1


def read(path: Path) -> dict[str, Declared]:
    """The providers of a file, in its order.

    Raises:
        RegistryError: no such file, no YAML, or a field that is missing, unknown or makes no sense.
    """
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RegistryError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise RegistryError(f"{path}: is not UTF-8 (byte {error.start})") from error
    except (yaml.YAMLError, RecursionError) as error:
        # a problem mark names line and column
        raise RegistryError(f"{path}: is no YAML ({' '.join(str(error).split())[:200]})") from error
    if not isinstance(found, dict) or not found:
        raise RegistryError(f"{path}: expected providers, found {shown(found)}")
    return {str(name): _provider(str(name), Section(body, f"{path}: {name}")) for name, body in found.items()}


def _provider(name: str, section: Section) -> Declared:
    if name not in UPSTREAMS:
        raise RegistryError(f"{section.place}: no such upstream; known are {', '.join(sorted(UPSTREAMS))}")
    plans = {label: _plan(each) for label, each in section.sections("plans").items()}
    declared = Declared(
        name=name,
        enabled=section.take("enabled", bool),
        tier=section.choice("tier", TIERS),
        tiers=_tiers(section),
        plan=section.choice("plan", tuple(plans)),
        plans=plans,
        datasets=section.texts("datasets"),
        bars=_bars(section, tuple(plans)),
        symbols=_symbols(name, section),
        key=section.choice("key", NAMES) if "key" in section.names else None,
        adjustment=_adjustment(section),
        weight=section.count("weight", 1),
    )
    section.done()
    return declared


def _tiers(parent: Section) -> dict[str, str]:
    section = Section(parent.take("tiers", dict, {}), parent.at("tiers"))
    found = {name: section.choice(name, TIERS) for name in section.names if name in ASSET_CLASSES}
    section.done()
    return found


def _adjustment(section: Section) -> Adjustment | None:
    if "adjustment" not in section.names:
        return None
    value = section.choice("adjustment", get_args(Adjustment))
    return next(adjustment for adjustment in get_args(Adjustment) if adjustment == value)


def _plan(section: Section) -> Plan:
    limits = [Section(each, f"{section.at('limits')}[{n}]") for n, each in enumerate(section.take("limits", list))]
    plan = Plan(tuple(_limit(each) for each in limits), section.count("reach", None))
    section.done()
    return plan


def _limit(section: Section) -> Limit:
    limit = Limit(
        amount=section.count("amount"),
        unit=section.choice("unit", UNITS),
        period=section.choice("period", tuple(PERIODS)),
        every=section.count("every", 1),
        basis=section.choice("basis", BASES),
    )
    section.done()
    return limit


def _bars(section: Section, plans: tuple[str, ...]) -> dict[str, dict[str, Offer]]:
    found: dict[str, dict[str, Offer]] = {}
    for asset_class, frames in section.sections("bars").items():
        if asset_class not in ASSET_CLASSES:
            raise RegistryError(f"{frames.place}: no such asset class; known are {', '.join(ASSET_CLASSES)}")
        found[asset_class] = {}
        for timeframe in frames.names:
            if timeframe not in STEPS:
                raise RegistryError(f"{frames.at(timeframe)}: no such timeframe; known are {', '.join(STEPS)}")
            offer = Section(frames.take(timeframe, dict), frames.at(timeframe))
            found[asset_class][timeframe] = _offer(offer, plans)
    return found


def _offer(section: Section, plans: tuple[str, ...]) -> Offer:
    offer = Offer(section.count("reach", None), section.count("max_span", None), section.texts("plans"))
    if unknown := sorted(set(offer.plans) - set(plans)):
        raise RegistryError(f"{section.at('plans')}: {unknown[0]!r} is none of the plans {', '.join(plans)}")
    section.done()
    return offer


def _symbols(name: str, parent: Section) -> SymbolRules:
    section = Section(parent.take("symbols", dict, {}), parent.at("symbols"))
    named = section.take("named", dict, {})
    if wrong := next((k for k, v in named.items() if not (isinstance(k, str) and isinstance(v, str))), None):
        raise RegistryError(f"{section.at('named')}.{wrong}: expected a text for a text")
    rules = SymbolRules(
        provider=name,
        separator=section.choice("separator", (".", "-", "/"), "."),
        suffix=section.take("suffix", str, ""),
        lower=section.take("lower", bool, False),
        history=_history(section),
        named=named,
    )
    section.done()
    return rules


def _history(parent: Section) -> dict[str, tuple[Era, ...]]:
    found: dict[str, tuple[Era, ...]] = {}
    history = Section(parent.take("history", dict, {}), parent.at("history"))
    for symbol in history.names:
        rows = history.take(symbol, list)
        eras = [_era(Section(row, f"{history.at(symbol)}[{n}]")) for n, row in enumerate(rows)]
        for n, (before, after) in enumerate(pairwise(eras), start=1):
            if not (before.last and after.first and before.last < after.first):
                raise RegistryError(f"{history.at(symbol)}[{n}]: begins before the name above it ends")
        found[symbol] = tuple(eras)
    return found


def _era(section: Section) -> Era:
    era = Era(section.take("symbol", str), section.take("from", date, None), section.take("until", date, None))
    if era.first and era.last and era.last < era.first:
        raise RegistryError(f"{section.at('until')}: {era.last} is before {era.first}")
    section.done()
    return era
