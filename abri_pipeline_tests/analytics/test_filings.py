"""Quarters from facts, on invented filings: each trap of the wire once, no recorded data needed."""

from collections.abc import Sequence

import pandas as pd
import pytest

from abri_pipeline.analytics.filings import COLUMNS, hyperscaler_metrics

CAPEX = "PaymentsToAcquirePropertyPlantAndEquipment"
PRODUCTIVE = "PaymentsToAcquireProductiveAssets"
CASH = "NetCashProvidedByUsedInOperatingActivities"
REVENUE = "RevenueFromContractWithCustomerExcludingAssessedTax"
EQUITY = "StockholdersEquity"

Said = tuple[str, str | None, str, float]  # tag, start, end, USD millions


def filing(filed_on: str, *said: Said, form: str = "10-Q", unit: str = "USD", accession: str = "") -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "accession": accession or f"0001-{filed_on}",
                "tag": tag,
                "unit": unit,
                "start": pd.Timestamp(start) if start else pd.NaT,
                "end": pd.Timestamp(end),
                "value": millions * 1e6,
                "form": form,
                "filed_on": pd.Timestamp(filed_on),
                "accepted_at": pd.Timestamp(filed_on, tz="UTC") + pd.Timedelta(hours=21),
            }
            for tag, start, end, millions in said
        ]
    )


def metrics(ticker: str, *filings: pd.DataFrame) -> pd.DataFrame:
    return hyperscaler_metrics(ticker, pd.concat(filings, ignore_index=True))


def values(rows: pd.DataFrame, figure: str) -> dict[tuple[str, str], float]:
    """(period, filing day) -> figure, only where it is known."""
    known = rows[rows[figure].notna()]
    return {(row.fiscal_period, str(row.filed_on.date())): round(getattr(row, figure), 6) for row in known.itertuples()}


def year(tag: str, cumulative: Sequence[float], start: str = "2023-01-01") -> tuple[Said, ...]:
    """A calendar year's cumulative windows: 3, 6, 9 and 12 months."""
    ends = ("03-31", "06-30", "09-30", "12-31")
    return tuple((tag, start, f"{start[:4]}-{end}", value) for end, value in zip(ends, cumulative, strict=True))


def test_cumulative_cash_flows_become_discrete_quarters():
    q1, q2, q3, q4 = year(CAPEX, (10, 30, 60, 100))
    rows = metrics(
        "META",
        filing("2023-04-27", q1),
        filing("2023-07-27", q2),
        filing("2023-10-26", q3),
        filing("2024-02-02", q4, form="10-K"),
    )
    assert values(rows, "capex") == {
        ("FY2023Q1", "2023-04-27"): 10,
        ("FY2023Q2", "2023-07-27"): 20,
        ("FY2023Q3", "2023-10-26"): 30,
        ("FY2023Q4", "2024-02-02"): 40,
    }
    assert list(rows.columns) == list(COLUMNS)


def test_trailing_twelve_months_are_no_fiscal_year():
    """Amazon's 2025Q1 operating cash flow is 17,015; its trailing year of 113,903 starts in April."""
    rows = metrics(
        "AMZN",
        filing("2025-02-06", (CASH, "2024-01-01", "2024-12-31", 115_877), form="10-K"),
        filing("2024-11-01", (CASH, "2024-01-01", "2024-09-30", 70_240), (CASH, "2023-10-01", "2024-09-30", 112_706)),
        filing(
            "2025-05-02",
            (CASH, "2025-01-01", "2025-03-31", 17_015),
            (CASH, "2024-04-01", "2025-03-31", 113_903),
            (CASH, "2024-04-01", "2024-12-31", 96_888),
        ),
    )
    assert values(rows, "operating_cf") == {
        ("FY2024Q4", "2025-02-06"): 45_637,
        ("FY2025Q1", "2025-05-02"): 17_015,
    }


def test_windows_from_inside_a_year_are_no_legs():
    """A trailing year less its own first nine months looks like a quarter; only windows from the year's start are."""
    rows = metrics(
        "AMZN",
        filing("2025-05-02", (CASH, "2024-04-01", "2025-03-31", 113_903), (CASH, "2024-04-01", "2024-12-31", 96_888)),
    )
    assert rows.empty


def test_restatement_replaces_the_quarter_from_its_own_filing_on():
    first, again = year(CAPEX, (10, 30, 60, 100)), year(CAPEX, (9, 28, 57, 96))
    rows = metrics(
        "META",
        filing("2024-02-02", *first, form="10-K"),
        filing("2024-04-25", again[0]),
        filing("2024-08-01", again[1]),
        filing("2024-10-31", again[2]),
        filing("2025-01-30", again[3], form="10-K"),
    )
    fourth = rows[rows["fiscal_period"] == "FY2023Q4"]
    # 100 - 57 = 43 (from 2024-10-31) and 96 - 60 = 36 would each mix two vintages.
    assert values(fourth, "capex") == {("FY2023Q4", "2024-02-02"): 40, ("FY2023Q4", "2025-01-30"): 39}
    latest = rows.groupby("fiscal_period")["capex"].last()
    assert latest.tolist() == [9, 19, 29, 39]
    assert latest.sum() == 96


def test_a_missing_leg_leaves_its_quarters_missing_and_never_zero():
    q1, _, q3, q4 = year(CAPEX, (10, 30, 60, 100))
    cash = year(CASH, (20, 60, 120, 200))
    rows = metrics("META", filing("2024-02-02", q1, q3, q4, *cash, form="10-K")).set_index("fiscal_period")
    assert rows["capex"].isna().tolist() == [False, True, True, False]
    assert rows["operating_cf"].tolist() == [20, 40, 60, 80]
    assert rows["capex_ocf_ratio"].isna().tolist() == [False, True, True, False]
    assert rows.loc["FY2023Q4", "capex_ocf_ratio"] == 0.5


def test_a_leg_that_arrives_late_completes_its_quarter_on_its_own_day():
    q1, q2, *_ = year(CAPEX, (10, 30, 60, 100))
    rows = metrics("META", filing("2023-07-27", q2), filing("2024-04-25", q1))
    assert values(rows, "capex") == {("FY2023Q1", "2024-04-25"): 10, ("FY2023Q2", "2024-04-25"): 20}


def test_a_year_of_53_weeks_ends_on_the_last_sunday_of_january():
    start = "2020-01-27"
    rows = metrics(
        "NVDA",
        filing(
            "2021-02-26",
            (PRODUCTIVE, start, "2020-04-26", 1),
            (PRODUCTIVE, start, "2020-07-26", 3),
            (PRODUCTIVE, start, "2020-10-25", 6),
            (PRODUCTIVE, start, "2021-01-31", 10),
            ("Revenues", start, "2020-10-25", 600),
            ("Revenues", start, "2021-01-31", 1_580),
            ("AccountsReceivableNetCurrent", None, "2021-01-31", 490),
            form="10-K",
        ),
    ).set_index("fiscal_period")
    assert rows["capex"].to_dict() == {"FY2021Q1": 1, "FY2021Q2": 2, "FY2021Q3": 3, "FY2021Q4": 4}
    assert rows["calendar_quarter"].tolist() == ["2020Q1", "2020Q2", "2020Q3", "2020Q4"]
    assert rows.loc["FY2021Q4", "days_sales_outstanding"] == pytest.approx(490 / 980 * 98)  # 14 weeks


def test_instants_join_their_quarter_and_make_none_alone():
    rows = metrics(
        "MSFT",
        filing(
            "2024-04-25",
            (CASH, "2024-01-01", "2024-03-31", 100),
            (EQUITY, None, "2024-03-31", 500),
            (EQUITY, None, "2023-06-30", 400),
            (EQUITY, "2024-03-30", "2024-03-30", 1),
        ),
    )
    assert values(rows, "total_equity") == {("FY2024Q3", "2024-04-25"): 500}


def test_an_instant_may_be_written_with_its_end_as_its_start():
    rows = metrics(
        "MSFT",
        filing(
            "2024-04-25",
            (f"us-gaap:{CASH}", "2024-01-01", "2024-03-31", 100),
            (f"us-gaap:{EQUITY}", "2024-03-31", "2024-03-31", 500),
        ),
    )
    assert rows[["operating_cf", "total_equity"]].to_numpy().tolist() == [[100, 500]]


def test_an_amendment_counts_and_other_forms_units_and_taxonomies_do_not():
    q1 = (CAPEX, "2023-01-01", "2023-03-31", 10)
    rows = metrics(
        "META",
        filing("2023-04-27", q1),
        filing("2023-05-10", (*q1[:3], 12), form="10-Q/A"),
        filing("2023-06-01", (*q1[:3], 13), form="8-K"),
        filing("2023-06-02", (*q1[:3], 14), unit="EUR"),
        filing("2023-06-03", (f"meta:{CAPEX}", *q1[1:3], 15)),
    )
    assert values(rows, "capex") == {("FY2023Q1", "2023-04-27"): 10, ("FY2023Q1", "2023-05-10"): 12}


def test_an_amended_annual_report_moves_the_fourth_quarter():
    windows = year(CAPEX, (10, 30, 60, 100))
    rows = metrics(
        "META",
        filing("2024-02-02", *windows, form="10-K"),
        filing("2024-03-01", (*windows[3][:3], 101), form="10-K/A"),
    )
    fourth = rows[rows["fiscal_period"] == "FY2023Q4"]
    assert fourth["capex"].tolist() == [40, 41]
    assert fourth["source_url"].iloc[1] == "https://www.sec.gov/Archives/edgar/data/1326801/000120240301/"


def test_a_repeat_without_change_makes_no_row():
    windows = year(CAPEX, (10, 30, 60, 100))
    rows = metrics("META", filing("2024-02-02", *windows, form="10-K"), filing("2025-01-30", *windows, form="10-K"))
    assert rows["filed_on"].unique().tolist() == [pd.Timestamp("2024-02-02")]


def test_a_row_holds_every_figure_as_known_at_its_filing():
    """A balance restated later repeats the flows of the quarter, so one row answers the whole question."""
    rows = metrics(
        "META",
        filing("2023-04-27", (CAPEX, "2023-01-01", "2023-03-31", 10), (EQUITY, None, "2023-03-31", 500)),
        filing("2023-07-27", (EQUITY, None, "2023-03-31", 490)),
    )
    assert rows[["capex", "total_equity"]].to_numpy().tolist() == [[10, 500], [10, 490]]


def test_a_quarter_filed_as_such_stands_against_a_mistagged_window():
    """One quarter's revenue once stood under the six months' dates (NVDA's 10-K of 2018-02-28)."""
    rows = metrics(
        "NVDA",
        filing("2017-05-23", ("Revenues", "2017-01-30", "2017-04-30", 1_937)),
        filing(
            "2017-08-23",
            ("Revenues", "2017-01-30", "2017-07-30", 4_167),
            ("Revenues", "2017-05-01", "2017-07-30", 2_230),
        ),
        filing("2018-02-28", ("Revenues", "2017-01-30", "2017-07-30", 2_230), form="10-K"),
    )
    assert values(rows, "revenue") == {("FY2018Q1", "2017-05-23"): 1_937, ("FY2018Q2", "2017-08-23"): 2_230}


def test_a_cash_flow_follows_its_windows_even_where_the_quarter_was_filed_as_such():
    """NVDA filed 201 for the second quarter of fiscal 2017, then moved 1 from it into the first."""
    half = (CASH, "2016-02-01", "2016-07-31", 519)
    rows = metrics(
        "NVDA",
        filing("2016-11-22", (CASH, "2016-02-01", "2016-05-01", 318), half, (CASH, "2016-05-02", "2016-07-31", 201)),
        filing("2017-05-23", (CASH, "2016-02-01", "2016-05-01", 319)),
        filing("2017-08-23", half),
    )
    assert values(rows.query("fiscal_period == 'FY2017Q2'"), "operating_cf") == {
        ("FY2017Q2", "2016-11-22"): 201,
        ("FY2017Q2", "2017-08-23"): 200,
    }


def test_a_cash_flow_known_only_as_such_is_taken_until_its_windows_are_known():
    rows = metrics(
        "MSFT",
        filing("2023-04-25", (CAPEX, "2023-01-01", "2023-03-31", 6_607), (CAPEX, "2022-07-01", "2023-03-31", 19_164)),
        filing("2024-01-30", (CAPEX, "2022-07-01", "2022-12-31", 12_556)),
    )
    assert values(rows, "capex") == {("FY2023Q3", "2023-04-25"): 6_607, ("FY2023Q3", "2024-01-30"): 6_608}


def test_a_difference_may_span_two_tags_of_one_line():
    """NVDA renamed its capex tag within fiscal 2021; the six months were filed under the old name."""
    rows = metrics(
        "NVDA",
        filing("2020-08-19", (CAPEX, "2020-01-27", "2020-07-26", 372)),
        filing("2020-11-18", (PRODUCTIVE, "2020-01-27", "2020-10-25", 845)),
    )
    assert values(rows, "capex") == {("FY2021Q3", "2020-11-18"): 473}


def test_the_last_filing_of_a_day_speaks_for_the_day():
    first = filing("2023-04-27", (CAPEX, "2023-01-01", "2023-03-31", 10), accession="0001-23-000009")
    second = filing("2023-04-27", (CAPEX, "2023-01-01", "2023-03-31", 11), accession="0001-23-000002")
    second["accepted_at"] += pd.Timedelta(minutes=5)
    rows = metrics("META", second, first)
    assert rows[["capex", "accession"]].to_numpy().tolist() == [[11, "0001-23-000002"]]


def test_days_may_come_as_dates_or_as_text():
    stamped = filing("2023-04-27", (CAPEX, "2023-01-01", "2023-03-31", 10), (EQUITY, None, "2023-03-31", 500))
    expected = hyperscaler_metrics("META", stamped)
    days = ["start", "end", "filed_on"]
    as_dates = stamped.assign(**{name: stamped[name].dt.date.where(stamped[name].notna(), None) for name in days})
    as_text = stamped.assign(**{name: stamped[name].dt.strftime("%Y-%m-%d") for name in days})
    pd.testing.assert_frame_equal(hyperscaler_metrics("META", as_dates), expected)
    pd.testing.assert_frame_equal(hyperscaler_metrics("META", as_text), expected)


def test_no_facts_give_an_empty_frame_of_the_same_shape():
    full = metrics("META", filing("2023-04-27", (CAPEX, "2023-01-01", "2023-03-31", 10)))
    facts = filing("2023-04-27", (CAPEX, "2023-01-01", "2023-03-31", 10))
    for nothing in (facts.iloc[:0], pd.DataFrame(columns=facts.columns), facts.assign(form="8-K")):
        empty = hyperscaler_metrics("META", nothing)
        assert empty.empty
        assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_errors_name_their_cause():
    facts = filing("2023-04-27", (CAPEX, "2023-01-01", "2023-03-31", 10))
    with pytest.raises(ValueError, match=r"'IBM' is no declared filer; declared are AMZN, GOOGL"):
        hyperscaler_metrics("IBM", facts)
    with pytest.raises(ValueError, match=r"facts lack the columns form, accepted_at"):
        hyperscaler_metrics("META", facts.drop(columns=["form", "accepted_at"]))
