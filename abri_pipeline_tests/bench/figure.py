"""One measured figure: its samples, its target, and the floors it stands on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Floor:
    """The least such work costs, measured in the same rounds. Its samples are in the figure's unit."""

    name: str
    samples: Sequence[float]


@dataclass(frozen=True)
class Figure:
    """Samples of one figure, one a round.

    `target` is a bound in `unit`: the most, or the least where `more_is_better`. `ratio_target` bounds the median
    over the rounds of figure / sum of floors.
    """

    name: str
    what: str
    unit: str
    samples: Sequence[float]
    target: float
    more_is_better: bool = False
    floors: Sequence[Floor] = ()
    ratio_target: float | None = None
    notes: Sequence[str] = field(default=())

    @property
    def ratio(self) -> float | None:
        """Median over the rounds of figure / sum of floors; None where it has no floor."""
        if not self.floors:
            return None
        sums = (sum(parts) for parts in zip(*(floor.samples for floor in self.floors), strict=True))
        return float(median(own / under for own, under in zip(self.samples, sums, strict=True)))

    @property
    def kept(self) -> bool:
        """Whether the median keeps the target, and the ratio its own."""
        middle, ratio = median(self.samples), self.ratio
        within = middle >= self.target if self.more_is_better else middle <= self.target
        return within and (self.ratio_target is None or (ratio is not None and ratio <= self.ratio_target))

    def lines(self) -> list[str]:
        """The figure as printed: itself, then its floors, then what one should know."""
        sign = ">=" if self.more_is_better else "<="
        said = [
            f"{self.name}: {self.what}",
            _line("measured", self.samples, self.unit, f"target {sign} {_number(self.target)}"),
            *(_line(f"floor: {floor.name}", floor.samples, self.unit) for floor in self.floors),
        ]
        if (ratio := self.ratio) is not None:
            bound = f"target <= {self.ratio_target:g}" if self.ratio_target is not None else ""
            said.append(f"  {'ratio to the sum of floors':<44}{ratio:>12.2f}  {'':<27}{bound}".rstrip())
        said.append(f"  {'kept' if self.kept else 'MISSED'}")
        return [*said, *(f"  note: {note}" for note in self.notes)]

    def document(self) -> dict[str, object]:
        """The figure as JSON."""
        return {
            "name": self.name,
            "what": self.what,
            "unit": self.unit,
            "median": median(self.samples),
            "samples": list(self.samples),
            "target": self.target,
            "more_is_better": self.more_is_better,
            "floors": {floor.name: list(floor.samples) for floor in self.floors},
            "ratio": self.ratio,
            "ratio_target": self.ratio_target,
            "kept": self.kept,
            "notes": list(self.notes),
        }


def _line(name: str, samples: Sequence[float], unit: str, bound: str = "") -> str:
    spread = f"({_number(min(samples))} to {_number(max(samples))}, n={len(samples)})"
    return f"  {name:<44}{_number(median(samples)):>12} {unit:<7}{spread:<26}{bound}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"
