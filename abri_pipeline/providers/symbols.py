"""How a vendor spells names, and between which days a name means the security we think.

Belongs here: spelling and dated names, as `providers.yaml` declares them. Does not belong here: our own
instruments and their renames (contracts, warehouse).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from abri_pipeline.providers.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Era:
    """A vendor's name for an instrument, valid from `first` to `last`; None is without bound."""

    symbol: str
    first: date | None = None
    last: date | None = None

    def clip(self, start: date, end: date) -> tuple[date, date] | None:
        """The part of a window that lies in the era."""
        begins, ends = max(start, self.first or start), min(end, self.last or end)
        return (begins, ends) if begins <= ends else None


@dataclass(frozen=True, slots=True)
class Asked:
    """One name and the window in which to ask for it."""

    symbol: str
    start: date
    end: date


@dataclass(frozen=True)
class SymbolRules:
    """A vendor's rules for names.

    Attributes:
        provider: for errors.
        separator: stands before the share class: BRK.B here, BRK-B there.
        suffix: stands behind every equity's name, such as `.us`.
        lower: names are written small.
        history: dated names by our symbol; what the vendor gives outside of the days is another security.
        named: names that differ altogether, by ours, such as crypto pairs.
    """

    provider: str
    separator: str = "."
    suffix: str = ""
    lower: bool = False
    history: Mapping[str, tuple[Era, ...]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)

    def spell(self, symbol: str) -> str:
        """Our symbol as the vendor writes it."""
        if symbol in self.named:
            return self.named[symbol]
        spelled = symbol.replace(".", "-").replace("-", self.separator) if _share_class(symbol) else symbol
        return (spelled.lower() if self.lower else spelled) + self.suffix

    def asked(self, symbol: str, start: date, end: date) -> tuple[Asked, ...]:
        """Under which names, in which windows, a vendor has the history of one of our symbols.

        Raises:
            BadRequest: the vendor has the instrument under no name in the window.
        """
        if symbol not in self.history:
            return (Asked(self.spell(symbol), start, end),)
        parts = [(era.symbol, era.clip(start, end)) for era in self.history[symbol]]
        found = tuple(Asked(self.spell(name), *span) for name, span in parts if span)
        if not found:
            raise BadRequest(self.provider, f"has {symbol} under no name from {start} to {end}")
        return found

    def check(self, spelled: str, start: date, end: date) -> None:
        """That a vendor's name means one of our securities on every day of a window.

        Raises:
            BadRequest: on some day it is another one's; the message says which name to ask for and when.
        """
        for symbol, eras in self.history.items():
            own = [era for era in eras if self.spell(era.symbol) == spelled]
            if own and not any(era.clip(start, end) == (start, end) for era in own):
                told = "; ".join(f"{self.spell(e.symbol)} {_span(e)}" for e in eras)
                raise BadRequest(
                    self.provider,
                    f"{spelled} from {start} to {end} is partly another security than our {symbol}; ask for {told}",
                )


def _share_class(symbol: str) -> bool:
    """Whether a name ends in a share class: BRK.B, BF-B; not ^GSPC, GC=F, DX-Y.NYB or BTC-USD."""
    stem, dot, tail = symbol.replace("-", ".").rpartition(".")
    return bool(dot) and stem.isalpha() and len(tail) == 1 and tail.isalpha()


def _span(era: Era) -> str:
    first = f"from {era.first}" if era.first else "from the beginning"
    return f"{first} until {era.last}" if era.last else first
