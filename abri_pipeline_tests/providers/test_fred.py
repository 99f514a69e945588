"""FRED with and without a key, its errors and its three shapes."""

from datetime import date

import pandas as pd
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers.errors import Absent, BadRequest, Malformed, RateLimited, Refused, UpstreamError
from abri_pipeline.providers.fred import fetch_series, parse_series
from abri_pipeline.providers.transport import Transport

KEY = "0123456789abcdef0123456789abcdef"
XML = b"""<?xml version="1.0" encoding="utf-8" ?>
<observations realtime_start="2026-01-19" realtime_end="2026-01-19" count="3">
  <observation realtime_start="2026-01-19" realtime_end="2026-01-19" date="2025-09-01" value="4.4"/>
  <observation realtime_start="2026-01-19" realtime_end="2026-01-19" date="2025-10-01" value="."/>
  <observation realtime_start="2026-01-19" realtime_end="2026-01-19" date="2025-11-01" value="-36.98"/>
</observations>
"""
JSON = b"""{"count": 3, "observations": [{"date": "2025-09-01", "value": "4.4"},
 {"date": "2025-10-01", "value": "."}, {"date": "2025-11-01", "value": "-36.98"}]}"""
CSV = b"observation_date,UNRATE\n2025-09-01,4.4\n2025-10-01,\n2025-11-01,-36.98\n"
OLD_CSV = b"DATE,UNRATE\r\n2025-09-01,4.4\r\n2025-10-01,.\r\n2025-11-01,-36.98\r\n"


@pytest.mark.parametrize("shape", [XML, JSON, CSV, OLD_CSV], ids=["xml", "json", "csv", "old csv"])
def test_every_shape_gives_the_same_series(shape) -> None:
    expected = pd.DataFrame({
        "observed_on": pd.to_datetime(["2025-09-01", "2025-11-01"]).as_unit("us"),
        "value": [4.4, -36.98],
    })  # fmt: skip
    pd.testing.assert_frame_equal(parse_series(shape), expected)


def test_a_series_without_observations_is_empty_and_typed() -> None:
    empty = parse_series(b"observation_date,X\n")
    assert empty.empty
    assert empty.dtypes.equals(parse_series(CSV).dtypes)


def test_with_a_key_fredapi_sends_one_request(upstream, answer) -> None:
    upstream.will(answer(XML, Content_Type="text/xml;charset=utf-8"))
    with Transport(upstream.settings(FRED_API_KEY=KEY)) as transport:
        payload = fetch_series(transport, "UNRATE", KEY)
    assert payload.body == XML
    path, asked, _ = upstream.seen[0]
    assert len(upstream.seen) == 1
    assert path == "/fred/series/observations"
    assert asked == {"series_id": ["UNRATE"], "api_key": [KEY]}
    assert KEY not in repr(payload)
    assert payload.url.endswith("/fred/series/observations?series_id=UNRATE")


def test_a_vintage_is_bounded_on_both_sides(upstream, transport, answer) -> None:
    upstream.will(answer(XML))
    fetch_series(transport, "UNRATE", KEY, as_of=date(2024, 5, 3))
    asked = upstream.seen[0][1]
    assert (asked["realtime_start"], asked["realtime_end"]) == (["2024-05-03"], ["2024-05-03"])


def test_without_a_key_the_public_csv_is_asked(upstream, transport, answer) -> None:
    upstream.will(answer(CSV, Content_Type="application/csv"))
    payload = fetch_series(transport, "UNRATE", None)
    assert payload.body == CSV
    assert upstream.seen[0][:2] == ("/fredgraph/fredgraph.csv", {"id": ["UNRATE"]})


def test_proxies_of_the_environment_are_left_alone(upstream, transport, answer, monkeypatch) -> None:
    import urllib.request

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    before = urllib.request._opener
    upstream.will(answer(XML))
    fetch_series(transport, "UNRATE", KEY)
    assert urllib.request._opener is before


ERRORS = [
    ("Bad Request.  The series does not exist.", Absent, "does not know the series NOPE"),
    ("Bad Request.  The value for variable api_key is not registered.", Refused, "FRED_API_KEY"),
    ("Bad Request.  Variable api_key has not been set.", Refused, "FRED_API_KEY"),
    ("Too Many Requests.  Exceeded Rate Limit", RateLimited, "wait a minute"),
    ("Bad Request.  There are 2004 vintage dates in the period.", BadRequest, "2004 vintage"),
]


@pytest.mark.parametrize(("words", "branch", "told"), ERRORS)
@pytest.mark.parametrize("shape", ["xml", "json"])
def test_freds_one_status_has_many_meanings(upstream, transport, answer, words, branch, told, shape) -> None:
    said = f'<error code="400" message="{words}"/>' if shape == "xml" else f'{{"error_message": "{words}"}}'
    upstream.will(answer(said.encode(), 400))
    with pytest.raises(branch, match=told) as caught:
        fetch_series(transport, "NOPE", KEY)
    assert type(caught.value) is branch
    assert KEY not in str(caught.value)
    with pytest.raises(branch):  # the same words in an archived body
        parse_series(said.encode())


def test_a_429_is_tried_again(upstream, transport, answer) -> None:
    upstream.will(answer(b'<error code="429" message="Too Many Requests"/>', 429), answer(XML))
    with stamina.set_testing(True, attempts=5):
        assert fetch_series(transport, "UNRATE", KEY).body == XML


def test_an_unknown_series_without_a_key_is_absent(upstream, transport, answer) -> None:
    upstream.will(answer(b"<!DOCTYPE html><h1>404</h1>", 404, Content_Type="text/html"))
    with pytest.raises(Absent, match="NOPE"):
        fetch_series(transport, "NOPE", None)


@pytest.mark.parametrize("series", ["", "../x", "A&api_key=1", "a b", "X" * 61])
def test_an_id_that_cannot_be_freds_is_not_asked(transport, series) -> None:
    with pytest.raises(BadRequest, match="no FRED series id"):
        fetch_series(transport, series, None)
    assert not transport.calls


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>login</body></html>",
        b"<!DOCTYPE html><html></html>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><observations>&a;</observations>',
        b"<observations><observation",
        b"{}",
        b'{"observations": 3}',
        b'{"observations": [{"date": "2025-09-01"}]}',
        b"observation_date,UNRATE\n2025-09-01,4.4\n2025-1",
        b"observation_date,UNRATE\n2025-09-01,4,4\n",
        b"observation_date,UNRATE\n2025-13-01,4\n",
        b"observation_date,UNRATE\n2025-09-01,1e400\n",
        b"observation_date,UNRATE\n2025-09-01,nan\n",
        b"observation_date,UNRATE\n2025-09-01,null\n",
        b"\xef\xbb\xbf" + CSV,
        CSV.decode().encode("utf-16"),
    ],
)
def test_anything_else_is_malformed(body) -> None:
    with pytest.raises(Malformed):
        parse_series(body, "text/plain")


@given(st.binary(max_size=120))
def test_arbitrary_bytes_are_read_or_malformed(noise) -> None:
    for body in (noise, b"<" + noise, b"{" + noise, b"DATE,X\n" + noise, b"DATE,X\n2025-09-01," + noise):
        try:
            assert list(parse_series(body)) == ["observed_on", "value"]
        except UpstreamError as error:
            assert error.kind == "malformed"


@pytest.mark.realdata
@pytest.mark.parametrize("series", ["UNRATE", "BAMLH0A0HYM2"])
def test_recorded_series_are_read_whole(shared, series) -> None:
    text = (shared / "data" / "fred" / f"{series}.csv").read_text()
    records = [line.split(",") for line in text.splitlines()[1:]]
    kept = [(day, float(value)) for day, value in records if value not in ("", ".")]
    read = parse_series(("DATE,X\n" + text.split("\n", 1)[1]).encode())
    assert list(zip(read["observed_on"].dt.strftime("%Y-%m-%d"), read["value"], strict=True)) == sorted(kept)
