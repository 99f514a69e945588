"""Who can be asked for what: the providers of `providers.yaml` with their modules.

Belongs here: choosing by asset class, timeframe, plan and key; windows cut to what a provider allows.
Does not belong here: reading of the file (`declared`), scoring and failover (`bandit`), counting (`quota`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from abri_pipeline.providers.alphavantage import AlphaVantage
from abri_pipeline.providers.bars import BarProvider, BarQuery
from abri_pipeline.providers.binance import Binance
from abri_pipeline.providers.binance_vision import BinanceVision
from abri_pipeline.providers.declared import TIERS, Declared, Limit, Offer, read
from abri_pipeline.providers.declared_section import RegistryError
from abri_pipeline.providers.massive import Massive
from abri_pipeline.providers.stooq import Stooq
from abri_pipeline.providers.symbols import Asked
from abri_pipeline.providers.yahoo_bars import Yahoo
from abri_pipeline.settings import SECRETS, Settings

__all__ = ["FILE", "Limit", "Provider", "Registry", "RegistryError"]

FILE = Path(__file__).with_name("providers.yaml")
_BARS: dict[str, type[BarProvider]] = {
    one.name: one for one in (Yahoo, Massive, AlphaVantage, Stooq, Binance, BinanceVision)
}


@dataclass(frozen=True)
class Provider:
    """One provider under these settings.

    Attributes:
        declared: as the file says.
        bars: its module, where it gives bars.
        key_set: whether it needs no key or its setting holds one.
    """

    declared: Declared
    bars: BarProvider | None
    key_set: bool

    @property
    def name(self) -> str:
        """The upstream's name."""
        return self.declared.name

    @property
    def usable(self) -> bool:
        """Whether it may be asked: enabled, with a key where it needs one."""
        return self.declared.enabled and self.key_set

    @property
    def adjustment(self) -> str:
        """What its prices are adjusted for: `none` where it gives no bars."""
        return self.bars.adjustment if self.bars else "none"

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits of the plan in use."""
        return self.declared.plans[self.declared.plan].limits

    def offer(self, asset_class: str, timeframe: str) -> Offer | None:
        """What the plan in use offers of a timeframe, its reach included; None where nothing."""
        offer = self.declared.bars.get(asset_class, {}).get(timeframe)
        if offer is None or (offer.plans and self.declared.plan not in offer.plans):
            return None
        reaches = [r for r in (offer.reach, self.declared.plans[self.declared.plan].reach) if r is not None]
        return Offer(min(reaches, default=None), offer.max_span, offer.plans)

    def symbols_for(self, symbol: str, start: date, end: date) -> tuple[Asked, ...]:
        """Under which of its names, in which windows, it has one of our symbols.

        Raises:
            BadRequest: it has the instrument under no name in the window.
        """
        return self.declared.symbols.asked(symbol, start, end)

    def queries(
        self, symbol: str, start: date, end: date, *, asset_class: str, timeframe: str, today: date
    ) -> tuple[BarQuery, ...]:
        """The fewest requests that give a window, oldest first; what lies out of reach is left out.

        A provider whose `named` table does not know a crypto pair has none of it: a coin of the same ticker may
        be another coin.

        Raises:
            BadRequest: it has the instrument under no name in the window.
        """
        offer = self.offer(asset_class, timeframe)
        named = self.declared.symbols.named
        if offer is None or (asset_class == "crypto" and named and symbol not in named):
            return ()
        first = start if offer.reach is None else max(start, today - timedelta(days=offer.reach - 1))
        if first > end:
            return ()
        found: list[BarQuery] = []
        for part in self.symbols_for(symbol, first, end):
            found += [BarQuery(part.symbol, a, b, timeframe) for a, b in _cut(part.start, part.end, offer.max_span)]
        return tuple(found)


@dataclass(frozen=True)
class Registry:
    """All providers by name, in the order of the file."""

    providers: dict[str, Provider]

    @classmethod
    def load(cls, settings: Settings, path: Path | None = None) -> "Registry":
        """The registry of a file: `path`, or `providers.yaml` in ABRI_HOME, or the packaged one.

        Raises:
            RegistryError: the file cannot be used; the message names file and field.
        """
        own = settings.home / "providers.yaml"
        file = path or (own if own.is_file() else FILE)
        return cls({name: _provider(one, settings, file) for name, one in read(file).items()})

    def __getitem__(self, name: str) -> Provider:
        return self.providers[name]

    def for_bars(self, asset_class: str, timeframe: str) -> list[Provider]:
        """The providers that may be asked for bars now, by tier, then as in the file."""
        able = [p for p in self.providers.values() if p.usable and p.bars and p.offer(asset_class, timeframe)]
        return sorted(able, key=lambda p: TIERS.index(p.declared.tiers.get(asset_class, p.declared.tier)))

    def for_dataset(self, dataset: str) -> list[Provider]:
        """The providers of a dataset that may be asked now, by tier, then as in the file."""
        able = [p for p in self.providers.values() if p.usable and dataset in p.declared.datasets]
        return sorted(able, key=lambda p: TIERS.index(p.declared.tier))


def _provider(declared: Declared, settings: Settings, file: Path) -> Provider:
    kind = _BARS.get(declared.name)
    place = f"{file}: {declared.name}"
    if declared.bars and kind is None:
        raise RegistryError(f"{place}.bars: nothing here reads bars of {declared.name}")
    if kind is not None and declared.adjustment not in (None, kind.adjustment):
        raise RegistryError(f"{place}.adjustment: its prices are adjusted as {kind.adjustment!r}")
    if kind is not None and declared.key != kind.key:
        raise RegistryError(f"{place}.key: it is {kind.key or 'none'}")
    if declared.key is not None and declared.key not in SECRETS:
        raise RegistryError(f"{place}.key: {declared.key} is no setting that holds a key")
    for asset_class, offers in declared.bars.items():
        if kind is not None and (beyond := [t for t in offers if t not in kind.timeframes]):
            raise RegistryError(
                f"{place}.bars.{asset_class}.{beyond[0]}: not served; it has {', '.join(kind.timeframes)}"
            )
    key_set = declared.key is None or bool(settings.get(declared.key))
    return Provider(declared, kind(declared.symbols) if kind else None, key_set)


def _cut(start: date, end: date, span: int | None) -> list[tuple[date, date]]:
    """A window in pieces of at most `span` days."""
    if span is None:
        return [(start, end)]
    count = -(-((end - start).days + 1) // span)
    firsts = [start + timedelta(days=n * span) for n in range(count)]
    return [(first, min(first + timedelta(days=span - 1), end)) for first in firsts]
