"""Every declared table, and what every room derives from it: one declaration, the same everywhere."""

import re

import dagster as dg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from abri_pipeline.contracts.catalog import DATASETS, RECORDS, TABLES, dataset
from abri_pipeline.contracts.model import Cadence, Continuous, Dataset, Field, Kind, Outliers, Table
from abri_pipeline.contracts.pages import datasets_page
from abri_pipeline.definitions import defs
from abri_pipeline.defs.specs import spec
from abri_pipeline.quality.checks import CHECKS, implied
from abri_pipeline.quality.schema import schema
from abri_pipeline.settings import PROJECT_ROOT
from abri_pipeline.warehouse.tables import sql_table, table_rules
from abri_pipeline_tests.quality.planting import breaches
from abri_pipeline_tests.warehouse.samples import required

every_dataset = pytest.mark.parametrize("declared", DATASETS, ids=lambda d: d.name)
every_table = pytest.mark.parametrize("declared", TABLES, ids=lambda t: t.name)
TIDY = re.compile(r"[a-z][a-z0-9_]*")
# The unit of each fact stands beside it in the same row.
UNIT_IN_THE_ROW = {("filing_facts", "value"), ("corporate_actions", "value"), ("data_quality_log", "score")}


@every_table
def test_names_are_tidy_and_fields_have_meanings(declared: Table):
    assert TIDY.fullmatch(declared.name)
    assert declared.meaning.endswith(".")
    for field in declared:
        assert TIDY.fullmatch(field.name), field.name
        assert len(field.meaning) > 2, field.name


@every_table
def test_key_fields_are_required(declared: Table):
    assert declared.key
    assert all(declared[name].required for name in declared.key)


@every_table
def test_bounds_make_sense(declared: Table):
    for field in declared:
        bounded = {field.low, field.above, field.high} != {None}
        assert not bounded or field.kind in {Kind.NUMBER, Kind.COUNT}, field.name
        assert not field.choices or field.kind is Kind.TEXT, field.name
        assert field.low is None or field.above is None, f"{field.name} has two lower bounds"
        if field.plausible:
            low, high = field.plausible
            assert low < high
            assert field.low is None or field.low <= low, f"{field.name}: what is plausible would be rejected"
            assert field.high is None or high <= field.high, f"{field.name}: what is plausible would be rejected"
    for low, high in declared.orders:
        assert declared[low].kind is declared[high].kind


@every_dataset
def test_numbers_have_units(declared: Dataset):
    for field in declared:
        if field.kind is Kind.NUMBER and (declared.name, field.name) not in UNIT_IN_THE_ROW:
            assert field.unit, f"{declared.name}.{field.name} has no unit"


@every_dataset
def test_a_dataset_says_what_it_is(declared: Dataset):
    assert declared[declared.observed].kind is Kind.DATE
    assert declared[declared.observed].required
    assert declared.title
    assert declared.grain.startswith("one ")
    assert declared.group
    assert declared.kinds
    assert declared.owners
    assert declared.source
    assert isinstance(declared.cadence, Cadence)
    assert set(declared.inputs) <= {d.name for d in DATASETS} - {declared.name}
    assert dataset(declared.name) is declared


@every_dataset
def test_a_dataset_is_fetched_or_computed(declared: Dataset):
    fetched = {"source_provider", "raw_hash", "pulled_at"} <= set(declared.columns)
    assert fetched is not bool(declared.inputs), "fetched rows have provenance, computed ones have inputs"
    assert fetched or "recorded_at" in declared.columns


@every_dataset
def test_expectations_name_fields(declared: Dataset):
    for expected in declared.expectations:
        if isinstance(expected, Continuous):
            assert declared[expected.column].kind is Kind.NUMBER
            assert expected.step > 0
        if isinstance(expected, Outliers):
            assert declared[expected.column].kind is Kind.NUMBER
            assert declared[expected.order].kind is Kind.DATE
            assert expected.by in declared.columns


def test_inputs_come_before_what_is_computed_from_them():
    seen: set[str] = set()
    for declared in DATASETS:
        assert set(declared.inputs) <= seen, declared.name
        seen.add(declared.name)


def test_names_are_unique_and_unknown_ones_are_refused():
    names = [t.name for t in TABLES]
    assert len(set(names)) == len(names)
    assert len(RECORDS) > 8
    with pytest.raises(KeyError, match="no dataset 'bars'; known: price_history_daily"):
        dataset("bars")


def test_a_declaration_that_contradicts_itself_is_refused():
    day = Field("day", Kind.DATE, "a day", required=True)
    with pytest.raises(ValueError, match="declared twice"):
        Table(name="t", meaning="m", key=("day",), fields=(day, day))
    with pytest.raises(ValueError, match=r"no such field \['low'\]"):
        Table(name="t", meaning="m", key=("day",), fields=(day,), orders=(("low", "day"),))


@every_table
@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda d: d.name)
def test_the_sql_table_is_the_contract(declared: Table, dialect: sa.Dialect):
    table = sql_table(declared)
    assert tuple(table.columns.keys()) == declared.columns
    assert tuple(table.primary_key.columns.keys()) == declared.key
    assert {c.name for c in table.columns if not c.nullable} == {f.name for f in declared if required(declared, f)}
    ddl = str(CreateTable(table).compile(dialect=dialect))
    assert all(f"CONSTRAINT {name} CHECK ({condition})" in ddl for name, condition in table_rules(declared))


@every_table
def test_the_pandera_schema_is_the_contract(declared: Table):
    made = schema(declared)
    assert tuple(made.columns) == declared.columns
    assert made.strict is True
    assert {n for n, c in made.columns.items() if not c.nullable} == {f.name for f in declared if required(declared, f)}


@every_table
def test_database_and_pandera_have_one_rule_each_for_every_bound(declared: Table):
    made = schema(declared)
    for field in declared:
        in_sql = [n for n, _ in table_rules(declared) if n.startswith(f"ck_{declared.name}_{field.name}_")]
        in_sql = [n for n in in_sql if n.removeprefix(f"ck_{declared.name}_{field.name}_") in SQL_RULES]
        assert len(made.columns[field.name].checks) == len(in_sql), field.name
    assert len(made.checks) == len(declared.orders)


SQL_RULES = {"finite", "low", "above", "high", "choice"}


@every_dataset
def test_the_asset_is_the_contract(declared: Dataset):
    made = spec(declared)
    assert made.key == dg.AssetKey(declared.name)
    assert {dep.asset_key for dep in made.deps} == {dg.AssetKey(name) for name in declared.inputs}
    assert (made.group_name, made.kinds, list(made.owners)) == (
        declared.group,
        set(declared.kinds),
        list(declared.owners),
    )
    assert declared.meaning in str(made.description)
    columns = made.metadata["dagster/column_schema"].columns
    assert [c.name for c in columns] == list(declared.columns)
    for column, field in zip(columns, declared, strict=True):
        assert column.constraints.nullable is not required(declared, field)
        said = {f">= {field.low:g}"} if field.low is not None else set()
        said |= {f"> {field.above:g}"} if field.above is not None else set()
        said |= {f"<= {field.high:g}"} if field.high is not None else set()
        said |= {"one of " + ", ".join(field.choices)} if field.choices else set()
        assert set(column.constraints.other) == said
        assert field.unit in str(column.description)


@every_dataset
def test_the_shipped_graph_holds_the_asset_as_declared(declared: Dataset):
    graph = defs.resolve_asset_graph()
    node = graph.get(dg.AssetKey(declared.name))
    assert node.parent_keys == {dg.AssetKey(name) for name in declared.inputs}
    assert node.group_name == declared.group
    assert node.metadata["dagster/column_schema"] == spec(declared).metadata["dagster/column_schema"]
    named = {key.name for key in graph.asset_check_keys if key.asset_key == node.key}
    assert named == set(implied(declared))


@every_dataset
def test_checks_follow_from_the_contract(declared: Dataset):
    names = implied(declared)
    assert names[0] == "contract"
    assert set(names) <= set(CHECKS)
    assert ("ranges" in names) is any(f.plausible for f in declared)
    assert ("failures" in names) is ("raw_hash" in declared.columns)


def test_every_check_is_used_by_some_dataset():
    assert {name for declared in DATASETS for name in implied(declared)} == set(CHECKS)


@every_dataset
def test_every_breach_has_a_rule_and_every_rule_a_breach(declared: Dataset):
    bounds = sum(len(list(c.checks)) for c in schema(declared).columns.values())
    ours = [b for b in breaches(declared) if not b.rule.endswith("is required") and not b.rule.endswith("is finite")]
    finite = sum(f.kind is Kind.NUMBER for f in declared)
    assert len(ours) == bounds - finite + len(declared.orders)


@every_table
def test_the_page_tells_every_bound(declared: Table):
    page = datasets_page()
    section = re.split(r"\n##+ ", page[page.index(f"`{declared.name}`\n") :])[0]
    lines = {line.split(" | ")[0].strip("|* "): line for line in section.splitlines() if line.startswith("| ")}
    for field in declared:
        line = lines[field.name]
        assert all(said in line for said in (field.meaning, field.unit, str(field.kind), *field.choices)), line
        assert field.low is None or f">= {field.low:g}" in line
        assert field.above is None or f"> {field.above:g}" in line
        assert field.high is None or f"<= {field.high:g}" in line
        assert ("required" in line) is required(declared, field)


def test_the_page_of_checks_tells_each():
    page = (PROJECT_ROOT / "docs" / "checks.md").read_text()
    assert [name for name in CHECKS if f"| {name} |" not in page] == []
