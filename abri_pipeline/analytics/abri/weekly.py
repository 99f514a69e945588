"""From inputs to readings and prints, at one date or at hundreds of them."""

from dataclasses import dataclass
from datetime import date, datetime

from abri_pipeline.analytics.abri.inputs import Inputs, Tables
from abri_pipeline.analytics.abri.method import Method
from abri_pipeline.analytics.abri.method_file import load_method
from abri_pipeline.analytics.abri.prints import Print, input_digest, score
from abri_pipeline.analytics.abri.reading import Reading


@dataclass(frozen=True, slots=True)
class DatedPrint:
    """A print with the date it looks at, the instant it knows, and the digest of what went in."""

    as_of: date
    knowledge_at: datetime
    input_digest: str
    result: Print


class WeeklyScorer:
    """Sorts the inputs once and prints any method at any date and instant from them."""

    def __init__(self, inputs: Inputs) -> None:
        self._tables = Tables.sorted_from(inputs)

    def readings(self, method: Method, as_of: date, knowledge_at: datetime) -> dict[str, Reading]:
        """Every indicator the method measures, from rows observed by `as_of` and available by `knowledge_at`.

        Raises:
            ValueError: `knowledge_at` has no time zone.
        """
        return {name: measure(self._tables, as_of, knowledge_at) for name, measure in method.measures.items()}

    def print_at(self, method: Method, as_of: date, knowledge_at: datetime) -> DatedPrint:
        """The print of one date as known at one instant."""
        readings = self.readings(method, as_of, knowledge_at)
        digest = input_digest(method, readings, as_of, knowledge_at)
        return DatedPrint(as_of, knowledge_at, digest, score(method, readings))


def readings(inputs: Inputs, as_of: date, knowledge_at: datetime, method: Method | None = None) -> dict[str, Reading]:
    """The indicators of one date (of `spec-1.1` unless another method is given).

    For many dates a `WeeklyScorer` sorts the inputs only once.
    """
    return WeeklyScorer(inputs).readings(method or load_method("spec-1.1"), as_of, knowledge_at)
