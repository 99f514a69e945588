"""Screening: accepted and rejected part the load, and pandera refuses exactly what the database refuses."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.model import Dataset
from abri_pipeline.quality.checks import run
from abri_pipeline.quality.screen import screen
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.tables import sql_table
from abri_pipeline.warehouse.upsert import Outcome, upsert
from abri_pipeline_tests.quality import planting
from abri_pipeline_tests.quality.planting import WEEK, breaches, edges
from abri_pipeline_tests.warehouse import samples

every_dataset = pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)


def load(dataset: Dataset, *rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(dataset.columns)).astype(object)


@every_dataset
def test_sound_rows_pass_and_land(engine: Engine, dataset: Dataset):
    split = screen(dataset, samples.rows(dataset))
    assert split.rejected.empty, split.rejected
    with begin(engine) as connection:
        assert upsert(connection, dataset, split.accepted) == Outcome(inserted=3)


@every_dataset
def test_what_pandera_refuses_the_database_refuses(engine: Engine, dataset: Dataset):
    every = list(breaches(dataset))
    broken = [planting.row(dataset, number, **breach.cells) for number, breach in enumerate(every)]
    split = screen(dataset, load(dataset, *broken))
    assert split.accepted.empty
    for number, (breach, cells) in enumerate(zip(every, broken, strict=True)):
        rule = "finite" if breach.rule.endswith("is finite") else breach.rule
        assert rule in set(split.rejected.loc[split.rejected["position"] == number, "rule"]), breach
        with pytest.raises(IntegrityError), begin(engine) as connection:
            connection.execute(sql_table(dataset).insert(), cells)


@every_dataset
def test_what_stands_on_a_bound_passes_both(engine: Engine, dataset: Dataset):
    every = list(edges(dataset))
    if not every:
        return  # no field of it has a bound or a choice
    allowed = [planting.row(dataset, number, **edge.cells) for number, edge in enumerate(every)]
    assert screen(dataset, load(dataset, *allowed)).rejected.empty
    with begin(engine) as connection:
        connection.execute(sql_table(dataset).insert(), allowed)


@every_dataset
def test_a_second_row_with_one_key_is_rejected(dataset: Dataset):
    one = planting.row(dataset)
    split = screen(dataset, load(dataset, one, one))
    assert (len(split.accepted), list(split.rejected["rule"]), split.rows) == (1, ["unique"], 2)


def test_a_row_on_a_closed_day_is_rejected_where_sessions_are_given():
    rows = load(BARS, planting.row(BARS, date=WEEK[0]), planting.row(BARS, date=date(2026, 1, 19)))
    assert screen(BARS, rows).rejected.empty
    split = screen(BARS, rows, sessions=WEEK)
    assert list(split.rejected["rule"]) == ["date is a session"]
    assert split.rejected_days == {date(2026, 1, 19)}
    assert list(split.accepted["date"].dt.date) == [WEEK[0]]


def test_a_column_nobody_declared_is_refused():
    with pytest.raises(KeyError, match=r"does not declare \['colour'\]"):
        screen(BARS, load(BARS, planting.row(BARS)).assign(colour="red"))


PRICE = st.one_of(
    st.none(), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([-1.0, 0.0, 1e-9, 10.0, 11.0, 1e308])
)
BAR = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["NVDA", "SPY", None]),
        "date": st.sampled_from([*WEEK, date(2026, 1, 19)]),
        "open": PRICE,
        "high": PRICE,
        "low": PRICE,
        "close": PRICE,
        "volume": st.one_of(st.none(), st.integers(-2, 2)),
        "bar_status": st.sampled_from(["final", "provisional", "FINAL", None]),
    }
)


def sound(bar: dict[str, object]) -> bool:
    """The contract of bars in plain Python, written without looking at the schema."""

    def at(name: str) -> float | None:
        value = bar[name]
        return None if value is None or value != value else float(str(value))

    prices = [at(n) for n in ("open", "high", "low", "close")]
    if any(p is not None and not 0 < p < float("inf") for p in prices) or at("close") is None:
        return False
    if bar["symbol"] is None or bar["bar_status"] not in ("final", "provisional") or bar["date"] not in WEEK:
        return False
    if bar["volume"] is not None and int(str(bar["volume"])) < 0:
        return False
    first, high, low, last = prices
    pairs = [(low, high), (low, first), (low, last), (first, high), (last, high)]
    return all(a is None or b is None or a <= b for a, b in pairs)


@settings(max_examples=40, deadline=None)
@given(st.lists(BAR, max_size=6))
def test_a_load_is_parted_and_no_defect_lands(bars: list[dict[str, object]]):
    rows = load(BARS, *(planting.row(BARS) | bar for bar in bars))
    split = screen(BARS, rows, sessions=WEEK)
    assert len(split.accepted) + split.rejected["position"].nunique() == len(bars) == split.rows
    kept, seen = [], set()
    for bar in bars:
        key = (bar["symbol"], bar["date"])
        if sound(bar) and key not in seen:
            kept.append(key)
        seen.add(key)
    assert list(zip(split.accepted["symbol"], split.accepted["date"].dt.date, strict=True)) == kept
    assert split.rejected["reason"].str.len().min() > 0 or split.rejected.empty


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bars=st.lists(BAR, max_size=6))
def test_what_is_accepted_the_database_takes(engine: Engine, bars: list[dict[str, object]]):
    split = screen(BARS, load(BARS, *(planting.row(BARS) | bar for bar in bars)))
    with begin(engine) as connection:
        connection.execute(sql_table(BARS).delete())
        assert upsert(connection, BARS, split.accepted).inserted == len(split.accepted)
        assert run(connection, BARS, "contract").passed
