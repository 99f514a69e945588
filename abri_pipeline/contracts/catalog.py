"""All contracts, in the order of their inputs."""

from abri_pipeline.contracts import abri, credit, deals, equity, filings, gpu, intraday, market, operations
from abri_pipeline.contracts.model import Dataset, Table

DATASETS: tuple[Dataset, ...] = (
    equity.BARS,
    equity.ACTIONS,
    intraday.BARS,
    credit.SPREADS,
    market.WEIGHTS,
    market.METRICS,
    gpu.PRICES,
    filings.FILINGS,
    filings.FACTS,
    filings.SEGMENTS,
    filings.HYPERSCALERS,
    deals.DEALS,
    abri.HISTORY,
)
RECORDS: tuple[Table, ...] = tuple(t for t in vars(operations).values() if isinstance(t, Table))
TABLES: tuple[Table, ...] = (*DATASETS, *RECORDS)


def dataset(name: str) -> Dataset:
    """The dataset of that table name.

    Raises:
        KeyError: nothing is declared under the name.
    """
    for candidate in DATASETS:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no dataset {name!r}; known: {', '.join(d.name for d in DATASETS)}")
