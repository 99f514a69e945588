"""The documentation page of the datasets, written from their contracts: `make docs` puts it into `docs/datasets.md`."""

from abri_pipeline.contracts.catalog import DATASETS, RECORDS
from abri_pipeline.contracts.model import Complete, Continuous, Dataset, Expectation, Field, Fresh, Outliers, Table


def datasets_page() -> str:
    """Every table the platform keeps, in Markdown."""
    head = [
        "# Datasets",
        "",
        "Written from the contracts in `abri_pipeline/contracts` by `make docs`; a test holds the two together.",
        "Dates are exchange sessions, instants are UTC. Keys are bold.",
        "",
    ]
    books = ["## The platform's own books", "", *(line for table in RECORDS for line in _table(table))]
    return "\n".join([*head, *(line for dataset in DATASETS for line in _dataset(dataset)), *books]).rstrip() + "\n"


def _dataset(dataset: Dataset) -> list[str]:
    facts = [
        f"One row is {dataset.grain}. It gains rows {dataset.cadence.value}.",
        f"Source: {dataset.source}.",
        *([f"Computed from: {', '.join(f'`{name}`' for name in dataset.inputs)}."] if dataset.inputs else []),
        *(["Append-only: the database refuses to change or delete a row."] if dataset.append_only else []),
        *(f"Expected: {_expectation(e)}." for e in dataset.expectations),
    ]
    return [
        f"## {dataset.title}: `{dataset.name}`",
        "",
        dataset.meaning,
        "",
        *(f"- {f}" for f in facts),
        "",
        *_fields(dataset),
    ]


def _table(table: Table) -> list[str]:
    return [f"### `{table.name}`", "", table.meaning, "", *_fields(table)]


def _fields(table: Table) -> list[str]:
    rows = []
    for f in table:
        name = f"**{f.name}**" if f.name in table.key else f.name
        rows.append(f"| {name} | {f.kind.value} | {f.unit} | {f.meaning} | {_rule(table, f)} |")
    return ["| column | kind | unit | meaning | rule |", "|---|---|---|---|---|", *rows, ""]


def _rule(table: Table, field: Field) -> str:
    said = ["required"] if field.required or field.name in table.key else []
    said += [f">= {field.low:g}"] if field.low is not None else []
    said += [f"> {field.above:g}"] if field.above is not None else []
    said += [f"<= {field.high:g}"] if field.high is not None else []
    said += ["one of " + ", ".join(field.choices)] if field.choices else []
    said += [f"at most {high}" for low, high in table.orders if low == field.name]
    said += [f"plausible {field.plausible[0]:g} to {field.plausible[1]:g}"] if field.plausible else []
    return "; ".join(said)


def _expectation(expectation: Expectation) -> str:
    match expectation:
        case Complete():
            return "a row, or an explained gap, for every listed instrument on every session"
        case Fresh(warn, error):
            return f"the newest row lags the calendar by at most {warn} sessions (warning), {error} (error)"
        case Continuous(column, step, log, _):
            return f"`{column}` steps by at most {step:g}{' in logarithms' if log else ''} between neighbouring rows"
        case Outliers(column, by, _, limit):
            return f"`{column}` changes year on year within {limit:g} robust deviations of the past of its {by}"
