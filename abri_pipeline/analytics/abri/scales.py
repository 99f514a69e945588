"""Kinds of scales: how the value of an indicator becomes a score from 0 to 100.

A method file picks a kind by name and gives its parameters; a new kind is one class and one line in
`SCALES`. Scores are clipped to [0, 100] and depend on the value alone.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from abri_pipeline.analytics.abri.section import Section


class Scale(Protocol):
    """A frozen, parametrised map from a finite indicator value to a score."""

    def score(self, value: float) -> float:
        """Score of a finite value, within [0, 100]."""
        ...


def clip(score: float) -> float:
    """The score within [0, 100]; adding 0.0 turns a negative zero into zero, so that replays print alike."""
    return min(100.0, max(0.0, score)) + 0.0


@dataclass(frozen=True, slots=True)
class Linear:
    """A straight line from `zero_at` (score 0) to `hundred_at` (score 100); falling where that is lower."""

    zero_at: float
    hundred_at: float

    @classmethod
    def read(cls, section: Section) -> "Linear":
        """From the fields `zero_at` and `hundred_at`, in the indicator's unit."""
        scale = cls(section.number("zero_at"), section.number("hundred_at"))
        if scale.zero_at == scale.hundred_at:
            raise section.error("hundred_at", "equals zero_at; a scale needs two different ends")
        return scale

    def score(self, value: float) -> float:
        """(value - zero_at) / (hundred_at - zero_at) x 100, clipped."""
        return clip((value - self.zero_at) / (self.hundred_at - self.zero_at) * 100.0)


@dataclass(frozen=True, slots=True)
class PercentileRank:
    """The indicator is a rank already, as a share of 1."""

    @classmethod
    def read(cls, section: Section) -> "PercentileRank":
        """This kind has no parameters."""
        return cls()

    def score(self, value: float) -> float:
        """Value x 100, clipped."""
        return clip(value * 100.0)


@dataclass(frozen=True, slots=True)
class LogRatio:
    """Logarithmic scale of a ratio: 50 at `fifty_at`, 100 at `hundred_at`, 0 as far below as 100 is above."""

    fifty_at: float
    hundred_at: float

    @classmethod
    def read(cls, section: Section) -> "LogRatio":
        """From the fields `fifty_at` and `hundred_at`, both positive ratios."""
        scale = cls(section.number("fifty_at", low=1e-9), section.number("hundred_at", low=1e-9))
        if scale.fifty_at == scale.hundred_at:
            raise section.error("hundred_at", "equals fifty_at; a scale needs two different points")
        return scale

    def score(self, value: float) -> float:
        """50 + 50 x log(value / fifty_at) / log(hundred_at / fifty_at), clipped.

        Raises:
            ValueError: the ratio is not positive; a logarithm has no answer there.
        """
        if value <= 0:
            raise ValueError(f"a ratio on a log scale must be positive, not {value}")
        return clip(50.0 + 50.0 * math.log(value / self.fifty_at) / math.log(self.hundred_at / self.fifty_at))


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth against the period before: `unchanged` points at 0 %, plus `per_doubling` points at +100 %."""

    unchanged: float
    per_doubling: float

    @classmethod
    def read(cls, section: Section) -> "Growth":
        """From the fields `unchanged` and `per_doubling`, both in points of score."""
        return cls(section.number("unchanged", low=0, high=100), section.number("per_doubling", low=0, high=100))

    def score(self, value: float) -> float:
        """`unchanged + per_doubling x value`, clipped; the value is a fraction (+100 % = 1.0)."""
        return clip(self.unchanged + self.per_doubling * value)


SCALES: dict[str, type[Linear] | type[PercentileRank] | type[LogRatio] | type[Growth]] = {
    "linear": Linear,
    "percentile_rank": PercentileRank,
    "log_ratio": LogRatio,
    "growth": Growth,
}


def read_scale(section: Section) -> Scale:
    """The scale a method file asks for in `kind`, with its parameters."""
    kind = section.text("kind", tuple(SCALES))
    scale = SCALES[kind].read(section)
    section.close()
    return scale
