"""Both FRED wires over a hand-made market: publication dates, keys, vintages, shapes."""

import warnings
from datetime import UTC, datetime

import httpx
import pytest

from abri_pipeline.sandbox.wires import fred_series

OBSERVATIONS = "/fred/series/observations"


def json_of(sandbox: httpx.Client, series_id: str = "UNRATE", **query: str) -> dict:
    answer = sandbox.get(OBSERVATIONS, params={"series_id": series_id, "api_key": "k", "file_type": "json", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2024-07-05T12:29:59Z", "2024-05-01"),  # the employment situation came at 08:30 New York
        ("2024-07-05T12:30:00Z", "2024-06-01"),
        ("2024-06-07T12:29:59Z", "2024-04-01"),
    ],
)
def test_a_month_appears_on_its_release_day_and_not_before(sandbox, at, now, newest):
    at(now)
    assert json_of(sandbox)["observations"][-1]["date"] == newest
    csv = sandbox.get("/fredgraph/fredgraph.csv", params={"id": "UNRATE"}).text
    assert csv.splitlines()[-1].startswith(newest)


def test_spreads_come_a_business_day_late(sandbox, at):
    at("2024-06-28T23:00:00Z")
    assert json_of(sandbox, "BAMLH0A0HYM2")["observations"][-1]["date"] == "2024-06-27"
    at("2024-07-01T23:00:00Z")
    assert json_of(sandbox, "BAMLH0A0HYM2")["observations"][-1]["date"] == "2024-06-28"


def test_an_earlier_realtime_day_shows_what_was_known_then(sandbox, at):
    at("2024-08-01T00:00:00Z")
    then = json_of(sandbox, realtime_start="2024-06-30", realtime_end="2024-06-30")
    assert [row["date"] for row in then["observations"]] == ["2024-04-01", "2024-05-01"]
    assert {row["realtime_start"] for row in then["observations"]} == {"2024-06-30"}


def test_no_realtime_day_reaches_beyond_now(hand_market):
    now, later = datetime(2024, 7, 5, 12, 29, tzinfo=UTC), datetime(2024, 7, 6, 4, tzinfo=UTC)
    seen = fred_series.published(hand_market, "UNRATE", now, later)
    assert [row.value for row in seen] == ["3.9", "4.0"]


def test_the_whole_realtime_period_dates_each_value_by_its_release(sandbox, at):
    at("2024-08-01T00:00:00Z")
    whole = json_of(sandbox, realtime_start="1776-07-04", realtime_end="9999-12-31")
    assert [row["realtime_start"] for row in whole["observations"]] == ["2024-05-03", "2024-06-07", "2024-07-05"]
    assert {row["realtime_end"] for row in whole["observations"]} == {"9999-12-31"}


def test_windows_offsets_limits_and_order(sandbox, at):
    at("2024-08-01T00:00:00Z")
    window = {"observation_start": "2024-05-01", "observation_end": "2024-06-01"}
    found = json_of(sandbox, **window, sort_order="desc", limit="1", offset="1")
    assert (found["count"], found["limit"], found["offset"]) == (2, 1, 1)
    assert [row["value"] for row in found["observations"]] == ["4.0"]


def test_missing_is_a_dot_in_the_api_and_blank_in_the_csv(sandbox, at):
    at("2024-08-01T00:00:00Z")
    assert json_of(sandbox, "BAMLH0A0HYM2")["observations"][2]["value"] == "."
    query = {"id": "BAMLH0A0HYM2", "cosd": "2024-06-27", "coed": "2024-06-28"}
    lines = sandbox.get("/fredgraph/fredgraph.csv", params=query).text.splitlines()
    assert lines == ["observation_date,BAMLH0A0HYM2", "2024-06-27,", "2024-06-28,3.3"]


def test_fredapi_reads_the_xml(sandbox, at):
    at("2024-08-01T00:00:00Z")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fredapi is not the subject; what it warns of is its own
        from fredapi import Fred

        client = Fred(api_key="k" * 32)
        client.root_url = f"{sandbox.base_url}".rstrip("/") + "/fred"
        series = client.get_series("UNRATE")
        assert series.tolist() == [3.9, 4.0, 4.1]
        assert client.get_series_info("UNRATE")["frequency_short"] == "M"
        assert client.get_series_as_of_date("UNRATE", "2024-06-08")["value"].tolist() == [3.9, 4.0]
        with pytest.raises(ValueError, match="The series does not exist"):
            client.get_series("NOPE")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"series_id": "UNRATE"}, "Variable api_key has not been set."),
        ({"series_id": "NOPE", "api_key": "k"}, "The series does not exist."),
        ({"series_id": "NORULE", "api_key": "k"}, "The series does not exist."),
        ({"api_key": "k"}, "Variable series_id has not been set."),
        ({"series_id": "UNRATE", "api_key": "k", "observation_start": "May"}, "not a YYYY-MM-DD date"),
        ({"series_id": "UNRATE", "api_key": "k", "realtime_end": "1999-01-01"}, "before realtime_start"),
        ({"series_id": "UNRATE", "api_key": "k", "limit": "-1"}, "is not an integer"),
    ],
)
def test_complaints_are_freds_400_in_either_file_type(sandbox, at, query, said):
    at("2024-08-01T00:00:00Z")
    as_xml = sandbox.get(OBSERVATIONS, params=query)
    as_json = sandbox.get(OBSERVATIONS, params={**query, "file_type": "json"})
    assert (as_xml.status_code, as_json.status_code) == (400, 400)
    assert as_xml.text.startswith('<?xml version="1.0"')
    assert said in as_xml.text
    assert as_json.json()["error_message"].startswith("Bad Request.  ")
    assert said in as_json.json()["error_message"]


@pytest.mark.parametrize("query", [{"id": "NOPE"}, {"id": "NORULE"}, {}, {"id": "UNRATE", "cosd": "May"}])
def test_the_csv_of_an_unknown_series_is_an_html_404(sandbox, at, query):
    at("2024-08-01T00:00:00Z")
    answer = sandbox.get("/fredgraph/fredgraph.csv", params=query)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
