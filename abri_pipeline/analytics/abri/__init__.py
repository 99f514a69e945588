"""The index itself: published methods, indicators as known at a date, scores and prints.

A method is a frozen file in `methods/`. `readings` measures its indicators from frames that hold every
version of every row, looking only at what was observed by `as_of` and known by `knowledge_at`; `score` turns
them into a `Print`; `input_digest` names what went in. `WeeklyScorer` does it for many dates.

Belongs here: formulas, the rules of absence, status and level. Does not belong here: reading the warehouse,
storing prints, which weeks to print, and sending alerts.
"""

from abri_pipeline.analytics.abri.asof import InputError
from abri_pipeline.analytics.abri.inputs import Inputs
from abri_pipeline.analytics.abri.method import Method
from abri_pipeline.analytics.abri.method_file import available_methods, load_method, parse_method
from abri_pipeline.analytics.abri.prints import Print, input_digest, score
from abri_pipeline.analytics.abri.reading import Reading
from abri_pipeline.analytics.abri.section import MethodError
from abri_pipeline.analytics.abri.weekly import DatedPrint, WeeklyScorer, readings

__all__ = [
    "DatedPrint",
    "InputError",
    "Inputs",
    "Method",
    "MethodError",
    "Print",
    "Reading",
    "WeeklyScorer",
    "available_methods",
    "input_digest",
    "load_method",
    "parse_method",
    "readings",
    "score",
]
