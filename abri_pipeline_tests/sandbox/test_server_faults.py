"""Fault switches: their two forms, which requests they meet, and what they do to an answer."""

import io
import json
import time

import httpx
import pytest

from abri_pipeline.sandbox.faults import Fault, FaultError, Faults
from abri_pipeline.sandbox.server import running

CHART = "/yahoo/v8/finance/chart/UP?period1=0&period2=4000000000&interval=1d"
SPREADS = "/fred/series/observations?series_id=BAMLH0A0HYM2&api_key=k&file_type=json"


@pytest.fixture
def faulty(sandbox, at):
    """The shared sandbox with its switches off before and after."""
    at("2024-07-06T00:00:00Z")
    sandbox.delete("/_faults")
    yield sandbox
    sandbox.delete("/_faults")


def switch(client: httpx.Client, **cells: object) -> None:
    answer = client.post("/_faults", json=cells)
    assert answer.status_code == 200, answer.text


def test_the_command_line_form_reads_as_the_json_form():
    text = Fault.parse("yahoo:status=503:times=2:match=NVDA")
    assert text == Fault.of({"upstream": "yahoo", "kind": "status", "value": 503, "times": 2, "match": "NVDA"})
    assert Fault.parse("fred:shrink") == Fault("fred", "shrink")
    assert Faults.parse(["sec:html", "fred:delay=0.5"]).listed()[1]["value"] == "0.5"


@pytest.mark.parametrize(
    "text",
    [
        "", "yahoo", "yahoo:explode", "yahoo:status", "yahoo:status=teapot", "yahoo:status=99", ":html",
        "yahoo:html:times=0", "yahoo:html:times=some", "yahoo:html:colour=red", "yahoo:delay=-1",
        "yahoo:delay=nan", "yahoo:corrupt=May", "yahoo:truncate=-1",
    ],
)  # fmt: skip
def test_a_mistyped_switch_is_refused_when_it_is_set_and_shows_the_form(text):
    with pytest.raises(FaultError, match="write it as yahoo:status=503:times=2:match=NVDA"):
        Fault.parse(text)


@pytest.mark.parametrize(
    "body", ["{", "[1]", '{"kind": "html"}', '{"upstream": "yahoo", "kind": "html", "x": 1}', "\xff"]
)
def test_a_bad_post_is_a_400_that_changes_nothing(faulty, body):
    answer = faulty.post("/_faults", content=body.encode("latin-1"))
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert faulty.get("/_faults").json() == []


def test_a_status_is_given_times_over_and_then_the_truth(faulty):
    switch(faulty, upstream="yahoo", kind="status", value=503, times=2)
    assert [faulty.get(CHART).status_code for _ in range(3)] == [503, 503, 200]
    assert faulty.get("/_faults").json() == []


def test_a_switch_meets_only_its_upstream_and_its_match(faulty):
    switch(faulty, upstream="yahoo", kind="status", value=500, match="chart/LATE")
    assert faulty.get(CHART).status_code == 200
    assert faulty.get(CHART.replace("UP", "LATE")).status_code == 500
    switch(faulty, upstream="fred", kind="empty", match="BAMLH0A0HYM2")
    assert faulty.get(SPREADS).content == b""
    assert faulty.get(SPREADS.replace("BAMLH0A0HYM2", "UNRATE")).json()["count"] == 3


def test_too_many_requests_speaks_the_upstreams_words_with_retry_after(faulty):
    switch(faulty, upstream="yahoo", kind="status", value=429, retry_after=7)
    answer = faulty.get(CHART)
    assert (answer.text, answer.headers["retry-after"]) == ("Edge: Too Many Requests", "7")
    switch(faulty, upstream="fred", kind="status", value=429)
    assert faulty.get(SPREADS).json()["error_code"] == 429


def test_html_is_a_page_with_status_200(faulty):
    switch(faulty, upstream="sec", kind="html")
    answer = faulty.get("/sec/submissions/CIK0000000042.json")
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_truncated_body_is_the_start_of_the_true_one(faulty):
    whole = faulty.get(CHART).content
    switch(faulty, upstream="yahoo", kind="truncate", value=100, times=1)
    assert faulty.get(CHART).content == whole[:100]
    switch(faulty, upstream="yahoo", kind="truncate", times=1)
    cut = faulty.get(CHART).content
    assert whole.startswith(cut)
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)


def test_a_delay_gives_the_true_answer_late(faulty):
    whole = faulty.get(CHART).content
    switch(faulty, upstream="yahoo", kind="delay", value=0.2)
    begun = time.monotonic()
    assert faulty.get(CHART).content == whole
    assert time.monotonic() - begun >= 0.2


def test_corrupt_plants_one_bad_bar_and_waits_for_a_chart_that_has_it(faulty):
    switch(faulty, upstream="yahoo", kind="corrupt", value="2024-06-12", times=1)
    elsewhere = "/yahoo/v8/finance/chart/UP?range=1d"
    quote = faulty.get(elsewhere).json()["chart"]["result"][0]["indicators"]["quote"][0]
    assert quote["low"][0] < quote["high"][0]
    bad = faulty.get(CHART).json()["chart"]["result"][0]["indicators"]["quote"][0]
    good = faulty.get(CHART).json()["chart"]["result"][0]["indicators"]["quote"][0]
    for name in ("low", "volume"):
        assert [row for row, value in enumerate(good[name]) if value != bad[name][row]] == [7]
    assert bad["low"][7] > bad["high"][7]
    assert bad["volume"][7] < 0


def test_corrupt_without_a_date_takes_the_newest_bar_and_breaks_other_bodies(faulty):
    switch(faulty, upstream="yahoo", kind="corrupt")
    assert faulty.get(CHART).json()["chart"]["result"][0]["indicators"]["quote"][0]["volume"][-1] < 0
    assert faulty.get(CHART.replace("UP", "NOPE")).status_code == 404
    switch(faulty, upstream="fred", kind="corrupt")
    with pytest.raises(UnicodeDecodeError):
        faulty.get(SPREADS).content.decode()


def test_shrink_leaves_only_the_last_years_of_the_ice_series(faulty):
    assert faulty.get(SPREADS).json()["observations"][0]["date"] == "2019-06-03"
    switch(faulty, upstream="fred", kind="shrink")
    switch(faulty, upstream="fredgraph", kind="shrink", value=3)
    assert faulty.get(SPREADS).json()["observations"][0]["date"] == "2024-06-26"
    assert faulty.get("/fredgraph/fredgraph.csv?id=BAMLH0A0HYM2").text.splitlines()[1].startswith("2024-06-26")
    switch(faulty, upstream="fred", kind="shrink", value=0)
    assert faulty.get(SPREADS.replace("BAMLH0A0HYM2", "UNRATE")).json()["count"] == 3


def test_every_faulted_answer_is_labelled_counted_and_logged(hand_market, at):
    at("2024-07-06T00:00:00Z")
    out = io.StringIO()
    with running(hand_market, faults=Faults.parse(["yahoo:status=503"]), out=out) as base:
        answer = httpx.get(base + CHART)
        assert httpx.get(base + "/_calls").json() == {"yahoo": 1}
    assert answer.headers["x-abri-market"] == "synthetic"
    assert out.getvalue().splitlines()[0] == "GET /yahoo/v8/finance/chart/UP 503"
